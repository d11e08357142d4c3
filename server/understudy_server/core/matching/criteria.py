"""Tests of one value of a request. A value that cannot be read as the criterion asks does not match: no error."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from understudy_server.core.matching import json_values
from understudy_server.core.matching.request import Request


class Criterion(Protocol):
    """A test that holds for a body and for a query value alike."""

    @property
    def leaves(self) -> int:
        """How many values it asks for: more is more specific."""

    def holds_for_text(self, text: str) -> bool:
        """Test one value of a query parameter."""

    def holds_for_body(self, request: Request) -> bool:
        """Test the body. Raises BodyWanted when it is not here yet."""


@dataclass(frozen=True)
class Equals:
    """The value is exactly this text."""

    text: str
    leaves: int = 1

    @cached_property
    def _bytes(self) -> bytes:
        return self.text.encode()

    def holds_for_text(self, text: str) -> bool:
        """Compare the decoded value."""
        return text == self.text

    def holds_for_body(self, request: Request) -> bool:
        """Compare the bytes with the text in UTF-8."""
        return request.content() == self._bytes


@dataclass(frozen=True)
class JsonSubset:
    """The value, read as JSON, contains this one. ``wanted`` is never changed after it was read."""

    wanted: Any

    @cached_property
    def leaves(self) -> int:
        """How many values without others in them it asks for."""
        return json_values.count_leaves(self.wanted)

    def holds_for_text(self, text: str) -> bool:
        """Read the value as JSON and compare."""
        return json_values.is_subset(self.wanted, json_values.read(text.encode("utf-8", "surrogateescape")))

    def holds_for_body(self, request: Request) -> bool:
        """Compare with the body, which is read once for all criteria."""
        return json_values.is_subset(self.wanted, request.json())


def json_subset(text: str) -> Criterion:
    """Make the criterion of a JSON text. Text that is no JSON is compared as text, as the FlowMock contract has it."""
    wanted = json_values.read(text.encode())
    return Equals(text) if wanted is json_values.UNREADABLE else JsonSubset(wanted)
