"""A mock, compiled: what it looks for, when it applies, and what it answers."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.responding.answerer import Answerer
from understudy_server.core.responding.response import Response
from understudy_server.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Mock:
    """A mock that can be on. ``response`` after ``delay_ms`` is its answer, unless it has an ``answer`` to ask.

    ``usage`` is ``None`` for a mock that applies always and is not counted. ``owner`` is the id of the session that it
    belongs to, empty for those of the environment; ``chain`` is empty without one. ``created_ms``: when it was made, ms
    since 1970 (UTC). ``name`` is for people.
    """

    id: str
    matcher: Matcher = field(default_factory=Matcher)
    response: Response = field(default_factory=Response)
    delay_ms: int = 0
    answer: Answerer | None = None
    usage: Usage | None = None
    priority: int = 0
    owner: str = ""
    chain: str = ""
    created_ms: int = 0
    name: str = field(default="", compare=False)
    is_plain: bool = field(init=False, repr=False, compare=False)
    """Whether the same request always gets the same answer: neither time nor state decides whether the mock applies."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_plain", self.usage is None and not self.matcher.looks_at_state)

    @property
    def state_name(self) -> str:
        """Its name among all mocks of the environment, for the counting of its uses (`state.Claim.mock`) and draws."""
        return f"{self.owner}/{self.id}" if self.owner else self.id


class Layer(IntEnum):
    """Where a mock is on, the strongest first."""

    SESSION = 0
    """It is the session's own, or switched on for it."""
    SCENARIO = 1
    ENVIRONMENT = 2


LAYER_NAMES: Final = tuple([layer.name.lower() for layer in Layer])
"""What layers are called on record."""


class Candidate(NamedTuple):
    """A mock that is on. ``activated`` numbers the activations of its layer: a greater one is later."""

    mock: Mock
    activated: int = 0
    layer: Layer = Layer.ENVIRONMENT
