"""Reading JSON that anybody may have sent: quickly, with all its digits, and no more of it than is read in time.

orjson reads it. It takes a fifth of the time of Python's own parser, but gives long integers as floats, and refuses
half surrogate pairs and numbers that no float holds. Where a text has those, Python's parser reads it, if that is not
too slow.

A long text is read in parts (`json_parts.py`), so that others can have their turn in between.
"""

import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from understudy_server.core import json_parts

PARSED_BYTES_MAX: Final = 1024 * 1024
"""Longer text is not read, and so does not match where JSON is asked for."""

DEPTH_MAX: Final = 512
"""Lists and objects may be nested so deep."""

WEIGHT_MAX: Final = 350_000
"""What makes a text slow to read, counted by its symbols: 3 for each object, list and member, 1 for each comma. So much
of it takes some 10 ms in all, and a text of a usual kind has less in 1 MiB."""

# Measured: numbers take the longest for their weight.
_WEIGHT_IN_A_STEP: Final = 4
_BYTES_IN_A_STEP: Final = 32

_IN_ONE_GO: Final = 64 * 1024
# Longer ones are read in parts of such a length, or such a weight.
_PART: Final = 48 * 1024
_WEIGHT_OF_PART: Final = 30_000

_WHITE_SPACE: Final = b" \t\n\r"
_BEGINNINGS: Final = frozenset([b"%c" % each for each in b'[{"-0123456789tfn'])
_LOOKED_AT: Final = 1024

_SLOW_WEIGHT_MAX: Final = 30_000
# A text that cannot weigh too much.
_SHORT: Final = 16 * 1024
# orjson follows so many levels; so a text in lists around it may have fewer.
_LEVELS_OF_ORJSON: Final = 1024
_OPEN: Final = b"[" * (_LEVELS_OF_ORJSON - DEPTH_MAX)
_CLOSE: Final = b"]" * (_LEVELS_OF_ORJSON - DEPTH_MAX)

