"""A histogram that takes in many values at once, so that one value costs next to nothing."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Counts(NamedTuple):
    """A histogram as it was at one moment. ``below[i]`` is how many values were at most ``bounds[i]``."""

    bounds: Sequence[float]
    below: Sequence[int]
    total: int
    sum: float


class Histogram:
    """Counts values by upper bounds, which are in order."""

    __slots__ = ("_below", "_bounds", "_count", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._below = [0] * len(self._bounds)
        self._count = 0
        self._sum: float = 0

    def add(self, values: list[int] | list[float]) -> None:
        """Take values in. The list is sorted in place."""
        # One look into the sorted values for each bound, instead of one into the bounds for each value.
        values.sort()
        below = self._below
        for number, bound in enumerate(self._bounds):
            below[number] += bisect_right(values, bound)
        self._count += len(values)
        self._sum += sum(values)

    def counts(self) -> Counts:
        """What was counted until now."""
        return Counts(self._bounds, tuple(self._below), self._count, self._sum)
