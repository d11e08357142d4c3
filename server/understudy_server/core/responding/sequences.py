"""Which of its responses a mock gives this time."""

from bisect import bisect_right
from collections.abc import Sequence
from enum import Enum, auto
from itertools import accumulate
from typing import NamedTuple

from understudy_server.core.delays import Delay
from understudy_server.core.draws import Draws
from understudy_server.core.responding.faults import FaultRule
from understudy_server.core.responding.making import Maker


class Turn(NamedTuple):
    """What one request gets."""

    maker: Maker
    delay: Delay
    fault: FaultRule | None


class Order(Enum):
    """How a sequence goes on."""

    IN_ORDER = auto()
    CYCLIC = auto()
    RANDOM = auto()


class Turns:
    """The turns of a mock; one turn again and again unless there are several."""

    __slots__ = ("_order", "_sums", "turns")

    def __init__(self, turns: Sequence[Turn], order: Order = Order.IN_ORDER, weights: Sequence[int] = ()) -> None:
        """At least one turn; by chance, each has a weight of at least 1."""
        self.turns = tuple(turns)
        self._order = order
        self._sums = tuple(accumulate(weights))

    @property
    def counts(self) -> bool:
        """Whether it depends on which use of the mock it is."""
        return len(self.turns) > 1

    def turn(self, occurrence: int, draws: Draws) -> Turn:
        """The turn of a use of the mock, from 1. One by chance is noted, counted from 1."""
        if not self.counts:
            return self.turns[0]
        uses_before = max(occurrence - 1, 0)
        match self._order:
            case Order.IN_ORDER:
                place = min(uses_before, len(self.turns) - 1)
            case Order.CYCLIC:
                place = uses_before % len(self.turns)
            case Order.RANDOM:
                place = bisect_right(self._sums, draws.random.randrange(self._sums[-1]))
                draws.note("step", place + 1)
        return self.turns[place]