# Integers below 10**19 and above -10**18 are within 64 bits.
_DIGITS: Final = bytes.maketrans(b"0123456789", b"9" * 10)
_LONG: Final = b"9" * 19
_NO_DIGIT = re.compile(rb"[^9]")
_BEFORE_NUMBERS: Final = b"[,: \t\n\r"
_LONG_LOOKED_AT: Final = 1_000
_LOOKED_AT_ONCE: Final = 32 * 1024
# Python reads integers in a time that grows with the square of the digits.
_LONGEST: Final = b"9" * 400
_LONGEST_TEXT_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Stands for text that is no JSON value; equal to none."""


UNREADABLE: Final = _Unreadable()


def read(text: bytes) -> Any:
    """Read a JSON value, or return ``UNREADABLE``: for malformed or overlong text, NaN, too many values, or too many
    levels.

    Integers keep all their digits; of a doubled key the last one counts, as in most applications.
    """
    if takes_parts(text):
        reading = read_in_parts(text)
        while True:
            try:
                next(reading)
            except StopIteration as read_whole:
                return read_whole.value
    if not text or len(text) > PARSED_BYTES_MAX or (len(text) > _IN_ONE_GO and not _may_begin(text)):
        return UNREADABLE
    containers = _containers(text)
    weight = _weight(text, containers) if len(text) > _SHORT else 0
    return UNREADABLE if weight > WEIGHT_MAX else _read_at_once(text, containers, weight)


def takes_parts(text: bytes) -> bool:
    """Tell whether reading a text takes so long that `read_in_parts` is for it, where others wait."""
    return _IN_ONE_GO < len(text) <= PARSED_BYTES_MAX and _may_begin(text)


def read_in_parts(text: bytes) -> Generator[None, None, Any]:
    """As `read`, for a text that `takes_parts`: it yields after each millisecond or two, and returns the value.

    That is so for a text that is a long list or object, or has one, of elements that are not long. Others are read in
    one go.
    """
    containers = _containers(text)
    weight = _weight(text, containers)
    if weight > WEIGHT_MAX:
        return UNREADABLE
    yield
    size = len(text) // max(len(text) // _PART, weight // _WEIGHT_OF_PART, 1)

    def read_piece(piece: bytes) -> Any:
        value = _read_at_once(piece, _containers(piece), weight)
        if value is UNREADABLE:
            raise ValueError
        return value

    try:
        return (yield from json_parts.read_in_parts(text.strip(_WHITE_SPACE), size, read_piece))
    except json_parts.NotInParts:
        return _read_at_once(text, containers, weight)


def steps_to_read(text: bytes) -> int:
    """What it takes to read a text, in steps, whatever it turns out to be; nothing for a short one."""
    if not (_SHORT < len(text) <= PARSED_BYTES_MAX and _may_begin(text)):
        return 0
    weight = _weight(text, _containers(text))
    return 0 if weight > WEIGHT_MAX else max(weight // _WEIGHT_IN_A_STEP, len(text) // _BYTES_IN_A_STEP)


def _may_begin(text: bytes) -> bool:
    """Tell whether a text begins as JSON does, or may, behind much white space. What does not is refused in no time."""
    beginning = text[:_LOOKED_AT].lstrip(_WHITE_SPACE)[:1]
    return not beginning or beginning in _BEGINNINGS


def _containers(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _read_at_once(text: bytes, containers: int, weight: int) -> Any:
    """Read a text, or a part of one that weighs so much in all."""
    try:
        value = orjson.loads(text) if containers <= DEPTH_MAX else _read_bounded(text)
    except ValueError:
        if not _may_be_read(text):
            return UNREADABLE
    else:
        if len(text) < len(_LONG) or not _has_long_integer(text):
            return value
    return _read_patiently(text, containers) if weight <= _SLOW_WEIGHT_MAX else UNREADABLE


def _weight(text: bytes, containers: int) -> int:
    return 3 * (containers + text.count(b":")) + text.count(b",")


def _may_be_read(text: bytes) -> bool:
    """Tell whether what orjson refuses may be half a surrogate pair, or a number that is out of its range."""
    return b"\\u" in text or b"e" in text or b"E" in text or _has_digits(text, _LONG)


def _has_digits(text: bytes, run: bytes) -> bool:
    """Tell whether so many digits stand in a row. By and by: to ask for much memory takes longer than to look at it."""
    return any(
        run in text[at : at + _LOOKED_AT_ONCE + len(run)].translate(_DIGITS)
        for at in range(0, len(text), _LOOKED_AT_ONCE)
    )


def _read_bounded(text: bytes) -> Any:
    value = orjson.loads(_OPEN + text + _CLOSE)
    for _ in _OPEN:
        if len(value) != 1:
            # It closed one of those around it.
            raise ValueError(text)
        value = value[0]
    return value


def _has_long_integer(text: bytes) -> bool:
    """Tell whether it has an integer of more than 64 bits; those in strings and behind points do not count, in most
    cases.
    """
    digits = text.translate(_DIGITS)
    at = digits.find(_LONG)
    for _ in range(_LONG_LOOKED_AT):
        if at < 0:
            return False
        found = _NO_DIGIT.search(digits, at)
        end = found.start() if found else len(digits)
        start = at - 1 if text[at - 1 : at] == b"-" else at
        if (start == 0 or text[start - 1] in _BEFORE_NUMBERS) and end - start > len(_LONG):
            return True
        at = digits.find(_LONG, end)
    return True


def _read_patiently(text: bytes, containers: int) -> Any:
    if len(text) > _LONGEST_TEXT_MAX and _has_digits(text, _LONGEST):
        return UNREADABLE
    try:
        # Decoded here, because json.loads would guess UTF-16 and UTF-32, which JSON between systems may not use.
        value = json.loads(text.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return UNREADABLE
    return UNREADABLE if containers > DEPTH_MAX and _is_too_deep(value) else value


def _refuse(name: str) -> float:
    raise ValueError(name)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [part for each in level if isinstance(each, dict | list) for part in _parts(each)]
    return bool(level)


def _parts(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value
