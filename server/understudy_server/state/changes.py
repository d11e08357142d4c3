"""What is not written yet: of every owner what it has now and the file has not, however often it has changed.

A batch of changes is given to the writer as it is, so that what is written together was so at one moment.
"""

import sqlite3
from collections.abc import Iterator
from enum import IntEnum
from itertools import chain
from typing import Final

from understudy_server.core.giving_way import giving_way
from understudy_server.core.state import Owner

Content = str | int


class Table(IntEnum):
    """What a row is about: a value by its key, a machine by its name, a mock's uses by its id."""

    VALUES = 0
    MACHINES = 1
    USES = 2


Row = tuple[Table, str]

# In the order of `Table`. A value is kept as bytes, since SQLite knows the length of bytes without reading them.
_PUT: Final = (
    "INSERT OR REPLACE INTO state_value (environment_id, scope, owner, key, value)"
    " VALUES (?, ?, ?, ?, CAST(? AS BLOB))",
    "INSERT OR REPLACE INTO state_machine (environment_id, scope, owner, machine, state) VALUES (?, ?, ?, ?, ?)",
    "INSERT OR REPLACE INTO mock_use (environment_id, scope, owner, mock, uses) VALUES (?, ?, ?, ?, ?)",
)
_DROP: Final = (
    "DELETE FROM state_value WHERE environment_id = ? AND scope = ? AND owner = ? AND key = ?",
    "DELETE FROM state_machine WHERE environment_id = ? AND scope = ? AND owner = ? AND machine = ?",
    "DELETE FROM mock_use WHERE environment_id = ? AND scope = ? AND owner = ? AND mock = ?",
)
_TABLES: Final = ("state_value", "state_machine", "mock_use")


class _OfOwner:
    """``is_new``: whatever the file has of the owner goes first. ``rows``: what it has now, ``None`` for nothing."""

    __slots__ = ("is_new", "rows")

    def __init__(self, *, is_new: bool = False) -> None:
        self.is_new = is_new
        self.rows: dict[Row, Content | None] = {}


class Changes:
    """Notes changes in the order in which they are made. Whoever notes them lets no two threads do so at once."""

    __slots__ = ("_environments", "_owners")

    def __init__(self) -> None:
        self._environments: set[str] = set()
        self._owners: dict[str, dict[Owner, _OfOwner]] = {}

    def __bool__(self) -> bool:
        return bool(self._owners or self._environments)

    def __len__(self) -> int:
        """Of how many owners anything is noted."""
        return sum(map(len, self._owners.values()))

    def put(self, owner: Owner, table: Table, name: str, content: Content | None) -> None:
        """Note what an owner has now under a name; ``None``: nothing any more."""
        owners = self._owners.get(owner.environment_id)
        if owners is None:
            owners = self._owners[owner.environment_id] = {}
        noted = owners.get(owner)
        if noted is None:
            noted = owners[owner] = _OfOwner()
        noted.rows[table, name] = content

    def clear(self, owner: Owner) -> None:
        """Note that an owner has nothing any more."""
        self._owners.setdefault(owner.environment_id, {})[owner] = _OfOwner(is_new=True)

    def clear_environment(self, environment_id: str) -> None:
        """Note that nobody in an environment has anything any more."""
        self._owners.pop(environment_id, None)
        self._environments.add(environment_id)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write them, inside a transaction. May be done again when that failed."""
        environments = [(each,) for each in self._environments]
        for table in _TABLES:
            connection.executemany(f"DELETE FROM {table} WHERE environment_id = ?", giving_way(environments))
        for table in _TABLES:
            connection.executemany(
                f"DELETE FROM {table} WHERE environment_id = ? AND scope = ? AND owner = ?",
                giving_way(owner for owner, noted in self._noted() if noted.is_new),
            )
        for each in Table:
            connection.executemany(_DROP[each], giving_way(self._rows(each, gone=True)))
            connection.executemany(_PUT[each], giving_way(self._rows(each, gone=False)))

    def _noted(self) -> Iterator[tuple[Owner, _OfOwner]]:
        return chain.from_iterable(owners.items() for owners in self._owners.values())

    def _rows(self, table: Table, *, gone: bool) -> Iterator[tuple[Content, ...]]:
        for owner, noted in self._noted():
            for (kind, name), content in noted.rows.items():
                if kind is table and (content is None) is gone:
                    yield (*owner, name) if content is None else (*owner, name, content)
