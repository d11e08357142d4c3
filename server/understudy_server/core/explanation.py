"""Why a request is answered as it is: what is asked, and what was found. Values alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from understudy_server.core.carriers import FoundKey
from understudy_server.core.exchange import RawHeaders
from understudy_server.core.matching.mismatch import Mismatch
from understudy_server.core.matching.mock import Layer

ONLY_MATCH = "only_match"
"""The rule by which a mock wins when no other one matches."""


class Outcome(StrEnum):
    """What becomes of a request. The values are those of the contract."""

    MOCK = "mock"
    UPSTREAM = "upstream"
    NO_UPSTREAM = "no_upstream"
    REFUSED = "refused"
    PREFLIGHT = "preflight"


class Reason(StrEnum):
    """Why nothing, or less, can be told. The values are codes of the contract."""

    NO_SESSION_KEY = "no_session_key"
    UNKNOWN_SESSION = "unknown_session"
    BODY_TOO_LARGE = "body_too_large"
    BODY_NOT_KEPT = "body_not_kept"
    MASKED = "masked"


@dataclass(frozen=True, slots=True)
class Subject:
    """A request to explain, in an environment (``project`` and ``environment`` are slugs).

    ``target`` is path and query behind the proxy's own prefix, percent-encoded ASCII. ``body`` is ``None`` when it was
    not kept; ``body_bytes`` is how long it is either way. ``known_key``: the session key is not to be looked for, since
    it is this one.
    """

    project: str
    environment: str
    method: str
    target: str
    headers: RawHeaders = ()
    body: bytes | None = b""
    body_bytes: int = 0
    known_key: FoundKey | None = None


class Considered(NamedTuple):
    """A mock that is on for the request. ``distance`` is 0 when it matches, and only then; at most 1."""

    mock_id: str
    name: str
    layer: Layer
    distance: float
    mismatches: tuple[Mismatch, ...]

    @property
    def matches(self) -> bool:
        """Whether all of it holds."""
        return not self.mismatches


class Elsewhere(NamedTuple):
    """Another session in which a mock would answer: one that is on there and not for everybody."""

    session_key: str
    mock_id: str


class Explanation(NamedTuple):
    """What was found.

    ``considered`` are the mocks that are on, at most as many as were asked for: those that match in the order of
    precedence, then the nearest of the others; ``total`` is how many there are. ``rule`` is the part of the order by
    which the first goes before the second, or ``ONLY_MATCH``; empty when no mock answers. ``refusal`` says for people
    why the proxy refuses the request, empty when it does not. ``not_on`` are ids of mocks that match and are not on,
    and ``drafts`` those of drafts, of which the caller has given some. ``elsewhere`` are other sessions in which a mock
    would answer, where none does. ``unanswered_status`` is what the proxy itself answers where there is no upstream.
    """

    outcome: Outcome
    rule: str
    refusal: str
    session_key: str
    session_exists: bool
    findings: Sequence[str]
    reasons: Sequence[Reason]
    considered: Sequence[Considered]
    total: int
    not_on: Sequence[str]
    drafts: Sequence[str] = ()
    elsewhere: Sequence[Elsewhere] = ()
    unanswered_status: int = 502

    @property
    def answering(self) -> Considered | None:
        """The mock that answers."""
        return self.considered[0] if self.outcome is Outcome.MOCK else None
