"""JSON as criteria see it: read without fuss, compared as a deep subset, measured in leaves."""

import json
from dataclasses import dataclass
from typing import Any, Final

PARSED_BYTES_MAX = 1024 * 1024
"""Longer text is not parsed for a criterion, and so does not match one that asks for JSON."""


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Stands for text that is no JSON value; equal to none."""


UNREADABLE: Final = _Unreadable()


def read(text: bytes) -> Any:
    """Read a JSON value, or return ``UNREADABLE``: for malformed or overlong text, NaN, or nesting too deep to follow.

    Integers keep all their digits; of a doubled key the last one counts, as in most applications.
    """
    if not text or len(text) > PARSED_BYTES_MAX:
        return UNREADABLE
    try:
        # Decoded here, because json.loads would guess UTF-16 and UTF-32, which JSON between systems may not use.
        return json.loads(text.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return UNREADABLE


def _refuse(name: str) -> float:
    raise ValueError(name)


def is_subset(wanted: Any, given: Any) -> bool:
    """Tell whether ``given`` contains ``wanted``: objects by key, lists by equal length and position, numbers by value.

    ``True`` is not 1, although Python says so. Recursion is bounded by ``wanted``, which was read from a mock.
    """
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and is_subset(value, given[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list)
            and len(wanted) == len(given)
            and all(is_subset(value, other) for value, other in zip(wanted, given, strict=True))
        )
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    return bool(wanted == given)


def count_leaves(value: Any) -> int:
    """Count the values that hold no others. An empty object or list asks for its kind, and so counts as one."""
    if isinstance(value, dict) and value:
        return sum(count_leaves(item) for item in value.values())
    if isinstance(value, list) and value:
        return sum(count_leaves(item) for item in value)
    return 1
