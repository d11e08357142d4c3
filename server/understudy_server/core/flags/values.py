"""JSON values as conditions compare them. Nothing here fails, whatever the value.

Attributes come as texts from some clients and as numbers from others, so scalars are compared as texts: 10 equals
``"10"``, and true equals ``"true"``. Order is that of numbers where both sides are numbers, or texts that are written
as such.
"""

import math
import re
from typing import Final

from understudy_server.core.flags.model import JsonValue
from understudy_server.core.matching.json_values import is_subset

# A longer one is read as a float: Python takes its time over long whole numbers, and refuses very long ones.
_WHOLE_DIGITS_MAX: Final = 400
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Asked of each value: with a union in its place that takes three times as long.
_NUMBERS: Final = (int, float)
_FRACTION: Final = re.compile(r"[.eE]")


def text_of(value: JsonValue) -> str | None:
    """A scalar as text, numbers that are equal alike: 1.0 is ``"1"``. ``None`` for all else, also for NaN."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        try:
            return str(value)
        except ValueError:
            # More digits than Python writes. No text is written like that, but another such number is.
            return hex(value)
    return None


def number_of(value: JsonValue) -> int | float | None:
    """A number, or a text that is written as a decimal one; ``None`` for all else, also for true, false and NaN."""
    if isinstance(value, str):
        if _NUMBER.fullmatch(value) is None:
            return None
        if len(value) > _WHOLE_DIGITS_MAX or _FRACTION.search(value):
            return float(value)
        return int(value)
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    # NaN alone is not itself.
    return value if value == value else None


def same(one: JsonValue, other: JsonValue) -> bool:
    """Tell whether two JSON values are equal: numbers by value, and true is not 1, although Python says so."""
    return is_subset(one, other) and is_subset(other, one)
