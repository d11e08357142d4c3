"""Rows that were read before, good for as long as nothing has changed.

A pipeline asks for the same key, project, environment and session over and over, and between two changes of declared
state the answers are the same. Work that only reads is first run on remembered rows alone; if it asks for one that is
not remembered, it is run again, whole, on a snapshot of the file. So it always sees one version, never a mixture.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from understudy_server.store.sqlite.rows import Row
from understudy_server.store.sqlite.transaction import SqliteTransaction

T = TypeVar("T")
Read = Callable[[SqliteTransaction], T]

QUESTIONS_MAX = 10_000
ROWS_OF_AN_ANSWER_MAX = 8
_Answers = dict[tuple[str, tuple[Any, ...]], list[Row]]


class RememberedRows:
    """The answers to point queries at one version of one file."""

    def __init__(self) -> None:
        self._version = 0
        self._answers: _Answers = {}

    def read(self, version: int, work: Read[T], ask: Callable[[Callable[[sqlite3.Connection], T]], T]) -> T:
        """Run work at a version or a later one; ``ask`` runs a question on a snapshot of the file."""
        if version != self._version or len(self._answers) >= QUESTIONS_MAX:
            self._version, self._answers = version, {}
        try:
            return work(_FromMemory(self._answers))
        except _NotRemembered:
            return ask(lambda connection: work(self._remembering(connection)))

    def _remembering(self, connection: sqlite3.Connection) -> SqliteTransaction:
        """A transaction on a snapshot, whose answers are kept if the snapshot is of the version they are kept for."""
        current = connection.execute("SELECT current FROM version").fetchone()[0]
        return _IntoMemory(connection, self._answers) if current == self._version else SqliteTransaction(connection)


class _NotRemembered(Exception):
    """The work needs the file."""


class _FromMemory(SqliteTransaction):
    def __init__(self, answers: _Answers) -> None:
        self._answers = answers

    def _fetch(self, query: str, arguments: tuple[Any, ...]) -> list[Row]:
        answer = self._answers.get((query, arguments))
        if answer is None:
            raise _NotRemembered
        return answer


class _IntoMemory(SqliteTransaction):
    def __init__(self, connection: sqlite3.Connection, answers: _Answers) -> None:
        super().__init__(connection)
        self._answers = answers

    def _fetch(self, query: str, arguments: tuple[Any, ...]) -> list[Row]:
        answer = super()._fetch(query, arguments)
        if len(answer) <= ROWS_OF_AN_ANSWER_MAX:
            self._answers[query, arguments] = answer
        return answer
