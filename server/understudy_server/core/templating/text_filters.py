# ruff: noqa: ARG001, FBT002 - the signatures are those that templates see
"""Filters of texts and numbers. Each is given the run, what is before the bar, and what is in its brackets."""

import base64
import binascii
import hashlib
import html
import json
import math
import textwrap
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from understudy_server.core.matching import json_values
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.operations import WIDTH_MAX, format_text
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import (
    Lookup,
    Undefined,
    bounded,
    items_of,
    kind_of,
    number,
    pairs_of,
    text,
    text_of,
    walk,
    whole,
)

_INDENT_MAX = 16
_INDENT_STEPS = 20
_LINE_STEPS = 16


def to_json(run: Run, value: Any, indent: Any = None) -> str:
    """A value as JSON: compact, or over several lines with ``indent``; characters stay as they are."""
    plain = walk(run, value)
    width = None if indent is None or indent is False else 2 if indent is True else whole(indent)
    if width is not None and not 0 <= width <= _INDENT_MAX:
        raise Fault(f"indent is 0 to {_INDENT_MAX}")
    try:
        written = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if width is not None:
            # That is done in Python, item by item.
            run.take_for_text(2 * len(written))
            run.take(_INDENT_STEPS * (written.count(",") + written.count("[") + written.count("{")))
            written = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=width, separators=(",", ": "))
    except (ValueError, TypeError) as error:
        raise Fault("a number that is none, or a key that is no text, cannot be JSON") from error
    run.take_for_text(len(written))
    return written


