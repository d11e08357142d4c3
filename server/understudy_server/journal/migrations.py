"""The schema of ``journal.db``, as numbered steps: see ``store.sqlite.migrations``."""

import sqlite3

from understudy_server.journal import earlier
from understudy_server.store.sqlite.migrations import script
from understudy_server.store.sqlite.steps import Steps

journal = Steps("journal")


@journal()
def m0001_exchanges(db: sqlite3.Connection) -> None:
    """``rowid`` stays the table's key, so that long rows are appended and found by small index entries."""
    script(
        db,
        """
        CREATE TABLE exchange (
            id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL, environment_id TEXT NOT NULL, session_key TEXT NOT NULL,
            session_id TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,
            status INTEGER NOT NULL, started_at_ms INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
            mock_id TEXT NOT NULL,
            request_headers TEXT NOT NULL, response_headers TEXT NOT NULL,
            request_body BLOB, request_bytes INTEGER, request_type TEXT,
            response_body BLOB, response_bytes INTEGER, response_type TEXT
        )
        """,
        "CREATE INDEX exchange_by_key ON exchange (environment_id, session_key, id)",
    )


@journal()
def m0002_findings(db: sqlite3.Connection) -> None:
    """Codes with a space between them. Headers are bytes from now on, which the columns take as they are."""
    script(db, "ALTER TABLE exchange ADD COLUMN findings TEXT NOT NULL DEFAULT ''")


@journal()
def m0003_redacted(db: sqlite3.Connection) -> None:
    """What redaction made of a body: as ``core.exchange.Captured`` has it; NULL as long as there was none."""
    script(
        db,
        "ALTER TABLE exchange ADD COLUMN request_redacted TEXT",
        "ALTER TABLE exchange ADD COLUMN response_redacted TEXT",
    )


@journal()
def m0004_draws(db: sqlite3.Connection) -> None:
    """What was drawn by chance, as a JSON list of pairs (empty: nothing), and which use of the mock it was."""
    script(
        db,
        "ALTER TABLE exchange ADD COLUMN draws TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE exchange ADD COLUMN occurrence INTEGER NOT NULL DEFAULT 0",
    )


@journal()
def m0005_streams(db: sqlite3.Connection) -> None:
    """Exchanges lie together by stream and number, which are their ``place`` (``journal.places``), so that the oldest
    of a stream are one range. What was recorded before is numbered as it was recorded.

    Whose a row is stands in ``stream``, which also holds what is known of a stream beside its rows, and outlives them;
    ``key`` is that of a request for which no session was found. ``size`` is what a row counts for. ``mark`` tells
    whether the file was closed: what waited to be written is lost where it was not.
    """
    phases = [f"{name}_us" for name in ("queue", "match", "delay", "connect", "first_byte", "total")]
    # Of the streams: key and session, both empty for requests without a session.
    key = "CASE earlier.session_id WHEN '' THEN '' ELSE earlier.session_key END"
    ended_ms = "started_at_ms + duration_ms"
    bodies = "coalesce(length(request_body), 0) + coalesce(length(response_body), 0)"
    size = f"512 + length(path) + length(query) + length(request_headers) + length(response_headers) + {bodies}"
    kept = (
        "method, path, query, mock_id, findings, draws, request_headers, response_headers, request_bytes, request_type,"
        " request_redacted, response_bytes, response_type, response_redacted, request_body, response_body"
    )
    script(
        db,
        "DROP INDEX exchange_by_key",
        "ALTER TABLE exchange RENAME TO earlier",
        """
        CREATE TABLE stream (
            id INTEGER PRIMARY KEY, environment_id TEXT NOT NULL, session_key TEXT NOT NULL, session_id TEXT NOT NULL,
            project_id TEXT NOT NULL, last_number INTEGER NOT NULL, kept INTEGER NOT NULL, bytes INTEGER NOT NULL,
            first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, losses TEXT NOT NULL, doubtful_after INTEGER,
            UNIQUE (environment_id, session_key, session_id)
        )
        """,
        "INSERT INTO stream (environment_id, session_key, session_id, project_id, last_number, kept, bytes, first_ms,"
        f" last_ms, losses) SELECT environment_id, {key}, session_id, max(project_id), count(*), count(*), sum({size}),"
        f" min({ended_ms}), max({ended_ms}), '' FROM earlier GROUP BY 1, 2, 3",
        f"""
        CREATE TABLE exchange (
            place INTEGER PRIMARY KEY, size INTEGER NOT NULL, started_at_ms INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL, status INTEGER NOT NULL, occurrence INTEGER NOT NULL,
            outcome TEXT NOT NULL, layer TEXT NOT NULL, session_revision INTEGER NOT NULL,
            {", ".join(f"{each} INTEGER NOT NULL" for each in phases)},
            id TEXT NOT NULL UNIQUE, key TEXT, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,
            mock_id TEXT NOT NULL, findings TEXT NOT NULL, draws TEXT NOT NULL,
            request_headers TEXT NOT NULL, response_headers TEXT NOT NULL,
            request_bytes INTEGER, request_type TEXT, request_redacted TEXT,
            response_bytes INTEGER, response_type TEXT, response_redacted TEXT,
            request_body BLOB, response_body BLOB
        )
        """,
        "INSERT INTO exchange SELECT (stream.id << 38)"
        f" + row_number() OVER (PARTITION BY stream.id ORDER BY earlier.rowid), {size}, started_at_ms, duration_ms,"
        " status, occurrence, '', '', 0, 0, 0, 0, 0, 0, 0, earlier.id,"
        f" CASE earlier.session_id WHEN '' THEN earlier.session_key END, {kept} FROM earlier JOIN stream"
        f" ON stream.environment_id = earlier.environment_id AND stream.session_key = {key}"
        " AND stream.session_id = earlier.session_id",
        "DROP TABLE earlier",
        "CREATE INDEX exchange_by_key ON exchange (place >> 38, key, id) WHERE key IS NOT NULL",
        "CREATE INDEX stream_by_quiet ON stream (environment_id, last_ms) WHERE kept > 0",
        "CREATE INDEX stream_by_age ON stream (environment_id, first_ms) WHERE kept > 0",
        "CREATE INDEX stream_emptied ON stream (last_ms) WHERE kept = 0",
        """
        CREATE TABLE verification (
            number INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, content BLOB NOT NULL
        )
        """,
        "CREATE INDEX verification_by_stream ON verification (stream, number)",
        """
        CREATE TABLE mark (
            only INTEGER PRIMARY KEY CHECK (only = 1), clean INTEGER NOT NULL, unclean_at_ms INTEGER NOT NULL
        )
        """,
        "INSERT INTO mark VALUES (1, 1, 0)",
    )


@journal()
def m0006_segments(db: sqlite3.Connection) -> None:
    """Exchanges that were recorded one after the other are one row: see ``journal.segments``.

    What has a number up to ``gone`` is not on record any more. ``batch`` is the id of the first exchange of those that
    were written together.
    """
    script(
        db,
        """
        CREATE TABLE segment (
            place INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, batch TEXT NOT NULL,
            last_id TEXT NOT NULL, key TEXT, outline BLOB NOT NULL, ids TEXT NOT NULL, content BLOB NOT NULL
        )
        """,
        "ALTER TABLE stream ADD COLUMN gone INTEGER NOT NULL DEFAULT 0",
    )
    earlier.put_together(db)
    script(
        db,
        "DROP TABLE exchange",
        "CREATE INDEX segment_by_batch ON segment (batch)",
        "CREATE INDEX segment_by_key ON segment (place >> 38, key) WHERE key IS NOT NULL",
    )
