"""The embedded store on SQLite: ``control.db`` and ``state.db`` of a data directory."""

from understudy_server.store.sqlite.lock import StoreLocked
from understudy_server.store.sqlite.migrations import NewerSchema
from understudy_server.store.sqlite.presence import SqlitePresence
from understudy_server.store.sqlite.store import SqliteStore

__all__ = ["NewerSchema", "SqlitePresence", "SqliteStore", "StoreLocked"]
