"""Tests of whether there is a value, and whether there is anything in it."""

from dataclasses import dataclass

from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.mismatch import HOLDS, Code, Judged, Mismatch
from understudy_server.core.matching.values import Value
from understudy_server.core.steps import Steps


@dataclass(frozen=True)
class Present(Criterion):
    """There is a value, or there is none."""

    wanted: bool

    def holds(self, value: Value, _steps: Steps) -> bool:
        return value.is_present is self.wanted

    def judge(self, value: Value, steps: Steps) -> Judged:
        return HOLDS if self.holds(value, steps) else _differs(".present", self.words(), value)

    def words(self) -> str:
        return "is there" if self.wanted else "is not there"


@dataclass(frozen=True)
class Empty(Criterion):
    """There is nothing in the value, or there is something."""

    wanted: bool

    def holds(self, value: Value, _steps: Steps) -> bool:
        return value.is_empty() is self.wanted

    def judge(self, value: Value, steps: Steps) -> Judged:
        return HOLDS if self.holds(value, steps) else _differs(".empty", self.words(), value)

    def words(self) -> str:
        return "is empty" if self.wanted else "is not empty"


def _differs(field: str, words: str, value: Value) -> Judged:
    code = Code.DIFFERS if value.is_present else Code.ABSENT
    return Judged(1.0, (Mismatch(field, words, value.shown(), code.value, 1.0),))
