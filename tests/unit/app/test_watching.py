"""A session as it is watched: its state, its exchanges, its end."""

import asyncio
from typing import Any

import pytest
from support.asking import Asker
from support.desk import Desk
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE, DELETE_MODE_RESET, PutSessionRequest


@pytest.fixture
def ask(desk: Desk) -> Asker:
    return Asker(desk)


def kind(event: Any) -> str:
    return str(event.WhichOneof("event"))


async def test_the_state_of_now_comes_first_and_then_each_change(ask: Asker) -> None:
    await ask.desk.put(PutSessionRequest(label="one"))
    async with ask.watching() as watch:
        first = await watch.next()
        assert (kind(first), first.session) == ("session", await ask.desk.get())
        assert await watch.is_quiet()
        await ask.desk.put(PutSessionRequest(label="two"))
        event = await watch.next()
        assert (event.session.label, event.session.revision) == ("two", 2)
        await ask.desk.put(PutSessionRequest(session_key="ci-43"))
        assert await watch.is_quiet()


async def test_exchanges_come_as_they_are_recorded_and_those_before_do_not(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream, "/before")
    async with ask.watching() as watch:
        assert kind(await watch.next()) == "session"
        ask.record(stream, "/now")
        event = await watch.next()
        assert (kind(event), event.log.path, event.log.number) == ("log", "/now", 2)


async def test_that_it_was_deleted_is_told_and_that_it_is_back(ask: Asker) -> None:
    await ask.begin()
    async with ask.watching() as watch:
        await watch.next()
        await ask.desk.end(DELETE_MODE_DELETE)
        event = await watch.next()
        assert (kind(event), event.ended) == ("ended", True)
        assert await watch.is_quiet()
        stream = await ask.begin()
        assert (await watch.next()).session.revision == 1
        ask.record(stream)
        assert (await watch.next()).log.number == 1


async def test_a_session_that_was_replaced_between_two_looks_ended_in_between(ask: Asker) -> None:
    before = await ask.begin()
    async with ask.watching() as watch:
        await watch.next()
        ask.record(before, "/last")
        await ask.desk.end(DELETE_MODE_DELETE)
        now = await ask.begin()
        ask.record(now, "/first")
        events = [await watch.next() for _ in range(4)]
    assert [kind(each) for each in events] == ["log", "ended", "session", "log"]
    assert [events[0].log.path, events[3].log.path] == ["/last", "/first"]


async def test_that_it_was_reset_is_a_change(ask: Asker) -> None:
    await ask.desk.put(PutSessionRequest(global_delay_ms=5))
    async with ask.watching() as watch:
        await watch.next()
        await ask.desk.end(DELETE_MODE_RESET)
        assert (await watch.next()).session.global_delay_ms == 0


async def test_a_time_to_live_that_ends_is_told_although_nothing_was_written(ask: Asker) -> None:
    await ask.desk.put(PutSessionRequest(ttl_seconds=1))
    ask.desk.world.clock.advance(0.999)
    async with ask.watching() as watch:
        assert kind(await watch.next()) == "session"
        assert kind(await watch.next()) == "ended"
        assert await watch.is_quiet()


async def test_a_session_that_does_not_exist_yet_is_waited_for(ask: Asker) -> None:
    async with ask.watching() as watch:
        assert await watch.is_quiet()
        stream = await ask.begin()
        assert kind(await watch.next()) == "session"
        ask.record(stream)
        assert (await watch.next()).log.number == 1


async def test_a_watch_that_was_cut_is_taken_up_without_gap_or_repetition(ask: Asker) -> None:
    stream = await ask.begin()
    async with ask.watching() as watch:
        cursor = (await watch.next()).cursor
        ask.record(stream, "/one")
        cursor = (await watch.next()).cursor
    ask.record(stream, "/two")
    async with ask.watching(cursor) as watch:
        assert (await watch.next()).log.path == "/two"
        assert await watch.is_quiet()


async def test_changes_while_nobody_watched_come_as_the_state_of_now(ask: Asker) -> None:
    await ask.begin()
    async with ask.watching() as watch:
        cursor = (await watch.next()).cursor
    await ask.desk.put(PutSessionRequest(label="one"))
    await ask.desk.put(PutSessionRequest(label="two"))
    async with ask.watching(cursor) as watch:
        assert (await watch.next()).session.label == "two"
        assert await watch.is_quiet()


async def test_an_end_while_nobody_watched_is_told(ask: Asker) -> None:
    stream = await ask.begin()
    async with ask.watching() as watch:
        cursor = (await watch.next()).cursor
    ask.record(stream, "/last")
    await ask.desk.end(DELETE_MODE_DELETE)
    async with ask.watching(cursor) as watch:
        assert (await watch.next()).log.path == "/last"
        ended = await watch.next()
    assert kind(ended) == "ended"
    now = await ask.begin()
    ask.record(now, "/first")
    async with ask.watching(ended.cursor) as watch:
        assert kind(await watch.next()) == "session"
        assert (await watch.next()).log.path == "/first"


async def test_rows_that_were_lost_are_told(ask: Asker) -> None:
    stream = await ask.begin()
    async with ask.watching() as watch:
        cursor = (await watch.next()).cursor
    for _ in range(3):
        ask.record(stream)
    ask.desk.world.journal.lose(stream, 1, 2)
    async with ask.watching(cursor) as watch:
        row = (await watch.next()).log
    assert (row.number, row.lost_before) == (3, 2)


async def test_who_goes_away_leaves_nothing_behind(ask: Asker) -> None:
    await ask.begin()
    tasks = len(asyncio.all_tasks())
    async with ask.watching() as watch:
        await watch.next()
        assert await watch.is_quiet()
    assert (ask.desk.world.journal.bells, len(asyncio.all_tasks())) == ([], tasks)


async def test_the_stop_of_the_server_ends_a_watch(ask: Asker) -> None:
    await ask.begin()
    async with ask.watching() as watch:
        await watch.next()
        assert await watch.is_quiet()
        ask.desk.world.dispatcher.end_waits()
        assert (await watch.refused()).reason == "storage_unavailable"


@pytest.mark.parametrize("cursor", ["log_1", "ses_1~1", "ses_1~x~1", "~1~1~1", "ses_1~1~-1", "x" * 1025])
async def test_a_cursor_that_is_none_is_refused(ask: Asker, cursor: str) -> None:
    async with ask.watching(cursor) as watch:
        problem = await watch.refused()
    assert (problem.reason, problem.field) == ("invalid_field", "cursor")


async def test_what_belongs_to_no_session_cannot_be_watched(ask: Asker) -> None:
    ask.session_key = " "
    async with ask.watching() as watch:
        assert (await watch.refused()).field == "session_key"
