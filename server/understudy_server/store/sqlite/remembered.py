"""Records that were read before, good for as long as nothing has changed.

A pipeline asks for the same key, project, environment and session over and over, and between two changes of declared
state the answers are the same. Work that only reads is first run on remembered records alone; if it asks for one that
is not remembered, it is run again, whole, on a snapshot of the file. So it always sees one version, never a mixture.
Remembered records are shared: work that only reads changes none of what it is given.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from understudy_server.app.ports import Transaction
from understudy_server.store.sqlite.transaction import SqliteTransaction

T = TypeVar("T")
Read = Callable[[Transaction], T]

ANSWERS_MAX = 10_000
# The questions that stand before every call, and the one that pipelines ask most.
REMEMBERED = frozenset(
    (
        "plan",
        "key_by_fingerprint",
        "project",
        "project_by_id",
        "environment",
        "environment_by_id",
        "session",
    )
)
_Answers = dict[tuple[str, tuple[Any, ...]], Any]


class RememberedRecords:
    """The answers to point queries at one version of one file."""

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
        transaction = SqliteTransaction(connection)
        if current != self._version:
            return transaction
        return cast("Transaction", _IntoMemory(transaction, self._answers))


class _NotRemembered(BaseException):
    """The work needs the file. Not an Exception, so that no use case takes it for a failure of its own."""


class _FromMemory:
    """Answers the remembered questions of a Transaction from memory, and gives up at any other."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers

    def __getattr__(self, question: str) -> Any:
        raise _NotRemembered


def _recall(question: str) -> Any:
    async def recall(self: _FromMemory, *arguments: Any) -> Any:
        answers = self._answers
        if (question, arguments) not in answers:
            raise _NotRemembered
        return answers[question, arguments]

    return recall


for _question in REMEMBERED:
    setattr(_FromMemory, _question, _recall(_question))


class _IntoMemory:
    """Passes every question on, and remembers the answers to some."""

    def __init__(self, transaction: SqliteTransaction, answers: _Answers) -> None:
        self._transaction = transaction
        self._answers = answers

    def __getattr__(self, question: str) -> Callable[..., Awaitable[Any]]:
        ask: Callable[..., Awaitable[Any]] = getattr(self._transaction, question)
        if question not in REMEMBERED:
            return ask

        async def remember(*arguments: Any) -> Any:
            answer = self._answers[question, arguments] = await ask(*arguments)
            return answer

        return remember
