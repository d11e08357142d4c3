"""Criteria on what a list, a text or an object holds: each, some, elements, fields."""

from dataclasses import dataclass
from functools import cached_property

from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.criteria_combined import STEPS_FOR_EACH
from understudy_server.core.matching.mismatch import HOLDS, Code, Judged, Mismatch, cut, joined
from understudy_server.core.matching.values import MISSING, Json, Value
from understudy_server.core.matching.wording import shown_json, step
from understudy_server.core.steps import Steps

# To take one of the values and to put a criterion to it.
_STEPS_FOR_A_VALUE = 2 * STEPS_FOR_EACH


@dataclass(frozen=True)
class Each(Criterion):
    """It holds for each element of a list, or each character of a text."""

    criterion: Criterion

    @cached_property
    def leaves(self) -> int:
        """Those of the criterion on each."""
        return self.criterion.leaves

    def holds(self, value: Value, steps: Steps) -> bool:
        found = value.elements(steps)
        if isinstance(found, Code):
            return False
        holds, take = self.criterion.holds, steps.take
        for each in found:
            take(_STEPS_FOR_A_VALUE)
            if not holds(Json(each), steps):
                return False
        return True

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = value.elements(steps)
        if isinstance(found, Code):
            return _unfit(".each", self.words(), value, found)
        for at, each in enumerate(found):
            steps.take(_STEPS_FOR_A_VALUE)
            judged = self.criterion.judge(Json(each), steps)
            if judged.mismatches:
                return judged.within(".each", f"each, and so that at {at}: ")
        return HOLDS

    def words(self) -> str:
        return cut(f"each in it: {self.criterion.words()}")


@dataclass(frozen=True)
class Some(Criterion):
    """It holds for one element of a list, or one character of a text, at least."""

    criterion: Criterion

    @cached_property
    def leaves(self) -> int:
        """Those of the criterion on one."""
        return self.criterion.leaves

    def holds(self, value: Value, steps: Steps) -> bool:
        found = value.elements(steps)
        if isinstance(found, Code):
            return False
        holds, take = self.criterion.holds, steps.take
        for each in found:
            take(_STEPS_FOR_A_VALUE)
            if holds(Json(each), steps):
                return True
        return False

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = value.elements(steps)
        if isinstance(found, Code):
            return _unfit(".some", self.words(), value, found)
        distance = 1.0
        for each in found:
            steps.take(_STEPS_FOR_A_VALUE)
            distance = min(distance, self.criterion.judge(Json(each), steps).distance)
            if not distance:
                return HOLDS
        return Judged(distance, (Mismatch(".some", self.words(), value.shown(), Code.DIFFERS.value, distance),))

    def words(self) -> str:
        return cut(f"one in it, at least: {self.criterion.words()}")


@dataclass(frozen=True)
class Elements(Criterion):
    """A list with as many elements, and each criterion holds for the element in its place."""

    criteria: tuple[Criterion, ...]

    @cached_property
    def leaves(self) -> int:
        """Those of all."""
        return sum([each.leaves for each in self.criteria])

    def holds(self, value: Value, steps: Steps) -> bool:
        found = value.json(steps)
        if not isinstance(found, list) or len(found) != len(self.criteria):
            return False
        for criterion, each in zip(self.criteria, found, strict=True):
            steps.take(_STEPS_FOR_A_VALUE)
            if not criterion.holds(Json(each), steps):
                return False
        return True

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = value.json(steps)
        if not isinstance(found, list):
            return _unfit(".elements", self.words(), value, found if isinstance(found, Code) else Code.ILL_TYPED)
        steps.take(_STEPS_FOR_A_VALUE * len(self.criteria))
        all_judged = [
            criterion.judge(Json(each), steps).within(f".elements.criteria[{at}]", f"at {at}: ")
            for at, (criterion, each) in enumerate(zip(self.criteria, found, strict=False))
        ]
        more = abs(len(found) - len(self.criteria))
        if more:
            # Each element too few or too many is as far away as can be, up to as many as are asked for.
            actual = f"{len(found)} elements"
            wrong = Judged(1.0, (Mismatch(".elements", self.words(), actual, Code.DIFFERS.value, 1.0),))
            all_judged += [wrong] + [Judged(1.0)] * (min(more, len(self.criteria)) - 1)
        return joined(all_judged)

    def words(self) -> str:
        return f"is a list of {len(self.criteria)} elements"


@dataclass(frozen=True)
class Fields(Criterion):
    """Criteria on the members of an object, by name; ``only``: it has no others."""

    criteria: tuple[tuple[str, Criterion], ...]
    only: bool = False

    @cached_property
    def leaves(self) -> int:
        """Those of all; an object of no particular members counts as one."""
        return sum([each.leaves for _, each in self.criteria]) or 1

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset([name for name, _ in self.criteria])

    def holds(self, value: Value, steps: Steps) -> bool:
        found = value.json(steps)
        if not isinstance(found, dict):
            return False
        for name, criterion in self.criteria:
            steps.take(_STEPS_FOR_A_VALUE)
            if not criterion.holds(Json(found[name]) if name in found else MISSING, steps):
                return False
        return not self.only or self._other(found) is None

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = value.json(steps)
        if not isinstance(found, dict):
            return _unfit(".fields", self.words(), value, found if isinstance(found, Code) else Code.ILL_TYPED)
        steps.take(_STEPS_FOR_A_VALUE * len(self.criteria))
        all_judged = [
            criterion.judge(Json(found[name]) if name in found else MISSING, steps).within(
                f".fields.fields{step(name)}", f"{step(name).removeprefix('.')}: "
            )
            for name, criterion in self.criteria
        ]
        other = self._other(found) if self.only else None
        if other is not None:
            actual = cut(f"{step(other).removeprefix('.')}: {shown_json(found[other])}")
            expected = "has no other members"
            all_judged.append(Judged(1.0, (Mismatch(".fields.only", expected, actual, Code.DIFFERS.value, 1.0),)))
        return joined(all_judged)

    def _other(self, found: dict[str, object]) -> str | None:
        """The first member that no criterion is on."""
        return next((name for name in found if name not in self._names), None)

    def words(self) -> str:
        names = ", ".join([name for name, _ in self.criteria])
        if not self.criteria:
            return "is an object without members" if self.only else "is an object"
        return cut(f"is an object in which criteria on {names[:200]} hold{', and has no other members' * self.only}")


def _unfit(field: str, words: str, value: Value, code: Code) -> Judged:
    return Judged(1.0, (Mismatch(field, words, value.shown(), code.value, 1.0),))
