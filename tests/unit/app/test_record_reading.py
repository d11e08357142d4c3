"""Questions over long records: done in slices, between which everybody else has the event loop."""

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest
from support.asking import Asker
from support.desk import Desk
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.matching_pb2 import RequestMatcher

CALLS = 60
MILLISECOND = 0.001


@pytest.fixture
def slow_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock by which each look at it takes a millisecond: there is one for each row."""
    ticks: Iterator[int] = count()
    monkeypatch.setattr("understudy_server.app.record_reading.perf_counter", lambda: next(ticks) * MILLISECOND)


async def turns_during(work: "asyncio.Task[object]") -> int:
    """How many turns others had until it was done."""
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    return turns


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
    work = asyncio.create_task(ask.verify(pb.Expectation(exactly=1)))
    assert await turns_during(work) <= 2
