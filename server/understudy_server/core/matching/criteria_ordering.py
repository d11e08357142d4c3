"""Tests of order: numbers with numbers, texts with texts by code points; and of what is left of a division."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from understudy_server.core.matching.criteria import Leaf
from understudy_server.core.matching.distances import between_scalars
from understudy_server.core.matching.mismatch import Code, cut
from understudy_server.core.matching.values import Json, Value, is_number
from understudy_server.core.matching.wording import shown_json
from understudy_server.core.steps import Steps

Ordered = int | float | str
"""What has an order. A number is never compared with a text."""

_COMPARED: Final[Mapping[str, tuple[Callable[[Any, Any], bool], str]]] = {
    "greater_than": (operator.gt, "is greater than"),
    "at_least": (operator.ge, "is at least"),
    "less_than": (operator.lt, "is less than"),
    "at_most": (operator.le, "is at most"),
}


@dataclass(frozen=True)
class Compares(Leaf[Ordered]):
    """The value stands in this order to a bound: ``name`` says which, as the contract does."""

    name: str  # type: ignore[misc]
    bound: Ordered

    def read(self, value: Value, steps: Steps) -> Ordered | Code:
        return _read(value, steps, as_text=isinstance(self.bound, str))

    def test(self, found: Ordered, _steps: Steps) -> bool:
        return _COMPARED[self.name][0](found, self.bound)

    def distance(self, found: Ordered) -> float:
        return between_scalars(self.bound, found)

    def words(self) -> str:
        return cut(f"{_COMPARED[self.name][1]} {shown_json(self.bound)}")


@dataclass(frozen=True)
class Between(Leaf[Ordered]):
    """The value lies between two bounds of the same type, which belong to the range unless it is ``exclusive``."""

    lower: Ordered
    upper: Ordered
    exclusive: bool = False

    name = "between"

    def read(self, value: Value, steps: Steps) -> Ordered | Code:
        return _read(value, steps, as_text=isinstance(self.lower, str))

    def test(self, found: Ordered, _steps: Steps) -> bool:
        lower: Any = self.lower
        upper: Any = self.upper
        return bool(lower < found < upper if self.exclusive else lower <= found <= upper)

    def distance(self, found: Ordered) -> float:
        return min(between_scalars(self.lower, found), between_scalars(self.upper, found))

    def words(self) -> str:
        ends = "without its ends" if self.exclusive else "or is one of them"
        return cut(f"lies between {shown_json(self.lower)} and {shown_json(self.upper)}, {ends}")


@dataclass(frozen=True)
class Remainder(Leaf[Ordered]):
    """The value is a number, and this is what is left when it is divided."""

    divisor: int
    left: int = 0

    name = "remainder"

    def read(self, value: Value, steps: Steps) -> Ordered | Code:
        return _read(value, steps, as_text=False)

    def test(self, found: Ordered, _steps: Steps) -> bool:
        # Never negative: in Python what is left has the sign of the divisor. Infinity leaves no number.
        return not isinstance(found, str) and found % self.divisor == self.left

    def words(self) -> str:
        return f"leaves {self.left} when divided by {self.divisor}"


def _read(value: Value, steps: Steps, *, as_text: bool) -> Ordered | Code:
    """The value as a text or a number. A text of a head, or a body, is a text as it stands, and a number as JSON."""
    if as_text and not isinstance(value, Json):
        return value.text()
    found = value.json(steps)
    if isinstance(found, Code):
        return found
    if isinstance(found, str) if as_text else is_number(found):
        return found  # type: ignore[no-any-return]
    return Code.ILL_TYPED
