"""Single values: from JSON and from text to what a field holds. A reader raises ``BadValue`` for what does not fit."""

import base64
import binascii
import math
import re
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from understudy_gateway.transcoding import json_text, timestamps
from understudy_gateway.transcoding.faults import BadValue
from understudy_gateway.transcoding.fields import Field, Kind
from understudy_gateway.transcoding.json_text import InvalidJson, Literal

Reader = Callable[[Any], Any]
"""Takes a value as ``json_text.parse`` gives it and returns what the field's setter takes."""

TextReader = Callable[[str], Any]
"""Takes the text of a path segment, a query parameter or a header and returns what the field's setter takes."""

_INTEGER_TEXT = re.compile(r"[+-]?[0-9]{1,25}(?:\.0{1,25})?")


def json_reader(field: Field) -> Reader:
    """Return the reader of one JSON value of a field (of one element, if it is repeated). Not for messages."""
    if field.kind is Kind.INTEGER:
        return _integer_reader(field)
    if field.kind is Kind.ENUM:
        return _enum_reader(field)
    return _READERS[field.kind]


def text_reader(field: Field) -> TextReader:
    """Return the reader of a value that travels as text. Not for messages."""
    if field.kind is Kind.INTEGER:
        return _integer_text_reader(field)
    if field.kind is Kind.ENUM:
        return _enum_reader(field)
    return _TEXT_READERS[field.kind]


def set_timestamp(target: Message, moment: tuple[int, int]) -> None:
    """Fill a ``google.protobuf.Timestamp`` with what a reader of timestamps returned."""
    target.SetInParent()
    target.seconds, target.nanos = moment  # type: ignore[attr-defined]


def _string(value: Any) -> str:
    if type(value) is not str:
        raise BadValue("a string")
    return value


def _raw(value: Any) -> str:
    return json_text.write(value)


def _raw_text(text: str) -> str:
    try:
        return json_text.write(json_text.parse(text))
    except InvalidJson as error:
        raise BadValue("JSON") from error


def _bytes(value: Any) -> bytes:
    try:
        decoded = binascii.a2b_base64(_string(value), strict_mode=True) if value else b""
    except (binascii.Error, ValueError, BadValue) as error:
        raise BadValue("base64 text") from error
    # Bits behind the last byte must be zero, so that every sequence of bytes has one spelling.
    if base64.b64encode(decoded).decode() != value:
        raise BadValue("base64 text")
    return decoded


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise BadValue("true or false")
    return value


def _boolean_text(text: str) -> bool:
    if text not in {"true", "false"}:
        raise BadValue("true or false")
    return text == "true"


def _number(value: Any) -> float:
    if type(value) is not int and type(value) is not Literal:
        raise BadValue("a number")
    number = float(value)
    if math.isinf(number):
        raise BadValue("a number within the range of a double", "range")
    return number


def _number_text(text: str) -> float:
    try:
        value = json_text.parse(text)
    except InvalidJson as error:
        raise BadValue("a number") from error
    return _number(value)


def _timestamp(value: Any) -> tuple[int, int]:
    moment = timestamps.parse(value) if type(value) is str else None
    if moment is None:
        raise BadValue("a time such as 2026-06-23T12:00:00.000Z")
    return moment


def _integer_reader(field: Field) -> Reader:
    fit = _fitter(field)

    def read(value: Any) -> int:
        if type(value) is not int and type(value) is not Literal:
            raise BadValue("a whole number")
        whole = json_text.integral(value)
        if whole is None:
            raise BadValue("a whole number")
        return fit(whole)

    return read


def _integer_text_reader(field: Field) -> TextReader:
    fit = _fitter(field)

    def read(text: str) -> int:
        if _INTEGER_TEXT.fullmatch(text) is None:
            raise BadValue("a whole number")
        return fit(int(text.partition(".")[0]))

    return read


def _fitter(field: Field) -> Callable[[int], int]:
    """Return what brings an integer into the range of the field's type: that is by moving it if the field clamps."""
    low, high = field.low, field.high

    def fit(value: int) -> int:
        if low <= value <= high:
            return value
        if field.clamps:
            return min(max(value, low), high)
        raise BadValue(f"a whole number from {low} to {high}", "range")

    return fit


def _enum_reader(field: Field) -> Reader:
    numbers = {spelling: number for number, spelling in field.spellings.items()}
    wanted = f"one of: {', '.join(numbers)}"

    def read(value: Any) -> int:
        number = numbers.get(value) if type(value) is str else None
        if number is None:
            raise BadValue(wanted, "enum")
        return number

    return read


_READERS: dict[Kind, Reader] = {
    Kind.STRING: _string,
    Kind.RAW: _raw,
    Kind.BYTES: _bytes,
    Kind.BOOL: _boolean,
    Kind.NUMBER: _number,
    Kind.TIMESTAMP: _timestamp,
}

_TEXT_READERS: dict[Kind, TextReader] = {
    Kind.STRING: str,
    Kind.RAW: _raw_text,
    Kind.BYTES: _bytes,
    Kind.BOOL: _boolean_text,
    Kind.NUMBER: _number_text,
    Kind.TIMESTAMP: _timestamp,
}
