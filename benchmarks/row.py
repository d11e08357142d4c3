"""A row of the results: what was measured, against which target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from benchmarks.method import Length, Spread
from benchmarks.profiles import Profile

_DIGITS, _DIGITS_MAX = 2, 6
_REASON_MAX = 500


@dataclass(frozen=True)
class Target:
    """A bound. One that is not a ``must`` is told and decides nothing; neither does ``aim``, which lies beyond it."""

    bound: float
    at_least: bool
    must: bool = True
    aim: float | None = None

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:.2f}"

    def holds(self, value: float) -> bool:
        return self._reaches(self.bound, value)

    def digits(self, value: float) -> int:
        """How many digits after the point show on which side of the bound, and of the aim, a value is: mostly two."""
        bounds = [self.bound, *([self.aim] if self.aim is not None else [])]
        for digits in range(_DIGITS, _DIGITS_MAX):
            shown = round(value, digits)
            if all(self._reaches(bound, shown) == self._reaches(bound, value) for bound in bounds):
                return digits
        return _DIGITS_MAX

    def reaches_aim(self, value: float) -> bool:
        """True without one."""
        return self.aim is None or self._reaches(self.aim, value)

    def aimed(self, value: float, unit: str = "") -> str:
        """The aim and whether it is reached, in words; the empty text without one."""
        if self.aim is None:
            return ""
        return f"{self.aim:.2f}{unit}: {'yes' if self.reaches_aim(value) else 'no'}"

    def _reaches(self, bound: float, value: float) -> bool:
        return value >= bound if self.at_least else value <= bound


@dataclass(frozen=True)
class Row:
    """One number, a ratio unless it has a unit; ``detail`` says what it was made of. ``target`` may be open.

    Without a ``value`` it could not be measured on this machine, and ``detail`` says why. One that was tried and does
    not count (``counts``) is a failure.
    """

    name: str
    value: Spread | None
    target: Target | None
    detail: str
    unit: str = ""
    counts: bool = True

    @property
    def failed(self) -> bool:
        """True when a target that must hold does not, or when what was measured does not count."""
        return self.missed or not self.counts

    @property
    def missed(self) -> bool:
        """True when a target that must hold does not."""
        if self.target is None or self.value is None:
            return False
        return self.target.must and not self.target.holds(self.value.median)

    @property
    def missed_aim(self) -> bool:
        """True when a target holds, and the aim beyond it does not."""
        if self.target is None or self.value is None or self.failed:
            return False
        return not self.target.reaches_aim(self.value.median)

    @property
    def figure(self) -> str:
        """The value, with as many digits as tell whether the target holds, and its unit."""
        if self.value is None:
            return ""
        digits = self.target.digits(self.value.median) if self.target else _DIGITS
        return f"{self.value.median:.{digits}f}{self.unit}"

    @property
    def is_of_bytes(self) -> bool:
        """True for memory and files: no profile of time says where those are."""
        return self.unit.endswith("B")

    @property
    def profile(self) -> Profile | None:
        return self.value.profile if self.value else None

    def with_profile(self, profile: Profile) -> "Row":
        """The same with the profile of a load like its own."""
        return self if self.value is None else replace(self, value=replace(self.value, profile=profile))

    @property
    def verdict(self) -> str:
        """In a word: whether the target holds, and whether it has to yet."""
        if self.value is None:
            return "not measured"
        if self.target is None:
            return "informative"
        word = "yes" if self.target.holds(self.value.median) else "NO"
        return word if self.target.must else f"{word} (informative)"


Measure: TypeAlias = Callable[[Length], Sequence[Row]]


def at_least(bound: float, *, must: bool = True, aim: float | None = None) -> Target:
    return Target(bound, at_least=True, must=must, aim=aim)


def at_most(bound: float, *, must: bool = True, aim: float | None = None) -> Target:
    return Target(bound, at_least=False, must=must, aim=aim)


def one_line(text: str) -> str:
    """What went wrong, as it fits into a table."""
    return " ".join(text.split()).replace("|", "/")[:_REASON_MAX]
