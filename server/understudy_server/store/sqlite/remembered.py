"""Answers that were worked out before, good for as long as nothing has changed.

A pipeline asks with the same key for the same place and session over and over, and between two changes of declared
state the answers are the same. Work that only reads is first run on remembered answers alone; if it asks for one that
is not remembered, it is run again, whole, on a snapshot of the file. So it always sees one version, never a mixture.
Remembered answers are shared: nobody changes what he is given.

Who calls and where, which is what is recalled (`Transaction.recall`), does not depend on sessions, and these are what
changes all day. So such answers hold from one lasting change to the next, which is any that is not of sessions alone;
work that writes has them too, as long as it has made no such change itself.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Hashable
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from understudy_server.app.ports import SessionRecord, Transaction
from understudy_server.store.sqlite.transaction import SqliteTransaction

T = TypeVar("T")
Read = Callable[[Transaction], T]

ANSWERS_MAX = 10_000
"""When there are so many, the older half of them is let go of: all at once would have everybody ask anew."""

_Answers = dict[Hashable, Any]


class At(NamedTuple):
    """A version, and the last one up to it that was a lasting change."""

    version: int
    lasting: int


class _Kept(NamedTuple):
    """Answers since one version."""

    since: int
    answers: _Answers


class RememberedAnswers:
    """Answers at one version of one file. What is `lasting` may be asked for in any thread."""

    def __init__(self) -> None:
        # Replaced and never changed: whoever looks in another thread finds answers and version that belong together.
        self._lasting = _Kept(0, {})
        self._sessions = _Kept(0, {})
        self._at = At(0, 0)
        self._memory = _FromMemory(self._lasting.answers, self._sessions.answers)

    def read(self, at: At, work: Read[T], ask: Callable[[Callable[[sqlite3.Connection], T]], T]) -> T:
        """Run work at a version or a later one; ``ask`` runs a question on a snapshot of the file."""
        if at is not self._at or self._memory.is_full:
            self._remember(at)
        memory = self._memory
        try:
            return work(memory)
        except _NotRemembered:
            lasting, sessions = memory.lasting_answers, memory.session_answers
            return ask(lambda connection: work(_on_snapshot(connection, at.version, lasting, sessions)))

    def _remember(self, at: At) -> None:
        """Begin to remember answers of a version, or begin anew."""
        lasting = self.lasting(at.lasting)
        self._sessions = _kept_on(self._sessions, at.version)
        self._at, self._memory = at, _FromMemory(lasting, self._sessions.answers)

    def recalled(self, question: Hashable, since: int) -> Any:
        """What was recalled since a lasting change, the last there is; ``None`` when nothing was."""
        kept = self._lasting
        return kept.answers.get(question) if kept.since == since else None

    def lasting(self, since: int) -> _Answers:
        """What was recalled since a lasting change, the last there is, to be added to."""
        kept = self._lasting
        if kept.since != since or len(kept.answers) >= ANSWERS_MAX:
            kept = self._lasting = _kept_on(kept, since)
        return kept.answers


def _kept_on(kept: _Kept, since: int) -> _Kept:
    """Answers since a version, where there may be older ones, or too many."""
    if kept.since != since:
        return _Kept(since, {})
    if len(kept.answers) < ANSWERS_MAX:
        return kept
    # Of a copy, which is made in one go: in another thread some may be added meanwhile.
    answers = kept.answers.copy()
    return _Kept(since, dict(islice(answers.items(), len(answers) // 2, None)))


def _on_snapshot(connection: sqlite3.Connection, version: int, lasting: _Answers, sessions: _Answers) -> Transaction:
    """A transaction whose answers are kept, if the snapshot is of the version that they are kept for."""
    current = connection.execute("SELECT current FROM version").fetchone()[0]
    return _IntoMemory(connection, lasting, sessions) if current == version else SqliteTransaction(connection)


class _NotRemembered(BaseException):
    """The work needs the file. Not an Exception, so that no use case takes it for a failure of its own."""


class _FromMemory:
    """Has the remembered answers of a Transaction, and gives up at any other question."""

    __slots__ = ("lasting_answers", "session_answers")

    def __init__(self, lasting: _Answers, sessions: _Answers) -> None:
        self.lasting_answers = lasting
        self.session_answers = sessions

    @property
    def is_full(self) -> bool:
        return len(self.lasting_answers) >= ANSWERS_MAX or len(self.session_answers) >= ANSWERS_MAX

    def __getattr__(self, question: str) -> Any:
        raise _NotRemembered

    async def recall(self, question: Hashable, _answer: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return self.lasting_answers[question]
        except KeyError:
            raise _NotRemembered from None

    async def session(self, environment_id: str, session_key: str) -> Any:
        try:
            return self.session_answers[environment_id, session_key]
        except KeyError:
            raise _NotRemembered from None

    async def header_names(self, environment_id: str) -> Any:
        try:
            return self.session_answers[environment_id]
        except KeyError:
            raise _NotRemembered from None

    async def snapshot_of(self, session_id: str) -> Any:
        try:
            return self.session_answers[session_id]
        except KeyError:
            raise _NotRemembered from None


class _IntoMemory(SqliteTransaction):
    """Remembers what it answers."""

    def __init__(self, connection: sqlite3.Connection, lasting: _Answers, sessions: _Answers) -> None:
        super().__init__(connection, answers=lasting)
        self._remembered_sessions = sessions

    async def session(self, environment_id: str, session_key: str) -> SessionRecord | None:
        found = await super().session(environment_id, session_key)
        self._remembered_sessions[environment_id, session_key] = found
        return found

    async def header_names(self, environment_id: str) -> Collection[str]:
        found = self._remembered_sessions[environment_id] = await super().header_names(environment_id)
        return found

    async def snapshot_of(self, session_id: str) -> int | None:
        found = self._remembered_sessions[session_id] = await super().snapshot_of(session_id)
        return found
