"""How far a value is from another one: over 0 for values that differ, at most 1. Good for finding what is nearest."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

COMPARED_MAX: Final = 200
"""Of a text at most so many characters are compared: the rest tells little, and takes long."""

_LEAST: Final = 0.01


def between_texts(one: str, other: str | bytes) -> float:
    """The share of neighbouring pairs of characters that the texts do not have in common (Dice)."""
    if isinstance(other, bytes):
        other = other[: 4 * COMPARED_MAX].decode("utf-8", "replace")
    one, other = one[:COMPARED_MAX], other[:COMPARED_MAX]
    pairs, others = set(pairwise(f"^{one}$")), set(pairwise(f"^{other}$"))
    return max(1 - 2 * len(pairs & others) / (len(pairs) + len(others)), _LEAST)


def between_numbers(one: float, other: float) -> float:
    """How much they differ, in proportion to what they are: near 0 for 100 and 101, 1 for different signs."""
    try:
        found = abs(one - other) / (abs(one) + abs(other))
    except (OverflowError, ZeroDivisionError):
        # One is a whole number beyond all doubles; or both are 0, and differ in that one must be over the other.
        return 1.0 if one or other else _LEAST
    # Infinity less infinity is no number.
    return min(max(found, _LEAST), 1.0) if found == found else 1.0


def between_scalars(one: Any, other: Any) -> float:
    """Of values that hold no others."""
    if isinstance(one, str) and isinstance(other, str):
        return between_texts(one, other)
    if _is_number(one) and _is_number(other):
        return between_numbers(one, other)
    return 1.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def between_paths(wanted: Sequence[str | None], given: Sequence[str]) -> float:
    """The mean over the segments, of which ``None`` is any that is not empty; one too few or too many is far away."""
    count = max(len(wanted), len(given))
    total = float(abs(len(wanted) - len(given)))
    for one, other in zip(wanted, given, strict=False):
        if one is None:
            total += 0.0 if other else 1.0
        elif one != other:
            total += between_texts(one, other)
    return total / count if count else 1.0
