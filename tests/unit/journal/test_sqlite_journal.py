"""The journal on disk: batches and restarts."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from support import records
from support.records import ENVIRONMENT
from understudy_server.core.errors import StorageFailure
from understudy_server.journal.sqlite import SqliteJournal


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(tmp_path)
    yield journal
    await journal.close()


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


async def test_what_one_turn_of_the_loop_brings_is_handed_over_together(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn hands over once: were that one batch, what waits would grow with each turn until it is too much."""
    handed_over: list[object] = []
    run = journal._writer.run

    def counted(job: Callable[[sqlite3.Connection], object]) -> Awaitable[object]:
        handed_over.append(job)
        return run(job)

    monkeypatch.setattr(journal._writer, "run", counted)

    for number in range(1, 12_001):
        journal.record(records.exchange(number))

    assert len(await _numbers(journal)) == 10_000
    assert len(handed_over) == 1


async def test_a_disk_that_refuses_again_and_again_never_gets_all_that_waits_at_once(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_job: Callable[[sqlite3.Connection], object]) -> object:
        raise StorageFailure("full")

    for number in range(1, 20_001):
        journal.record(records.exchange(number))
    with monkeypatch.context() as patched:
        patched.setattr(journal._writer, "run", refuse)
        for _ in range(3):
            with pytest.raises(StorageFailure):
                await journal.knows(ENVIRONMENT, "ci-42")

    assert [len(batch.exchanges) for batch in journal._batches] == [16_000, 4_000]
    assert len(await _numbers(journal)) == 10_000
