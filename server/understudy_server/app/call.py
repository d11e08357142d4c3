"""What a use case knows of the call it serves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from understudy_server.app.flag_cache import FlagCache
from understudy_server.app.host import Host
from understudy_server.app.ports import Explainer, Journal, Presence, Store
from understudy_server.app.session_values import SessionValues
from understudy_server.app.waits import Waits
from understudy_server.core.keys import Caller
from understudy_server.core.state import State


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call acts, resolved and checked: ids and slugs, empty where the call is wider."""

    project_id: str = ""
    project: str = ""
    environment_id: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """What a use case may reach beside its transaction. ``new_id`` makes an id with a prefix."""

    store: Store
    journal: Journal
    presence: Presence
    state: State
    new_id: Callable[[str], str]
    random_bytes: Callable[[int], bytes]
    host: Host
    explainer: Explainer
    waits: Waits = field(default_factory=Waits)
    flags: FlagCache = field(default_factory=FlagCache)
    session_values: SessionValues = field(default_factory=SessionValues)


class Call(NamedTuple):
    """One call: who, where, when (milliseconds since 1970). (A tuple, since that is made quickly.)"""

    caller: Caller
    place: Place
    now_ms: int
    world: World
