"""What a unit of work on ``control.db`` is made of: statements, and the version that its changes move."""

import sqlite3
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, TypeVar

from google.protobuf.message import Message

from understudy_server.core.giving_way import give_way, giving_way
from understudy_server.store.sqlite.rows import SCHEMA, Row

M = TypeVar("M", bound=Message)

LARGE = 64
"""A change of so many sessions, or of anything else, is worth showing to followers beforehand."""

# What a change is for whoever takes it in: a session is small, a file may be megabytes, and of the others any may have
# an index to be built.
_EFFORTS = {"session": 1, "session_mock": 1, "file": LARGE, "mock": LARGE, "scenario": LARGE, "environment": LARGE}

# What comes and goes with every run of a pipeline.
_OF_SESSIONS = frozenset(("session", "session_mock"))
_OF_FLAGS = frozenset(("flag", "flag_state"))


class Unit:
    """One unit of work. Its first change moves the version; every change is noted as one of that version.

    ``version`` is the one that it has begun with, if that is known, and then the one that it has made. ``effort`` says
    how much there is to take in, for whoever follows; ``is_lasting``, whether more changed than sessions and what they
    own; ``changes_flags``, whether flags did, or what they are set to.
    """

    def __init__(self, connection: sqlite3.Connection, version: int = 0) -> None:
        self._connection = connection
        self._has_moved = False
        self.version = version
        self.effort = 0
        self.is_lasting = False
        self.changes_flags = False

    def _note(self, kind: str, environment_id: str, entity_id: str) -> None:
        """Note that an entity changed in this unit's version, which the first note makes."""
        self._note_all(kind, ((environment_id, entity_id),))

    def _note_all(self, kind: str, names: Collection[Row]) -> None:
        """Note every (environment id, id)."""
        if not names:
            return
        if not self._has_moved:
            self._has_moved = True
            self.version = (self.version or int(self._value("SELECT current FROM version"))) + 1
            self._run("UPDATE version SET current = ?", self.version)
        if kind not in _OF_SESSIONS:
            self.is_lasting = True
        if kind in _OF_FLAGS:
            self.changes_flags = True
        self.effort += _EFFORTS.get(kind, 0) * len(names)
        self._run_many(
            "INSERT INTO change VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, environment_id, id) DO UPDATE SET version = excluded.version",
            ((kind, environment_id, entity_id, self.version) for environment_id, entity_id in names),
        )

    def _note_rows(self, kind: str, query: str, *arguments: Any) -> None:
        """Note every (environment id, id) that a query finds."""
        self._note_all(kind, self._rows(query, *arguments))

    def _revise(self, kind: str, query: str, *arguments: Any) -> list[Row]:
        """Count a change of every session or scenario that a query finds: something it names is about to go.

        Returns (environment id, id) of each.
        """
        found = self._rows(query, *arguments)
        self._run_many(f"UPDATE {kind} SET revision = revision + 1 WHERE environment_id = ? AND id = ?", found)
        self._note_all(kind, found)
        return found

    def _upsert(self, table: str, key: tuple[str, ...], **values: Any) -> None:
        self._run(_upserting(table, key, tuple(values)), *values.values())

    def _upsert_all(self, table: str, key: tuple[str, ...], columns: tuple[str, ...], found: Iterable[Row]) -> None:
        """Make or replace rows, given as the values of some columns."""
        self._run_many(_upserting(table, key, columns), found)

    def _run(self, statement: str, *arguments: Any) -> int:
        """Run a statement and tell how many rows it changed."""
        give_way()
        return self._connection.execute(statement, arguments).rowcount

    def _run_many(self, statement: str, arguments: Iterable[Row]) -> int:
        """Run a statement with each of some arguments and tell how many rows were changed."""
        return self._connection.executemany(statement, giving_way(arguments)).rowcount

    def _row(self, query: str, *arguments: Any) -> Row | None:
        give_way()
        row: Row | None = self._connection.execute(query, arguments).fetchone()
        return row

    def _rows(self, query: str, *arguments: Any) -> list[Row]:
        return list(giving_way(self._connection.execute(query, arguments)))

    def _value(self, query: str, *arguments: Any) -> Any:
        return self._connection.execute(query, arguments).fetchone()[0]


@cache
def _upserting(table: str, key: tuple[str, ...], columns: tuple[str, ...]) -> str:
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "schema") if name not in key)
    return f"{inserting(table, columns)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}"


def inserting(table: str, columns: tuple[str, ...]) -> str:
    """A statement that makes a row of some columns in a table that notes the form of its messages."""
    return f"INSERT INTO {table} ({', '.join(columns)}, schema) VALUES ({', '.join('?' * len(columns))}, {SCHEMA})"


def without(message: M, *derived: str) -> M:
    """A copy without the fields that columns hold or that can be derived."""
    kept = type(message)()
    kept.CopyFrom(message)
    for field in derived:
        kept.ClearField(field)
    return kept
