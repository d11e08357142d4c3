"""State in ``state.db``, shared by all processes that have the file open.

A step is one statement that says itself when it applies; where it takes two, they are one transaction, which begins as
a writer, so that nothing can come between what is read and what is written. Nothing is remembered: what another process
has done is seen by the next step.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

from understudy_server.core.errors import StorageFailure
from understudy_server.core.state import (
    ABSENT,
    MACHINE_START,
    MACHINES_MAX,
    VALUES_BYTES_MAX,
    VALUES_MAX,
    Claim,
    Owner,
    Refusal,
    Scope,
    StateFull,
)
from understudy_server.state.json_values import Kept, add, bytes_of, write
from understudy_server.store.sqlite.connections import Durability, connect, storage_fault

T = TypeVar("T")
_Work = Callable[[sqlite3.Connection], T]

_OWNER: Final = "environment_id = ?1 AND scope = ?2 AND owner = ?3"
_TABLES: Final = ("state_value", "state_machine", "mock_use")
_COUNT_USE: Final = """
    INSERT INTO mock_use (environment_id, scope, owner, mock, uses) VALUES (?1, ?2, ?3, ?4, 1)
    ON CONFLICT (environment_id, scope, owner, mock) DO UPDATE SET uses = uses + 1 WHERE ?5 = 0 OR uses < ?5
    RETURNING uses
"""
_PUT_MACHINE: Final = """
    INSERT INTO state_machine (environment_id, scope, owner, machine, state) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (environment_id, scope, owner, machine) DO UPDATE SET state = excluded.state
"""
_PUT_VALUE: Final = """
    INSERT INTO state_value (environment_id, scope, owner, key, value) VALUES (?1, ?2, ?3, ?4, CAST(?5 AS BLOB))
    ON CONFLICT (environment_id, scope, owner, key) DO UPDATE SET value = excluded.value
