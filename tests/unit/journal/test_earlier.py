"""Files in which each exchange had a row of its own are brought up to date, and nothing of them is lost."""

import json
import sqlite3
from pathlib import Path

import pytest
from support import records
from understudy_server.core.draws import Draw
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.record import Lost, Phases, Stream
from understudy_server.journal import migrations
from understudy_server.journal.places import base_of
from understudy_server.journal.sqlite import FILE, SqliteJournal
from understudy_server.store.sqlite.migrations import migrate

_SESSION = Stream("env_1", "ci-42", "ses_1")


def _before_segments(path: Path) -> sqlite3.Connection:
    """A file as the release before wrote it."""
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, migrations.journal)
    connection.execute("DROP TABLE segment")
    connection.execute("ALTER TABLE stream DROP COLUMN gone")
    connection.execute(
        """
        CREATE TABLE exchange (
            place INTEGER PRIMARY KEY, size INTEGER NOT NULL, started_at_ms INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL, status INTEGER NOT NULL, occurrence INTEGER NOT NULL,
            outcome TEXT NOT NULL, layer TEXT NOT NULL, session_revision INTEGER NOT NULL,
            queue_us INTEGER NOT NULL, match_us INTEGER NOT NULL, delay_us INTEGER NOT NULL,
            connect_us INTEGER NOT NULL, first_byte_us INTEGER NOT NULL, total_us INTEGER NOT NULL,
            id TEXT NOT NULL UNIQUE, key TEXT, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,
            mock_id TEXT NOT NULL, findings TEXT NOT NULL, draws TEXT NOT NULL,
            request_headers TEXT NOT NULL, response_headers TEXT NOT NULL,
            request_bytes INTEGER, request_type TEXT, request_redacted TEXT,
            response_bytes INTEGER, response_type TEXT, response_redacted TEXT,
            request_body BLOB, response_body BLOB
        )
        """
    )
    last = migrations.journal.names[-1]
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = ?", (last,))
    return connection


def _put(connection: sqlite3.Connection, stream_id: int, number: int, exchange: Exchange) -> None:
    request = exchange.request_body or (None, None, None, None)
    response = exchange.response_body or (None, None, None, None)
    lines = [b"\r\n".join(b": ".join(each) for each in headers) for headers in exchange[12:14]]
    connection.execute(
        f"INSERT INTO exchange VALUES ({', '.join('?' * 33)})",
        (
            base_of(stream_id) + number,
            700,
            *exchange[9:11],
            exchange.status,
            exchange.occurrence,
            exchange.outcome.value,
            exchange.layer,
            exchange.session_revision,
            *exchange.phases,
            exchange.id,
            None if exchange.session_id else exchange.session_key,
            *exchange[5:8],
            exchange.mock_id,
            " ".join(exchange.findings),
            json.dumps(exchange.draws) if exchange.draws else "",
            *lines,
            *request[1:],
            *response[1:],
            request[0],
            response[0],
        ),
    )


def _stream(connection: sqlite3.Connection, stream_id: int, stream: Stream, last: int, kept: int, losses: str) -> None:
    connection.execute(
        "INSERT INTO stream VALUES (?, ?, ?, ?, 'prj_1', ?, ?, 1, 1, 2, ?, NULL)",
        (stream_id, *stream, last, kept, losses),
    )


def _exchange(number: int, stream: Stream, key: str = "") -> Exchange:
    return records.exchange(number)._replace(
        project_id="prj_1", environment_id="env_1", session_key=key or stream.session_key, session_id=stream.session_id
    )


async def test_what_was_on_record_is_on_record_with_its_numbers(tmp_path: Path) -> None:
    own = [_exchange(number, _SESSION) for number in range(4, 10)]
    others = [_exchange(number, Stream("env_1"), key=f"none-{number % 2}") for number in range(10, 14)]
    before = _before_segments(tmp_path / FILE)
    _stream(before, 1, _SESSION, 9, 5, '{"session_quota": 3, "disk": 1}')
    _stream(before, 2, Stream("env_1"), 4, 4, "")
    # The first three made room, and one could not be kept.
    own = [each for each in own if each.id != _exchange(6, _SESSION).id]
    for each in own:
        _put(before, 1, int(each.id.removeprefix("log_")), each)
    for number, each in enumerate(others, 1):
        _put(before, 2, number, each)
    before.close()

    journal = await SqliteJournal.open(tmp_path)

    try:
        kept = await journal.read(_SESSION, 0, 100)
        assert kept == [each._replace(number=int(each.id.removeprefix("log_"))) for each in own]
        assert [each.number for each in await journal.read(Stream("env_1"), 0, 100)] == [1, 2, 3, 4]
        page = await journal.page("env_1", "none-1", before="", since="", limit=10)
        assert [each.id for each in page] == [others[3].id, others[1].id]
        assert await journal.exchange(own[3].id) == kept[3]
        standing = await journal.standing(_SESSION)
        assert (standing.last_number, standing.kept, standing.losses) == (9, 5, {Lost.SESSION_QUOTA: 3, Lost.DISK: 1})
        journal.record(_exchange(20, _SESSION))
        assert [each.number for each in await journal.read(_SESSION, 9, 100)] == [10]
    finally:
        await journal.close()


@pytest.mark.parametrize("headers", ["[]", '[["Accept", "*/*"], ["X-Name", "Zo\u00eb"]]'])
async def test_headers_of_the_first_release_are_read(headers: str, tmp_path: Path) -> None:
    """It wrote them as JSON."""
    exchange = _exchange(1, _SESSION)._replace(
        draws=(Draw("color", "red"),),
        findings=("odd", "session_header_repeated"),
        request_body=Captured(b"\0\xff", 2, "a/b", "masked"),
        phases=Phases(1, 2, 3, 4, 5, 6),
        occurrence=3,
    )
    before = _before_segments(tmp_path / FILE)
    _stream(before, 1, _SESSION, 1, 1, "")
    _put(before, 1, 1, exchange)
    before.execute("UPDATE exchange SET request_headers = ?", (headers,))
    before.close()

    journal = await SqliteJournal.open(tmp_path)

    try:
        read = tuple((name.encode(), value.encode()) for name, value in json.loads(headers))
        assert await journal.exchange(exchange.id) == exchange._replace(request_headers=read, number=1)
    finally:
        await journal.close()
