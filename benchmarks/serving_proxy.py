"""The proxy on its real rooms, with a mock that one session has switched on, as ``understudy serve`` runs it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.v1.actions_pb2 import Action, Header, Respond
from understudy.v1.key_service_pb2 import CreateKeyRequest
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import CreateMockRequest, Mock, PublishMockRequest
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.ports import Journal
from understudy_server.cli import collector
from understudy_server.core.ids import IdMaker
from understudy_server.journal.memory import MemoryJournal
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.live.view import LiveView
from understudy_server.proxy.listener import ProxyListener
from understudy_server.proxy.recording import Recorder
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.rpc.grpc_server import GrpcServer
from understudy_server.state.kept import KeptState
from understudy_server.store.sqlite import SqlitePresence, SqliteStore

from benchmarks.load import TURN
from benchmarks.processes import allow_descriptors
from benchmarks.rooms import as_owner, dispatcher_on, make_place, now_ms
from benchmarks.scenery import (
    ENVIRONMENT,
    KEY,
    MOCKED_BODY,
    MOCKED_PATH,
    PROJECT,
    TEMPLATE,
    TEMPLATED_PATH,
    TURN_KEY,
    delayed_sessions,
)
from benchmarks.turn_mocks import turn_batches

_MOCK = Mock(
    id="ovr_order",
    name="One order",
    matcher=RequestMatcher(method="GET", path=MOCKED_PATH),
    action=Action(respond=Respond(status=200, json=MOCKED_BODY.decode())),
)
_TEMPLATED = Mock(
    id="ovr_made",
    name="One order, made for each request",
    matcher=RequestMatcher(method="GET", path=TEMPLATED_PATH),
    action=Action(respond=Respond(headers=[Header(name="content-type", value="application/json")], template=TEMPLATE)),
)


class _RecordingJournal(Recorder, Journal, Protocol):
    """What both journals are: written by the proxy, asked by the control plane. ``dropped`` counts what is lost."""

    @property
    def dropped(self) -> int: ...

    async def close(self) -> None: ...


async def serve_memory(folder: Path, upstream: str = "", sessions: str = "0") -> None:
    await _serve(folder, MemoryJournal(), partial(_fill, upstream=upstream, sessions=int(sessions)))


async def serve_durable(folder: Path, upstream: str = "", sessions: str = "0") -> None:
    await _serve(folder, await SqliteJournal.open(folder), partial(_fill, upstream=upstream, sessions=int(sessions)))


async def serve_sessions(folder: Path, sessions: str) -> None:
    """So many sessions that have the same mock switched on."""
    await _serve(folder, MemoryJournal(), partial(_fill_sessions, sessions=int(sessions)))


async def serve_mocks(folder: Path, mocks: str) -> None:
    """So many mocks that are on for everyone, and a session."""
    await _serve(folder, MemoryJournal(), partial(_fill_mocks, mocks=int(mocks)))


async def serve_whole(folder: Path) -> None:
    """The proxy and the gRPC door, with an admin's key: prints the address of the door before the key."""
    await _serve(folder, MemoryJournal(), _fill, has_door=True)


async def _serve(
    folder: Path,
    journal: _RecordingJournal,
    fill: Callable[[Dispatcher], Awaitable[None]],
    *,
    has_door: bool = False,
) -> None:
    """Serve until the process is ended; then say how many exchanges the journal dropped."""
    allow_descriptors()
    store, presence, new_id = await SqliteStore.open(folder), await SqlitePresence.open(folder), IdMaker(now_ms)
    state = await KeptState.open(folder, presence.writer)
    made = dispatcher_on(store, journal, presence, state, new_id)
    await fill(made)
    door = GrpcServer(made) if has_door else None
    key = f"{await door.start('127.0.0.1:0')} {await _admin_key(made)}" if door else "-"
    view = LiveView(store)
    await view.catch_up()
    listener = ProxyListener(view, journal, presence, clock=now_ms, state=state, new_id=new_id)
    host, port = await listener.listen("127.0.0.1", 0)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    collector.calm()
    print(f"{host}:{port}", key, flush=True)
    await ended.wait()
    await listener.stop()
    if door:
        await door.stop(1)
    await journal.close()
    await state.close()
    await presence.close()
    await store.close()
    print(journal.dropped, flush=True)


async def _admin_key(made: Dispatcher) -> str:
    created = await as_owner(made, "KeyService/CreateKey", CreateKeyRequest(role=ROLE_ADMIN))
    return str(created.text)


async def _fill(made: Dispatcher, upstream: str = "", sessions: int = 0) -> None:
    await make_place(made, upstream)
    for mock in (_MOCK, _TEMPLATED):
        create = CreateMockRequest(project=PROJECT, environment=ENVIRONMENT, mock=mock)
        await as_owner(made, "MockService/CreateMock", create)
        publish = PublishMockRequest(project=PROJECT, environment=ENVIRONMENT, mock_id=mock.id)
        await as_owner(made, "MockService/PublishMock", publish)
    for key, delay_ms in ((KEY, 0), *delayed_sessions(sessions)):
        session = PutSessionRequest(project=PROJECT, environment=ENVIRONMENT, session_key=key, global_delay_ms=delay_ms)
        session.overrides.extend([_MOCK.id, _TEMPLATED.id])
        await as_owner(made, "SessionService/PutSession", session)


async def _fill_sessions(made: Dispatcher, sessions: int) -> None:
    await _fill(made)
    for number in range(sessions):
        key = TURN_KEY.replace(TURN, f"{number:05}")
        session = PutSessionRequest(project=PROJECT, environment=ENVIRONMENT, session_key=key, overrides=[_MOCK.id])
        await as_owner(made, "SessionService/PutSession", session)


async def _fill_mocks(made: Dispatcher, mocks: int) -> None:
    await _fill(made)
    for batch in turn_batches(mocks):
        await as_owner(made, "MockService/BatchMocks", batch)
