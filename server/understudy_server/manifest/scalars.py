"""Single values, read by the type of their field from what is written, never by what YAML takes them for."""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from yaml import MappingNode, Node, ScalarNode

from understudy_server.manifest.nearest import did_you_mean
from understudy_server.manifest.problems import BadValue, shown
from understudy_server.manifest.shapes import Field, Kind
from understudy_server.manifest.variables import substitute

Reader = Callable[[Node, Mapping[str, str]], Any]
"""Takes a value and the environment variables; returns what the field is set to. Raises BadValue."""

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
"""What stands for no value when it is written without quotes."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,24})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[0-9]{1,4}(?::[0-5]?[0-9])+")
_OTHER_BASES = re.compile(r"0(?:[xX][0-9a-fA-F]{1,16}|[oO]?[0-7]{1,21}|[bB][01]{1,64})")
_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}


def written_text(node: Node) -> str:
    """What is written in place of one value. Raises BadValue for nothing, for null, for a list and a mapping."""
    if not isinstance(node, ScalarNode):
        what = "mapping" if isinstance(node, MappingNode) else "list"
        raise BadValue(f"must be a single value, not a {what}", "write it behind the ':'")
    text: str = node.value
    if not node.style:
        if not text:
            raise BadValue("has no value", 'write "" or leave the line out')
        if text in NULLS:
            raise BadValue(
                f"has no value: {text} stands for none", f'write "{text}" for the text, or leave the line out'
            )
    return text


def reader_of(field: Field) -> Reader:
    """What reads one value of a field. Not for messages and JSON."""
    match field.kind:
        case Kind.TEXT:
            return _verbatim if field.verbatim else _text
        case Kind.INTEGER:
            return _parsed(_integer_parser(field.low, field.high))
        case Kind.ENUM:
            return _parsed(_enum_parser(field.spellings))
        case Kind.BYTES:
            return lambda node, _: _parse_bytes(written_text(node))
        case _:
            return _parsed(_PARSERS[field.kind])


def _verbatim(node: Node, _: Mapping[str, str]) -> str:
    return written_text(node)


def _text(node: Node, environ: Mapping[str, str]) -> str:
    text = written_text(node)
    return substitute(text, environ) if "$" in text else text


def _parsed(parse: Callable[[str], Any]) -> Reader:
    """A reader of text that says something else. What came from a variable is not repeated: it may be a secret."""

    def read(node: Node, environ: Mapping[str, str]) -> Any:
        text = written_text(node)
        value = substitute(text, environ)
        try:
            return parse(value)
        except BadValue as bad:
            if value == text:
                raise
            raise BadValue(f"the value of {shown(text)} does not fit", bad.advice) from None

    return read


def _parse_bool(text: str) -> bool:
    if text not in {"true", "false"}:
        meant = _BOOLEANS.get(text.lower())
        advice = f"write {meant}" if meant else "write true or false"
        raise BadValue(f"must be true or false, not {shown(text)}", advice)
    return text == "true"


def _integer_parser(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise BadValue(f"must be a whole number, not {shown(text)}", _whole_number_meant(text))
        value = int(text)
        if not low <= value <= high:
            raise BadValue(f"{text} is out of range", f"write a whole number from {low} to {high}")
        return value

    return parse


def _whole_number_meant(text: str) -> str:
    """What to write for a number that some readers of YAML understand, each in its own way."""
    plain = text.replace("_", "").removeprefix("+")
    if _INTEGER.fullmatch(plain):
        return f"write {plain}"
    if _SEXAGESIMAL.fullmatch(text):
        value = 0
        for part in text.split(":"):
            value = value * 60 + int(part)
        return f"write {value}"
    if _OTHER_BASES.fullmatch(text):
        octal = text[1:].lstrip("oO")
        base = {"x": 16, "b": 2}.get(text[1].lower(), 8)
        decimal = f" or {int(text)}" if text.isdigit() else ""
        return f"write {int(octal if base == 8 else text[2:], base)}{decimal}"
    if text.isdigit():
        return f"write {text.lstrip('0') or 0}"
    return "write it in digits, such as 250"


def _enum_parser(spellings: Mapping[str, int]) -> Callable[[str], int]:
    wanted = ", ".join(spellings)

    def parse(text: str) -> int:
        if text not in spellings:
            raise BadValue(
                f"{shown(text)} is none of: {wanted}", did_you_mean(text, spellings) or f"write one of: {wanted}"
            )
        return spellings[text]

    return parse


def _parse_bytes(text: str) -> bytes:
    # Base64 of many bytes is often folded into lines.
    compact = re.sub(r"\s+", "", text)
    try:
        value = binascii.a2b_base64(compact, strict_mode=True) if compact else b""
    except ValueError:
        raise BadValue("is not base64", "write bytes in base64, or name a file") from None
    # Bits behind the last byte must be zero, so that every sequence of bytes has one spelling.
    if base64.b64encode(value).decode() != compact:
        raise BadValue("is not base64", "write bytes in base64, or name a file")
    return value


def _parse_number(text: str) -> float:
    if not _NUMBER.fullmatch(text) or math.isinf(value := float(text)):
        raise BadValue(f"must be a number, not {shown(text)}", "write it in digits, such as 2.5")
    return value


def _parse_timestamp(text: str) -> Timestamp:
    moment = Timestamp()
    try:
        moment.FromJsonString(text)
    except ValueError:
        raise BadValue(f"must be a time, not {shown(text)}", "write it such as 2026-06-23T12:00:00.000Z") from None
    return moment


_PARSERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.BOOL: _parse_bool,
    Kind.NUMBER: _parse_number,
    Kind.TIMESTAMP: _parse_timestamp,
}
