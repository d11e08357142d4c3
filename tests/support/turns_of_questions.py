"""Questions asked of a long record in a virtual world, while small requests come: how long each of those waits.

A small request arrives in every round of the event loop, at its beginning: all that the round does comes before it. Its
wait is the processor's time of the loop's thread until it was answered; what other threads do meanwhile is not in it.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, TypeVarTuple, cast

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from support.manual_loop import ManualLoop
from support.proxying import NOON_MS
from support.records import session as session_record
from support.virtual_proxy import VirtualProxy
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy_server.app.call import Call, Place, World
from understudy_server.app.counting import count_calls
from understudy_server.app.host import HostFacts
from understudy_server.app.verifying import verify_calls
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Quota
from understudy_server.journal.memory import MemoryJournal, MemoryLimits
from understudy_server.journal.rules import FixedRules
from understudy_server.rpc.admission import OWNER
from understudy_server.state.memory import MemoryState

T = TypeVar("T")
_Ts = TypeVarTuple("_Ts")

SESSION_KEY, SESSION_ID = "ci-42", "ses_1"
_ANSWER = b'{"small": true}'
_SMALL = b"GET /checkout/staging/small HTTP/1.1\r\nhost: a\r\nx-flowmock-session: small\r\n\r\n"
_MANY = 1 << 40


class RoundLoop(ManualLoop):
    """Runs what is due a round at a time, as a real loop does: what becomes due meanwhile belongs to the next round."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(1)

    def close(self) -> None:
        self._threads.shutdown()
        super().close()

    def round(self) -> None:
        """Run all that is due by now."""
        for _ in range(len(self._due)):
            handle = self._due.popleft()
            if not handle.cancelled():
                handle._run()

    def run_in_executor(self, executor: Any, func: Callable[[*_Ts], T], *args: *_Ts) -> asyncio.Future[T]:
        """A real thread does it; it is there by the next round."""
        running = self._threads.submit(func, *args)
        future = self.create_future()

        def look() -> None:
            if not running.done():
                time.sleep(0)
                self.call_soon(look)
            elif error := running.exception():
                future.set_exception(error)
            else:
                future.set_result(running.result())

        self.call_soon(look)
        return future


class QuestionStage:
    """A session with a long record, and a proxy that answers small requests of another one. Use it as a context."""

    def __init__(self, record: list[Exchange]) -> None:
        self.loop = RoundLoop()
        self._proxy = VirtualProxy(_source(), loop=self.loop)
        quota = Quota(_MANY, _MANY, _MANY, _MANY, _MANY)
        self._journal = MemoryJournal(MemoryLimits(_MANY, _MANY), FixedRules(quota))
        for each in record:
            self._journal.record(each)

    def __enter__(self) -> "QuestionStage":
        self._proxy.__enter__()
        self._client = self._proxy.connect()
        return self

    def __exit__(self, *about: Any) -> None:
        self._proxy.__exit__(*about)

    def verify(self, request: pb.VerifyCallsRequest) -> Coroutine[Any, Any, pb.VerifyCallsResponse]:
        """The question, to be asked once."""
        return verify_calls(self._call(), request)

    def count(self, request: pb.CountCallsRequest) -> Coroutine[Any, Any, pb.CountCallsResponse]:
        """The question, to be asked once."""
        return count_calls(self._call(), request)

    def waits_during(self, *questions: Coroutine[Any, Any, T]) -> tuple[list[T], list[float]]:
        """Ask, all at the same time: the answers, and how many seconds each small request waited."""
        tasks = [self.loop.create_task(each) for each in questions]
        waits = []
        while not all(each.done() for each in tasks):
            began = time.thread_time()
            self.loop.round()
            self._client.deliver(_SMALL)
            waits.append(time.thread_time() - began)
            answer = b"".join(self._client.sent)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            assert answer.endswith(_ANSWER), answer
            self._client.sent.clear()
            self._proxy.exchanges.clear()
        return [each.result() for each in tasks], waits

    def _call(self) -> Call:
        place = Place("prj_checkout", "checkout", ENVIRONMENT_ID, "staging")
        store, nothing = cast("Any", _Store()), cast("Any", None)
        world = World(store, self._journal, nothing, MemoryState(), str, bytes, HostFacts, nothing)
        return Call(OWNER, place, NOON_MS, world)


class _Transaction:
    async def session(self, environment_id: str, key: str) -> Any:
        return session_record(SESSION_ID, key, of=environment_id) if key == SESSION_KEY else None


class _Store:
    """Knows the one session."""

    async def read(self, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        return await work(_Transaction())


def _source() -> FakeSource:
    small = Mock(id="ovr_small", name="small", state=MOCK_STATE_PUBLISHED)
    small.matcher.path, small.action.respond.json = "/small", _ANSWER.decode()
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={small.id: small},
        sessions={"small": session("small", overrides=(small.id,))},
    )
    return source
