"""What is known of each stream of ``journal.db`` beside its rows: its account, a row of the table ``stream``."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any, Final

from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal import many_rows
from understudy_server.journal.places import STREAM_ID_MAX

COLUMNS: Final = (
    "id, environment_id, session_key, session_id, project_id, last_number, kept, bytes, first_ms, last_ms, losses,"
    " doubtful_after, gone"
)
_BY_STREAM: Final = f"SELECT {COLUMNS} FROM stream WHERE environment_id = ? AND session_key = ? AND session_id = ?"
_CHANGED: Final = (
    "project_id",
    "last_number",
    "kept",
    "bytes",
    "first_ms",
    "last_ms",
    "losses",
    "doubtful_after",
    "gone",
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


def opened(connection: sqlite3.Connection, streams: Sequence[Stream]) -> list[Account]:
    """The accounts of streams, no two the same, made where they are missing."""
    accounts: list[Account] = []
    for some in many_rows.some(streams):
        accounts += [read(row) for row in connection.execute(_find(len(some)), list(chain.from_iterable(some)))]
    known = {account.stream for account in accounts}
    made = _made(connection, [stream for stream in streams if stream not in known])
    return accounts + made


def _made(connection: sqlite3.Connection, streams: Sequence[Stream]) -> list[Account]:
    if not streams:
        return []
    last: int = connection.execute("SELECT coalesce(max(id), 0) FROM stream").fetchone()[0]
    if last + len(streams) > STREAM_ID_MAX:
        return [_made_where_free(connection, stream) for stream in streams]
    accounts = [Account(stream_id, stream) for stream_id, stream in enumerate(streams, start=last + 1)]
    for some in many_rows.some([(each.id, *each.stream) for each in accounts]):
        connection.execute(_insert(len(some)), list(chain.from_iterable(some)))
    return accounts


def _made_where_free(connection: sqlite3.Connection, stream: Stream) -> Account:
    """With an id of a stream that is forgotten: there are far fewer streams than ids."""
    is_free = not connection.execute("SELECT 1 FROM stream WHERE id = 1").fetchone()
    stream_id: int = 1 if is_free else connection.execute(_FREE_ID).fetchone()[0]
    connection.execute(_insert(1), (stream_id, *stream))
    return Account(stream_id, stream)


@cache
def _find(count: int) -> str:
    columns = ", ".join([f"stream.{name}" for name in COLUMNS.split(", ")])
    same = "environment_id = column1 AND session_key = column2 AND session_id = column3"
    return f"SELECT {columns} FROM ({many_rows.values(3, count)}) CROSS JOIN stream ON {same}"


@cache
def _insert(count: int) -> str:
    rest = "column1, column2, column3, column4, '', 0, 0, 0, 0, 0, '', NULL, 0"
    return f"INSERT INTO stream ({COLUMNS}) SELECT {rest} FROM ({many_rows.values(4, count)})"


def save(connection: sqlite3.Connection, accounts: Iterable[Account]) -> None:
    """Write accounts back."""
    for some in many_rows.some([_values(each) for each in accounts]):
        connection.execute(_save(len(some)), list(chain.from_iterable(some)))


@cache
def _save(count: int) -> str:
    changed = ", ".join([f"{name} = column{number}" for number, name in enumerate(_CHANGED, start=2)])
    return f"UPDATE stream SET {changed} FROM ({many_rows.values(1 + len(_CHANGED), count)}) WHERE id = column1"


def _values(account: Account) -> tuple[Any, ...]:
    losses = json.dumps(account.losses) if account.losses else ""
    return (
        account.id,
        account.project_id,
        account.last_number,
        account.kept,
        account.bytes,
        account.first_ms,
        account.last_ms,
        losses,
        account.doubtful_after,
        account.gone,
    )
