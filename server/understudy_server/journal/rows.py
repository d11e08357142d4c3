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
from typing import Any, Final

from understudy_server.core.draws import Draw
from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.record import ExchangeOutcome, Phases
from understudy_server.journal.places import number_at
from understudy_server.store.sqlite.connections import storage_fault

Row = tuple[Any, ...]

# Whose it is stands in the account of its stream. The order is that of `Exchange`.
_OWN: Final = (
    "method, path, query, status, started_at_ms, duration_ms, mock_id, request_headers, response_headers, "
    "request_body, request_bytes, request_type, request_redacted, response_body, response_bytes, response_type, "
    "response_redacted, findings, draws, occurrence, outcome, layer, session_revision, queue_us, match_us, "
    "delay_us, connect_us, first_byte_us, total_us"
)
_WRITTEN: Final = f"size, place, id, key, {_OWN}"
_WIDTH: Final = _WRITTEN.count(",") + 1
COLUMNS: Final = f"place, exchange.id, project_id, environment_id, coalesce(key, session_key), session_id, {_OWN}"
TABLES: Final = "exchange JOIN stream ON stream.id = place >> 38"
# What a row takes beside targets, headers, draws and bodies: names, times, and its entries in the indices, in pages
# that are not full (measured: 350 to 450 bytes).
ROW_BYTES: Final = 512
# Rows inserted by one statement: many where there are many, and few sizes, so that they stay prepared. The lock that
# Python's threads share is let go once a statement and must be won back after it; with a statement for each row the
# writer waited for a busy event loop each time, and fell behind at a tenth of what the disk takes (measured). Binding
# the values of 512 rows takes about a millisecond.
_ROWS_AT_ONCE: Final = (512, 64, 8, 1)
_NO_BODY: Final = (None, None, None, None)
_UNFIT: Final = (sqlite3.Error, ValueError, OverflowError, TypeError)
_OUTCOMES: Final = {each.value: each for each in ExchangeOutcome}
_log = logging.getLogger(__name__)


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> Sequence[int]:
    """Append rows within a transaction, and tell which of them (by index) cannot be kept.

    Raises sqlite3.Error for a fault of the disk.
    """
    connection.execute("SAVEPOINT rows")
    unfit: Sequence[int] = ()
    try:
        _insert_many(connection, rows)
    except _UNFIT as error:
        if storage_fault(error):
            raise
        connection.execute("ROLLBACK TO rows")
        unfit = [index for index, row in enumerate(rows) if not _fits(connection, row)]
    connection.execute("RELEASE rows")
    return unfit


def _insert_many(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    done = 0
    for size in _ROWS_AT_ONCE:
        while len(rows) - done >= size:
            connection.execute(_insert(size), list(chain.from_iterable(rows[done : done + size])))
            done += size


@cache
def _insert(rows: int) -> str:
    values = f"({', '.join('?' * _WIDTH)})"
    return f"INSERT INTO exchange ({_WRITTEN}) VALUES {', '.join([values] * rows)}"


def _fits(connection: sqlite3.Connection, row: Row) -> bool:
    try:
        connection.execute(_insert(1), row)
    except _UNFIT as error:
        if storage_fault(error):
            raise
        # An insert that fails leaves nothing; tried again it would fail for ever, and hold up all that come after it.
        _log.exception("an exchange was dropped, because it cannot be kept")
        return False
    return True


class RowMaker:
    """Writes exchanges as rows.

    Requests that are alike come one after the other and share their headers: those are written once.
    """

    __slots__ = ("_request_headers", "_request_lines", "_response_headers", "_response_lines")

    def __init__(self) -> None:
        self._request_headers: RawHeaders = ()
        self._response_headers: RawHeaders = ()
        self._request_lines = self._response_lines = b""

    def row(self, exchange: Exchange, place: int) -> Row:
        """An exchange as a row, size and place first."""
        # Fields by number: this is done for every request.
        if exchange[12] is not self._request_headers:
            self._request_headers, self._request_lines = exchange[12], _lines(exchange[12])
        if exchange[13] is not self._response_headers:
            self._response_headers, self._response_lines = exchange[13], _lines(exchange[13])
        request_body, response_body = exchange[14] or _NO_BODY, exchange[15] or _NO_BODY
        draws = json.dumps(exchange[17]) if exchange[17] else ""
        size = ROW_BYTES + len(exchange[6]) + len(exchange[7]) + len(self._request_lines) + len(self._response_lines)
        size += len(draws) + len(request_body[0] or b"") + len(response_body[0] or b"")
        return (
            size,
            place,
            exchange[0],
            None if exchange[4] else exchange[3],
            *exchange[5:12],
            self._request_lines,
            self._response_lines,
            *request_body,
            *response_body,
            " ".join(exchange[16]) if exchange[16] else "",
            draws,
            exchange[18],
            exchange[19]._value_,
            *exchange[20:22],
            *exchange[22],
        )


def ended_ms(row: Row) -> int:
    """When the exchange of a row ended."""
    end: int = row[8] + row[9]
    return end


def exchange(row: Row) -> Exchange:
    """Read an exchange back from its ``COLUMNS``."""
    return Exchange._make(
        (
            *row[1:13],
            _headers(row[13]),
            _headers(row[14]),
            _captured(*row[15:19]),
            _captured(*row[19:23]),
            tuple(row[23].split()),
            _draws(row[24]),
            row[25],
            _OUTCOMES.get(row[26], ExchangeOutcome.UNKNOWN),
            row[27],
            row[28],
            Phases._make(row[29:35]),
            number_at(row[0]),
        )
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
