"""Exchanges as rows of ``journal.db``.

Headers are kept as they stood on the wire, one ``name: value`` a line, in bytes: nothing is lost whatever their
encoding, and joining lines is a seventh of the work of writing JSON. The first release wrote JSON, as text, so the type
of what a column holds says how to read it.
"""

import json
import logging
import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from understudy_server.core.draws import Draw
from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.store.sqlite.connections import storage_fault

Row = tuple[Any, ...]

COLUMNS = (
    "id, project_id, environment_id, session_key, session_id, method, path, query, status, started_at_ms, duration_ms, "
    "mock_id, request_headers, response_headers, request_body, request_bytes, request_type, request_redacted, "
    "response_body, response_bytes, response_type, response_redacted, findings, draws, occurrence"
)
# Rows inserted by one statement: many where there are many, and few sizes, so that they stay prepared. The lock that
# Python's threads share is let go once a statement and must be won back after it; with a statement for each row the
# writer waited for a busy event loop each time, and fell behind at a tenth of what the disk takes (measured). Binding
# the values of 512 rows takes about a millisecond.
_ROWS_AT_ONCE = (512, 64, 8, 1)
_NO_BODY = (None, None, None, None)
_UNFIT = (sqlite3.Error, ValueError, OverflowError, TypeError)
_log = logging.getLogger(__name__)


def insert(connection: sqlite3.Connection, exchanges: Sequence[Exchange]) -> int:
    """Append exchanges within a transaction, and tell how many of them no row can hold.

    Raises sqlite3.Error for a fault of the disk.
    """
    connection.execute("SAVEPOINT rows")
    unfit = 0
    try:
        _insert_many(connection, exchanges)
    except _UNFIT as error:
        if storage_fault(error):
            raise
        connection.execute("ROLLBACK TO rows")
        unfit = sum(not _fits(connection, exchange) for exchange in exchanges)
    connection.execute("RELEASE rows")
    return unfit


def _insert_many(connection: sqlite3.Connection, exchanges: Sequence[Exchange]) -> None:
    done = 0
    for size in _ROWS_AT_ONCE:
        while len(exchanges) - done >= size:
            rows = map(_row, exchanges[done : done + size])
            connection.execute(_insert(size), list(chain.from_iterable(rows)))
            done += size


@cache
def _insert(rows: int) -> str:
    values = f"({', '.join('?' * 25)})"
    return f"INSERT INTO exchange ({COLUMNS}) VALUES {', '.join([values] * rows)}"


def _fits(connection: sqlite3.Connection, exchange: Exchange) -> bool:
    try:
        connection.execute(_insert(1), _row(exchange))
    except _UNFIT as error:
        if storage_fault(error):
            raise
        # An insert that fails leaves nothing; tried again it would fail for ever, and hold up all that come after it.
        _log.exception("an exchange was dropped, because it cannot be kept")
        return False
    return True


def exchange(row: Row) -> Exchange:
    """Read an exchange back from its ``COLUMNS``."""
    return Exchange._make(
        (
            *row[:12],
            _headers(row[12]),
            _headers(row[13]),
            _captured(*row[14:18]),
            _captured(*row[18:22]),
            tuple(row[22].split()),
            _draws(row[23]),
            row[24],
        )
    )


def _row(exchange: Exchange) -> Row:
    return (
        *exchange[:12],
        _lines(exchange.request_headers),
        _lines(exchange.response_headers),
        *(exchange.request_body or _NO_BODY),
        *(exchange.response_body or _NO_BODY),
        " ".join(exchange.findings),
        json.dumps(exchange.draws) if exchange.draws else "",
        exchange.occurrence,
    )


def _lines(headers: RawHeaders) -> bytes:
    return b"\r\n".join([name + b": " + value for name, value in headers])


def _headers(kept: bytes | str) -> RawHeaders:
    if isinstance(kept, str):
        return tuple([(name.encode(), value.encode()) for name, value in json.loads(kept)])
    pairs = [line.partition(b": ") for line in kept.split(b"\r\n")] if kept else []
    return tuple([(name, value) for name, _, value in pairs])


def _draws(kept: str) -> tuple[Draw, ...]:
    return tuple([Draw(name, value) for name, value in json.loads(kept)]) if kept else ()


def _captured(content: bytes | None, size_bytes: int, content_type: str, redacted: str | None) -> Captured | None:
    # What was recorded before there was redaction says nothing of it.
    return None if content is None else Captured(content, size_bytes, content_type, redacted or "")
