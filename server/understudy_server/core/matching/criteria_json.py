"""Tests of a whole JSON value: equal, containing in any order, valid by a schema."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from understudy_server.core.json_schema import Schema
from understudy_server.core.matching import json_comparing, json_unordered, json_values
from understudy_server.core.matching.criteria import Leaf
from understudy_server.core.matching.mismatch import HOLDS, Code, Judged, Mismatch, cut
from understudy_server.core.matching.values import Value
from understudy_server.core.matching.wording import shown_json
from understudy_server.core.steps import Steps


@dataclass(frozen=True)
class _Compared(Leaf[Any]):
    """A comparison with a value that was read from a mock, and is never changed."""

    wanted: Any

    @cached_property
    def leaves(self) -> int:
        """How many values without others in them it asks for."""
        return json_values.count_leaves(self.wanted)

    def read(self, value: Value, steps: Steps) -> Any:
        return value.json(steps)

    def distance(self, found: Any) -> float:
        return json_comparing.distance(found, self.wanted)


@dataclass(frozen=True)
class JsonEquals(_Compared):
    """The value is exactly this one."""

    name = "json_equals"

    def test(self, found: Any, steps: Steps) -> bool:
        return json_comparing.equal(found, self.wanted, steps)

    def shown(self, _value: Value, found: Any) -> str:
        return json_comparing.shown_difference(found, self.wanted, exact=True)

    def words(self) -> str:
        return cut(f"is {shown_json(self.wanted)}")


@dataclass(frozen=True)
class JsonEqualsInAnyOrder(_Compared):
    """The value is this one, whatever the order in its lists."""

    name = "json_equals"

    @cached_property
    def _signed(self) -> json_unordered.Signed:
        return json_unordered.signed(self.wanted)

    def prepare(self) -> None:
        _ = self._signed

    def test(self, found: Any, steps: Steps) -> bool:
        return json_unordered.equal(found, self._signed, steps)

    def words(self) -> str:
        return cut(f"is, in any order, {shown_json(self.wanted)}")


@dataclass(frozen=True)
class JsonSubsetInAnyOrder(_Compared):
    """The value contains this one, whatever the order in its lists, which may have more elements."""

    name = "json_subset"

    def test(self, found: Any, steps: Steps) -> bool:
        return json_unordered.contains(found, self.wanted, steps)

    def words(self) -> str:
        return cut(f"contains, in any order, {shown_json(self.wanted)}")


@dataclass(frozen=True)
class ValidBySchema(Leaf[Any]):
    """The value is valid by a JSON Schema."""

    schema: Schema

    name = "json_schema"

    def read(self, value: Value, steps: Steps) -> Any:
        return value.json(steps)

    def test(self, found: Any, steps: Steps) -> bool:
        return self.schema.holds(found, steps)

    def judge(self, value: Value, steps: Steps) -> Judged:
        found = self.read(value, steps)
        if isinstance(found, Code):
            return self._judged(value.shown(), found, 1.0)
        fault = self.schema.fault(found, steps)
        if fault is None:
            return HOLDS
        expected = cut(f"is valid by the JSON Schema: {fault}")
        return Judged(1.0, (Mismatch(f".{self.name}", expected, value.shown(), Code.DIFFERS.value, 1.0),))

    def words(self) -> str:
        return cut(f"is valid by the JSON Schema {self.schema.text}")
