"""What both journals promise of streams: numbers, standings, incarnations, what is purged, and what goes by age."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.journal_model import PlainRules, exchange
from support.journals import Keeper, sweep
from support.timers import ManualTimers
from understudy_server.core.record import Lost, Quota, Standing, Stream
from understudy_server.journal.memory import MemoryJournal, MemoryLimits
from understudy_server.journal.rules import DiskLimits
from understudy_server.journal.sqlite import SqliteJournal

ENVIRONMENT = "env_1"
ONE = Stream(ENVIRONMENT, "ci-ses_1", "ses_1")
NOBODYS = Stream(ENVIRONMENT)
_MUCH = 1 << 40


@pytest.fixture
def rules() -> PlainRules:
    return PlainRules()


@pytest.fixture(params=["disk", "memory"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path, rules: PlainRules) -> AsyncIterator[Keeper]:
    """In all it keeps twenty."""
    journal: Keeper
    if request.param == "memory":
        journal = MemoryJournal(MemoryLimits(20), rules, clock=lambda: 100_000)
    else:
        journal = await SqliteJournal.open(tmp_path, rules=rules, limits=DiskLimits(20), clock=lambda: 100_000)
    yield journal
    await journal.close()


async def _turns() -> None:
    """Let the event loop turn often enough for whoever was woken to go on."""
    for _ in range(3):
        await asyncio.sleep(0)


def _record(journal: Keeper, numbers: range, session_id: str, of: str = ENVIRONMENT) -> None:
    for number in numbers:
        journal.record(exchange(number, session_id, of))


async def _numbers(journal: Keeper, stream: Stream, after: int = 0) -> list[int]:
    return [each.number for each in await journal.read(stream, after, 100)]


async def test_numbers_of_a_stream_have_no_gap_whatever_comes_between(journal: Keeper) -> None:
    for number in range(1, 10):
        journal.record(exchange(number, f"ses_{number % 2}"))

    assert await _numbers(journal, ONE) == [1, 2, 3, 4, 5]
    assert await journal.standing(ONE) == Standing(5, 5)


async def test_reading_goes_on_behind_a_number(journal: Keeper) -> None:
    _record(journal, range(1, 6), "ses_1")

    assert [each.number for each in await journal.read(ONE, 2, 2)] == [3, 4]


async def test_requests_without_a_session_share_a_stream_whatever_their_key(journal: Keeper) -> None:
    journal.record(exchange(1, "")._replace(session_key="a"))
    journal.record(exchange(2, "")._replace(session_key="b"))

    assert await _numbers(journal, NOBODYS) == [1, 2]
    page = await journal.page(ENVIRONMENT, "b", before="", since="", limit=9)
    assert [(each.session_key, each.number) for each in page] == [("b", 2)]
    assert not await journal.knows(ENVIRONMENT, "c")


async def test_of_a_stream_that_never_was_there_is_nothing(journal: Keeper) -> None:
    assert await journal.standing(ONE) == Standing()
    assert await journal.read(ONE, 0, 9) == ()
    assert await journal.verifications(ONE) == ()
    assert await journal.latest_stream(ENVIRONMENT, "ci-ses_1") is None


async def test_the_latest_incarnation_is_the_one_that_recorded_last(journal: Keeper) -> None:
    for number, session_id in ((1, "ses_1"), (2, "ses_2"), (3, "ses_1")):
        journal.record(exchange(number, session_id)._replace(session_key="ci"))

    assert await journal.latest_stream(ENVIRONMENT, "ci") == Stream(ENVIRONMENT, "ci", "ses_1")
    assert [each.id[-1] for each in await journal.page(ENVIRONMENT, "ci", before="", since="", limit=9)] == list("321")


async def test_streams_are_listed_while_anything_of_them_is_on_record(journal: Keeper) -> None:
    later, other = Stream(ENVIRONMENT, "ci-ses_1", "ses_3"), Stream(ENVIRONMENT, "ci-ses_2", "ses_2")
    _record(journal, range(1, 3), "ses_1")
    _record(journal, range(3, 4), "ses_2")
    _record(journal, range(4, 5), "")
    _record(journal, range(5, 6), "ses_1", of="env_2")
    journal.record(exchange(6, "ses_3")._replace(session_key="ci-ses_1"))
    assert set(await journal.streams(ENVIRONMENT, None)) == {ONE, later, other, NOBODYS}
    assert set(await journal.streams(ENVIRONMENT, "ci-ses_1")) == {ONE, later}
    for each in (ONE, NOBODYS):
        await journal.purge(each)
    await journal.keep_verification(NOBODYS, b"asked")
    assert set(await journal.streams(ENVIRONMENT, None)) == {later, other, NOBODYS}
    assert list(await journal.streams(ENVIRONMENT, "ci-ses_1")) == [later]


async def test_a_session_does_not_cost_another_one_anything(journal: Keeper, rules: PlainRules) -> None:
    rules.own = Quota(3, _MUCH, 100, _MUCH, _MUCH)
    _record(journal, range(1, 4), "ses_1")
    _record(journal, range(4, 12), "ses_2")

    assert await _numbers(journal, ONE) == [1, 2, 3]
    assert await journal.standing(Stream(ENVIRONMENT, "ci-ses_2", "ses_2")) == Standing(8, 3, {Lost.SESSION_QUOTA: 5})
    assert journal.losses == {Lost.SESSION_QUOTA: 5}


async def test_in_a_full_environment_first_goes_what_was_quiet_for_longest_of_what_has_ended(
    journal: Keeper, rules: PlainRules
) -> None:
    rules.own, rules.ended = Quota(100, _MUCH, 9, _MUCH, _MUCH), {"ses_1", "ses_2"}
    for start, session_id in ((1, "ses_1"), (4, "ses_2"), (7, "ses_3")):
        _record(journal, range(start, start + 3), session_id)
        await journal.last_id()
    _record(journal, range(10, 11), "ses_3")

    assert await journal.standing(ONE) == Standing(3, 0, {Lost.ENVIRONMENT_QUOTA: 3})
    assert [await _numbers(journal, Stream(ENVIRONMENT, f"ci-ses_{each}", f"ses_{each}")) for each in (2, 3)] == [
        [1, 2, 3],
        [1, 2, 3, 4],
    ]


async def test_where_no_session_has_ended_the_recorder_loses_its_own_oldest(journal: Keeper, rules: PlainRules) -> None:
    rules.own = Quota(100, _MUCH, 4, _MUCH, _MUCH)
    _record(journal, range(1, 3), "ses_1")
    _record(journal, range(3, 8), "ses_2")

    assert await _numbers(journal, ONE) == [1, 2]
    assert await _numbers(journal, Stream(ENVIRONMENT, "ci-ses_2", "ses_2")) == [4, 5]


async def test_where_there_is_no_room_at_all_an_exchange_takes_a_number_only(
    journal: Keeper, rules: PlainRules
) -> None:
    rules.own = Quota(100, _MUCH, 2, _MUCH, _MUCH)
    _record(journal, range(1, 3), "ses_1")
    await journal.last_id()
    _record(journal, range(3, 4), "ses_2")

    assert await _numbers(journal, ONE) == [1, 2]
    assert await journal.standing(Stream(ENVIRONMENT, "ci-ses_2", "ses_2")) == Standing(
        1, 0, {Lost.ENVIRONMENT_QUOTA: 1}
    )


async def test_all_environments_together_are_bounded(journal: Keeper, rules: PlainRules) -> None:
    rules.ended = {"ses_1"}
    _record(journal, range(1, 11), "ses_1")
    await journal.last_id()
    _record(journal, range(11, 30), "ses_2", "env_2")

    assert await journal.standing(ONE) == Standing(10, 0, {Lost.SERVER_QUOTA: 10})
    assert len(await _numbers(journal, Stream("env_2", "ci-ses_2", "ses_2"))) == 19


async def test_what_is_purged_is_gone_and_numbers_go_on(journal: Keeper) -> None:
    _record(journal, range(1, 4), "ses_1")
    _record(journal, range(4, 6), "ses_2")
    await journal.keep_verification(ONE, b"passed")

    await journal.purge(ONE)

    assert await journal.latest_stream(ENVIRONMENT, "ci-ses_1") is None
    assert not await journal.knows(ENVIRONMENT, "ci-ses_1")
    assert (list(await journal.verifications(ONE)), await _numbers(journal, ONE)) == ([], [])
    _record(journal, range(6, 7), "ses_1")
    assert await _numbers(journal, ONE) == [4]
    assert await _numbers(journal, Stream(ENVIRONMENT, "ci-ses_2", "ses_2")) == [1, 2]


async def test_the_last_thousand_verifications_are_kept_in_order(journal: Keeper) -> None:
    for number in range(1_003):
        await journal.keep_verification(ONE, str(number).encode())

    assert list(await journal.verifications(ONE)) == [str(number).encode() for number in range(3, 1_003)]
    assert await journal.standing(ONE) == Standing()


async def test_large_verifications_are_bounded_together_and_the_last_stays(journal: Keeper) -> None:
    for number in range(4):
        await journal.keep_verification(ONE, bytes([number]) * 1024 * 1024)
    assert [each[0] for each in await journal.verifications(ONE)] == [1, 2, 3]

    await journal.keep_verification(ONE, b"x" * 5 * 1024 * 1024)
    assert len(await journal.verifications(ONE)) == 1


async def test_what_is_older_than_it_is_kept_goes_when_the_time_comes(journal: Keeper, rules: PlainRules) -> None:
    """It is 100 seconds past; exchange 1 ended in second 1, and so on."""
    rules.own = Quota(100, _MUCH, 100, _MUCH, 95_000)
    timers = ManualTimers()
    journal.start_sweeping(timers)
    _record(journal, range(1, 10), "ses_1")
    journal.record(exchange(10, "")._replace(started_at_ms=2_000))
    assert await _numbers(journal, ONE) == [1, 2, 3, 4, 5, 6, 7, 8, 9]

    await sweep(journal, timers)

    assert await _numbers(journal, ONE) == [5, 6, 7, 8, 9]
    assert await journal.standing(NOBODYS) == Standing(1, 0, {Lost.RETENTION: 1})
    assert journal.losses == {Lost.RETENTION: 5}


async def test_a_stream_that_ended_and_is_empty_is_forgotten_in_time(journal: Keeper, rules: PlainRules) -> None:
    rules.own, rules.ended = Quota(100, _MUCH, 100, _MUCH, 95_000), {"ses_1"}
    timers = ManualTimers()
    journal.start_sweeping(timers)
    for session_id in ("ses_1", "ses_2"):
        _record(journal, range(1, 4), session_id)
    await journal.last_id()

    await sweep(journal, timers)

    assert await journal.standing(ONE) == Standing()
    assert (await journal.standing(Stream(ENVIRONMENT, "ci-ses_2", "ses_2"))).last_number == 3


async def test_a_bell_rings_with_what_is_recorded_under_its_key(journal: Keeper) -> None:
    with journal.bell(ENVIRONMENT, "ci-ses_1") as bell:
        waiting = asyncio.ensure_future(bell.wait())
        _record(journal, range(1, 2), "ses_2")
        _record(journal, range(2, 3), "ses_1", "env_2")
        await _turns()
        assert not waiting.done()

        _record(journal, range(3, 4), "ses_1")
        await _turns()
        assert waiting.done()


async def test_a_bell_that_was_rung_lets_the_next_wait_through_once(journal: Keeper) -> None:
    with journal.bell(ENVIRONMENT, "ci-ses_1") as bell:
        _record(journal, range(1, 3), "ses_1")
        await bell.wait()
        again = asyncio.ensure_future(bell.wait())
        await _turns()
        assert not again.done()
        again.cancel()


async def test_bells_leave_nothing_behind(journal: Keeper) -> None:
    with journal.bell(ENVIRONMENT, "ci-ses_1"), journal.bell(ENVIRONMENT, "ci-ses_1"):
        pass

    assert journal._bells.by_key == {}


async def test_who_waits_is_woken_by_the_close(journal: Keeper) -> None:
    with journal.bell(ENVIRONMENT, "ci-ses_1") as bell:
        waiting = asyncio.ensure_future(bell.wait())
        await _turns()
        await journal.close()
        await waiting
