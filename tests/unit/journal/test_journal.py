"""What the journal on disk and the one in memory both promise."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import records
from support.journals import Keeper
from support.records import ENVIRONMENT
from understudy_server.core.draws import Draw
from understudy_server.core.errors import StorageFailure
from understudy_server.journal.memory import MemoryJournal
from understudy_server.journal.sqlite import SqliteJournal


@pytest.fixture(params=["disk", "memory"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Keeper]:
    journal: Keeper = MemoryJournal() if request.param == "memory" else await SqliteJournal.open(tmp_path)
    yield journal
    await journal.close()


async def _numbers(journal: Keeper, *, before: int = 0, since: int = 0, limit: int = 100) -> list[int]:
    """The numbers of the exchanges on a page of the key ``ci-42``."""
    page = await journal.page(
        ENVIRONMENT, "ci-42", before=_id(before) if before else "", since=_id(since) if since else "", limit=limit
    )
    return [int(each.id.removeprefix("log_")) for each in page]


def _id(number: int) -> str:
    return records.exchange(number).id


async def test_a_page_sees_what_was_just_recorded(journal: Keeper) -> None:
    journal.record(records.exchange(1))

    assert await _numbers(journal) == [1]


async def test_an_exchange_just_recorded_is_found_by_its_id(journal: Keeper) -> None:
    journal.record(records.exchange(1))

    assert await journal.exchange(_id(1)) == records.exchange(1)._replace(number=1)


async def test_a_key_just_recorded_is_known(journal: Keeper) -> None:
    assert not await journal.knows(ENVIRONMENT, "ci-42")

    journal.record(records.exchange(1))

    assert await journal.knows(ENVIRONMENT, "ci-42")


async def test_an_unknown_exchange_is_none(journal: Keeper) -> None:
    assert await journal.exchange("log_unknown") is None


async def test_pages_are_newest_first(journal: Keeper) -> None:
    for number in range(1, 6):
        journal.record(records.exchange(number))

    assert await _numbers(journal, limit=3) == [5, 4, 3]


async def test_before_is_exclusive(journal: Keeper) -> None:
    for number in range(1, 6):
        journal.record(records.exchange(number))

    assert await _numbers(journal, before=3) == [2, 1]


async def test_since_is_exclusive_and_oldest_first(journal: Keeper) -> None:
    for number in range(1, 6):
        journal.record(records.exchange(number))

    assert await _numbers(journal, since=2, limit=2) == [3, 4]


async def test_a_cursor_need_not_name_an_exchange_that_is_there(journal: Keeper) -> None:
    for number in (1, 5):
        journal.record(records.exchange(number))

    assert (await _numbers(journal, before=3), await _numbers(journal, since=3)) == ([1], [5])


async def test_pages_join_into_the_whole(journal: Keeper) -> None:
    for number in range(1, 24):
        journal.record(records.exchange(number))

    found = page = await _numbers(journal, limit=5)
    while page:
        page = await _numbers(journal, before=page[-1], limit=5)
        found = found + page

    assert found == list(range(23, 0, -1))


async def test_keys_and_environments_are_kept_apart(journal: Keeper) -> None:
    journal.record(records.exchange(1))
    journal.record(records.exchange(2, "CI-42"))
    journal.record(records.exchange(3, of="env_2"))

    assert await _numbers(journal) == [1]
    assert not await journal.knows("env_2", "CI-42")


async def test_pages_grow_while_they_are_read(journal: Keeper) -> None:
    for number in range(1, 301):
        journal.record(records.exchange(number))
        if number % 7 == 0:
            assert await _numbers(journal, since=number - 3) == [number - 2, number - 1, number]

    assert await _numbers(journal, limit=1_000) == list(range(300, 0, -1))


async def test_every_exchange_is_found_by_its_id_and_no_other(journal: Keeper) -> None:
    for number in range(2, 402, 2):
        journal.record(records.exchange(number))

    found = [await journal.exchange(_id(number)) for number in range(1, 403)]

    there = [records.exchange(number)._replace(number=number // 2) for number in range(1, 403)]
    assert found == [None if number % 2 or number > 400 else there[number - 1] for number in range(1, 403)]


async def test_headers_are_given_back_byte_for_byte(journal: Keeper) -> None:
    headers = ((b"X-Latin", b"Zo\xeb"), (b"x-utf-8", "Zoë: a: b".encode()), (b"X-Empty", b""), (b"x-utf-8", b": "))
    exchange = records.exchange(1)._replace(request_headers=headers, response_headers=headers[:1])

    journal.record(exchange)

    assert await journal.exchange(exchange.id) == exchange._replace(number=1)


async def test_findings_are_kept_in_order(journal: Keeper) -> None:
    exchange = records.exchange(1)._replace(findings=("session_header_repeated", "carriers_disagree"))

    journal.record(exchange)

    assert await journal.exchange(exchange.id) == exchange._replace(number=1)


async def test_draws_are_kept_in_order_with_which_use_it_was(journal: Keeper) -> None:
    draws = (Draw("delay_ms", "132"), Draw("name", 'Zoë "\n'), Draw("delay_ms", ""))
    exchange = records.exchange(1)._replace(draws=draws, occurrence=3)

    journal.record(exchange)

    assert await journal.exchange(exchange.id) == exchange._replace(number=1)


async def test_the_last_id_is_the_newest(journal: Keeper) -> None:
    assert await journal.last_id() == ""

    for number in range(1, 130):
        journal.record(records.exchange(number, session_key=f"ci-{number}"))
        assert await journal.last_id() == _id(number)


async def test_what_is_recorded_after_the_close_is_counted(journal: Keeper) -> None:
    await journal.close()

    journal.record(records.exchange(1))

    assert journal.dropped == 1


@pytest.mark.parametrize("question", ["page", "exchange", "knows", "last_id"])
async def test_a_closed_journal_refuses_questions(journal: Keeper, question: str) -> None:
    await journal.close()

    with pytest.raises(StorageFailure):
        await {
            "page": lambda: journal.page(ENVIRONMENT, "ci-42", before="", since="", limit=1),
            "exchange": lambda: journal.exchange(_id(1)),
            "knows": lambda: journal.knows(ENVIRONMENT, "ci-42"),
            "last_id": journal.last_id,
        }[question]()
