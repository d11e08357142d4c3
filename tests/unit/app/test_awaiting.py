"""Waiting for calls: woken by each that comes, ended by the last that can matter, by time, or by the server's stop."""

import asyncio

import pytest
from support.asking import AWAIT, PATIENCE_SECONDS, Asker
from support.desk import Desk
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.matching_pb2 import Criterion, RequestMatcher, StateCriterion
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE
from understudy_server.core.exchange import Captured
from understudy_server.core.record import Stream

PAY = RequestMatcher(method="POST", path="/pay")
PASSED, FAILED, INCONCLUSIVE = pb.VERDICT_PASSED, pb.VERDICT_FAILED, pb.VERDICT_INCONCLUSIVE
LONG_MS = 300_000


@pytest.fixture
def ask(desk: Desk) -> Asker:
    return Asker(desk)


def pays(**bounds: int) -> pb.Expectation:
    return pb.Expectation(matcher=PAY, **bounds)  # type: ignore[arg-type]


async def begun(ask: Asker, expectation: pb.Expectation, **fields: int) -> "asyncio.Task[pb.AwaitCallsResponse]":
    """A call that waits: whatever it does before is done."""
    bells = ask.desk.world.journal.bells
    hung = len(bells)
    task = asyncio.create_task(ask.wait(expectation, timeout_ms=LONG_MS, **fields))
    async with asyncio.timeout(PATIENCE_SECONDS):
        # What is asked for is compiled in a thread: nobody can say when that is done.
        while len(bells) == hung and not task.done():  # noqa: ASYNC110 - there is nothing to wait at
            await asyncio.sleep(0)
    await quiet()
    assert not task.done()
    return task


async def quiet() -> None:
    """Let run all that is due."""
    for _ in range(50):
        await asyncio.sleep(0)


async def answer(task: "asyncio.Task[pb.AwaitCallsResponse]") -> pb.AwaitCallsResponse:
    return await asyncio.wait_for(task, PATIENCE_SECONDS)


async def test_what_has_happened_is_answered_at_once(ask: Asker) -> None:
    stream = await ask.begin()
    made = ask.record(stream)
    found = await ask.wait(pays(), timeout_ms=LONG_MS)
    assert (found.verdict, found.timed_out, found.outcome.count) == (PASSED, False, 1)
    assert list(found.outcome.log_ids) == [made.id]
    assert (found.completeness.session_id, found.completeness.up_to) == (stream.session_id, 1)


async def test_a_call_that_fits_wakes_who_waits(ask: Asker) -> None:
    stream = await ask.begin()
    waiting = await begun(ask, pays(at_least=2))
    ask.record(stream)
    await quiet()
    assert not waiting.done()
    ask.record(stream, "/buy")
    await quiet()
    assert not waiting.done()
    ask.record(stream)
    found = await answer(waiting)
    assert (found.verdict, found.timed_out, found.outcome.count, found.completeness.up_to) == (PASSED, False, 2, 3)


async def test_without_an_expectation_any_call_will_do(ask: Asker) -> None:
    stream = await ask.begin()
    waiting = asyncio.create_task(ask.wait(timeout_ms=LONG_MS))
    await quiet()
    ask.record(stream, "/anything")
    assert (await answer(waiting)).verdict == PASSED


