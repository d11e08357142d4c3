"""One request and its answer, as the proxy saw them.

Both are named tuples: one is made for every request, and a tuple is the cheapest value that cannot be changed.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from understudy_server.core.draws import Draw
from understudy_server.core.record import NO_PHASES, ExchangeOutcome, Phases, Stream

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Headers in order: names as they were sent, values without white space around them, neither with CR, LF or NUL."""


CLIENT_GONE: Final = 499
"""The status on record when the client went before it was answered: the number that proxies use among themselves."""

BROKEN_OFF: Final = frozenset({"client_gone", "fault_injected", "request_broke_off", "upstream_broke_off"})
"""The findings that say that the answer on record is only the beginning of one."""

MASKED: Final = "masked"
MASKED_AND_CUT: Final = "masked and cut"


class Captured(NamedTuple):
    """One side's body as it is kept: at most the capture limit of it. ``size_bytes`` is the whole length.

    ``redacted`` says what redaction has made of it: nothing (the empty text); a text in which values are masked, so
    that its length says nothing, whole (``MASKED``) or only its beginning (``MASKED_AND_CUT``); or, where it could not
    be read, no content at all: then it is the SHA-256 of the body as it was sent, in hex.
    """

    content: bytes
    size_bytes: int
    content_type: str = ""
    redacted: str = ""

    @property
    def truncated(self) -> bool:
        """True when the content is not the whole body."""
        return self.redacted == MASKED_AND_CUT or (self.size_bytes > len(self.content) and self.redacted != MASKED)

    @property
    def sha256(self) -> str:
        """The hash of a body of which nothing else is kept but its length, since it could not be masked; else empty."""
        return "" if self.redacted in ("", MASKED, MASKED_AND_CUT) else self.redacted


class Exchange(NamedTuple):
    """What the journal keeps of a request and its answer.

    ``session_key`` is the normalised key, empty when the request carried none; ``session_id`` is empty when no session
    has that key. Times are milliseconds since 1970 (UTC). ``path`` is without host, proxy prefix and query. Headers are
    already redacted. ``mock_id`` is empty when the upstream (or an error of the proxy) answered. A side without a body
    is ``None``. ``findings`` are stable codes of what was odd, listed in ``log_service.proto``; ``status`` 0: no byte
    of an answer was sent, on purpose. ``draws`` are what was drawn by chance, and ``occurrence`` is which use of the
    mock it was, 0 where nobody counted. ``layer`` is where the mock was on, as `Layer` is named in lower case; empty
    without one. ``number`` is given by the journal, and 0 until then.
    """

    id: str
    project_id: str
    environment_id: str
    session_key: str
    session_id: str
    method: str
    path: str
    query: str
    status: int
    started_at_ms: int
    duration_ms: int
    mock_id: str
    request_headers: RawHeaders
    response_headers: RawHeaders
    request_body: Captured | None
    response_body: Captured | None
    findings: tuple[str, ...] = ()
    draws: tuple[Draw, ...] = ()
    occurrence: int = 0
    outcome: ExchangeOutcome = ExchangeOutcome.UNKNOWN
    layer: str = ""
    session_revision: int = 0
    phases: Phases = NO_PHASES
    number: int = 0

    @property
    def target(self) -> str:
        """Path and query, as they stand in a request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_call(self) -> bool:
        """False for what the proxy has not seen: an evaluation of flags."""
        return self.outcome is not ExchangeOutcome.EVALUATED

    @property
    def stream(self) -> Stream:
        """Whose exchanges it is numbered with."""
        if self.session_id:
            return Stream(self.environment_id, self.session_key, self.session_id)
        return Stream(self.environment_id)
