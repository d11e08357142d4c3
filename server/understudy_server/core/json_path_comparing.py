"""Comparing values as filters of JSONPaths do (RFC 9535, section 2.3.5.2.2), in counted steps and at any depth."""

from typing import Any, Final

from understudy_server.core.steps import Steps

# Asked of each value: with a union in its place that takes three times as long.
_NESTING: Final = (dict, list)
_NUMBERS: Final = (int, float)

NOTHING: Final = object()
"""No value at all, which is equal to itself and to nothing else (section 2.4.1)."""

_CHARACTERS_IN_A_STEP: Final = 64
# For each pair of values within two others (measured).
_STEPS_OF_COMPARISON: Final = 8


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def less(left: Any, right: Any, steps: Steps) -> bool:
    """Tell whether one is less: numbers by value, texts by code points, nothing else (section 2.3.5.2.2)."""
    if isinstance(left, str) and isinstance(right, str):
        steps.take(min(len(left), len(right)) // _CHARACTERS_IN_A_STEP)
        return left < right
    return _is_number(left) and _is_number(right) and left < right


def not_above(left: Any, right: Any, steps: Steps) -> bool:
    return less(left, right, steps) or equal(left, right, steps)


def equal(left: Any, right: Any, steps: Steps) -> bool:
    """Tell whether two values are equal: numbers by value, and no truth is a number, at any depth."""
    if not isinstance(left, _NESTING):
        return _equal_leaves(left, right, steps)
    waiting: list[tuple[Any, Any]] = [(left, right)]
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, dict):
            if not isinstance(other, dict) or len(one) != len(other):
                return False
            steps.take(_STEPS_OF_COMPARISON * len(one))
            for name, value in one.items():
                if name not in other:
                    return False
                waiting.append((value, other[name]))
        elif isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                return False
            steps.take(_STEPS_OF_COMPARISON * len(one))
            waiting += zip(one, other, strict=True)
        elif not _equal_leaves(one, other, steps):
            return False
    return True


def _equal_leaves(left: Any, right: Any, steps: Steps) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(right, _NESTING):
        return False
    if isinstance(left, str) and isinstance(right, str) and len(left) == len(right):
        steps.take(len(left) // _CHARACTERS_IN_A_STEP)
    return bool(left == right)
