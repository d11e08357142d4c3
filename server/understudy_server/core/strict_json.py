"""Reading JSON without surprises: no duplicate keys, no NaN, no lone surrogates, bounded depth."""

import json
from collections.abc import Sequence
from typing import Any

DEPTH_MAX = 64


class MalformedJson(ValueError):
    """The text is not JSON, or not JSON that this project keeps. The message says why, without the text."""


def parse(text: str | bytes) -> Any:
    """Read a JSON value. Raises MalformedJson."""
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text))
        value = _DECODER.decode(text)
    except MalformedJson:
        raise
    except RecursionError:
        raise MalformedJson(f"nested deeper than {DEPTH_MAX}") from None
    except UnicodeDecodeError:
        raise MalformedJson("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"{error.msg} at character {error.pos}") from None
    except ValueError:
        # Python refuses to read integers of more than 4300 digits.
        raise MalformedJson("a number is too long") from None
    if "\\u" in text or text.count("[") + text.count("{") > DEPTH_MAX:
        _check(value, 0)
    else:
        # It cannot be too deep, and its strings are parts of the text as they stand.
        _check_text(text)
    return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("a key appears twice in one object")
    return found


def _no_constant(name: str) -> float:
    raise MalformedJson(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise MalformedJson("a number is out of range")
    return number


# Made once: it costs more than reading a small body does.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


def _check(value: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise MalformedJson(f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedJson("a string holds half a surrogate pair") from None
