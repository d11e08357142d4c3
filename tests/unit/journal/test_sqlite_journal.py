"""The journal on disk: batches, restarts, and exchanges as rows."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import records
from support.records import ENVIRONMENT
from understudy_server.core.draws import Draw
from understudy_server.core.exchange import MASKED, MASKED_AND_CUT, Captured, Exchange
from understudy_server.core.record import ExchangeOutcome, Phases
from understudy_server.journal import accounts, rows
from understudy_server.journal.places import base_of
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.migrations import migrate


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(tmp_path)
    yield journal
    await journal.close()


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, migrations.journal)
    yield connection
    connection.close()


async def _numbers(journal: SqliteJournal) -> list[int]:
    """The numbers of the exchanges of the key ``ci-42``, newest first."""
    page = await journal.page(ENVIRONMENT, "ci-42", before="", since="", limit=10_000)
    return [int(each.id.removeprefix("log_")) for each in page]


async def test_more_than_one_batch_is_handed_over_before_an_answer(journal: SqliteJournal) -> None:
    for number in range(1, 3_001):
        journal.record(records.exchange(number))

    assert await _numbers(journal) == list(range(3_000, 0, -1))


async def test_a_question_does_not_wait_for_what_comes_after_it(journal: SqliteJournal) -> None:
    """Were it to wait until nothing is pending, traffic that never pauses would starve it."""
    number = 0
    question = None
    journal.record(records.exchange(number := 1))
    while question is None or not question.done():
        number += 1
        journal.record(records.exchange(number))
        question = question or asyncio.ensure_future(journal.knows(ENVIRONMENT, "ci-42"))
        await asyncio.sleep(0)

    assert question.result()


async def test_a_question_that_is_given_up_does_not_stop_the_writing(journal: SqliteJournal) -> None:
    journal.record(records.exchange(1))
    question = asyncio.ensure_future(journal.knows(ENVIRONMENT, "ci-42"))
    await asyncio.sleep(0)
    question.cancel()
    await asyncio.gather(question, return_exceptions=True)

    assert await _numbers(journal) == [1]


async def test_exchanges_are_kept_over_a_restart(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.record(records.exchange(1))
    await journal.close()

    again = await SqliteJournal.open(tmp_path)
    assert await again.exchange(records.exchange(1).id) == records.exchange(1)._replace(number=1)
    await again.close()


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# What a name and a value may hold: no line break, no colon in a name, no blank around a value.
_NAMES = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=10).map(str.encode)
_VALUES = st.binary(max_size=20).map(lambda raw: raw.translate(None, b"\r\n\0").strip())
_HEADERS = st.lists(st.tuples(_NAMES, _VALUES), max_size=3).map(tuple)
_CODES = st.sampled_from(["session_header_repeated", "carriers_disagree", "odd"])
_REDACTED = st.sampled_from(["", MASKED, MASKED_AND_CUT, "0" * 64])
_BODIES = st.none() | st.builds(Captured, st.binary(max_size=50), st.integers(0, 1 << 62), _TEXTS, _REDACTED)
_EXCHANGES = st.builds(
    Exchange,
    id=st.just("log_1"),
    project_id=_TEXTS,
    environment_id=_TEXTS,
    session_key=_TEXTS,
    session_id=_TEXTS,
    method=_TEXTS,
    path=_TEXTS,
    query=_TEXTS,
    status=st.just(0) | st.integers(100, 999),
    started_at_ms=st.integers(0, 1 << 48),
    duration_ms=st.integers(0, 1 << 40),
    mock_id=_TEXTS,
    request_headers=_HEADERS,
    response_headers=_HEADERS,
    request_body=_BODIES,
    response_body=_BODIES,
    findings=st.lists(_CODES, max_size=3).map(tuple),
    draws=st.lists(st.builds(Draw, st.text(max_size=10), st.text(max_size=10)), max_size=3).map(tuple),
    occurrence=st.integers(0, 1 << 40),
    outcome=st.sampled_from(ExchangeOutcome),
    layer=st.sampled_from(["", "session", "environment"]),
    session_revision=st.integers(0, 1 << 40),
    phases=st.builds(Phases, *[st.integers(0, 1 << 40)] * 6),
)


def _insert(connection: sqlite3.Connection, exchange: Exchange) -> None:
    """Put an exchange at the third place of its stream."""
    account = accounts.opened(connection, exchange.stream)
    account.project_id = exchange.project_id
    accounts.save(connection, [account])
    assert not rows.insert(connection, [rows.RowMaker().row(exchange, base_of(account.id) + 3)])


def _read(connection: sqlite3.Connection) -> Exchange:
    return rows.exchange(connection.execute(f"SELECT {rows.COLUMNS} FROM {rows.TABLES}").fetchone())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exchange=_EXCHANGES)
def test_every_exchange_is_read_back_as_it_was(connection: sqlite3.Connection, exchange: Exchange) -> None:
    connection.execute("DELETE FROM exchange")

    _insert(connection, exchange)

    assert _read(connection) == exchange._replace(number=3)


@pytest.mark.parametrize("headers", [(), ((b"Accept", b"*/*"), (b"X-Name", "Zoë".encode()))])
def test_a_row_of_the_first_release_is_read(
    connection: sqlite3.Connection, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """It has its headers as JSON."""
    exchange = records.exchange(1)._replace(request_headers=headers)
    _insert(connection, exchange)
    text = json.dumps([(name.decode(), value.decode()) for name, value in headers])
    connection.execute("UPDATE exchange SET request_headers = ?, response_headers = '[]'", (text,))

    assert _read(connection) == exchange._replace(number=3)
