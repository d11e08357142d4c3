"""Writing texts and blocks of YAML so that every reader of YAML 1.1 and 1.2 takes them for the same.

Values are dicts, lists, ``str`` (text, in quotes where some reader would take it for something else), Digits (written
as they are), ``bool`` and None.
"""

import re
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from understudy_server.manifest.json_text import Digits

# Longer keys may not stand before their ':' on one line (a rule of YAML: 1024 characters).
_KEY_CHARACTERS_MAX = 1_000
_INDENT = "  "

_UNWRITTEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]+")
_BLOCK = re.compile("[\t\n\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]+")
# What begins otherwise is a sign of YAML, may begin a number, or is at least unusual.
_BEGINS_PLAIN = re.compile(r"[A-Za-z0-9/_$(^;\\\u00c0-\u024f]")
_NUMBER_LIKE = re.compile(r"[0-9][0-9A-Fa-fxXobeETtZz_.:,+ -]*")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))


def write(value: Any) -> str:
    """A whole text of YAML, with a line break at its end."""
    lines: list[str] = []
    if isinstance(value, Mapping) and value:
        _mapping(value, "", lines, "")
    elif isinstance(value, list) and value:
        _sequence(value, "", lines, "")
    else:
        _value("", value, "", lines)
    return "\n".join(lines) + "\n"


def text_of(text: str) -> str:
    """A text on one line, with quotes where they are needed."""
    if _is_plain(text):
        return text
    if ('"' in text or "\\" in text) and "'" not in text and _PRINTABLE.fullmatch(text):
        return f"'{text}'"
    return _UNWRITTEN.sub(lambda found: f"\\u{ord(found[0]):04x}", encode_basestring(text))


def _is_plain(text: str) -> bool:
    return (
        _BEGINS_PLAIN.match(text) is not None
        and _PRINTABLE.fullmatch(text) is not None
        and text == text.strip()
        and ": " not in text
        and " #" not in text
        and not text.endswith(":")
        and text.lower() not in _WORDS
        and _NUMBER_LIKE.fullmatch(text) is None
    )


def _mapping(values: Mapping[str, Any], pad: str, lines: list[str], first: str) -> None:
    """Write a mapping. ``first`` begins its first line in place of ``pad``."""
    for number, (key, value) in enumerate(values.items()):
        begin = pad if number or not first else first
        name = text_of(key)
        if len(name) > _KEY_CHARACTERS_MAX:
            lines.append(f"{begin}? {name}")
            _value(f"{pad}:", value, pad, lines)
        else:
            _value(f"{begin}{name}:", value, pad, lines)


def _sequence(values: Sequence[Any], pad: str, lines: list[str], first: str) -> None:
    """Write a list. ``first`` begins its first line in place of ``pad``."""
    for number, value in enumerate(values):
        begin = (pad if number or not first else first) + "- "
        if isinstance(value, Mapping) and value:
            _mapping(value, pad + _INDENT, lines, begin)
        elif isinstance(value, list) and value:
            _sequence(value, pad + _INDENT, lines, begin)
        else:
            _value(begin.rstrip(), value, pad, lines)


def _value(begin: str, value: Any, pad: str, lines: list[str]) -> None:
    """Write a value behind what begins its line."""
    if isinstance(value, Mapping) and value:
        lines.append(begin)
        _mapping(value, pad + _INDENT, lines, "")
    elif isinstance(value, list) and value:
        lines.append(begin)
        _sequence(value, pad + _INDENT, lines, "")
    elif isinstance(value, str) and not isinstance(value, Digits) and _is_block(value):
        _block(begin, value, pad + _INDENT, lines)
    else:
        lines.append(f"{begin} {_single(value)}".lstrip() if not begin else f"{begin} {_single(value)}")


def _single(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Digits():
            return str(value)
        case str():
            return text_of(value)
        case _:
            return "[]" if isinstance(value, list) else "{}"


def _is_block(text: str) -> bool:
    """True for lines of text that can stand as they are."""
    return "\n" in text and text.strip("\n") != "" and _BLOCK.fullmatch(text) is not None


def _block(begin: str, text: str, pad: str, lines: list[str]) -> None:
    """Write lines of text as a literal block: ``|`` with how it begins and ends where that is not obvious."""
    body = text.rstrip("\n")
    breaks = len(text) - len(body)
    # Without the width, readers take the spaces at the beginning of the first line for indentation.
    width = str(len(_INDENT)) if text[0] in " \n\t" else ""
    ending = {0: "-", 1: ""}.get(breaks, "+")
    lines.append(f"{begin} |{width}{ending}")
    lines.extend(f"{pad}{line}" if line else "" for line in text.split("\n")[: -1 if breaks else None])
