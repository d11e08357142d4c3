"""What is known of each stream of ``journal.db`` beside its rows: its account, a row of the table ``stream``."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal.places import STREAM_ID_MAX

COLUMNS: Final = (
    "id, environment_id, session_key, session_id, project_id, last_number, kept, bytes, first_ms, last_ms, losses,"
    " doubtful_after, gone"
)
_BY_STREAM: Final = f"SELECT {COLUMNS} FROM stream WHERE environment_id = ? AND session_key = ? AND session_id = ?"
_SAVE: Final = (
    "UPDATE stream SET project_id = ?, last_number = ?, kept = ?, bytes = ?, first_ms = ?, last_ms = ?,"
    " losses = ?, doubtful_after = ?, gone = ? WHERE id = ?"
)
_FREE_ID: Final = (
    "SELECT id + 1 FROM stream AS one WHERE NOT EXISTS (SELECT 1 FROM stream WHERE id = one.id + 1) ORDER BY id LIMIT 1"
)


@dataclass(slots=True)
class Account:
    """A stream's account. ``first_ms`` and ``last_ms`` are when its oldest exchange on record ended, and its last.

    What has a number up to ``gone`` is not on record any more, whatever still lies in a segment.
    """

    id: int
    stream: Stream
    project_id: str = ""
    last_number: int = 0
    kept: int = 0
    bytes: int = 0
    first_ms: int = 0
    last_ms: int = 0
    losses: dict[Lost, int] = field(default_factory=dict)
    doubtful_after: int | None = None
    gone: int = 0

    def lose(self, reason: Lost, count: int) -> None:
        """Count exchanges that are lost."""
        self.losses[reason] = self.losses.get(reason, 0) + count

    def standing(self) -> Standing:
        """The account as the use cases see it."""
        # All that was lost is counted, until a purge takes away what there is and what was lost before.
        purged = self.last_number - self.kept - sum(self.losses.values())
        return Standing(self.last_number, self.kept, dict(self.losses), self.doubtful_after, purged)


def read(row: Sequence[Any]) -> Account:
    """Read an account from its ``COLUMNS``."""
    stream_id, environment_id, session_key, session_id, project_id, last_number, kept, size, first_ms, last_ms = row[
        :10
    ]
    losses = {Lost(reason): count for reason, count in json.loads(row[10]).items()} if row[10] else {}
    stream = Stream(environment_id, session_key, session_id)
    return Account(stream_id, stream, project_id, last_number, kept, size, first_ms, last_ms, losses, row[11], row[12])


def find(connection: sqlite3.Connection, stream: Stream) -> Account | None:
    """The account of a stream, ``None`` as long as nothing was ever kept of it."""
    row = connection.execute(_BY_STREAM, stream).fetchone()
    return read(row) if row else None


def opened(connection: sqlite3.Connection, stream: Stream) -> Account:
    """The account of a stream, made when missing."""
    account = find(connection, stream)
    if account is None:
        stream_id = _free_id(connection)
        connection.execute(
            f"INSERT INTO stream ({COLUMNS}) VALUES (?, ?, ?, ?, '', 0, 0, 0, 0, 0, '', NULL, 0)", (stream_id, *stream)
        )
        account = Account(stream_id, stream)
    return account


def save(connection: sqlite3.Connection, accounts: Iterable[Account]) -> None:
    """Write accounts back."""
    connection.executemany(_SAVE, [_values(each) for each in accounts])


def _values(account: Account) -> tuple[Any, ...]:
    losses = json.dumps(account.losses) if account.losses else ""
    return (
        account.project_id,
        account.last_number,
        account.kept,
        account.bytes,
        account.first_ms,
        account.last_ms,
        losses,
        account.doubtful_after,
        account.gone,
        account.id,
    )


def _free_id(connection: sqlite3.Connection) -> int:
    last: int = connection.execute("SELECT coalesce(max(id), 0) FROM stream").fetchone()[0]
    if last < STREAM_ID_MAX:
        return last + 1
    # Ids of streams that are forgotten: there are far fewer streams than ids.
    if not connection.execute("SELECT 1 FROM stream WHERE id = 1").fetchone():
        return 1
    free: int = connection.execute(_FREE_ID).fetchone()[0]
    return free
