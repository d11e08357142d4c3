"""What a use case knows of the call it serves."""

from collections.abc import Callable
from dataclasses import dataclass, field

from understudy_server.app.host import Host
from understudy_server.app.ports import Explainer, Journal, Presence, Store
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


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who, where, when (milliseconds since 1970)."""

    caller: Caller
    place: Place
    now_ms: int
    world: World