async def test_each_exchange_is_judged_once_however_often_it_rings(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, journal = await ask.begin(), ask.desk.world.journal
    read, asked = journal.read, []

    async def noted(stream: Stream, after: int, limit: int) -> object:
        asked.append(after)
        return await read(stream, after, limit)

    monkeypatch.setattr(journal, "read", noted)
    waiting = await begun(ask, pays(at_least=3))
    for _ in range(3):
        ask.record(stream)
        await quiet()
    await answer(waiting)
    assert asked == [0, 1, 2]


async def test_when_there_were_too_many_it_is_answered_at_once(ask: Asker) -> None:
    stream = await ask.begin()
    waiting = await begun(ask, pays(at_least=2, at_most=3))
    for _ in range(4):
        ask.record(stream)
    found = await answer(waiting)
    assert (found.verdict, found.timed_out, found.outcome.count) == (FAILED, False, 4)


async def test_when_it_can_pass_no_more_it_is_answered_at_once(ask: Asker) -> None:
    stream = await ask.begin()
    expectation = pb.Expectation(matcher=RequestMatcher(body=Criterion(equals="x")), exactly=1)
    waiting = await begun(ask, expectation)
    ask.record(stream, body=Captured(b"x", 10))
    found = await answer(waiting)
    assert (found.verdict, found.timed_out, found.outcome.undecided) == (INCONCLUSIVE, False, 1)


async def test_none_at_all_is_judged_at_once(ask: Asker) -> None:
    await ask.begin()
    assert (await ask.wait(pays(at_most=0), timeout_ms=LONG_MS)).verdict == PASSED


async def test_when_the_time_is_over_it_says_so_and_what_was_nearest(ask: Asker) -> None:
    stream = await ask.begin()
    made = ask.record(stream, "/buy")
    found = await ask.wait(pays(), timeout_ms=1)
    assert (found.verdict, found.timed_out, found.outcome.count) == (FAILED, True, 0)
    assert [each.log_id for each in found.outcome.near_calls] == [made.id]


async def test_without_time_it_is_judged_at_once(ask: Asker) -> None:
    await ask.begin()
    found = await ask.wait(pays(), timeout_ms=0)
    assert (found.verdict, found.timed_out) == (FAILED, True)


async def test_only_calls_behind_a_number_count(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    waiting = await begun(ask, pays(), after=1)
    ask.record(stream)
    assert (await answer(waiting)).outcome.count == 1


async def test_a_session_can_be_waited_for(ask: Asker) -> None:
    waiting = await begun(ask, pays())
    stream = await ask.begin()
    ask.record(stream)
    found = await answer(waiting)
    assert (found.verdict, found.completeness.session_id) == (PASSED, stream.session_id)


async def test_a_session_that_never_came_is_told_as_such(ask: Asker) -> None:
    found = await ask.wait(pays(), timeout_ms=1)
    assert (found.verdict, found.timed_out, found.completeness.session_id) == (FAILED, True, "")
    assert found.outcome.message == (
        "expected at least 1 call of POST /pay, and there was none; there is no session 'ci-42'"
    )


async def test_a_session_that_begins_anew_counts_from_nothing(ask: Asker) -> None:
    before = await ask.begin()
    ask.record(before)
    waiting = await begun(ask, pays(at_least=2))
    await ask.desk.end(DELETE_MODE_DELETE)
    now = await ask.begin()
    ask.record(now)
    await quiet()
    assert not waiting.done()
    ask.record(now)
    found = await answer(waiting)
    assert (found.outcome.count, found.completeness.session_id) == (2, now.session_id)


async def test_calls_of_a_session_that_has_ended_are_not_what_is_waited_for(ask: Asker) -> None:
    ask.record(await ask.begin())
    await ask.desk.end(DELETE_MODE_DELETE)
    waiting = await begun(ask, pays())
    now = await ask.begin()
    ask.record(now)
    found = await answer(waiting)
    assert (found.verdict, found.outcome.count, found.completeness.session_id) == (PASSED, 1, now.session_id)


async def test_when_the_session_is_deleted_the_one_before_it_is_no_answer(ask: Asker) -> None:
    before = await ask.begin()
    ask.record(before)
    await ask.desk.end(DELETE_MODE_DELETE)
    now = await ask.begin()
    waiting = await begun(ask, pays())
    await ask.desk.end(DELETE_MODE_DELETE)
    ask.record(before, "/late")
    await quiet()
    assert not waiting.done()
    ask.record(now)
    found = await answer(waiting)
    assert (found.outcome.count, found.completeness.session_id, found.completeness.kept) == (1, now.session_id, 1)


async def test_what_belongs_to_no_session_can_be_waited_for(ask: Asker) -> None:
    ask.session_key = " "
    waiting = await begun(ask, pays())
    ask.record(Stream(await ask.environment_id()), session_key="unknown")
    assert (await answer(waiting)).verdict == PASSED


async def test_calls_of_other_sessions_wake_nobody(ask: Asker) -> None:
    await ask.begin()
    other = await ask.begin("ci-43")
    waiting = await begun(ask, pays())
    ask.record(other)
    await quiet()
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_client_that_goes_away_leaves_nothing_behind(ask: Asker) -> None:
    await ask.begin()
    tasks = len(asyncio.all_tasks())
    waiting = await begun(ask, pays())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (ask.desk.world.journal.bells, len(asyncio.all_tasks())) == ([], tasks)


async def test_the_stop_of_the_server_ends_the_wait(ask: Asker) -> None:
    await ask.begin()
    request = pb.AwaitCallsRequest(session_key="ci-42", expectation=pays(), timeout_ms=LONG_MS)
    waiting = asyncio.create_task(ask.desk.refused(AWAIT, request))
    await quiet()
    ask.desk.world.dispatcher.end_waits()
    problem = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
    assert (problem.reason, ask.desk.world.journal.bells) == ("storage_unavailable", [])


async def test_who_comes_while_the_server_stops_does_not_wait(ask: Asker) -> None:
    stream = await ask.begin()
    ask.desk.world.dispatcher.end_waits()
    request = pb.AwaitCallsRequest(session_key="ci-42", expectation=pays(), timeout_ms=LONG_MS)
    assert await ask.desk.code(AWAIT, request) == "storage_unavailable"
    ask.record(stream)
    assert await ask.desk.code(AWAIT, request) == ""


async def test_a_wait_is_put_on_record(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    answered = await ask.wait(pays())
    (found,) = await ask.verifications()
    assert (found.verdict, found.message) == (PASSED, answered.outcome.message)
    assert list(found.outcomes) == [answered.outcome]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.AwaitCallsRequest(), "session_key"),
        (pb.AwaitCallsRequest(session_key="k", timeout_ms=300_001), "timeout_ms"),
        (pb.AwaitCallsRequest(session_key="k", after=-1), "after"),
        (pb.AwaitCallsRequest(session_key="k", expectation=pays(at_least=2, at_most=1)), "expectation.at_most"),
        (
            pb.AwaitCallsRequest(
                session_key="k", expectation=pb.Expectation(matcher=RequestMatcher(state=[StateCriterion(key="k")]))
            ),
            "expectation.matcher.state",
        ),
    ],
)
async def test_what_cannot_be_waited_for_is_refused_with_its_place(
    ask: Asker, request_: pb.AwaitCallsRequest, field: str
) -> None:
    problem = await ask.desk.refused(AWAIT, request_)
    assert (problem.reason, problem.field) == ("invalid_field", field)
