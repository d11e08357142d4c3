"""The method: two things are measured in strict alternation on the same core, and only undisturbed rounds count.

A ratio from one alternation says something on another machine too; the times themselves do not. A noisy neighbour can
slow both sides by a factor. It shows in the reference, which does the same work every time: a round in which the
reference moved away from its median is no measurement of anything, and is left out.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Sample = TypeVar("Sample")

SERVER_CORE, LOAD_CORE = 0, 1
ROUNDS, ROUND_SECONDS = 7, 3
# So many undisturbed rounds make a row; each row may take this many times its rounds to find them.
ROUNDS_MIN = 5
_PATIENCE = 3
_REFERENCE_MOVES_MAX = 0.15
# Long enough for a neighbour to be seen: a tenth of a second or so.
_FIXED_WORK = 2_000_000


class Rejected(Exception):
    """What was measured does not count: an answer was wrong or missing, or the machine was not quiet."""


@dataclass(frozen=True)
class Length:
    """How long a row is measured."""

    rounds: int = ROUNDS
    seconds: int = ROUND_SECONDS

    @classmethod
    def wanted(cls) -> "Length":
        """From ``ROUNDS`` and ``ROUND_SECONDS`` of the environment, which are for trying things out."""
        return cls(int(os.environ.get("ROUNDS", ROUNDS)), int(os.environ.get("ROUND_SECONDS", ROUND_SECONDS)))

    @property
    def is_whole(self) -> bool:
        """False for a shortened measurement, which is not written down."""
        return self.rounds >= ROUNDS and self.seconds >= ROUND_SECONDS


@dataclass(frozen=True)
class Rounds(Generic[Sample]):
    """The rounds that count, each with one sample of either side, and how many did not."""

    pairs: Sequence[tuple[Sample, Sample]]
    disturbed: int = 0

    def ratio(self, of: Callable[[Sample], float]) -> "Spread":
        """Subject over reference, round by round."""
        return Spread.of([of(subject) / of(reference) for subject, reference in self.pairs])

    def subject(self, of: Callable[[Sample], float]) -> "Spread":
        return Spread.of([of(subject) for subject, _ in self.pairs])

    def reference(self, of: Callable[[Sample], float]) -> "Spread":
        return Spread.of([of(reference) for _, reference in self.pairs])


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, between the least and the greatest of them."""

    least: float
    median: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(min(values), statistics.median(values), max(values))


def alternate(
    subject: Callable[[], Sample],
    reference: Callable[[], Sample],
    length: Length,
    steady: Callable[[Sample], float],
    quiet_enough: Callable[[Sample], bool] = lambda _: True,
) -> Rounds[Sample]:
    """Measure A B A B after one round that warms both up. ``steady`` is what the reference does alike in each round.

    ``quiet_enough`` tells by the reference whether a round can show anything at all. Disturbed rounds are repeated.
    Raises Rejected when too few were quiet.
    """
    subject()
    reference()
    needed = min(ROUNDS_MIN, length.rounds)
    taken: list[tuple[Sample, Sample]] = []
    quiet: list[tuple[Sample, Sample]] = []
    while len(taken) < length.rounds or len(quiet) < needed:
        if len(taken) >= _PATIENCE * length.rounds:
            raise Rejected(f"the reference was steady in only {len(quiet)} of {len(taken)} rounds: try a quiet machine")
        taken.append((subject(), reference()))
        quiet = [pair for pair in _undisturbed(taken, steady) if quiet_enough(pair[1])]
    return Rounds(quiet, len(taken) - len(quiet))


def _undisturbed(
    pairs: Sequence[tuple[Sample, Sample]], steady: Callable[[Sample], float]
) -> list[tuple[Sample, Sample]]:
    usual = statistics.median(steady(reference) for _, reference in pairs)
    return [pair for pair in pairs if abs(steady(pair[1]) / usual - 1) <= _REFERENCE_MOVES_MAX]


def alone(subject: Callable[[], Sample], length: Length) -> tuple[Sequence[Sample], int]:
    """Measure what has nothing to be compared with. Gives the samples that count, and how many did not.

    A loop of a fixed length on the servers' core takes the part of the reference: it tells which rounds were disturbed.
    """
    samples: list[Sample] = []

    def measured() -> float:
        samples.append(subject())
        return float(len(samples) - 1)

    rounds = alternate(measured, _fixed_work_seconds, length, steady=float)
    return [samples[int(number)] for number, _ in rounds.pairs], rounds.disturbed


def _fixed_work_seconds() -> float:
    """How long the servers' core needs for the same work now."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        began = time.perf_counter()
        total = 0
        for number in range(_FIXED_WORK):
            total += number & 7
        return time.perf_counter() - began
    finally:
        os.sched_setaffinity(0, usual)
