"""Answers that were worked out before, good for as long as nothing has changed.

A pipeline asks with the same key for the same place and session over and over, and between two changes of declared
state the answers are the same. Work that only reads is first run on remembered answers alone; if it asks for one that
is not remembered, it is run again, whole, on a snapshot of the file. So it always sees one version, never a mixture.
Remembered answers are shared: work that only reads changes none of what it is given.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast

from understudy_server.app.ports import SessionRecord, Transaction
from understudy_server.store.sqlite.transaction import SqliteTransaction

T = TypeVar("T")
Read = Callable[[Transaction], T]

ANSWERS_MAX = 10_000
_Answers = dict[Hashable, Any]


class RememberedAnswers:
    """Answers at one version of one file."""

    def __init__(self) -> None:
        self._version = 0
        self._answers: _Answers = {}

    def read(self, version: int, work: Read[T], ask: Callable[[Callable[[sqlite3.Connection], T]], T]) -> T:
        """Run work at a version or a later one; ``ask`` runs a question on a snapshot of the file."""
        if version != self._version or len(self._answers) >= ANSWERS_MAX:
            self._version, self._answers = version, {}
        try:
            return work(cast("Transaction", _FromMemory(self._answers)))
        except _NotRemembered:
            return ask(lambda connection: work(self._on_snapshot(connection)))

    def _on_snapshot(self, connection: sqlite3.Connection) -> Transaction:
        """A transaction whose answers are kept, if the snapshot is of the version that they are kept for."""
        current = connection.execute("SELECT current FROM version").fetchone()[0]
        if current != self._version:
            return SqliteTransaction(connection)
        return _IntoMemory(connection, self._answers)


class _NotRemembered(BaseException):
    """The work needs the file. Not an Exception, so that no use case takes it for a failure of its own."""


class _FromMemory:
    """Has the remembered answers of a Transaction, and gives up at any other question."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers

    def __getattr__(self, question: str) -> Any:
        raise _NotRemembered

    async def recall(self, question: Hashable, _answer: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return self._answers[question]
        except KeyError:
            raise _NotRemembered from None

    async def session(self, environment_id: str, session_key: str) -> Any:
        try:
            return self._answers["session", environment_id, session_key]
        except KeyError:
            raise _NotRemembered from None


class _IntoMemory(SqliteTransaction):
    """Remembers what it answers."""

    def __init__(self, connection: sqlite3.Connection, answers: _Answers) -> None:
        super().__init__(connection)
        self._answers = answers

    async def recall(self, question: Hashable, answer: Callable[[], Awaitable[T]]) -> T:
        found = self._answers[question] = await answer()
        return found

    async def session(self, environment_id: str, session_key: str) -> SessionRecord | None:
        found = await super().session(environment_id, session_key)
        self._answers["session", environment_id, session_key] = found
        return found
