"""The journal in memory: what it keeps, and what has to go."""

import logging
from collections.abc import Sequence

import pytest
from support import records
from support.records import ENVIRONMENT
from understudy_server.core.draws import Draw
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing
from understudy_server.journal.memory import MemoryJournal, MemoryLimits

KIB = 1024


async def _kept(journal: MemoryJournal, session_key: str = "ci-42") -> Sequence[Exchange]:
    """All exchanges of the key that are there, oldest first."""
    return await journal.page(ENVIRONMENT, session_key, before="", since="log_", limit=1_000_000)


def _size(exchanges: Sequence[Exchange]) -> int:
    """Bytes of headers and captured bodies."""
    headers = [each for exchange in exchanges for each in (*exchange.request_headers, *exchange.response_headers)]
    bodies = [each for exchange in exchanges for each in (exchange.request_body, exchange.response_body) if each]
    return sum(len(name) + len(value) for name, value in headers) + sum(len(each.content) for each in bodies)


async def test_the_oldest_make_room_for_the_newest() -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=3))
    for number in range(1, 6):
        journal.record(records.exchange(number))

    assert await _kept(journal) == records.numbered([records.exchange(number) for number in (3, 4, 5)], 3)
    assert (journal.losses, journal.dropped) == ({Lost.SERVER_QUOTA: 2}, 0)


async def test_what_made_room_is_found_in_no_way() -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=1))
    journal.record(records.exchange(1, "gone")._replace(session_id=""))
    assert await journal.knows(ENVIRONMENT, "gone")

    journal.record(records.exchange(2)._replace(session_id=""))

    assert await journal.exchange(records.exchange(1).id) is None
    assert not await journal.knows(ENVIRONMENT, "gone")
    assert await _kept(journal, "gone") == []


async def test_that_exchanges_had_to_go_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=2))
    for number in range(1, 20):
        journal.record(records.exchange(number))

    assert [each.levelno for each in caplog.records] == [logging.WARNING]
    assert journal.losses == {Lost.SERVER_QUOTA: 17}


async def test_nothing_is_said_while_there_is_room(caplog: pytest.LogCaptureFixture) -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=1_000))
    for number in range(1, 951):
        journal.record(records.exchange(number))

    assert (len(await _kept(journal)), journal.losses, caplog.records) == (950, {}, [])


async def test_no_more_goes_at_a_time_than_a_small_part() -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=6_400))
    for number in range(1, 20_001):
        journal.record(records.exchange(number))

    kept = len(await _kept(journal))

    assert 6_400 - 64 <= kept <= 6_400
    assert kept + journal.losses[Lost.SERVER_QUOTA] == 20_000


async def test_bodies_are_bounded_in_bytes() -> None:
    journal = MemoryJournal(MemoryLimits(bytes_max=640 * KIB))
    for number in range(1, 2_001):
        journal.record(records.exchange(number, body=b"x" * 4 * KIB))

    assert 600 * KIB <= _size(await _kept(journal)) <= 640 * KIB


async def test_headers_are_bounded_in_bytes() -> None:
    headers = ((b"x-long", b"y" * 4 * KIB),)
    journal = MemoryJournal(MemoryLimits(exchanges_max=1_000, bytes_max=1_000 * KIB))
    for number in range(1, 2_001):
        journal.record(records.exchange(number)._replace(response_headers=headers, request_headers=headers))

    assert 800 * KIB <= _size(await _kept(journal)) <= 1_100 * KIB


async def test_targets_are_bounded_in_bytes() -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=1_000, bytes_max=1_000 * KIB))
    for number in range(1, 2_001):
        journal.record(records.exchange(number)._replace(path="/" * 4 * KIB, query="q" * 4 * KIB))

    assert 100 <= len(await _kept(journal)) <= 140


async def test_draws_are_bounded_in_bytes() -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=1_000, bytes_max=1_000 * KIB))
    for number in range(1, 2_001):
        journal.record(records.exchange(number)._replace(draws=(Draw("n" * KIB, "v" * 7 * KIB),)))

    assert 100 <= len(await _kept(journal)) <= 140


async def test_what_is_larger_than_all_that_may_be_kept_is_not_kept_but_takes_a_number() -> None:
    journal = MemoryJournal(MemoryLimits(bytes_max=10))
    for number in range(1, 4):
        journal.record(records.exchange(number, body=b"x" * KIB))

    assert await _kept(journal) == []
    assert await journal.standing(records.exchange(1).stream) == Standing(3, 0, {Lost.SERVER_QUOTA: 3})
