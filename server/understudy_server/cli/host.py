"""What this process tells of itself to whoever asks how it is."""

from collections.abc import Callable

from understudy.v1.server_service_pb2 import JournalLoss, JournalStatus, Listener, StoreStatus

from understudy_server.app.host import HostFacts, Watched
from understudy_server.journal.memory import MemoryJournal
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite import SqlitePresence, SqliteStore
from understudy_server.store.sqlite.writer import Durability


class ProcessHost:
    """Fills ``app.host.Host``. Without ``started_at_ms`` no server runs; a listener is added as it begins to accept."""

    def __init__(
        self,
        store: SqliteStore,
        journal: SqliteJournal | MemoryJournal,
        presence: SqlitePresence,
        durability: Durability,
        *,
        started_at_ms: int = 0,
        watched: Callable[[], Watched | None] = lambda: None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._presence = presence
        self._durability = durability
        self._started_at_ms = started_at_ms
        self._watched = watched
        self._listeners: list[Listener] = []

    def add_listener(self, kind: str, address: str, place: str = "") -> None:
        """Note that a listener accepts: ``grpc``, ``rest``, ``proxy`` or ``metrics``."""
        self._listeners.append(Listener(kind=kind, address=address, place=place))

    def __call__(self) -> HostFacts:
        from importlib.metadata import version

        return HostFacts(
            version=version("understudy-server"),
            started_at_ms=self._started_at_ms,
            listeners=tuple(self._listeners),
            store=StoreStatus(
                kind="sqlite",
                version=self._store.known_version,
                size_bytes=self._store.size_bytes(),
                durability=self._durability,
            ),
            store_problem=self._store.problem,
            journal=JournalStatus(
                kind="memory" if isinstance(self._journal, MemoryJournal) else "disk",
                size_bytes=self._journal.size_bytes(),
                recorded=self._journal.recorded,
                dropped=self._journal.dropped,
                losses=[JournalLoss(reason=reason, count=count) for reason, count in self._journal.losses.items()],
                waiting=self._journal.waiting,
            ),
            journal_problem=self._journal.problem,
            presence_problem=self._presence.problem,
            watched=self._watched(),
        )
