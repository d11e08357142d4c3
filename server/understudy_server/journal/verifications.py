"""The verifications that are on record for a stream: the last ones, within a limit of bytes."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

KEPT_MAX: Final = 1_000
BYTES_MAX: Final = 3 * 1024 * 1024
"""Of one stream, so that a list of all of them is no larger than a message of gRPC (4 MiB). The last one stays whatever
its size."""


def surplus(sizes: Iterable[int], count: int, total: int) -> int:
    """How many of the oldest have to go. ``sizes`` are those of all that there are, oldest first, so many and so large
    together; one more of them is looked at than has to go.
    """
    going = 0
    for size in sizes:
        left = count - going
        if left <= KEPT_MAX and (total <= BYTES_MAX or left == 1):
            break
        total -= size
        going += 1
    return going


def keep(connection: sqlite3.Connection, stream_id: int, content: bytes) -> None:
    """Append one within a transaction, and remove the oldest of too many."""
    connection.execute("INSERT INTO verification (stream, content) VALUES (?, ?)", (stream_id, content))
    # Added up by SQLite: a full list of lengths takes five times as long, and other writers wait meanwhile.
    ((count, total),) = connection.execute(
        "SELECT count(*), sum(length(content)) FROM verification WHERE stream = ?", (stream_id,)
    )
    oldest_first = connection.execute(
        "SELECT length(content) FROM verification WHERE stream = ? ORDER BY number", (stream_id,)
    )
    if going := surplus((size for (size,) in oldest_first), count, total):
        connection.execute(
            "DELETE FROM verification WHERE number IN"
            " (SELECT number FROM verification WHERE stream = ? ORDER BY number LIMIT ?)",
            (stream_id, going),
        )


def read(connection: sqlite3.Connection, stream_id: int) -> Sequence[bytes]:
    """All of a stream, oldest first."""
    query = "SELECT content FROM verification WHERE stream = ? ORDER BY number"
    return [content for (content,) in connection.execute(query, (stream_id,))]
