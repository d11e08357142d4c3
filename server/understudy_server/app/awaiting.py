"""Waiting for calls to happen as expected: woken by what is recorded, and never by a timer but at the end."""

import asyncio

from understudy.v1.verification_service_pb2 import AwaitCallsRequest, AwaitCallsResponse, Verification

from understudy_server.app.call import Call
from understudy_server.app.expectations import expected_of
from understudy_server.app.nearest import nearest_of
from understudy_server.app.ports import Bell
from understudy_server.app.record_reading import asked_key, completeness, judge_all, live_stream, stream_to_follow
from understudy_server.app.slices import Slices
from understudy_server.app.stopwatch import Stopwatch
from understudy_server.app.verdicts import VERDICTS, outcomes
from understudy_server.app.verifications import put_on_record
from understudy_server.core.record import Standing, Stream
from understudy_server.core.verification import Expected, Judgement, Verdict


async def await_calls(call: Call, request: AwaitCallsRequest) -> AwaitCallsResponse:
    """Wait until calls happened as expected, until they no more can, or until the time is over.

    A session that does not exist yet is waited for; until then there is nothing that could fit, and what one that has
    ended before had of calls does not count. Raises InvalidInput, and StorageFailure, also when the server stops.
    """
    watch, key = Stopwatch(call), asked_key(request.session_key)
    expected = await expected_of(request.expectation, "expectation")
    deadline = asyncio.get_running_loop().time() + request.timeout_ms / 1000
    # Before anything is judged: what comes in between rings, too.
    with call.world.journal.bell(call.place.environment_id, key) as bell:
        waiting = _Waiting(call, key, expected, request.after, watch)
        timed_out = await waiting.until_settled(bell, deadline)
    return await waiting.answer(timed_out=timed_out)


class _Waiting:
    """One question, and how far it has come: each exchange is judged once."""

    def __init__(self, call: Call, key: str, expected: Expected, after: int, watch: Stopwatch) -> None:
        self._call = call
        self._key = key
        self._expected = expected
        self._after = after
        self._watch = watch
        self._stream: Stream | None = None
        self._standing = Standing()
        self._judgement = Judgement([expected], after)

    async def until_settled(self, bell: Bell, deadline: float) -> bool:
        """Judge now and whenever something was recorded. True when the time was over before it was settled."""
        in_time = True
        while True:
            await self._judge()
            if self._is_settled():
                return False
            if not in_time or asyncio.get_running_loop().time() >= deadline:
                return True
            # When the time is over, what came last is judged still.
            in_time = await self._call.world.waits.until([bell.wait()], deadline)

    async def answer(self, *, timed_out: bool) -> AwaitCallsResponse:
        """What came of it, which is put on record where there is a session."""
        judgement, stream, call = self._judgement, self._stream, self._call
        near = await nearest_of(call.world.journal, stream, judgement, self._standing.last_number)
        (outcome,) = await Slices().result_of(outcomes(judgement, near))
        if stream is None:
            outcome.message += f"; there is no session {self._key!r}"
        response = AwaitCallsResponse(
            verdict=VERDICTS[judgement.verdict(0)],
            timed_out=timed_out,
            outcome=outcome,
            completeness=completeness(stream, self._standing, complete=judgement.complete),
        )
        if stream is not None:
            verification = Verification(
                verdict=response.verdict,
                message=outcome.message,
                outcomes=[outcome],
                completeness=response.completeness,
            )
            await put_on_record(call, stream, self._watch, verification)
        return response

    async def _judge(self) -> None:
        call, key, now_ms = self._call, self._key, self._watch.now_ms
        if self._stream is None:
            # One that had ended before is not what is waited for.
            stream = await live_stream(call, key, now_ms)
        else:
            stream = await stream_to_follow(call, key, now_ms, self._stream)
        if stream != self._stream:
            # The session was made, or made anew: what is asked is about the one that is there now.
            self._stream, self._judgement = stream, Judgement([self._expected], self._after)
        if stream is not None:
            self._standing = await judge_all(call.world.journal, stream, self._judgement)

    def _is_settled(self) -> bool:
        judgement = self._judgement
        return judgement.verdict(0) is Verdict.PASSED or not judgement.can_still_pass(0)
