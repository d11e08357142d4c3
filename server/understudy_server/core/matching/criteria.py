"""Tests of one value of a request. A value that cannot be read as the criterion asks does not match: no error.

`Criterion` is what all of them are, `Leaf` what those are that hold no others. The two that most mocks have stand here,
and are quick: `Equals` and `JsonSubset`. The others are in the files beside this one, by what they are about.

Whatever is sent, a test ends soon: it takes its work from the steps of the request (`work.py`), and where there are too
few the whole mock does not match, whatever stands around the test; a "not" does not turn that round.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, Final, Generic, TypeVar

from understudy_server.core.matching import json_comparing, json_values
from understudy_server.core.matching.distances import between_texts
from understudy_server.core.matching.mismatch import HOLDS, Code, Judged, Mismatch, cut
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.values import Body, Text, Value, encoded
from understudy_server.core.matching.wording import quoted, shown_json
from understudy_server.core.steps import Steps, TooManySteps

_Read = TypeVar("_Read")

# What it takes to put into words what is wrong with a value.
_STEPS_TO_SAY: Final = 64


class Criterion(ABC):
    """A test that holds for a value, or does not. Never changes, and never fails."""

    @property
    def leaves(self) -> int:
        """How many values it asks for: more is more specific."""
        return 1

    @property
    def conditions(self) -> int:
        """How many criteria it is that must all hold."""
        return 1

    @abstractmethod
    def holds(self, value: Value, steps: Steps) -> bool:
        """Test a value. Raises TooManySteps."""

    @abstractmethod
    def judge(self, value: Value, steps: Steps) -> Judged:
        """Test a value and say what is wrong; fields begin where this criterion does. Raises TooManySteps."""

    @abstractmethod
    def words(self) -> str:
        """What it asks for, to stand behind "it": at most 200 characters."""

    def prepare(self) -> None:  # noqa: B027 - most have nothing to prepare
        """Do now, and once, what the first test would take long for. Of those that it holds each does its own."""

    # What is tested of a request.

    def holds_for_text(self, text: str) -> bool:
        """Test a text of the head: one value of a query parameter, say."""
        try:
            return self.holds(Text(text), Steps())
        except TooManySteps:
            return False

    def holds_for_body(self, request: Request) -> bool:
        """Test the body. Raises BodyWanted when it is not here yet, and TurnOver."""
        body = Body.of(request)
        return body is not None and request.work.test(partial(self.holds, body), self)


class Leaf(Criterion, Generic[_Read]):
    """A test without others in it: it reads the value as something, or cannot, and tests what it has read."""

    name: ClassVar[str]
    """As the contract names it."""

    @abstractmethod
    def read(self, value: Value, steps: Steps) -> _Read | Code:
        """The value as this test needs it, or why there is none. Raises TooManySteps."""

    @abstractmethod
    def test(self, found: _Read, steps: Steps) -> bool:
        """Test what was read. Raises TooManySteps."""

    def distance(self, _found: _Read) -> float:
        """How far what was read is from holding: over 0, at most 1. Asked only when it does not hold."""
        return 1.0

    def shown(self, value: Value, _found: _Read) -> str:
        """What was there, for people."""
        return value.shown()

    def holds(self, value: Value, steps: Steps) -> bool:
        found = self.read(value, steps)
        return not isinstance(found, Code) and self.test(found, steps)

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = self.read(value, steps)
        if isinstance(found, Code):
            return self._judged(value.shown(), found, 1.0)
        if self.test(found, steps):
            return HOLDS
        steps.take(_STEPS_TO_SAY)
        return self._judged(self.shown(value, found), Code.DIFFERS, self.distance(found))

    def _judged(self, actual: str, code: Code, distance: float) -> Judged:
        return Judged(distance, (Mismatch(f".{self.name}", self.words(), actual, code.value, distance),))


@dataclass(frozen=True)
class Equals(Leaf[str | bytes]):
    """The value is exactly this text."""

    text: str

    name = "equals"

    @cached_property
    def _bytes(self) -> bytes:
        return encoded(self.text)

    def holds_for_text(self, text: str) -> bool:
        """Compare the decoded value."""
        return text == self.text

    def holds_for_body(self, request: Request) -> bool:
        """Compare the bytes with the text in UTF-8."""
        return request.content() == self._bytes

    def read(self, value: Value, _steps: Steps) -> str | bytes | Code:
        return value.haystack()

    def test(self, found: str | bytes, _steps: Steps) -> bool:
        return found == (self._bytes if isinstance(found, bytes) else self.text)

    def distance(self, found: str | bytes) -> float:
        return between_texts(self.text, found)

    def words(self) -> str:
        return cut(f"equals {quoted(self.text)}")


@dataclass(frozen=True)
class JsonSubset(Leaf[Any]):
    """The value, read as JSON, contains this one. ``wanted`` is never changed after it was read."""

    wanted: Any

    name = "json_subset"

    @cached_property
    def leaves(self) -> int:
        """How many values without others in them it asks for."""
        return json_values.count_leaves(self.wanted)

    def holds_for_text(self, text: str) -> bool:
        """Read the value as JSON and compare."""
        return json_values.is_subset(self.wanted, json_values.read(encoded(text)))

    def holds_for_body(self, request: Request) -> bool:
        """Compare with the body, which is read once for all criteria."""
        return json_values.is_subset(self.wanted, request.json())

    def read(self, value: Value, steps: Steps) -> Any:
        return value.json(steps)

    def test(self, found: Any, steps: Steps) -> bool:
        return json_comparing.contains(found, self.wanted, steps)

    def distance(self, found: Any) -> float:
        return json_comparing.distance(found, self.wanted)

    def shown(self, _value: Value, found: Any) -> str:
        return json_comparing.shown_difference(found, self.wanted, exact=False)

    def words(self) -> str:
        return cut(f"contains {shown_json(self.wanted)}")


def json_subset(text: str) -> Criterion:
    """Make the criterion of a JSON text. Text that is no JSON is compared as text, as the FlowMock contract has it."""
    wanted = json_values.read(text.encode())
    return Equals(text) if wanted is json_values.UNREADABLE else JsonSubset(wanted)
