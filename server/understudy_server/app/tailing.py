"""The exchanges of a key as they are put on record.

They are found by their ids, which go up whatever became of the session meanwhile: so a tail is taken up behind any row.
"""

import sys
from collections.abc import AsyncIterator
from typing import Final, Protocol

from understudy.v1.log_service_pb2 import TailLogsRequest, TailLogsResponse

from understudy_server.app.call import Call
from understudy_server.app.expectations import matcher_of
from understudy_server.app.log_entries import entry
from understudy_server.app.record_reading import (
    asked_key,
    calls_carrying,
    carrying,
    exchanges,
    number_before,
    stream_of,
)
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Stream
from understudy_server.core.steps import STEPS_MAX, Steps
from understudy_server.core.verification_judging import Fit, Recorded, fit

_BEFORE_ALL: Final = "log_"
"""It sorts before the id of every exchange."""

_STREAMS_MAX: Final = 16
"""Of so many sessions that had the key a tail knows how far it has come; of one before those it looks again."""


async def tail_logs(call: Call, request: TailLogsRequest) -> AsyncIterator[TailLogsResponse]:
    """Give the rows of a key, oldest first, and wait for more; of a matcher those that it certainly fits.

    No more of them is held than a page: who reads slowly is waited for. Raises InvalidInput and StorageFailure.
    """
    _check_begin(request)
    key, gaps = asked_key(request.session_key), _Gaps(call)
    # Before anything is looked at: what is recorded from then on rings.
    with call.world.journal.bell(call.place.environment_id, key) as bell:
        tail: _Tail = _OfKey(call, key, gaps) if key else _OfNoSession(call, gaps)
        await tail.begin(request)
        # Only then: while it is made nothing that comes is missed.
        matcher, has_none = await matcher_of(request.matcher, "matcher"), not request.HasField("matcher")
        while True:
            async for each in tail.rows():
                await gaps.reach(each)
                # What is no call fits no matcher, and comes where there is none.
                if fit(matcher, Recorded(each), Steps(STEPS_MAX)) is Fit.YES if each.is_call else has_none:
                    yield TailLogsResponse(log=entry(each, gaps.told(each), with_details=request.with_details))
            if request.until_now:
                return
            await call.world.waits.until([bell.wait()])


def _check_begin(request: TailLogsRequest) -> None:
    """Raise InvalidInput when it is said twice where to begin."""
    said = [name for name in ("since", "from_start", "last") if getattr(request, name)]
    if len(said) > 1:
        raise InvalidInput(f"{' and '.join(said)} exclude each other", Fault(said[0], "exclusive", said[1]))


class _Tail(Protocol):
    """Where a tail stands."""

    async def begin(self, request: TailLogsRequest) -> None:
        """Begin where it is asked for, and end there if that is asked for, too."""

    def rows(self) -> AsyncIterator[Exchange]:
        """All that came behind the last row that was given."""


class _Gaps:
    """What is missing before the rows of a tail, counted for each stream by itself.

    What is missing before a row that is not shown is told with the next one of its stream.
    """

    def __init__(self, call: Call) -> None:
        self._journal = call.world.journal
        # How far each stream has come, and what was lost and not told since the last row that was shown.
        self._reached: dict[Stream, tuple[int, int]] = {}

    def begin(self, stream: Stream, number: int) -> None:
        """What is lost up to a number is not asked about."""
        self._reached[stream] = number, 0

    async def reach(self, row: Exchange) -> None:
        """Come to the next row."""
        stream = row.stream
        reached = self._reached.pop(stream, None)
        if reached is None:
            reached = await number_before(self._journal, row), 0
        number, lost = reached
        self._reached[stream] = row.number, lost + max(0, row.number - number - 1)
        if len(self._reached) > _STREAMS_MAX:
            del self._reached[next(iter(self._reached))]

    def told(self, row: Exchange) -> int:
        """How many are missing directly before the row that was come to. From here on they are told."""
        number, lost = self._reached[row.stream]
        self._reached[row.stream] = number, 0
        return lost


class _OfKey:
    """What carried a key: in every session that had it, and where there was none."""

    def __init__(self, call: Call, key: str, gaps: _Gaps) -> None:
        self._call = call
        self._key = key
        self._gaps = gaps
        self._last = _BEFORE_ALL
        self._end: str | None = None

    async def begin(self, request: TailLogsRequest) -> None:
        # The one before the last ones is where these begin. What is no call fits no matcher: with one, calls are meant.
        of_calls = bool(request.last) and request.HasField("matcher")
        rows = (calls_carrying if of_calls else carrying)(self._call, self._key, request.last + 1)
        newest = [each.id async for each in rows if each.is_call or not of_calls]
        now = newest[0] if newest else _BEFORE_ALL
        if request.until_now:
            self._end = now
        if request.since:
            self._last = request.since
        elif request.last:
            self._last = newest[request.last] if len(newest) > request.last else _BEFORE_ALL
        elif not request.from_start:
            self._last = now
            # Only then: a row that came in between is shown.
            if stream := await stream_of(self._call, self._key, self._call.now_ms):
                self._gaps.begin(stream, (await self._call.world.journal.standing(stream)).last_number)

    async def rows(self) -> AsyncIterator[Exchange]:
        async for each in carrying(self._call, self._key, sys.maxsize, since=self._last):
            if self._end is not None and each.id > self._end:
                return
            self._last = each.id
            if not each.session_id:
                # Those without a session are numbered together, whatever key they carried: a gap there is no loss.
                self._gaps.begin(each.stream, each.number - 1)
            yield each


class _OfNoSession:
    """What belongs to no session of the environment, whatever key it carried."""

    def __init__(self, call: Call, gaps: _Gaps) -> None:
        self._journal = call.world.journal
        self._gaps = gaps
        self._stream = Stream(call.place.environment_id)
        self._number = 0
        self._end: int | None = None
        self._since = ""

    async def begin(self, request: TailLogsRequest) -> None:
        now = (await self._journal.standing(self._stream)).last_number
        if request.until_now:
            self._end = now
        if request.since:
            last = await self._journal.exchange(request.since)
            if last is not None and last.stream == self._stream:
                self._number = last.number
            else:
                # It was lost, or belonged to a session.
                self._since = request.since
        elif request.last:
            self._number = max(0, now - request.last)
        elif not request.from_start:
            self._number = now
        self._gaps.begin(self._stream, self._number)

    async def rows(self) -> AsyncIterator[Exchange]:
        up_to = (await self._journal.standing(self._stream)).last_number if self._end is None else self._end
        async for each in exchanges(self._journal, self._stream, self._number, up_to):
            self._number = each.number
            if each.id > self._since:
                yield each
            else:
                self._gaps.begin(self._stream, each.number)
