"""Questions about calls, short to ask: of a dispatcher over a journal that is a list."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from support.calls_on_record import recorded_call
from support.desk import Desk
from understudy import status
from understudy.v1 import log_service_pb2 as logs
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Stream
from understudy_server.rpc.late import Late

PATIENCE_SECONDS = 10
COUNT = "VerificationService.CountCalls"
VERIFY = "VerificationService.VerifyCalls"
AWAIT = "VerificationService.AwaitCalls"
LIST = "VerificationService.ListVerifications"


@dataclass
class Asker:
    """Records calls of one session and asks about them."""

    desk: Desk
    session_key: str = "ci-42"
    recorded: int = field(default=0, init=False)

    async def begin(self, session_key: str = "") -> Stream:
        """Make the session; the stream of its exchanges."""
        key = session_key or self.session_key
        await self.desk.put(PutSessionRequest(session_key=key))
        return await self.stream(key)

    async def stream(self, session_key: str = "") -> Stream:
        """The stream of the session that is there now."""
        environment_id = await self.environment_id()
        record = await self.desk.world.store.read(
            lambda tx: tx.session(environment_id, session_key or self.session_key)
        )
        assert record is not None
        return Stream(environment_id, session_key or self.session_key, record.id)

    async def environment_id(self) -> str:
        store = self.desk.world.store
        project = await store.read(lambda tx: tx.project(self.desk.project))
        assert project is not None
        found = await store.read(lambda tx: tx.environment(project.id, self.desk.environment))
        assert found is not None
        return found.id

    def record(self, stream: Stream, target: str = "/pay", **fields: Any) -> Exchange:
        """Put a call on record."""
        self.recorded += 1
        made = recorded_call(
            self.recorded,
            target,
            session_key=fields.pop("session_key", stream.session_key),
            session_id=stream.session_id,
            environment_id=stream.environment_id,
            **fields,
        )
        return self.desk.world.journal.record(made)

    async def count(self, **fields: Any) -> pb.CountCallsResponse:
        request = pb.CountCallsRequest(session_key=self.session_key, **fields)
        return await self.desk.call(COUNT, request, pb.CountCallsResponse)

    async def verify(self, *expectations: pb.Expectation, **fields: Any) -> pb.VerifyCallsResponse:
        request = pb.VerifyCallsRequest(session_key=self.session_key, expectations=expectations, **fields)
        return await self.desk.call(VERIFY, request, pb.VerifyCallsResponse)

    async def wait(self, expectation: pb.Expectation | None = None, **fields: Any) -> pb.AwaitCallsResponse:
        request = pb.AwaitCallsRequest(session_key=self.session_key, expectation=expectation, **fields)
        return await self.desk.call(AWAIT, request, pb.AwaitCallsResponse)

    async def verifications(self) -> Sequence[pb.Verification]:
        request = pb.ListVerificationsRequest(session_key=self.session_key)
        return (await self.desk.call(LIST, request, pb.ListVerificationsResponse)).verifications

    @asynccontextmanager
    async def tailing(self, **fields: Any) -> AsyncIterator["Following"]:
        request = logs.TailLogsRequest(**({"session_key": self.session_key} | fields))
        async with self._following("LogService/TailLogs", request) as following:
            yield following

    @asynccontextmanager
    async def watching(self, cursor: str = "") -> AsyncIterator["Following"]:
        request = logs.WatchSessionRequest(session_key=self.session_key, cursor=cursor)
        async with self._following("LogService/WatchSession", request) as following:
            yield following

    @asynccontextmanager
    async def _following(self, method: str, request: Message) -> AsyncIterator["Following"]:
        placed, name, dispatcher = self.desk.placed(request), f"/understudy.v1.{method}", self.desk.world.dispatcher
        rpc = dispatcher.find(name)
        if rpc is not None and isinstance(rpc.use_case, Late):
            # Imported in a thread it would come into being some time later, and miss what is recorded until then.
            rpc.use_case.load()
        items = dispatcher.stream(name, {}, lambda: (placed, None), owner=True)
        following = Following(items)
        try:
            yield following
        finally:
            await following.close()


class Following:
    """A stream as it comes. What has not come yet is not waited for, unless it is asked for."""

    def __init__(self, items: Any) -> None:
        self._items = items
        self._next: asyncio.Task[Any] | None = None

    async def next(self) -> Any:
        """The next message. Fails when none comes."""
        item = await asyncio.wait_for(asyncio.shield(self._upcoming()), PATIENCE_SECONDS)
        self._next = None
        assert not isinstance(item, Status), status.read(item)
        return item

    async def refused(self) -> status.Problem:
        """What the stream ends with."""
        item = await asyncio.wait_for(asyncio.shield(self._upcoming()), PATIENCE_SECONDS)
        self._next = None
        assert isinstance(item, Status), item
        return status.read(item)

    async def rest(self) -> list[Any]:
        """All that comes until the stream ends."""
        found = []
        while (item := await asyncio.wait_for(asyncio.shield(self._upcoming()), PATIENCE_SECONDS)) is not None:
            self._next = None
            found.append(item)
        return found

    async def is_quiet(self) -> bool:
        """Whether nothing comes although everything that is due has run."""
        upcoming = self._upcoming()
        for _ in range(50):
            await asyncio.sleep(0)
        return not upcoming.done()

    async def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._items.aclose()

    def _upcoming(self) -> "asyncio.Task[Any]":
        if self._next is None:
            self._next = asyncio.create_task(self._one())
        return self._next

    async def _one(self) -> Any:
        return await anext(self._items, None)
