"""What becomes of a session: its state, its exchanges, its end."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from understudy.v1.log_service_pb2 import WatchSessionRequest, WatchSessionResponse

from understudy_server.app.call import Call
from understudy_server.app.log_entries import entry
from understudy_server.app.ports import SessionRecord
from understudy_server.app.record_reading import exchanges, live_record
from understudy_server.app.sessions import session_key, show
from understudy_server.app.stopwatch import Stopwatch
from understudy_server.app.times import milliseconds
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.record import Stream

_CURSOR: Final = re.compile(r"(?:(ses_[0-9A-Za-z_]{1,64}))?~([0-9]{1,18})~([0-9]{1,18})")
# A time to live is over in the millisecond in which it says so; a timer may be early by one.
_EXPIRY_SECONDS: Final = 0.002


class _Position(NamedTuple):
    """How far a watcher has come: in which incarnation, at which revision of it, behind which exchange."""

    session_id: str = ""
    revision: int = 0
    number: int = 0

    def cursor(self) -> str:
        return f"{self.session_id}~{self.revision}~{self.number}"


async def watch_session(call: Call, request: WatchSessionRequest) -> AsyncIterator[WatchSessionResponse]:
    """Give the state of a session now and after each change, each exchange, and its end; and wait for more.

    Changes that follow each other closely may come as one, as the state after the last. Raises InvalidInput, and
    StorageFailure, also when the server stops.
    """
    key = session_key(request.session_key)
    position = _read(request.cursor) if request.cursor else None
    watch, world = Stopwatch(call), call.world
    # Both before anything is looked at: what changes from then on rings.
    with world.store.bell() as changed, world.journal.bell(call.place.environment_id, key) as recorded:
        watcher = _Watcher(call, key, watch, position)
        while True:
            async for event in watcher.events():
                yield event
            await world.waits.until([changed.wait(), recorded.wait()], watcher.expires_at)


class _Watcher:
    """One watcher of one session."""

    def __init__(self, call: Call, key: str, watch: Stopwatch, position: _Position | None) -> None:
        self._call = call
        self._key = key
        self._watch = watch
        self._is_new = position is None
        self._position = position or _Position()
        self.expires_at: float | None = None
        """When the session's time to live is over, by the event loop's clock."""

    async def events(self) -> AsyncIterator[WatchSessionResponse]:
        """What happened since the last look."""
        record = await live_record(self._call, self._key, self._watch.now_ms)
        self._note_expiry(record)
        if self._is_new and record is not None:
            # What was recorded before is not told: who wants it asks for the logs.
            standing = await self._call.world.journal.standing(self._stream(record.id))
            self._position = _Position(record.id, 0, standing.last_number)
        self._is_new = False
        was = self._position.session_id
        if was and (record is None or record.id != was):
            async for event in self._exchanges():
                yield event
            self._position = _Position()
            yield WatchSessionResponse(cursor=self._position.cursor(), ended=True)
        if record is None:
            return
        if (record.id, record.message.revision) != self._position[:2]:
            self._position = _Position(record.id, record.message.revision, self._position.number)
            event = WatchSessionResponse(cursor=self._position.cursor())
            show(self._call, record, event.session)
            yield event
        async for event in self._exchanges():
            yield event

    async def _exchanges(self) -> AsyncIterator[WatchSessionResponse]:
        journal, stream = self._call.world.journal, self._stream(self._position.session_id)
        up_to = (await journal.standing(stream)).last_number
        async for each in exchanges(journal, stream, self._position.number, up_to):
            lost = each.number - self._position.number - 1
            self._position = self._position._replace(number=each.number)
            yield WatchSessionResponse(cursor=self._position.cursor(), log=entry(each, lost))

    def _note_expiry(self, record: SessionRecord | None) -> None:
        self.expires_at = None
        if record is not None and record.message.HasField("expires_at"):
            seconds = (milliseconds(record.message.expires_at) - self._watch.now_ms) / 1000
            self.expires_at = asyncio.get_running_loop().time() + max(0.0, seconds) + _EXPIRY_SECONDS

    def _stream(self, session_id: str) -> Stream:
        return Stream(self._call.place.environment_id, self._key, session_id)


def _read(cursor: str) -> _Position:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        message = "cursor is not one that this server gave with an event; watch without it first"
        raise InvalidInput(message, Fault("cursor", "cursor", given=cursor[:100]))
    return _Position(found[1] or "", int(found[2]), int(found[3]))
