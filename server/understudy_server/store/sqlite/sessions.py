"""Sessions: the one thing that is written all day.

A session has rows in three tables: itself, how it is found, and what is switched on for it. What a unit of work has
read of one is not written again where it stays as it is: rows and the indexes over them are most of what a write costs.
"""

import sqlite3
from collections.abc import Collection, Sequence
from functools import cache
from typing import NamedTuple

from understudy.v1.session_service_pb2 import FOUND_BY_HEADER_NAME

from understudy_server.app.ports import SessionRecord, SessionUse
from understudy_server.app.times import milliseconds
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.rows import SCHEMA, Row
from understudy_server.store.sqlite.unit import Unit, inserting, without

# What changes with every write; no index is over any of it but over the time.
_PLAIN = ("label", "updated_at_ms", "revision", "generation", "message")


class _Links(NamedTuple):
    """What others find a session by. The first three are columns of its own, which have indexes too."""

    environment_id: str
    scenario_id: str | None
    expires_at_ms: int | None
    key: str
    kind: str
    overrides: tuple[str, ...]

    @classmethod
    def of(cls, record: SessionRecord) -> "_Links":
        session = record.message
        return cls(
            record.environment_id,
            session.scenario if session.HasField("scenario") else None,
            milliseconds(session.expires_at) if session.HasField("expires_at") else None,
            session.session_key,
            "header_name" if session.found_by == FOUND_BY_HEADER_NAME else "key",
            tuple(session.overrides),
        )


_INDEXED = _Links._fields[:3]


class Sessions(Unit):
    """Reads and writes sessions."""

    def __init__(self, connection: sqlite3.Connection, version: int = 0) -> None:
        super().__init__(connection, version)
        # Of sessions that this unit has read or written, as they are in the file.
        self._links: dict[str, _Links] = {}

    def _note_all(self, kind: str, names: Collection[Row]) -> None:
        super()._note_all(kind, names)
        if kind == "session":
            # Whatever changes one, notes it.
            for _, session_id in names:
                self._links.pop(session_id, None)

    async def session(self, environment_id: str, session_key: str) -> SessionRecord | None:
        row = self._row(
            f"SELECT {rows.SESSION} WHERE session_entry.place_id = ? AND session_entry.value = ?",
            environment_id, session_key,
        )  # fmt: skip
        if row is None:
            return None
        record = rows.session(row)
        self._links[record.id] = _Links.of(record)
        return record

    async def header_names(self, environment_id: str) -> Collection[str]:
        found = self._rows(
            "SELECT value FROM session_entry WHERE place_id = ? AND kind = 'header_name'", environment_id
        )
        return {name for (name,) in found}

    async def put_session(self, record: SessionRecord) -> None:
        session, links, before = record.message, _Links.of(record), self._links.get(record.id)
        kept = without(session, "session_key", "overrides", "scenario", "revision").SerializeToString()
        plain = (session.label, record.updated_at_ms, session.revision, record.generation, kept)
        is_new = before is None and self._run(_MAKE, record.id, *links[:3], *plain) == 1
        if not is_new:
            self._put_columns(record.id, links, before, plain)
        if before is None or before[3:5] != links[3:5] or before.environment_id != links.environment_id:
            self._put_entry(record.id, links, is_new=is_new)
        if before is None or before.overrides != links.overrides:
            self._put_activations(record.id, links, is_new=is_new)
        self._note("session", record.environment_id, record.id)
        self._links[record.id] = links

    def _put_columns(self, session_id: str, links: _Links, before: _Links | None, plain: Row) -> None:
        changed = tuple(name for name in _INDEXED if before is None or getattr(before, name) != getattr(links, name))
        self._run(_changing(changed), *plain, *(getattr(links, name) for name in changed), session_id)

    def _put_entry(self, session_id: str, links: _Links, *, is_new: bool) -> None:
        if not is_new:
            self._run("DELETE FROM session_entry WHERE session_id = ?", session_id)
        # A key that another session has is refused by the table: silence would leave a session that nobody finds.
        self._run(
            "INSERT INTO session_entry (place_id, kind, value, session_id) VALUES (?, ?, ?, ?)",
            links.environment_id, links.kind, links.key, session_id,
        )  # fmt: skip

    def _put_activations(self, session_id: str, links: _Links, *, is_new: bool) -> None:
        if not is_new:
            self._run("DELETE FROM session_activation WHERE session_id = ?", session_id)
        if links.overrides:
            self._run_many(
                "INSERT INTO session_activation (session_id, environment_id, mock_id, position) VALUES (?, ?, ?, ?)",
                ((session_id, links.environment_id, mock_id, at) for at, mock_id in enumerate(links.overrides)),
            )

    async def session_use(self, environment_id: str, now_ms: int) -> SessionUse:
        alive = "environment_id = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)"
        here = (environment_id, now_ms)
        of_scenarios = self._rows(
            f"SELECT scenario_id, count(*) FROM session WHERE {alive} AND scenario_id IS NOT NULL GROUP BY scenario_id",
            *here,
        )
        of_mocks = self._rows(
            "SELECT mock_id, count(*) FROM session_activation "
            f"WHERE session_id IN (SELECT id FROM session WHERE {alive}) GROUP BY mock_id",
            *here,
        )
        sessions = self._value(f"SELECT count(*) FROM session WHERE {alive}", *here)
        return SessionUse(sessions, dict(of_mocks), dict(of_scenarios))

    async def session_ids(self) -> Collection[str]:
        return {session_id for (session_id,) in self._rows("SELECT id FROM session")}

    async def state_ids(self) -> Collection[str]:
        return {name for (name,) in self._rows("SELECT id || '.' || generation FROM session")}

    async def remove_session(self, session_id: str) -> None:
        self._note_rows("session", "SELECT environment_id, id FROM session WHERE id = ?", session_id)
        self._run("DELETE FROM session WHERE id = ?", session_id)

    async def ending(self, now_ms: int, updated_before_ms: int) -> Sequence[tuple[str, bool]]:
        found = self._rows(
            """
            SELECT id, 1 FROM session WHERE expires_at_ms <= ?1
            UNION ALL
            SELECT id, 0 FROM session WHERE updated_at_ms < ?2 AND expires_at_ms IS NULL
            """,
            now_ms, updated_before_ms,
        )  # fmt: skip
        return [(session_id, bool(expired)) for session_id, expired in found]


_MAKE = inserting("session", ("id", *_INDEXED, *_PLAIN)) + " ON CONFLICT (id) DO NOTHING"


@cache
def _changing(indexed: tuple[str, ...]) -> str:
    """A statement that changes what is plain, and some of what has indexes."""
    columns = ", ".join(f"{name} = ?" for name in (*_PLAIN, *indexed))
    return f"UPDATE session SET {columns}, schema = {SCHEMA} WHERE id = ?"
