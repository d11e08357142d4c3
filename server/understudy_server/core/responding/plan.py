"""What is to be done about one request, as data: drawn, rendered and decided, so that it only has to be carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from understudy_server.core.draws import Draw
from understudy_server.core.matching.request import Request
from understudy_server.core.responding.prepared import Prepared
from understudy_server.core.state import State


class FaultKind(Enum):
    """What goes wrong with an answer, as in ``actions.proto``."""

    RESET = auto()
    EMPTY_REPLY = auto()
    CUT = auto()
    GARBAGE = auto()
    MALFORMED_CHUNK = auto()


class PlannedFault(NamedTuple):
    """A fault that happens: the dice are cast. ``fraction`` of the body is sent before a cut."""

    kind: FaultKind
    fraction: float = 0.5


class Event(NamedTuple):
    """One event of a stream, as it is sent, after ``delay_ms``."""

    data: bytes
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Events:
    """A stream of events. ``head`` is prepared without a length; ``rounds`` 0: no end; ``heartbeat_ms`` 0: none."""

    head: Prepared
    events: tuple[Event, ...]
    rounds: int = 1
    round_delay_ms: int = 0
    heartbeat_ms: int = 0


@dataclass(frozen=True, slots=True)
class Forward:
    """Pass the request on. ``target`` is the path and query to ask for, behind ``base``, a base URL as an upstream's.

    ``removed`` are names in lower case; ``first_byte_ms`` 0: as the environment says.
    """

    base: str
    target: str
    set_headers: tuple[tuple[bytes, bytes], ...] = ()
    removed: frozenset[bytes] = frozenset()
    keep_host: bool = False
    first_byte_ms: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer could not be made: 500 with this code and message, which is fit to be shown."""

    code: str
    message: str


class Plan(NamedTuple):
    """What becomes of one request. ``delay_ms``: the mock's own; ``bytes_per_second`` 0: as the client reads."""

    answer: Prepared | Events | Forward | Failed
    delay_ms: int = 0
    fault: PlannedFault | None = None
    bytes_per_second: int = 0
    draws: tuple[Draw, ...] = ()


class Scene(NamedTuple):
    """All that an answer can be made of. ``path_parameters`` decoded, by name; ``session_key`` empty without a session.

    ``mock`` and ``occurrence`` as in `state.Claim` and its answer; ``seed`` as `draws.seed_text` makes it;
    ``session_state`` is the name of the state's owner (`state.Owner`) and ``chain`` that of the mock's chain.
    """

    request: Request
    path_parameters: Mapping[str, str]
    environment_id: str
    session_key: str
    session_state: str
    chain: str
    mock: str
    occurrence: int
    seed: str
    now_ms: int
    state: State
