"""The exchanges of a session as they are put on record."""

from collections.abc import AsyncIterator

from understudy.v1.log_service_pb2 import TailLogsRequest, TailLogsResponse

from understudy_server.app.call import Call
from understudy_server.app.expectations import matcher_of
from understudy_server.app.log_entries import entry
from understudy_server.app.record_reading import asked_key, exchanges, stream_of, stream_to_follow
from understudy_server.app.stopwatch import Stopwatch
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.record import Stream
from understudy_server.core.steps import STEPS_MAX, Steps
from understudy_server.core.verification_judging import Fit, Recorded, fit


async def tail_logs(call: Call, request: TailLogsRequest) -> AsyncIterator[TailLogsResponse]:
    """Give the rows of a session, oldest first, and wait for more; of a matcher those that it certainly fits.

    No more of them is held than a page: who reads slowly is waited for. Raises InvalidInput and StorageFailure.
    """
    if request.since and request.from_start:
        raise InvalidInput("since and from_start exclude each other", Fault("since", "exclusive", "from_start"))
    matcher = matcher_of(request.matcher, "matcher")
    key, watch, journal = asked_key(request.session_key), Stopwatch(call), call.world.journal
    with journal.bell(call.place.environment_id, key) as bell:
        stream = await stream_of(call, key, call.now_ms)
        tail = _Tail(call, matcher, with_details=request.with_details)
        if stream is not None:
            await tail.begin(stream, request)
        if request.until_now:
            async for row in tail.rows(tail.begun_at):
                yield row
            return
        while True:
            # Before the rows, which may take long to give: the last ones of a session come before those of the next.
            stream = await stream_to_follow(call, key, watch.now_ms, tail.stream)
            if tail.stream is not None:
                async for row in tail.rows((await journal.standing(tail.stream)).last_number):
                    yield row
            if stream is not None and stream != tail.stream:
                tail.go_over_to(stream)
                continue
            await call.world.waits.until([bell.wait()])


class _Tail:
    """Where a tail stands: in which stream, behind which number, and how many rows were lost since the last one."""

    def __init__(self, call: Call, matcher: Matcher, *, with_details: bool) -> None:
        self._journal = call.world.journal
        self._matcher = matcher
        self._with_details = with_details
        self.stream: Stream | None = None
        self.begun_at = 0
        self._number = 0
        self._lost = 0
        self._since = ""

    async def begin(self, stream: Stream, request: TailLogsRequest) -> None:
        """Begin where it is asked for. What the stream holds is known from here on (``begun_at``)."""
        self.stream = stream
        self.begun_at = (await self._journal.standing(stream)).last_number
        if request.from_start:
            return
        if not request.since:
            self._number = self.begun_at
            return
        last = await self._journal.exchange(request.since)
        if last is not None and last.stream == stream:
            self._number = last.number
        else:
            # It was lost, or is of an incarnation before: ids sort by creation.
            self._since = request.since

    def go_over_to(self, stream: Stream) -> None:
        """The session was made, or made anew: all of its rows are new."""
        self.stream, self._number, self._lost, self._since = stream, 0, 0, ""

    async def rows(self, up_to: int) -> AsyncIterator[TailLogsResponse]:
        """The rows up to a number that are to be shown."""
        if self.stream is None:
            return
        async for each in exchanges(self._journal, self.stream, self._number, up_to):
            self._lost += each.number - self._number - 1
            self._number = each.number
            if each.id <= self._since:
                self._lost = 0
                continue
            if fit(self._matcher, Recorded(each), Steps(STEPS_MAX)) is Fit.YES:
                lost, self._lost = self._lost, 0
                yield TailLogsResponse(log=entry(each, lost, with_details=self._with_details))
        self._lost += max(0, up_to - self._number)
        self._number = max(self._number, up_to)
