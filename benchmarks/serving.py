"""Parts of a server that some rows of gRPC and REST measure alone, each as its own process, pinned to a core.

They are what ``understudy serve`` cannot be: a door without anything beside it, one that counts no requests of
FlagBridge a minute, and a bare echo to compare with. What the rows of the proxy and of sessions load is ``serve``
itself (``benchmarks.mocked``).

``python -m benchmarks.serving KIND FOLDER [ARGUMENT ...]`` prints its address and the key to use, and serves
until it is ended. The folder must be empty.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import uvloop
from understudy_gateway.app import build_app
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings, RequestsAMinute
from understudy_server.cli import collector
from understudy_server.cli.addresses import LOOPBACK, Address
from understudy_server.cli.http_listener import HttpListener
from understudy_server.rpc.grpc_server import GrpcServer

from benchmarks.flag_scenery import make_flags
from benchmarks.posted_page import posted_page
from benchmarks.rooms import dispatcher

_UNCOUNTED = RequestsAMinute(*[1_000_000_000] * 4)


async def serve_rest(folder: Path) -> None:
    """The gateway in the server's process, as ``understudy serve`` runs it."""
    made, key = await dispatcher(folder)
    listener = await HttpListener.start(build_app(made), Address(LOOPBACK, 0), 1)
    collector.calm()
    print(listener.address, key, flush=True)
    await asyncio.Event().wait()


async def serve_flags(folder: Path) -> None:
    """The gateway in the server's process, and flags to evaluate there."""
    made, _ = await dispatcher(folder)
    key = await make_flags(made)
    settings = FlagBridgeSettings(requests_a_minute=_UNCOUNTED)
    app = build_app(made, flagbridge=settings, more_pages=[posted_page()])
    listener = await HttpListener.start(app, Address(LOOPBACK, 0), 1)
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

    handler: Any = grpc.unary_unary_rpc_method_handler(echo)
    handlers: dict[str, Any] = {"GetSession": handler, "PutSession": handler}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("understudy.v1.SessionService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    collector.calm()
    print(f"127.0.0.1:{port}", "-", flush=True)
    await asyncio.Event().wait()


KINDS: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "rest": serve_rest,
    "flags": serve_flags,
    "grpc": serve_grpc,
    "echo": serve_echo,
}


def main() -> None:
    kind, folder, *arguments = sys.argv[1:]
    uvloop.run(KINDS[kind](Path(folder), *arguments))


if __name__ == "__main__":
    main()
