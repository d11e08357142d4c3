"""What the record of exchanges is: its streams, their bounds, and what was lost of it. Values alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple


class ExchangeOutcome(StrEnum):
    """What became of a request. The values are those of the contract; empty: recorded before there were outcomes."""

    UNKNOWN = ""
    MOCKED = "mocked"
    FAULT_INJECTED = "fault_injected"
    FORWARDED = "forwarded"
    UPSTREAM_FAILED = "upstream_failed"
    UNMATCHED = "unmatched"
    REFUSED = "refused"
    PREFLIGHT = "preflight"
    CLIENT_GONE = "client_gone"
    MOCK_FAILED = "mock_failed"
    EVALUATED = "evaluated"
    """It is no request of HTTP: flags were evaluated."""


class Phases(NamedTuple):
    """How long each phase of an exchange took, in microseconds; 0 for one that did not happen."""

    queue_us: int = 0
    match_us: int = 0
    delay_us: int = 0
    connect_us: int = 0
    first_byte_us: int = 0
    total_us: int = 0


NO_PHASES: Final = Phases()


class Stream(NamedTuple):
    """Whose exchanges are numbered together: those of one incarnation of a session.

    With both texts empty, those of an environment's requests that no session was found for, whatever key they carried.
    """

    environment_id: str
    session_key: str = ""
    session_id: str = ""


class Whose(NamedTuple):
    """Whose an exchange is: the session key of its request, and the session that this found, as it was then.

    The key is empty when there was none; without a session the id is empty, and the revision 0.
    """

    session_key: str = ""
    session_id: str = ""
    session_revision: int = 0


class Lost(StrEnum):
    """Why an exchange is not on record any more, or never was. The values are codes of the contract."""

    SESSION_QUOTA = "session_quota"
    ENVIRONMENT_QUOTA = "environment_quota"
    SERVER_QUOTA = "server_quota"
    RETENTION = "retention"
    OVERLOAD = "overload"
    DISK = "disk"
    UNCLEAN_STOP = "unclean_stop"


@dataclass(frozen=True, slots=True)
class Quota:
    """What is kept in an environment, at most. ``entries`` and ``bytes`` are those of the whole environment."""

    session_entries: int
    session_bytes: int
    entries: int
    bytes: int
    retention_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a stream there is.

    ``last_number`` is that of its last exchange, 0 when there never was one; ``kept`` is how many are on record. What
    has a number up to ``purged`` was removed because somebody asked for it; a number that is missing behind that was
    lost. ``doubtful_after``: exchanges that were never numbered may have been lost when the process was killed, the
    last time directly behind this number; ``None`` when that never happened.
    """

    last_number: int = 0
    kept: int = 0
    losses: Mapping[Lost, int] = field(default_factory=dict)
    doubtful_after: int | None = None
    purged: int = 0
