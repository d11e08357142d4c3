"""All that is exposed, as it was at one moment: what may be written down beside the event loop."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, TypeVar

from understudy.v1.server_service_pb2 import Counts as Held

from understudy_server.app.host import Host, HostFacts
from understudy_server.app.ports import Work
from understudy_server.core.errors import StorageFailure
from understudy_server.live.view import LiveView
from understudy_server.telemetry.calls import Called, Calls
from understudy_server.telemetry.health import Health
from understudy_server.telemetry.histogram import Counts
from understudy_server.telemetry.loop_lag import LoopLag
from understudy_server.telemetry.tally import Tallied, Tally

T = TypeVar("T")


class Readable(Protocol):
    """A store, as far as it is asked here."""

    async def read(self, work: Work[T]) -> T:
        """Run work that only reads. Raises StorageFailure."""


class Environment(NamedTuple):
    """An environment by its slugs."""

    project: str
    environment: str


class Connections(NamedTuple):
    """How many there are: of clients of the proxy, and from it to upstreams (unused ones among them)."""

    clients: int
    upstreams: int


class Snapshot(NamedTuple):
    """All that is exposed. ``environments`` are by id; ``held`` is ``None`` when the store could not be read."""

    facts: HostFacts
    held: Held | None
    environments: Mapping[str, Environment]
    tallied: Tallied
    called: Called
    loop_lag: Counts
    connections: Connections
    view_version: int
    is_ready: bool


class Sources(NamedTuple):
    """Where it all comes from."""

    host: Host
    store: Readable
    view: LiveView
    tally: Tally
    calls: Calls
    loop_lag: LoopLag
    connections: Callable[[], Connections]
    health: Health
    clock: Callable[[], int]


async def take(sources: Sources) -> Snapshot:
    """Take a snapshot, in the event loop."""
    now_ms = sources.clock()
    try:
        held = await sources.store.read(lambda tx: tx.counts(now_ms, "", ""))
    except StorageFailure:
        held = None
    environments = {
        environment_id: Environment(live.row.project_slug, live.row.slug)
        for environment_id, live in sources.view.by_id.items()
    }
    return Snapshot(
        facts=sources.host(),
        held=held,
        environments=environments,
        tallied=sources.tally.read(environments.keys()),
        called=sources.calls.read(),
        loop_lag=sources.loop_lag.counts(),
        connections=sources.connections(),
        view_version=sources.view.version,
        is_ready=not any((await sources.health.ready()).values()),
    )
