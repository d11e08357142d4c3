"""The journal in memory: what it keeps, and what has to go."""

import logging
from collections.abc import Sequence

import pytest
from support import records
from support.allocated import allocated
from support.journal_model import PlainRules, exchange
from support.journals import sweep
from support.memory import MIB
from support.records import ENVIRONMENT
from support.timers import ManualTimers
from understudy_server.core.draws import Draw
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Quota, Standing
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
    journal = MemoryJournal(MemoryLimits(bytes_max=6_400 * KIB))
    for number in range(1, 401):
        journal.record(records.exchange(number, body=b"x" * 32 * KIB))

    assert 6_000 * KIB <= _size(await _kept(journal)) <= 6_400 * KIB


async def test_headers_are_bounded_in_bytes() -> None:
    headers = ((b"x-long", b"y" * 4 * KIB),)
    journal = MemoryJournal(MemoryLimits(exchanges_max=1_000, bytes_max=1_000 * KIB))
    for number in range(1, 2_001):
        journal.record(records.exchange(number)._replace(response_headers=headers, request_headers=headers))

    assert 800 * KIB <= _size(await _kept(journal)) <= 1_100 * KIB


@pytest.mark.parametrize(("count", "lines", "length"), [(2_000, 3, 7), (200, 100, 7), (200, 3, 5_000)])
async def test_what_is_kept_takes_no_more_memory_than_it_may_whatever_it_is_made_of(
    count: int, lines: int, length: int
) -> None:
    with allocated() as taken:
        journal = MemoryJournal(MemoryLimits(exchanges_max=1_000_000, bytes_max=MIB))
        for number in range(count):
            journal.record(records.with_lines(number, lines, length))
        await journal.last_id()

    assert journal.losses
    assert 0.6 * MIB <= taken.bytes <= MIB


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


async def test_of_those_that_came_together_the_one_that_was_quiet_for_longest_goes_first() -> None:
    rules = PlainRules(Quota(100, 1 << 40, 4, 1 << 40, 1 << 40))
    journal = MemoryJournal(rules=rules)
    for number, session_id in enumerate(("ses_1", "ses_2", "ses_3", "ses_1")):
        journal.record(exchange(number, session_id))
    await journal.last_id()
    rules.ended = {"ses_1", "ses_2", "ses_3"}

    journal.record(exchange(9, "ses_4"))

    kept = [await journal.standing(exchange(0, f"ses_{each}").stream) for each in range(1, 5)]
    assert [each.kept for each in kept] == [2, 0, 1, 1]


def _in_memory(journal: MemoryJournal) -> int:
    """How many exchanges are there, counted or not."""
    waiting = sum(sum(each is not None for each in shelf.exchanges) for shelf in journal._stock.all())
    return waiting + len(journal._filling)


def test_while_nobody_asks_little_more_is_there_than_may_be_kept() -> None:
    journal = MemoryJournal(rules=PlainRules(Quota(20, 1 << 40, 1_000, 1 << 40, 1 << 40)))
    most = 0
    for number in range(10_000):
        journal.record(exchange(number, f"ses_{number % 40}"))
        if number % 61 == 0:
            most = max(most, _in_memory(journal))
    assert 40 * 20 < most <= 40 * 20 + 640


def test_while_nobody_asks_little_more_is_there_of_large_bodies_than_may_be_kept() -> None:
    journal = MemoryJournal(MemoryLimits(bytes_max=64 * 100 * KIB))
    for number in range(400):
        journal.record(records.exchange(number, body=b"x" * 50 * KIB))
        assert _in_memory(journal) * 50 <= 64 * 100 + 5 * 100


async def test_a_long_session_that_ended_leaves_memory_a_little_at_a_time_while_others_record() -> None:
    rules = PlainRules(Quota(10_000, 1 << 40, 5_000, 1 << 40, 1 << 40))
    journal = MemoryJournal(rules=rules)
    for number in range(5_000):
        journal.record(exchange(number, "ses_1"))
    rules.ended = {"ses_1"}
    journal.record(exchange(5_000, "ses_2"))
    await journal.last_id()
    leaving = journal._stock.leaving
    assert leaving.steps == 10

    for number in range(5_001, 5_001 + 11 * 128):
        journal.record(exchange(number, "ses_2"))

    assert leaving.steps == 0


async def test_what_is_purged_leaves_memory_with_the_next_sweep() -> None:
    journal, timers = MemoryJournal(), ManualTimers()
    journal.start_sweeping(timers)
    for number in range(5_000):
        journal.record(exchange(number, "ses_1"))
    await journal.purge(exchange(1, "ses_1").stream)
    assert journal._stock.leaving.steps == 10

    await sweep(journal, timers)

    assert journal._stock.leaving.steps == 0


async def test_of_environments_that_are_gone_nothing_stays() -> None:
    rules = PlainRules(Quota(100, 1 << 40, 100, 1 << 40, 1_000))
    journal, timers = MemoryJournal(rules=rules), ManualTimers()
    journal.start_sweeping(timers)
    for number in range(10):
        journal.record(exchange(number, "ses_1", f"env_{number}"))
    rules.ended = {"ses_1"}

    await sweep(journal, timers)

    assert (journal._stock.all(), journal._stock._homes, journal._stock._by_key) == ([], {}, {})
