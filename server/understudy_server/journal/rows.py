"""Exchanges as rows of ``journal.db``."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from understudy_server.core.exchange import Captured, Exchange
from understudy_server.store.sqlite.connections import storage_fault

Row = tuple[Any, ...]

COLUMNS = (
    "id, project_id, environment_id, session_key, session_id, method, path, query, status, started_at_ms, duration_ms, "
    "mock_id, request_headers, response_headers, request_body, request_bytes, request_type, "
    "response_body, response_bytes, response_type"
)
_INSERT = f"INSERT INTO exchange ({COLUMNS}) VALUES ({', '.join('?' * 20)})"
_log = logging.getLogger(__name__)


def insert(connection: sqlite3.Connection, exchanges: Sequence[Exchange]) -> int:
    """Append exchanges, and tell how many of them no row can hold. Raises sqlite3.Error for a fault of the disk."""
    return sum(not _fits(connection, exchange) for exchange in exchanges)


def _fits(connection: sqlite3.Connection, exchange: Exchange) -> bool:
    try:
        connection.execute(_INSERT, _row(exchange))
    except (sqlite3.Error, ValueError, OverflowError) as error:
        if storage_fault(error):
            raise
        # An insert that fails leaves nothing; tried again it would fail for ever, and hold up all that come after it.
        _log.exception("an exchange was dropped, because it cannot be kept")
        return False
    return True


def exchange(row: Row) -> Exchange:
    """Read an exchange back from its ``COLUMNS``."""
    (
        exchange_id, project_id, environment_id, session_key, session_id, method, path, query, status, started_at_ms,
        duration_ms, mock_id, request_headers, response_headers, *bodies,
    ) = row  # fmt: skip
    return Exchange(
        id=exchange_id,
        project_id=project_id,
        environment_id=environment_id,
        session_key=session_key,
        session_id=session_id,
        method=method,
        path=path,
        query=query,
        status=status,
        started_at_ms=started_at_ms,
        duration_ms=duration_ms,
        mock_id=mock_id,
        request_headers=_headers(request_headers),
        response_headers=_headers(response_headers),
        request_body=_captured(*bodies[:3]),
        response_body=_captured(*bodies[3:]),
    )


def _row(exchange: Exchange) -> Row:
    return (
        exchange.id, exchange.project_id, exchange.environment_id, exchange.session_key, exchange.session_id,
        exchange.method, exchange.path, exchange.query, exchange.status, exchange.started_at_ms, exchange.duration_ms,
        exchange.mock_id, json.dumps(exchange.request_headers), json.dumps(exchange.response_headers),
        *_body_columns(exchange.request_body), *_body_columns(exchange.response_body),
    )  # fmt: skip


def _body_columns(body: Captured | None) -> Row:
    return (body.content, body.size_bytes, body.content_type) if body else (None, None, None)


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))


def _captured(content: bytes | None, size_bytes: int, content_type: str) -> Captured | None:
    return None if content is None else Captured(content, size_bytes, content_type)