def from_json(run: Run, value: Any) -> Any:
    """The value that a JSON text stands for."""
    given = text(value)
    # Reading costs more than copying.
    run.take_for_text(len(given))
    run.take(len(given) // 16)
    try:
        encoded = given.encode()
        run.take(json_values.steps_to_read(encoded))
        read = json_values.read(encoded)
    except UnicodeEncodeError:
        read = json_values.UNREADABLE
    if read is json_values.UNREADABLE:
        raise Fault("the text is not JSON")
    return read


def _bytes(run: Run, value: Any) -> bytes:
    given = text_of(run, value)
    run.take_for_text(2 * len(given))
    return given.encode("utf-8", "surrogateescape") if given.isascii() else given.encode("utf-8", "replace")


def to_base64(run: Run, value: Any) -> str:
    """A text in base64."""
    return base64.b64encode(_bytes(run, value)).decode()


def to_base64url(run: Run, value: Any) -> str:
    """A text in the base64 of URLs, without padding."""
    return base64.urlsafe_b64encode(_bytes(run, value)).decode().rstrip("=")


def from_base64(run: Run, value: Any) -> str:
    """The text that base64 of either kind stands for, with or without padding."""
    given = text(value)
    run.take_for_text(len(given))
    try:
        padded = given.strip().replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise Fault("it is not base64 of a text") from error


def to_hex(run: Run, value: Any) -> str:
    """The bytes of a text in UTF-8, in hexadecimal digits."""
    return _bytes(run, value).hex()


def md5(run: Run, value: Any) -> str:
    """The MD5 sum of a text, in hexadecimal digits."""
    data = _bytes(run, value)
    run.take(len(data) // 32)
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256(run: Run, value: Any) -> str:
    """The SHA-256 sum of a text, in hexadecimal digits."""
    data = _bytes(run, value)
    run.take(len(data) // 32)
    return hashlib.sha256(data).hexdigest()


def upper(run: Run, value: Any) -> str:
    """In capital letters."""
    given = text_of(run, value)
    run.take_for_text(2 * len(given))
    return given.upper()


def lower(run: Run, value: Any) -> str:
    """In small letters."""
    given = text_of(run, value)
    run.take_for_text(2 * len(given))
    return given.lower()


def capitalize(run: Run, value: Any) -> str:
    """The first letter a capital one, the others small."""
    given = text_of(run, value)
    run.take_for_text(2 * len(given))
    return given.capitalize()


def title(run: Run, value: Any) -> str:
    """Each word begins with a capital letter, and goes on with small ones."""
    given = text_of(run, value)
    run.take_for_text(4 * len(given))
    written, begins = [], True
    run.take(len(given))
    for character in given:
        written.append(character.upper() if begins else character.lower())
        begins = character.isspace() or character in "-([{<"
    return "".join(written)


def trim(run: Run, value: Any, characters: Any = None) -> str:
    """Without space, or these characters, at both ends."""
    given = text_of(run, value)
    run.take_for_text(len(given))
    return given.strip(None if characters is None else text(characters))


def replace(run: Run, value: Any, old: Any, new: Any, count: Any = None) -> str:
    """Each ``old`` in it, or the first ``count`` of them, replaced by ``new``."""
    given, old, new = text_of(run, value), text_of(run, old), text_of(run, new)
    run.take_for_text(len(given))
    found = given.count(old) if count is None else min(given.count(old), whole(count))
    run.take_for_text(max(0, len(given) + found * (len(new) - len(old))))
    run.take(found // 16)
    return given.replace(old, new, -1 if count is None else whole(count))


def center(run: Run, value: Any, width: Any = 80) -> str:
    """In the middle of so many characters."""
    given = text_of(run, value)
    run.take_for_text(max(len(given), whole(width)))
    return given.center(whole(width))


def indent(run: Run, value: Any, width: Any = 4, first: Any = False, blank: Any = False) -> str:
    """Each line but the first moved to the right; ``first``, ``blank``: the first one and empty ones, too."""
    given = text_of(run, value)
    prefix = text(width) if isinstance(width, str) else " " * min(max(whole(width), 0), WIDTH_MAX)
    lines = given.count("\n") + 1
    run.take_for_text(len(given) + lines * len(prefix))
    run.take(2 * lines)
    moved = [line if not (line or blank) else prefix + line for line in given.split("\n")]
    if not first:
        moved[0] = given.split("\n", 1)[0]
    return "\n".join(moved)


def truncate(run: Run, value: Any, length: Any = 255, killwords: Any = False, end: Any = "...", leeway: Any = 5) -> str:
    """Cut to so many characters, ``end`` included, at the end of a word unless ``killwords``."""
    given, ending, most = text_of(run, value), text(end), whole(length)
    run.take_for_text(len(given))
    if most < len(ending):
        raise Fault("truncate needs room for its end")
    if len(given) <= most + whole(leeway):
        return given
    cut = given[: most - len(ending)]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + ending


def wordwrap(run: Run, value: Any, width: Any = 79, break_long_words: Any = True, wrapstring: Any = "\n") -> str:
    """In lines of at most so many characters."""
    given, most, between = text_of(run, value), whole(width), text(wrapstring)
    if most < 1:
        raise Fault("wordwrap needs a width")
    # Taking words apart and putting them together costs as much for each character as a step.
    run.take_for_text(len(given) + len(between) * (len(given) // most + given.count("\n") + 1))
    run.take(2 * len(given) + _LINE_STEPS * (len(given) // most))
    lines = [
        between.join(
            textwrap.wrap(
                line,
                width=most,
                expand_tabs=False,
                replace_whitespace=False,
                break_long_words=bool(break_long_words),
                break_on_hyphens=True,
            )
        )
        for line in given.splitlines()
    ]
    written = between.join(lines)
    run.take_for_text(len(written))
    return written


def wordcount(run: Run, value: Any) -> int:
    """How many words it has."""
    given = text_of(run, value)
    run.take_for_text(len(given))
    run.take(len(given) // 8)
    return len(given.split())


def split(run: Run, value: Any, separator: Any = None, maxsplit: Any = None) -> list[str]:
    """Its parts between separators, or between spaces."""
    given = text(value)
    run.take_for_text(len(given))
    most = -1 if maxsplit is None else whole(maxsplit)
    if separator == "":
        raise Fault("split needs a separator")
    # Without a separator parts are at least one character and a space.
    run.take(len(given) // 4 if separator is None else given.count(text(separator)))
    return given.split(None if separator is None else text(separator), most)


def lines(run: Run, value: Any) -> list[str]:
    """Its lines."""
    given = text_of(run, value)
    run.take_for_text(len(given))
    found = given.splitlines()
    run.take(len(found))
    return found


def to_text(run: Run, value: Any) -> str:
    """As text."""
    return text_of(run, value)


def escape(run: Run, value: Any) -> str:
    """Fit to stand in HTML."""
    given = text_of(run, value)
    run.take_for_text(len(given) + 4 * sum(map(given.count, "&<>'\"")))
    return html.escape(given).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def urlencode(run: Run, value: Any) -> str:
    """Percent-encoded, as a part of a URL; of a mapping or a list of pairs, a whole query."""
    if isinstance(value, dict | Lookup):
        return "&".join([f"{_quoted(run, key)}={_quoted(run, item)}" for key, item in pairs_of(run, value)])
    if isinstance(value, list | tuple):
        pairs = items_of(run, value)
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
            raise Fault("a query is made of pairs")
        return "&".join([f"{_quoted(run, key)}={_quoted(run, item)}" for key, item in pairs])
    return _quoted(run, value, safe="/")


def _quoted(run: Run, value: Any, safe: str = "") -> str:
    given = text_of(run, value)
    run.take_for_text(4 * len(given))
    run.take(len(given) // 8)
    return quote(given, safe=safe, errors="replace")


def format_filter(run: Run, value: Any, *values: Any, **named: Any) -> str:
    """A text with values in it, as ``%`` does in C and Python."""
    return format_text(run, text(value), values, named)


def absolute(run: Run, value: Any) -> int | float:
    """A number without its sign."""
    return abs(number(value))


def to_int(run: Run, value: Any, default: Any = 0, base: Any = 10) -> Any:
    """As a whole number: of a text what it says, of a number what is before the point; else ``default``."""
    if isinstance(value, Undefined):
        raise value.fault()
    try:
        if isinstance(value, str):
            run.take(1 + len(value) // 16)
            digits = value.strip()
            return bounded(_int_of(digits, whole(base))) if len(digits) < 400 else default
        return int(value) if isinstance(value, int | float) else default
    except (ValueError, OverflowError):
        return default


def _int_of(digits: str, base: int) -> int:
    try:
        return int(digits, base)
    except ValueError:
        return int(float(digits))


def to_float(run: Run, value: Any, default: Any = 0.0) -> Any:
    """As a number with a fraction; of what is none, ``default``."""
    if isinstance(value, Undefined):
        raise value.fault()
    try:
        return (
            float(value) if isinstance(value, int | float) or (isinstance(value, str) and len(value) < 400) else default
        )
    except (ValueError, OverflowError):
        return default


def to_bool(run: Run, value: Any) -> bool:
    """Whether it counts as true."""
    if isinstance(value, Undefined):
        raise value.fault()
    return bool(value) if not isinstance(value, Lookup) else bool(list(value.keys()))


def rounded(run: Run, value: Any, precision: Any = 0, method: Any = "common") -> int | float:
    """Rounded to so many digits behind the point: ``common`` (half to even), ``ceil`` or ``floor``."""
    given, digits = number(value), whole(precision)
    ways = {"common": ROUND_HALF_EVEN, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
    if method not in ways or abs(digits) > 30:
        raise Fault("round takes a precision of at most 30 digits, and common, ceil or floor")
    if isinstance(given, int):
        # It has no digits behind the point; those before it are rounded when the precision is negative.
        return given if digits >= 0 else int(Decimal(given).quantize(Decimal(1).scaleb(-digits), rounding=ways[method]))
    if method == "common" or not math.isfinite(given):
        return round(given, digits)
    try:
        return float(Decimal(given).quantize(Decimal(1).scaleb(-digits), rounding=ways[method]))
    except InvalidOperation:
        return given


def safe(run: Run, value: Any) -> Any:
    """As it is: nothing is escaped here anyway."""
    if isinstance(value, Undefined):
        raise value.fault()
    return value


def filesizeformat(run: Run, value: Any, binary: Any = False) -> str:
    """A number of bytes as people read it."""
    size, base = float(to_float(run, value)), 1024 if binary else 1000
    if size == 1:
        return "1 Byte"
    if size < base:
        return f"{int(size)} Bytes"
    units = ["KiB", "MiB", "GiB", "TiB", "PiB"] if binary else ["kB", "MB", "GB", "TB", "PB"]
    for power, unit in enumerate(units, 1):
        if size < base ** (power + 1) or power == len(units):
            return f"{size / base**power:.1f} {unit}"
    raise Fault(f"{kind_of(value)} has no size")
