"""The method: two things are measured in strict alternation on the same core, and only undisturbed rounds count.

A ratio from one alternation says something on another machine too; the times themselves do not. A noisy neighbour can
slow both sides by a factor. It shows in the reference, which does the same work every time: a round in which the
reference moved away from its median is no measurement of anything, and is left out. Where the reference scatters by
itself, the machine is asked instead, which knows what others took of it.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Generic, TypeVar

from benchmarks.profiles import Profile

Sample = TypeVar("Sample")

SERVER_CORE, LOAD_CORE = 0, 1
ROUNDS, ROUND_SECONDS = 7, 3
# So many undisturbed rounds make a row; each row may take this many times its rounds to find them.
ROUNDS_MIN = 5
_PATIENCE = 3
_REFERENCE_MOVES_MAX = 0.15
# What others may have of the two cores, in cores: above the first a round was disturbed, and above the second, half of
# the machine, it is no measurement. Between them what has many threads keeps more of its core than what has one, and
# the load is short of time beside the faster side first: both speak for the slower one.
_OTHERS_MAX, _OTHERS_BEARABLE = 0.1, 1.0
# Long enough for a neighbour to be seen: a tenth of a second or so.
_FIXED_WORK = 2_000_000


class Rejected(Exception):
    """What was measured does not count: an answer was wrong or missing, or the machine was not quiet."""


@dataclass(frozen=True)
class Length:
    """How long a row is measured. ``watch`` takes a profile of what bears a load while it is made again and again.

    With it all that is measured is a single round, which says nothing, and the profile.
    """

    rounds: int = ROUNDS
    seconds: int = ROUND_SECONDS
    watch: Callable[[Callable[[], object]], Profile] | None = None

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
    """The rounds that count, each with one sample of either side, and how many did not.

    ``others`` is the most that others had of the cores in a round that counts, in cores, where it was asked for.
    ``profile`` is of the subject, when it was watched.
    """

    pairs: Sequence[tuple[Sample, Sample]]
    disturbed: int = 0
    others: float | None = None
    profile: Profile | None = None

    def ratio(self, of: Callable[[Sample], float]) -> "Spread":
        """Subject over reference, round by round."""
        return Spread.of([of(subject) / of(reference) for subject, reference in self.pairs], self.profile)

    def ratio_of_medians(self, of: Callable[[Sample], float]) -> "Spread":
        """The subject's median over the reference's, for what scatters in each by itself: p99s, which few answers make.

        A p50 is of all of them and moves with the machine, as rates do. The least and the greatest are of the rounds.
        """
        each = self.ratio(of)
        return replace(each, median=self.subject(of).median / self.reference(of).median)

    def subject(self, of: Callable[[Sample], float]) -> "Spread":
        return Spread.of([of(subject) for subject, _ in self.pairs], self.profile)

    def reference(self, of: Callable[[Sample], float]) -> "Spread":
        return Spread.of([of(reference) for _, reference in self.pairs])


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, between the least and the greatest of them. ``profile`` is of what took the time."""

    least: float
    median: float
    greatest: float
    profile: Profile | None = field(default=None, compare=False)

    @classmethod
    def of(cls, values: Sequence[float], profile: Profile | None = None) -> "Spread":
        return cls(min(values), statistics.median(values), max(values), profile)


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
    if length.watch:
        return Rounds([(subject(), reference())], profile=length.watch(subject))
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


def in_turns(
    subject: Callable[[], Sample],
    reference: Callable[[], Sample],
    length: Length,
    others: Callable[[], float],
    was_busy: Callable[[Sample], bool] = lambda _: True,
) -> Rounds[Sample]:
    """Measure A B A B after one round that warms both up, and ask after each round what ``others`` had of the cores.

    That makes a round a disturbed one, whatever the reference was like, and so does a subject that had less than the
    core it can use, by ``was_busy``. Disturbed rounds are repeated, a third as many as there are to be. If the machine
    is never quiet those count in which others had the least, and what they had is told. Raises Rejected when that is
    too much to compare anything, or when the subject was seldom busy.
    """
    subject()
    reference()
    if length.watch:
        return Rounds([(subject(), reference())], profile=length.watch(subject))
    taken: list[tuple[float, tuple[Sample, Sample]]] = []
    busy: list[tuple[float, tuple[Sample, Sample]]] = []
    others()
    while len(taken) < length.rounds * 4 // 3 and sum(had <= _OTHERS_MAX for had, _ in busy) < length.rounds:
        pair = subject(), reference()
        taken.append((others(), pair))
        busy = [each for each in taken if was_busy(each[1][0])]
    if len(busy) < min(ROUNDS_MIN, length.rounds):
        raise Rejected(f"ours was busy in only {len(busy)} of {len(taken)} rounds: something else was on its core")
    calmest = sorted(busy, key=itemgetter(0))
    quiet = [each for each in calmest if each[0] <= _OTHERS_MAX]
    counted = quiet if len(quiet) >= ROUNDS_MIN else calmest[:ROUNDS_MIN]
    most = counted[-1][0]
    if most > _OTHERS_BEARABLE:
        raise Rejected(f"others had {most:.0%} of a core even in the {len(counted)} calmest of {len(taken)} rounds")
    return Rounds([pair for _, pair in counted], len(taken) - len(quiet), most)


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
