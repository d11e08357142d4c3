"""A mock, compiled: what it looks for and what it answers."""

from dataclasses import dataclass, field

from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.responding.response import Response


@dataclass(frozen=True, slots=True)
class Mock:
    """A published mock. ``delay_ms`` is its own time to wait before the first byte."""

    id: str
    matcher: Matcher = field(default_factory=Matcher)
    response: Response = field(default_factory=Response)
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mock that is on. ``activated`` numbers the activations of its layer: a greater one is later."""

    mock: Mock
    activated: int = 0
