import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import records
from support.records import ENVIRONMENT
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.journal import rows
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


async def _numbers(journal: SqliteJournal, *, before: int = 0, since: int = 0, limit: int = 100) -> list[int]:
    """The numbers of the exchanges on a page of the key ``ci-42``."""
    page = await journal.page(
        ENVIRONMENT, "ci-42", before=_id(before) if before else "", since=_id(since) if since else "", limit=limit
    )
    return [int(each.id.removeprefix("log_")) for each in page]


def _id(number: int) -> str:
    return records.exchange(number).id


async def test_a_page_sees_what_was_just_recorded(journal: SqliteJournal) -> None:
    journal.record(records.exchange(1))

    assert await _numbers(journal) == [1]


async def test_an_exchange_just_recorded_is_found_by_its_id(journal: SqliteJournal) -> None:
    journal.record(records.exchange(1))

    assert await journal.exchange(_id(1)) == records.exchange(1)


async def test_a_key_just_recorded_is_known(journal: SqliteJournal) -> None:
    assert not await journal.knows(ENVIRONMENT, "ci-42")

    journal.record(records.exchange(1))

    assert await journal.knows(ENVIRONMENT, "ci-42")


async def test_an_unknown_exchange_is_none(journal: SqliteJournal) -> None:
    assert await journal.exchange("log_unknown") is None


async def test_pages_are_newest_first(journal: SqliteJournal) -> None:
    for number in range(1, 6):
        journal.record(records.exchange(number))

    assert await _numbers(journal, limit=3) == [5, 4, 3]


async def test_before_is_exclusive(journal: SqliteJournal) -> None:
    for number in range(1, 6):
        journal.record(records.exchange(number))

    assert await _numbers(journal, before=3) == [2, 1]


async def test_since_is_exclusive_and_oldest_first(journal: SqliteJournal) -> None:
    for number in range(1, 6):
        journal.record(records.exchange(number))

    assert await _numbers(journal, since=2, limit=2) == [3, 4]


async def test_a_cursor_need_not_name_an_exchange_that_is_there(journal: SqliteJournal) -> None:
    for number in (1, 5):
        journal.record(records.exchange(number))

    assert (await _numbers(journal, before=3), await _numbers(journal, since=3)) == ([1], [5])


async def test_pages_join_into_the_whole(journal: SqliteJournal) -> None:
    for number in range(1, 24):
        journal.record(records.exchange(number))

    found = page = await _numbers(journal, limit=5)
    while page:
        page = await _numbers(journal, before=page[-1], limit=5)
        found = found + page

    assert found == list(range(23, 0, -1))


async def test_keys_and_environments_are_kept_apart(journal: SqliteJournal) -> None:
    journal.record(records.exchange(1))
    journal.record(records.exchange(2, "CI-42"))
    journal.record(records.exchange(3, of="env_2"))

    assert await _numbers(journal) == [1]
    assert not await journal.knows("env_2", "CI-42")


async def test_more_than_one_batch_is_handed_over_before_an_answer(journal: SqliteJournal) -> None:
    for number in range(1, 3_001):
        journal.record(records.exchange(number))

    assert await _numbers(journal, limit=10_000) == list(range(3_000, 0, -1))


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
    assert await again.exchange(_id(1)) == records.exchange(1)
    await again.close()


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_HEADERS = st.lists(st.tuples(_TEXTS, _TEXTS), max_size=3).map(tuple)
_BODIES = st.none() | st.builds(Captured, st.binary(max_size=50), st.integers(0, 1 << 62), _TEXTS)
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
    status=st.integers(100, 999),
    started_at_ms=st.integers(0, 1 << 48),
    duration_ms=st.integers(0, 1 << 40),
    mock_id=_TEXTS,
    request_headers=_HEADERS,
    response_headers=_HEADERS,
    request_body=_BODIES,
    response_body=_BODIES,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exchange=_EXCHANGES)
def test_every_exchange_is_read_back_as_it_was(connection: sqlite3.Connection, exchange: Exchange) -> None:
    connection.execute("DELETE FROM exchange")

    assert rows.insert(connection, [exchange]) == 0

    row = connection.execute(f"SELECT {rows.COLUMNS} FROM exchange").fetchone()
    assert rows.exchange(row) == exchange
