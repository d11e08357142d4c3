"""Criteria made of criteria on the same value: all, any, exactly one, not."""

from dataclasses import dataclass
from functools import cached_property

from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.mismatch import HOLDS, Code, Judged, Mismatch, cut, joined
from understudy_server.core.matching.values import Value
from understudy_server.core.steps import Steps

STEPS_FOR_EACH = 8
"""What it costs to put one criterion to one value, beside its own work."""


@dataclass(frozen=True)
class AllOf(Criterion):
    """All of them hold."""

    criteria: tuple[Criterion, ...]

    @cached_property
    def leaves(self) -> int:
        """Those of all."""
        return sum([each.leaves for each in self.criteria])

    @cached_property
    def conditions(self) -> int:
        """Those of all."""
        return sum([each.conditions for each in self.criteria])

    def holds(self, value: Value, steps: Steps) -> bool:
        for each in self.criteria:
            steps.take(STEPS_FOR_EACH)
            if not each.holds(value, steps):
                return False
        return True

    def judge(self, value: Value, steps: Steps) -> Judged:
        steps.take(STEPS_FOR_EACH * len(self.criteria))
        return joined(
            [each.judge(value, steps).within(f".all.criteria[{at}]") for at, each in enumerate(self.criteria)]
        )

    def words(self) -> str:
        return _listed(self.criteria, " and ")


@dataclass(frozen=True)
class AnyOf(Criterion):
    """One of them holds, at least."""

    criteria: tuple[Criterion, ...]

    @cached_property
    def leaves(self) -> int:
        """Those of the one that asks for the fewest."""
        return min([each.leaves for each in self.criteria])

    def holds(self, value: Value, steps: Steps) -> bool:
        for each in self.criteria:
            steps.take(STEPS_FOR_EACH)
            if each.holds(value, steps):
                return True
        return False

    def judge(self, value: Value, steps: Steps) -> Judged:
        steps.take(STEPS_FOR_EACH * len(self.criteria))
        all_judged = [each.judge(value, steps) for each in self.criteria]
        nearest = min(all_judged, key=lambda each: each.distance)
        if not nearest.distance:
            return HOLDS
        # What to change is told of the nearest: its code, and what was there.
        first = nearest.mismatches[0]
        return Judged(nearest.distance, (Mismatch(".any", self.words(), first.actual, first.code, nearest.distance),))

    def words(self) -> str:
        return _listed(self.criteria, " or ")


@dataclass(frozen=True)
class ExactlyOne(Criterion):
    """One of them holds, and the others do not."""

    criteria: tuple[Criterion, ...]

    @cached_property
    def leaves(self) -> int:
        """Those of the one that asks for the fewest."""
        return min([each.leaves for each in self.criteria])

    def holds(self, value: Value, steps: Steps) -> bool:
        found = False
        for each in self.criteria:
            steps.take(STEPS_FOR_EACH)
            if each.holds(value, steps):
                if found:
                    return False
                found = True
        return found

    def judge(self, value: Value, steps: Steps) -> Judged:
        steps.take(STEPS_FOR_EACH * len(self.criteria))
        distances = [each.judge(value, steps).distance for each in self.criteria]
        holding = distances.count(0.0)
        if holding == 1:
            return HOLDS
        distance = 1.0 if holding else min(distances)
        actual = cut(f"{holding} hold, for {value.shown()}" if holding else value.shown())
        return Judged(distance, (Mismatch(".exactly_one", self.words(), actual, Code.DIFFERS.value, distance),))

    def words(self) -> str:
        return cut(f"just one holds of: {_listed(self.criteria, '; ')}")


@dataclass(frozen=True)
class Not(Criterion):
    """It does not hold."""

    criterion: Criterion

    def holds(self, value: Value, steps: Steps) -> bool:
        return not self.criterion.holds(value, steps)

    def judge(self, value: Value, steps: Steps) -> Judged:
        if self.holds(value, steps):
            return HOLDS
        return Judged(1.0, (Mismatch(".not", self.words(), value.shown(), Code.DIFFERS.value, 1.0),))

    def words(self) -> str:
        return cut(f"not: {self.criterion.words()}")


def _listed(criteria: tuple[Criterion, ...], between: str) -> str:
    """The words of several: of no more than are shown."""
    said = ""
    for each in criteria:
        said += between + each.words()
        if len(said) > len(between) + 200:
            break
    return cut(said[len(between) :])
