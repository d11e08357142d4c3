"""Removing what is older than it is kept, a slice at a time, so that exchanges that are to be written wait for no long
transaction; and forgetting streams of which nothing is left and nobody can ask for any more.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final

from understudy_server.core.record import Lost
from understudy_server.journal import accounts
from understudy_server.journal.ledger import SLICE, Ledger

# Of sessions that have ended; that they had a record, and lost it, is remembered of so many.
EMPTIED_MAX: Final = 10_000
FIRST: Final = (-1, 0)
"""Before all streams, as `forget` goes over them."""

_STREAMS_AT_ONCE: Final = 64
_AGED: Final = (
    f"SELECT {accounts.COLUMNS} FROM stream WHERE environment_id = ? AND kept > 0 AND first_ms < ?"
    f" ORDER BY first_ms LIMIT {_STREAMS_AT_ONCE}"
)
_EMPTIED: Final = (
    f"SELECT {accounts.COLUMNS} FROM stream WHERE kept = 0 AND (last_ms, id) > (?, ?)"
    f" ORDER BY last_ms, id LIMIT {SLICE}"
)


def sweep(connection: sqlite3.Connection, ledger: Ledger, now_ms: int) -> tuple[Mapping[Lost, int], bool]:
    """Remove some of what is too old: a job of the writer. True with what is lost by it: there may be more."""
    with ledger.entry(connection) as lost:
        room = SLICE
        for environment_id in ledger.environments:
            before_ms = now_ms - ledger.rules.quota(environment_id).retention_ms
            for row in connection.execute(_AGED, (environment_id, before_ms)).fetchall():
                if room <= 0:
                    break
                account = ledger.known(accounts.read(row))
                room -= 1 + ledger.evict_aged(connection, account, before_ms, room)
    return lost, room < SLICE


def forget(
    connection: sqlite3.Connection, ledger: Ledger, now_ms: int, after: tuple[int, int] = FIRST
) -> tuple[int, int] | None:
    """Forget streams of sessions that have ended and of which nothing is kept: those quiet for longer than anything is
    kept, and the quietest of too many. A job of the writer.

    Looks at some, behind the one that ``after`` stands for (when it was quiet since, and its id), whether they can be
    forgotten or not. Returns what to go on after, ``None`` when that were the last.
    """
    with ledger.entry(connection):
        emptied: int = connection.execute("SELECT count(*) FROM stream WHERE kept = 0").fetchone()[0]
        found = [accounts.read(row) for row in connection.execute(_EMPTIED, after).fetchall()]
        for each in found:
            account = ledger.known(each)
            environment_id, _, session_id = account.stream
            is_aged = account.last_ms < now_ms - ledger.rules.quota(environment_id).retention_ms
            if (is_aged or emptied > EMPTIED_MAX) and not ledger.rules.is_live(environment_id, session_id):
                ledger.forget(connection, account)
                emptied -= 1
    return (found[-1].last_ms, found[-1].id) if len(found) == SLICE else None
