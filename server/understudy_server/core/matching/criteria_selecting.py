"""Criteria on parts of a value that are found by a path or a name, and of which there may be several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Any, Final

from understudy_server.core.json_paths import Query
from understudy_server.core.matching import forms
from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.criteria_combined import STEPS_FOR_EACH
from understudy_server.core.matching.mismatch import HOLDS, Code, Judged, Mismatch, cut, joined
from understudy_server.core.matching.values import MISSING, Body, Json, Text, Value
from understudy_server.core.matching.wording import step
from understudy_server.core.steps import Steps

_STEPS_FOR_A_VALUE: Final = 2 * STEPS_FOR_EACH

# Of so many values it is looked for what is wrong with each: in a longer list nobody misses the others.
_JUDGED_MAX: Final = 50
_FAR: Final = Judged(1.0)


class Selection(Enum):
    """Which of the selected values it must hold for, as in ``matching.proto``."""

    SOME = auto()
    EACH = auto()
    LIST = auto()


@dataclass(frozen=True)
class AtJsonPath(Criterion):
    """A criterion on what a JSONPath selects of the value, read as JSON; without one, that anything is."""

    query: Query
    criterion: Criterion | None = None
    selection: Selection = Selection.SOME

    @cached_property
    def leaves(self) -> int:
        """Those of the criterion."""
        return self.criterion.leaves if self.criterion else 1

    def holds(self, value: Value, steps: Steps) -> bool:
        found = self._selected(value, steps)
        if isinstance(found, Code):
            return False
        criterion = self.criterion
        if criterion is None:
            return bool(found)
        if self.selection is Selection.LIST:
            return criterion.holds(Json(found), steps)
        if self.selection is Selection.EACH:
            for each in found:
                steps.take(_STEPS_FOR_A_VALUE)
                if not criterion.holds(Json(each), steps):
                    return False
            return bool(found)
        return holds_for_one([Json(each) for each in found], criterion, steps)

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = self._selected(value, steps)
        if isinstance(found, Code):
            return self._judged(value.shown(), found)
        criterion = self.criterion
        if criterion is None or (self.selection is Selection.EACH and not found):
            return HOLDS if criterion is None and found else self._judged("", Code.ABSENT)
        field, said = ".json_path.criterion", f"{self.query.text}: "
        if self.selection is Selection.LIST:
            return criterion.judge(Json(found), steps).within(field, said)
        values = [Json(each) for each in found]
        if self.selection is Selection.EACH:
            return joined(list(_judged_in_turn(values, criterion, steps))).within(field, f"each at {said}")
        return judge_for_one(values, criterion, steps).within(field, said)

    def _selected(self, value: Value, steps: Steps) -> list[Any] | Code:
        found = value.json(steps)
        if isinstance(found, Code):
            return found
        if not isinstance(value, Body):
            return self.query.values(found, steps)
        # Many mocks ask for the same of one body.
        selected = value.read.get(self.query)
        if selected is None:
            selected = value.read[self.query] = self.query.values(found, steps)
        return selected

    def _judged(self, actual: str, code: Code) -> Judged:
        return Judged(1.0, (Mismatch(".json_path", self.words(), actual, code.value, 1.0),))

    def words(self) -> str:
        path = self.query.text
        if self.criterion is None:
            return cut(f"has something at {path}")
        way = {Selection.SOME: "", Selection.EACH: "each ", Selection.LIST: "as a list, what is "}[self.selection]
        return cut(f"{way}at {path}: {self.criterion.words()}")


@dataclass(frozen=True)
class Form(Criterion):
    """Criteria on the fields of a form, by name. A field that was sent several times has several values."""

    criteria: tuple[tuple[str, Criterion], ...]

    @cached_property
    def leaves(self) -> int:
        """Those of all."""
        return sum([each.leaves for _, each in self.criteria])

    def holds(self, value: Value, steps: Steps) -> bool:
        found = self._read(value, steps)
        if isinstance(found, Code):
            return False
        for name, criterion in self.criteria:
            steps.take(_STEPS_FOR_A_VALUE)
            if not holds_for_one([Text(each) for each in found.get(name, ())], criterion, steps):
                return False
        return True

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = self._read(value, steps)
        if isinstance(found, Code):
            return Judged(1.0, (Mismatch(".form", self.words(), value.shown(), found.value, 1.0),))
        steps.take(_STEPS_FOR_A_VALUE * len(self.criteria))
        return joined(
            [
                judge_for_one([Text(each) for each in found.get(name, ())], criterion, steps).within(
                    f".form.fields{step(name)}", f"{step(name).removeprefix('.')}: "
                )
                for name, criterion in self.criteria
            ]
        )

    def _read(self, value: Value, steps: Steps) -> dict[str, list[str]] | Code:
        if isinstance(value, Body) and Form in value.read:
            return value.read[Form]  # type: ignore[no-any-return]
        steps.take(value.steps_to_decode())
        text = value.text()
        if isinstance(text, Code):
            return text
        if isinstance(value, Json) and not isinstance(value.json(steps), str):
            return Code.ILL_TYPED
        found = forms.read(text, steps)
        if isinstance(value, Body):
            value.read[Form] = found
        return found

    def words(self) -> str:
        return cut(f"is a form in which criteria on {', '.join([name for name, _ in self.criteria])[:200]} hold")


def holds_for_one(values: Sequence[Value], criterion: Criterion, steps: Steps) -> bool:
    """Test the values of one name: one must do. Without any it is a value that is not there. Raises TooManySteps."""
    if not values:
        return criterion.holds(MISSING, steps)
    for each in values:
        steps.take(_STEPS_FOR_A_VALUE)
        if criterion.holds(each, steps):
            return True
    return False


def judge_for_one(values: Sequence[Value], criterion: Criterion, steps: Steps) -> Judged:
    """The same, and what is wrong with the one that is nearest. Raises TooManySteps."""
    if not values:
        return criterion.judge(MISSING, steps)
    nearest: Judged | None = None
    for judged in _judged_in_turn(values, criterion, steps):
        if nearest is None or judged.distance < nearest.distance:
            nearest = judged
    return nearest or HOLDS


def _judged_in_turn(values: Sequence[Value], criterion: Criterion, steps: Steps) -> Iterator[Judged]:
    """What is said of each value; of those behind the first ones only whether it holds. Raises TooManySteps."""
    for at, each in enumerate(values):
        steps.take(_STEPS_FOR_A_VALUE)
        if at < _JUDGED_MAX:
            yield criterion.judge(each, steps)
        else:
            yield HOLDS if criterion.holds(each, steps) else _FAR
