"""The door of Assertive over a dispatcher and a real store, in one process: called without a socket."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from support.calls_on_record import recorded_call
from support.desk import Desk
from support.dispatching import world
from understudy_gateway.backend import Decode
from understudy_gateway.dialects.assertive.door import build_door
from understudy_gateway.dialects.assertive.loading import ready_environment
from understudy_gateway.wire import App
from understudy_server.core.record import Stream
from understudy_server.rpc.dispatcher import Dispatcher

PATIENCE_SECONDS = 30
PROJECT, ENVIRONMENT = "assertive", "default"


@dataclass
class Trusted:
    """The dispatcher to which every caller is its owner. ``before`` is run before a call of that name, once."""

    dispatcher: Dispatcher
    before: dict[str, Any] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)

    async def unary(self, method: str, metadata: Mapping[str, str], decode: Decode) -> Message | Status:
        name = method.rpartition("/")[2]
        self.called.append(name)
        if name in self.before:
            await self.before.pop(name)()
        return await self.dispatcher.unary(method, metadata, decode, owner=True)

    def stream(self, method: str, metadata: Mapping[str, str], decode: Decode) -> AsyncIterator[Message | Status]:
        self.called.append(method.rpartition("/")[2])
        return self.dispatcher.stream(method, metadata, decode, owner=True)


def stub(path: str = "/hello", **more: Any) -> dict[str, Any]:
    """What makes a stub that answers with a text."""
    request = more.pop("request", {"path": path})
    action = more.pop("action", {"response": {"status_code": 200, "headers": {}, "body": "hello"}})
    return {"request": request, "action": action, **more}


@dataclass
class Door:
    """The door, and what stands behind it."""

    app: App
    http: httpx.AsyncClient
    desk: Desk
    backend: Trusted
    recorded: int = 0

    async def get(self, path: str, scope: str = "", status: int = 200) -> Any:
        return await self.ask("GET", path, None, scope, status)

    async def post(self, path: str, payload: Any, scope: str = "", status: int = 200) -> Any:
        return await self.ask("POST", path, payload, scope, status)

    async def delete(self, path: str, scope: str = "", status: int = 200) -> Any:
        return await self.ask("DELETE", path, None, scope, status)

    async def ask(self, method: str, path: str, payload: Any, scope: str, status: int) -> Any:
        """The JSON that is answered. ``scope`` is the name of a header that is sent."""
        headers = {scope: "1"} if scope else {}
        json = {} if payload is None else {"json": payload}
        answer = await self.http.request(method, path, headers=headers, **json)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def make_stub(self, scope: str = "", **payload: Any) -> str:
        made = await self.post("/__mock__/stubs", stub(**payload), scope)
        return str(made["stub_id"])

    async def make_scope(self, name: str) -> None:
        await self.post("/__mock__/scopes", {"name": name}, status=201)

    async def stub_ids(self, scope: str = "") -> list[str]:
        return [each["stub_id"] for each in (await self.get("/__mock__/stubs", scope))["stubs"]]

    async def stream(self, scope: str = "") -> Stream:
        """Whose exchanges those of a scope are, or those of none."""
        store = self.desk.world.store
        project = await store.read(lambda tx: tx.project(PROJECT))
        assert project is not None
        environment = await store.read(lambda tx: tx.environment(project.id, ENVIRONMENT))
        assert environment is not None
        if not scope:
            return Stream(environment.id)
        session = await store.read(lambda tx: tx.session(environment.id, scope))
        assert session is not None
        return Stream(environment.id, scope, session.id)

    async def record(self, target: str = "/pay", scope: str = "", mock_id: str = "", **fields: Any) -> None:
        """Put a call on record, as the proxy does."""
        await self.record_in(await self.stream(scope), target, mock_id, **fields)

    async def record_in(self, stream: Stream, target: str = "/pay", mock_id: str = "", **fields: Any) -> None:
        self.recorded += 1
        made = recorded_call(
            self.recorded,
            target,
            session_key=stream.session_key,
            session_id=stream.session_id,
            environment_id=stream.environment_id,
            **fields,
        )
        self.desk.world.journal.record(made._replace(mock_id=mock_id))

    async def called(self, scope: str = "") -> list[str]:
        """The paths of the calls that are listed, in their order."""
        return [each["path"] for each in (await self.get("/__mock__/requests", scope))["requests"]]


@asynccontextmanager
async def open_door(folder: Path, **options: Any) -> AsyncIterator[Door]:
    """A door to an environment that was made for it."""
    async with world(folder) as made:
        backend = Trusted(made.dispatcher)
        await ready_environment(backend, PROJECT, ENVIRONMENT)
        app = build_door(backend, project=PROJECT, environment=ENVIRONMENT, **options)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8910") as http:
            backend.called.clear()
            yield Door(app, http, Desk(made, PROJECT, ENVIRONMENT), backend)


@contextmanager
def served_door(folder: Path) -> Iterator[str]:
    """A door on a free port, in a thread of its own: gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made: Future[uvicorn.Server] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, listener, made)), daemon=True)
        thread.start()
        server = made.result(PATIENCE_SECONDS)
        try:
            # Who comes before it accepts waits in line.
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


async def _serve(folder: Path, listener: socket.socket, made: "Future[uvicorn.Server]") -> None:
    async with open_door(folder) as door:
        config = uvicorn.Config(door.app, lifespan="off", log_level="warning")
        server = uvicorn.Server(config)
        made.set_result(server)
        await server.serve([listener])
