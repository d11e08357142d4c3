"""How long an answer is held back. All times are whole milliseconds."""

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

from understudy_server.core.draws import Draws


class Dice(Protocol):
    """A source of chance, such as ``random.Random``."""

    def randint(self, a: int, b: int, /) -> int:
        """Return a whole number from ``a`` to ``b``, both included."""


def session_delay_ms(fixed_ms: int, max_ms: int, dice: Dice) -> int:
    """The session's delay of one answer: drawn from [fixed, max] when max is above fixed, else exactly fixed."""
    return dice.randint(fixed_ms, max_ms) if max_ms > fixed_ms else fixed_ms


class Delay(Protocol):
    """How long a mock waits before its answer."""

    @property
    def by_chance(self) -> bool:
        """Whether it is drawn."""

    def draw(self, draws: Draws) -> int:
        """The time, drawn and noted when it is by chance."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same time."""

    ms: int = 0
    by_chance: ClassVar[bool] = False

    def draw(self, draws: Draws) -> int:  # noqa: ARG002 - as those that draw
        return self.ms


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any time from ``min_ms`` to ``max_ms``, both included, as likely as any other."""

    min_ms: int
    max_ms: int

    @property
    def by_chance(self) -> bool:
        return self.max_ms > self.min_ms

    def draw(self, draws: Draws) -> int:
        if not self.by_chance:
            return self.min_ms
        return _noted(draws, draws.random.randint(self.min_ms, self.max_ms))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A time whose logarithm is normally distributed: half are shorter than the median. What is longer is cut."""

    median_ms: int
    sigma: float
    max_ms: int

    @property
    def by_chance(self) -> bool:
        return self.sigma > 0

    def draw(self, draws: Draws) -> int:
        if not self.by_chance:
            return min(self.median_ms, self.max_ms)
        # Not `random.gauss`, which keeps the second number of a pair for the next draw.
        exponent = math.log(self.median_ms) + self.sigma * draws.random.normalvariate(0, 1)
        return _noted(draws, round(math.exp(exponent)) if exponent < math.log(self.max_ms) else self.max_ms)


def _noted(draws: Draws, ms: int) -> int:
    draws.note("delay_ms", ms)
    return ms
