"""Questions over long records: done in slices, between which everybody else has the event loop."""

import asyncio
import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from support.asking import Asker
from support.desk import Desk
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.log_service_pb2 import ListLogsRequest, ListLogsResponse
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_server.app.nearest import nearest_of
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.record import Stream
from understudy_server.core.verification import Expected, Judgement
from understudy_server.definitions.matchers import compile_matcher

CALLS = 60
MILLISECOND = 0.001


@pytest.fixture
def slow_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock by which each look at it takes a millisecond: there is one for each row."""
    ticks: Iterator[int] = count()
    monkeypatch.setattr("understudy_server.app.slices.perf_counter", lambda: next(ticks) * MILLISECOND)


async def turns_during(work: "asyncio.Task[object]") -> int:
    """How many turns others had until it was done."""
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    return turns


@pytest.mark.usefixtures("slow_rows")
async def test_others_have_their_turn_between_expectations_on_one_call(desk: Desk) -> None:
    ask = Asker(desk)
    ask.record(await ask.begin())
    work = asyncio.create_task(ask.verify(*[pb.Expectation(matcher=RequestMatcher(path="/pay"))] * CALLS))
    assert await turns_during(work) >= CALLS // 3
    assert work.result().verdict == pb.VERDICT_PASSED


@pytest.mark.usefixtures("slow_rows")
async def test_others_have_their_turn_while_the_nearest_call_is_looked_for(desk: Desk) -> None:
    ask = Asker(desk)
    ask.record(await ask.begin(), "/buy")
    stream, journal = await ask.stream(), desk.world.journal
    judgement = Judgement([Expected(compile_matcher(RequestMatcher(path="/pay"), "matcher"))] * CALLS)
    work = asyncio.create_task(nearest_of(journal, stream, judgement, 1))
    assert await turns_during(work) >= CALLS // 3
    assert [len(each) for each in work.result()] == [1] * CALLS


async def test_the_nearest_calls_are_looked_for_no_longer_than_there_is_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: Iterator[int] = count()
    # A tenth of a second passes with each look at the clock: the time is over after the second expectation.
    monkeypatch.setattr("understudy_server.app.nearest.perf_counter", lambda: next(ticks) * 100 * MILLISECOND)
    ask = Asker(desk)
    ask.record(await ask.begin(), "/buy")
    found = await ask.verify(*[pb.Expectation(matcher=RequestMatcher(path="/pay"))] * 10)
    assert found.verdict == pb.VERDICT_FAILED
    assert [len(each.near_calls) for each in found.outcomes] == [1, 1, 1, *[0] * 7]


async def test_never_more_than_ten_rows_are_read_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, journal = Asker(desk), desk.world.journal
    stream = await ask.begin()
    for _ in range(CALLS):
        ask.record(stream)
    read, page, limits = journal.read, journal.page, []

    async def noted_read(stream: Stream, after: int, limit: int) -> Any:
        limits.append(limit)
        return await read(stream, after, limit)

    async def noted_page(environment_id: str, session_key: str, *, limit: int, **bounds: str) -> Any:
        limits.append(limit)
        return await page(environment_id, session_key, limit=limit, **bounds)

    monkeypatch.setattr(journal, "read", noted_read)
    monkeypatch.setattr(journal, "page", noted_page)
    assert (await ask.count()).count == CALLS
    health = pb.GetSessionHealthRequest(session_key="ci-42")
    found = await desk.call("VerificationService.GetSessionHealth", health, pb.GetSessionHealthResponse)
    assert sum(each.count for each in found.counts) == CALLS
    listed = await desk.call("LogService.ListLogs", ListLogsRequest(session_key="ci-42", limit=55), ListLogsResponse)
    assert [each.number for each in listed.logs] == list(range(CALLS, CALLS - 55, -1))
    since = ListLogsRequest(session_key="ci-42", limit=55, since=listed.logs[-1].id)
    listed = await desk.call("LogService.ListLogs", since, ListLogsResponse)
    assert [each.number for each in listed.logs] == list(range(CALLS - 53, CALLS + 1))
    assert max(limits) == 10


@pytest.mark.usefixtures("slow_rows")
async def test_others_have_their_turn_every_few_milliseconds(desk: Desk) -> None:
    ask = Asker(desk)
    stream = await ask.begin()
    for _ in range(CALLS):
        ask.record(stream)
    expectation = pb.Expectation(matcher=RequestMatcher(path="/pay"), exactly=CALLS)
    work = asyncio.create_task(ask.verify(expectation))
    assert await turns_during(work) >= CALLS // 3
    assert work.result().verdict == pb.VERDICT_PASSED


async def test_a_short_question_is_done_in_one_go(desk: Desk) -> None:
    ask = Asker(desk)
    ask.record(await ask.begin())
    # Its code is loaded with the first question.
    await ask.verify(pb.Expectation(exactly=1))
    work = asyncio.create_task(ask.verify(pb.Expectation(exactly=1)))
    assert await turns_during(work) <= 2


async def test_criteria_are_compiled_beside_the_event_loop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def noting(message: RequestMatcher, path: str, *, prepared: bool) -> Matcher:
        threads.append(threading.get_ident())
        return compile_matcher(message, path, prepared=prepared)

    monkeypatch.setattr("understudy_server.app.expectations.compile_matcher", noting)
    ask = Asker(desk)
    ask.record(await ask.begin())
    await ask.verify(pb.Expectation(matcher=RequestMatcher(path="/pay")))
    await ask.count(matcher=RequestMatcher(body=Criterion(pattern_within="a+")))
    assert [each == threading.get_ident() for each in threads] == [True, False]
