"""Strict JSON: what RFC 8259 allows, and nothing that two readers could take for different values.

Refused are duplicate keys, ``NaN`` and ``Infinity``, halves of surrogate pairs, text that is not UTF-8, nesting deeper
than 96 levels and numbers longer than 4300 characters (the standard library's own bound for reading an integer).
Numbers that a Python number would change stay as written, so that raw JSON keeps its digits.
"""

import json
import re
from typing import Any, NoReturn

import orjson

# Room for criteria nested as deep as they may be, at three levels each, and for what they stand in.
DEPTH_MAX_LEVELS = 96
NUMBER_MAX_CHARACTERS = 4300

# Up to this length every integer is itself in 64 bits, whatever its sign.
_SMALL_INTEGER_CHARACTERS = 18
_LEAST_LITERAL = 10**_SMALL_INTEGER_CHARACTERS // 10

# Most requests: they are read in a third of the time.
_PLAIN_MAX, _PLAIN_LEVELS = 16_384, 16
_UNSURE = object()
_NEVER = -1_000_000
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)


class InvalidJson(Exception):
    """The text is not JSON as this module reads it. The message is for the caller."""


class Literal(str):
    """A number as it was written: any with a fraction or an exponent, ``-0``, integers of 19 characters and more."""

    __slots__ = ()


def parse(text: bytes | str) -> Any:
    """Read JSON text (bytes: UTF-8) into dicts, lists, ``str``, ``int``, ``Literal``, ``bool`` and ``None``.

    Raises ``InvalidJson`` and nothing else.
    """
    value = _plainly(text) if len(text) <= _PLAIN_MAX else _UNSURE
    return _strictly(text) if value is _UNSURE else value


def _plainly(text: bytes | str) -> Any:
    """What a fast reader makes of a text, if this one would make the same of it, else ``_UNSURE``.

    As many colons as members: none of a name's two was dropped. All numbers are integers that 64 bits hold, and not
    zero, which may have been written with a minus.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _UNSURE
    colons = text.count(":") if isinstance(text, str) else text.count(b":")
    return value if _members(value, _PLAIN_LEVELS) == colons else _UNSURE


def _members(value: Any, levels: int) -> int:
    """How many members the objects of a value have together; too few where it holds what is not plain."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return 0
    if kind is int:
        return 0 if value and -_LEAST_LITERAL < value < _LEAST_LITERAL else _NEVER
    if kind is float or not levels:
        return _NEVER
    count, children = (len(value), value.values()) if kind is dict else (0, value)
    for each in children:
        if type(each) is not str:
            count += _members(each, levels - 1)
    return count


def _strictly(text: bytes | str) -> Any:
    try:
        decoded = text if isinstance(text, str) else text.decode()
        value = _decoder.decode(decoded)
        _check_depth(decoded, value)
        if _SURROGATE.search(decoded):
            orjson.dumps(value)
    except UnicodeDecodeError as error:
        raise InvalidJson("The JSON text is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise InvalidJson(f"Malformed JSON at line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise InvalidJson(_TOO_DEEP) from error
    except orjson.JSONEncodeError as error:
        raise InvalidJson("A JSON string holds half of a surrogate pair.") from error
    return value


def parse_object(text: bytes | str) -> dict[str, Any]:
    """Read JSON text that must be an object. Raises ``InvalidJson`` and nothing else."""
    members = parse(text)
    if type(members) is not dict:
        raise InvalidJson("The body must be a JSON object.")
    return members


def write(value: Any) -> str:
    """Write what ``parse`` returned as compact JSON text, its order of keys and its numbers as they were written."""
    return orjson.dumps(value, default=_as_written, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()


def integral(number: object) -> int | None:
    """Return a JSON number as an integer if it is one (``1.0`` and ``1e2`` are) of at most 20 digits, else None."""
    if type(number) is int:
        return number
    if type(number) is not Literal:
        return None
    found = _NUMBER.fullmatch(number)
    return None if found is None else _shifted(*found.groups(default=""))


def _shifted(sign: str, whole: str, fraction: str, exponent: str) -> int | None:
    """Put a decimal number together if only zeros are left behind the point. Never makes a number of many digits."""
    significant = (whole + fraction).lstrip("0").rstrip("0")
    if not significant:
        return 0
    if len(exponent) > len("-10000"):
        return None
    trailing_zeros = len(whole + fraction) - len((whole + fraction).rstrip("0"))
    zeros = int(exponent or "0") - len(fraction) + trailing_zeros
    if zeros < 0 or len(significant) + zeros > len(str(2**64)):
        return None
    return int(sign + significant + "0" * zeros)


_TOO_DEEP = f"The JSON is nested deeper than {DEPTH_MAX_LEVELS} levels."


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJson("A JSON object has the same key twice.")
    return members


def _integer(text: str) -> int | Literal:
    return int(text) if len(text) <= _SMALL_INTEGER_CHARACTERS and text != "-0" else _literal(text)


def _literal(text: str) -> Literal:
    if len(text) > NUMBER_MAX_CHARACTERS:
        raise InvalidJson(f"A number in the JSON is longer than {NUMBER_MAX_CHARACTERS} characters.")
    return Literal(text)


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidJson(f"{text} is not JSON.")


def _check_depth(text: str, value: Any) -> None:
    if text.count("[") + text.count("{") <= DEPTH_MAX_LEVELS:
        return
    layer, levels = [value], 0
    while layer := [child for node in layer for child in _children(node)]:
        levels += 1
        if levels > DEPTH_MAX_LEVELS:
            raise InvalidJson(_TOO_DEEP)


def _children(node: Any) -> list[Any]:
    """Return what is inside a container. A scalar and an empty container count as their own level's end."""
    if type(node) is dict:
        return list(node.values()) or [None]
    if type(node) is list:
        return node or [None]
    return []


def _as_written(value: object) -> orjson.Fragment:
    return orjson.Fragment(str(value))


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_literal, parse_constant=_refuse_constant
)