"""


class SharedState:
    """Fills ``core.state.State``. Every method raises StorageFailure when the file cannot be used."""

    def __init__(self, path: Path, durability: Durability = "normal") -> None:
        """Open a file that `store.sqlite.files.prepare` has made. Raises sqlite3.Error."""
        self._connection = connect(path, durability)
        # Statements of several threads would be part of one another's transactions.
        self._lock = Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    # Uses and machines

    def claim(self, claim: Claim) -> int | None:
        if claim.stepped is None:
            return self._do(lambda connection: _count_use(connection, claim))
        return self._in_one_go(lambda connection: _step_and_count(connection, claim))

    def refusal(self, claim: Claim) -> Refusal | None:
        if 0 < claim.uses_max <= self.uses_of(claim.counted, claim.mock):
            return Refusal.SPENT
        if claim.stepped is None or not claim.required:
            return None
        present = self.machine(claim.stepped, claim.machine)
        return None if present == claim.required else Refusal.MACHINE_STATE

    def uses_of(self, owner: Owner, mock: str) -> int:
        row = self._row(f"SELECT uses FROM mock_use WHERE {_OWNER} AND mock = ?4", *owner, mock)
        return int(row[0]) if row else 0

    def uses(self, owner: Owner) -> Sequence[tuple[str, int]]:
        return self._rows(f"SELECT mock, uses FROM mock_use WHERE {_OWNER} ORDER BY mock", *owner)

    def forget_uses(self, environment_id: str, mocks: Iterable[str]) -> None:
        rows = [(environment_id, mock) for mock in mocks]
        statement = "DELETE FROM mock_use WHERE environment_id = ? AND mock = ?"
        self._in_one_go(lambda connection: connection.executemany(statement, rows))

    def machine(self, owner: Owner, machine: str) -> str:
        return self._do(lambda connection: _machine(connection, owner, machine))

    def set_machine(self, owner: Owner, machine: str, state: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            if state != MACHINE_START and _machine(connection, owner, machine) == MACHINE_START:
                question = f"SELECT count(*) FROM state_machine WHERE {_OWNER}"
                if connection.execute(question, owner).fetchone()[0] >= MACHINES_MAX:
                    raise StateFull
            _set_machine(connection, owner, machine, state)

        self._in_one_go(work)

    def machines(self, owner: Owner) -> Sequence[tuple[str, str]]:
        return self._rows(f"SELECT machine, state FROM state_machine WHERE {_OWNER} ORDER BY machine", *owner)

    # Values

    def value(self, owner: Owner, key: str) -> Any:
        kept = self._do(lambda connection: _value(connection, owner, key))
        return ABSENT if kept is None else kept.value

    def text(self, owner: Owner, key: str) -> str | None:
        kept = self._do(lambda connection: _value(connection, owner, key))
        return None if kept is None else kept.text

    def set_value(self, owner: Owner, key: str, value: Any) -> None:
        self.set_text(owner, key, write(value))

    def set_text(self, owner: Owner, key: str, text: str) -> None:
        self._in_one_go(lambda connection: _put_value(connection, owner, key, Kept(text)))

    def increment(self, owner: Owner, key: str, by: int) -> int | float:
        def work(connection: sqlite3.Connection) -> int | float:
            total = add(_value(connection, owner, key), by)
            _put_value(connection, owner, key, total)
            number: int | float = total.value
            return number

        return self._in_one_go(work)

    def delete_value(self, owner: Owner, key: str) -> None:
        statement = f"DELETE FROM state_value WHERE {_OWNER} AND key = ?4"
        self._do(lambda connection: connection.execute(statement, (*owner, key)))

    def texts(self, owner: Owner, *, prefix: str = "", after: str = "", limit: int) -> Sequence[tuple[str, str]]:
        # Compared as bytes: of text SQLite sees only what is before a NUL.
        question = f"""
            SELECT key, CAST(value AS TEXT) FROM state_value
            WHERE {_OWNER} AND key >= ?4 AND key > ?5
                AND substr(CAST(key AS BLOB), 1, length(CAST(?4 AS BLOB))) = CAST(?4 AS BLOB)
            ORDER BY key LIMIT ?6
        """
        return self._rows(question, *owner, prefix, after, limit)

    # Owners

    def owners(self) -> Collection[Owner]:
        each = " UNION ".join(f"SELECT environment_id, scope, owner FROM {table}" for table in _TABLES)
        return [Owner(environment_id, Scope(scope), name) for environment_id, scope, name in self._rows(each)]

    def reset(self, owner: Owner) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table} WHERE {_OWNER}", owner)

        self._in_one_go(work)

    def reset_environment(self, environment_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table} WHERE environment_id = ?", (environment_id,))

        self._in_one_go(work)

    # Steps

    def _in_one_go(self, work: _Work[T]) -> T:
        """Do all of it or, when the work raises, nothing."""

        def whole(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            finally:
                # Some faults end the transaction themselves.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            return result

        return self._do(whole)

    def _do(self, work: _Work[T]) -> T:
        try:
            with self._lock:
                return work(self._connection)
        except sqlite3.Error as error:
            reason = storage_fault(error)
            if not reason:
                raise
            raise StorageFailure(f"state cannot be read or written now ({reason}); nothing was changed") from error

    def _row(self, question: str, *arguments: Any) -> Any:
        return self._do(lambda connection: connection.execute(question, arguments).fetchone())

    def _rows(self, question: str, *arguments: Any) -> list[Any]:
        return self._do(lambda connection: connection.execute(question, arguments).fetchall())


def _count_use(connection: sqlite3.Connection, claim: Claim) -> int | None:
    # Every row is fetched: a statement that is left in the middle keeps its transaction open.
    found = connection.execute(_COUNT_USE, (*claim.counted, claim.mock, claim.uses_max)).fetchall()
    return int(found[0][0]) if found else None


def _step_and_count(connection: sqlite3.Connection, claim: Claim) -> int | None:
    stepped = claim.stepped
    if stepped is None:
        return _count_use(connection, claim)
    present = _machine(connection, stepped, claim.machine)
    if claim.required and present != claim.required:
        return None
    uses = _count_use(connection, claim)
    if uses is not None and claim.next and claim.next != present:
        _set_machine(connection, stepped, claim.machine, claim.next)
    return uses


def _machine(connection: sqlite3.Connection, owner: Owner, machine: str) -> str:
    question = f"SELECT state FROM state_machine WHERE {_OWNER} AND machine = ?4"
    row = connection.execute(question, (*owner, machine)).fetchone()
    return str(row[0]) if row else MACHINE_START


def _set_machine(connection: sqlite3.Connection, owner: Owner, machine: str, state: str) -> None:
    if state == MACHINE_START:
        connection.execute(f"DELETE FROM state_machine WHERE {_OWNER} AND machine = ?4", (*owner, machine))
    else:
        connection.execute(_PUT_MACHINE, (*owner, machine, state))


def _value(connection: sqlite3.Connection, owner: Owner, key: str) -> Kept | None:
    question = f"SELECT CAST(value AS TEXT) FROM state_value WHERE {_OWNER} AND key = ?4"
    row = connection.execute(question, (*owner, key)).fetchone()
    return Kept(row[0]) if row else None


def _put_value(connection: sqlite3.Connection, owner: Owner, key: str, value: Kept) -> None:
    """Keep a value. Raises StateFull."""
    question = f"SELECT length(value) FROM state_value WHERE {_OWNER} AND key = ?4"
    before = connection.execute(question, (*owner, key)).fetchone()
    growth = value.size - before[0] if before else bytes_of(key) + value.size
    if growth > 0:
        # SQLite reads of each value how long it is, and nothing else.
        question = f"""
            SELECT count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM state_value WHERE {_OWNER}
        """
        number, size = connection.execute(question, owner).fetchone()
        if size + growth > VALUES_BYTES_MAX or (before is None and number >= VALUES_MAX):
            raise StateFull
    connection.execute(_PUT_VALUE, (*owner, key, value.text))
