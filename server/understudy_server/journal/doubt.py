"""Whether the file was closed as it should be, and of which streams exchanges may be missing where it was not.

A process that is killed takes with it what waited to be written: exchanges that were answered already and have no
number yet. Nothing tells how many, so every stream that may have had one is in doubt from there on: those that are on
file and had not ended, and those of which nothing is on file but which there may have been.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from understudy_server.core.ids import decode
from understudy_server.core.record import Stream

# A session that ended so shortly before may have been recorded to.
_JUST_ENDED_MS: Final = 60_000
# Each such end moves the doubt on: a question about what came since the one before must know of it.
_MARK: Final = (
    "UPDATE stream SET doubtful_after = last_number,"
    " losses = json_set(CASE losses WHEN '' THEN '{}' ELSE losses END, '$.unclean_stop', 0) WHERE id = ?"
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """``unclean_at_ms``: when it was last found that the file had not been closed (0: never)."""

    unclean_at_ms: int = 0
    is_new: bool = False
    """True when that was found now."""

    def concerns(self, stream: Stream) -> bool:
        """True when a stream of which nothing is on file may have had exchanges before: its id tells when it began."""
        if not self.unclean_at_ms:
            return False
        try:
            return decode(stream.session_id or stream.environment_id)[0] <= self.unclean_at_ms
        except ValueError:
            return False


def begin(connection: sqlite3.Connection, living: Collection[str] | None, now_ms: int, *, records: bool) -> Doubt:
    """Look at the mark that the last process left, note what is in doubt, and remove the mark, durably.

    ``living`` are the ids of the sessions that there are, ``None`` when that is not known. Who only reads (not
    ``records``) cannot lose anything, and leaves a file that counts as closed. Raises sqlite3.Error.
    """
    # Whatever the durability: a loss of power must not bring back the mark.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("BEGIN IMMEDIATE")
    clean, unclean_at_ms = connection.execute("SELECT clean, unclean_at_ms FROM mark").fetchone()
    if not clean:
        unclean_at_ms = now_ms
        _mark_streams(connection, living)
    connection.execute("UPDATE mark SET clean = ?, unclean_at_ms = ?", (not records, unclean_at_ms))
    connection.execute("COMMIT")
    return Doubt(unclean_at_ms, is_new=not clean)


def end(connection: sqlite3.Connection) -> None:
    """Leave the mark: everything that was recorded is in the file. A job of the writer, its last."""
    connection.execute("UPDATE mark SET clean = 1")


def _mark_streams(connection: sqlite3.Connection, living: Collection[str] | None) -> None:
    last: int = connection.execute("SELECT coalesce(max(last_ms), 0) FROM stream").fetchone()[0]
    concerned = [
        (stream_id,)
        for stream_id, session_id, last_ms in connection.execute("SELECT id, session_id, last_ms FROM stream")
        if living is None or not session_id or session_id in living or last_ms >= last - _JUST_ENDED_MS
    ]
    connection.executemany(_MARK, concerned)
