"""A row of the results: what was measured, against which target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.method import Length, Spread


@dataclass(frozen=True)
class Target:
    """A bound. One that is not a ``must`` is told and decides nothing."""

    bound: float
    at_least: bool
    must: bool = True

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:.2f}"

    def holds(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Row:
    """One number, a ratio unless it has a unit; ``detail`` says what it was made of. ``target`` may be open."""

    name: str
    value: Spread
    target: Target | None
    detail: str
    unit: str = ""

    @property
    def missed(self) -> bool:
        """True when a target that must hold does not."""
        return self.target is not None and self.target.must and not self.target.holds(self.value.median)

    @property
    def verdict(self) -> str:
        """In a word: whether the target holds, and whether it has to yet."""
        if self.target is None:
            return "informative"
        word = "yes" if self.target.holds(self.value.median) else "NO"
        return word if self.target.must else f"{word} (informative)"


Measure: TypeAlias = Callable[[Length], Sequence[Row]]


def at_least(bound: float, *, must: bool = True) -> Target:
    return Target(bound, at_least=True, must=must)


def at_most(bound: float, *, must: bool = True) -> Target:
    return Target(bound, at_least=False, must=must)
