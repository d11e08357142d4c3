"""The servers that the benchmarks load, each as its own process, pinned to a core of its own.

``python -m benchmarks.serving KIND`` prints its address and the key to use, and serves until it is ended.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc
import uvloop
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.key_service_pb2 import CreateKeyRequest
from understudy.v1.project_service_pb2 import CreateEnvironmentRequest, CreateProjectRequest
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_gateway.app import build_app
from understudy_server.cli import collector
from understudy_server.cli.addresses import LOOPBACK, Address
from understudy_server.cli.http_listener import HttpListener
from understudy_server.core.ids import IdMaker
from understudy_server.core.rates import Rate
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.rpc.grpc_server import GrpcServer
from understudy_server.store.sqlite import SqlitePresence, SqliteStore

UNLIMITED = Rate(1_000_000_000, 60)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def dispatcher(folder: Path) -> tuple[Dispatcher, str]:
    """A dispatcher over the real store, with one session in it, and a key's text."""
    made = Dispatcher(
        store=await SqliteStore.open(folder),
        journal=await SqliteJournal.open(folder),
        presence=await SqlitePresence.open(folder),
        clock=now_ms,
        new_id=IdMaker(now_ms),
        api_rate=UNLIMITED,
    )
    project = CreateProjectRequest()
    project.project.slug = "checkout"
    environment = CreateEnvironmentRequest(project="checkout")
    environment.environment.slug = "staging"
    session = PutSessionRequest(project="checkout", session_key="ci-42", label="CI run 4821", global_delay_ms=5)
    for method, request in (
        ("ProjectService/CreateProject", project),
        ("ProjectService/CreateEnvironment", environment),
        ("SessionService/PutSession", session),
    ):
        await _owner(made, method, request)
    key = await _owner(made, "KeyService/CreateKey", CreateKeyRequest(role=ROLE_CI))
    return made, key.text


async def _owner(made: Dispatcher, method: str, request: Any) -> Any:
    return await made.unary(f"/understudy.v1.{method}", {}, lambda: (request, None), owner=True)


async def serve_rest(folder: Path) -> None:
    """The gateway in the server's process, as ``understudy serve`` runs it."""
    made, key = await dispatcher(folder)
    listener = await HttpListener.start(build_app(made), Address(LOOPBACK, 0), 1)
    collector.calm()
    print(listener.address, key, flush=True)
    await asyncio.Event().wait()


async def serve_grpc(folder: Path) -> None:
    made, key = await dispatcher(folder)
    server = GrpcServer(made)
    address = await server.start("127.0.0.1:0")
    collector.calm()
    print(address, key, flush=True)
    await asyncio.Event().wait()


async def serve_echo(_folder: Path) -> None:
    """Bare grpc.aio: bytes in, the same bytes out."""

    async def echo(request: bytes, _context: object) -> bytes:
        return request

    handlers: dict[str, Any] = {"GetSession": grpc.unary_unary_rpc_method_handler(echo)}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("understudy.v1.SessionService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    collector.calm()
    print(f"127.0.0.1:{port}", "-", flush=True)
    await asyncio.Event().wait()


KINDS = {"rest": serve_rest, "grpc": serve_grpc, "echo": serve_echo}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        uvloop.run(KINDS[sys.argv[1]](Path(folder)))


if __name__ == "__main__":
    main()
