"""What a unit of work on ``control.db`` is made of: statements, and the version that its changes move."""

import sqlite3
from collections.abc import Iterable
from typing import Any, TypeVar

from google.protobuf.message import Message

from understudy_server.store.sqlite.rows import SCHEMA, Row

M = TypeVar("M", bound=Message)


class Unit:
    """One unit of work. Its first change moves the version; every change is noted as one of that version."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = 0

    def _note(self, kind: str, environment_id: str, entity_id: str) -> None:
        """Note that an entity changed in this unit's version, which the first note makes."""
        if not self._version:
            self._run("UPDATE version SET current = current + 1")
            self._version = int(self._value("SELECT current FROM version"))
        self._run(
            "INSERT INTO change VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (kind, environment_id, id) DO UPDATE SET version = excluded.version",
            kind, environment_id, entity_id, self._version,
        )  # fmt: skip

    def _note_rows(self, kind: str, query: str, *arguments: Any) -> None:
        """Note every (environment id, id) that a query finds."""
        for environment_id, entity_id in self._rows(query, *arguments):
            self._note(kind, environment_id, entity_id)

    def _revise(self, kind: str, query: str, *arguments: Any) -> None:
        """Count a change of every session or scenario that a query finds: something it names is about to go."""
        for environment_id, entity_id in self._rows(query, *arguments):
            self._run(
                f"UPDATE {kind} SET revision = revision + 1 WHERE environment_id = ? AND id = ?",
                environment_id, entity_id,
            )  # fmt: skip
            self._note(kind, environment_id, entity_id)

    def _upsert(self, table: str, key: tuple[str, ...], **values: Any) -> None:
        values["schema"] = SCHEMA
        updates = ", ".join(f"{name} = excluded.{name}" for name in values if name not in key)
        self._run(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))}) "
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}",
            *values.values(),
        )

    def _run(self, statement: str, *arguments: Any) -> int:
        """Run a statement and tell how many rows it changed."""
        return self._connection.execute(statement, arguments).rowcount

    def _run_many(self, statement: str, arguments: Iterable[Row]) -> None:
        self._connection.executemany(statement, arguments)

    def _row(self, query: str, *arguments: Any) -> Row | None:
        row: Row | None = self._connection.execute(query, arguments).fetchone()
        return row

    def _rows(self, query: str, *arguments: Any) -> list[Row]:
        return self._connection.execute(query, arguments).fetchall()

    def _value(self, query: str, *arguments: Any) -> Any:
        return self._connection.execute(query, arguments).fetchone()[0]


def without(message: M, *derived: str) -> M:
    """A copy without the fields that columns hold or that can be derived."""
    kept = type(message)()
    kept.CopyFrom(message)
    for field in derived:
        kept.ClearField(field)
    return kept
