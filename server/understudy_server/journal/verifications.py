"""The verifications that are on record for a stream: the last ones, within a limit of bytes."""

import sqlite3
from collections.abc import Sequence
from typing import Final

KEPT_MAX: Final = 1_000
BYTES_MAX: Final = 3 * 1024 * 1024
"""Of one stream, so that a list of all of them is no larger than a message of gRPC (4 MiB). The last one stays whatever
its size."""


def surplus(sizes: Sequence[int]) -> int:
    """How many of the oldest have to go. ``sizes`` are those of all that there are, oldest first."""
    going = max(0, len(sizes) - KEPT_MAX)
    size = sum(sizes[going:])
    while size > BYTES_MAX and going < len(sizes) - 1:
        size -= sizes[going]
        going += 1
    return going


def keep(connection: sqlite3.Connection, stream_id: int, content: bytes) -> None:
    """Append one within a transaction, and remove the oldest of too many."""
    connection.execute("INSERT INTO verification (stream, content) VALUES (?, ?)", (stream_id, content))
    kept = connection.execute(
        "SELECT number, length(content) FROM verification WHERE stream = ? ORDER BY number", (stream_id,)
    ).fetchall()
    if going := surplus([size for _, size in kept]):
        connection.execute("DELETE FROM verification WHERE stream = ? AND number <= ?", (stream_id, kept[going - 1][0]))


def read(connection: sqlite3.Connection, stream_id: int) -> Sequence[bytes]:
    """All of a stream, oldest first."""
    query = "SELECT content FROM verification WHERE stream = ? ORDER BY number"
    return [content for (content,) in connection.execute(query, (stream_id,))]
