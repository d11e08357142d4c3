"""An HTTP listener for an ASGI application: uvicorn, without its hands on the process's signals."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import uvicorn

from understudy_server.cli.addresses import Address
from understudy_server.cli.http_limits import HttpLimits
from understudy_server.cli.http_protocol import LimitedHttpProtocol

_BACKLOG = 1_024


class _Server(uvicorn.Server):
    """Says when it accepts, and leaves SIGTERM and SIGINT to whoever runs the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


class HttpListener:
    """Serves one application at one address until it is stopped."""

    def __init__(self, server: _Server, task: asyncio.Task[None], address: Address) -> None:
        self._server = server
        self._task = task
        self.address = address

    @classmethod
    async def start(
        cls,
        app: Any,
        address: Address,
        stop_grace_seconds: int,
        limits: HttpLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> "HttpListener":
        """Accept connections, over TLS with ``tls``; port 0 takes any free one.

        Raises OSError when the address cannot be bound.
        """
        bound = _bind(address)
        config = uvicorn.Config(
            app,
            http=cast("Any", partial(LimitedHttpProtocol, limits=limits or HttpLimits())),
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Who calls is decided by the key alone: what a forwarding header claims is of no use here.
            proxy_headers=False,
            # A handshake that does not come to its end is given up after asyncio's own 60 seconds.
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
            timeout_graceful_shutdown=stop_grace_seconds,
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[bound]))
        accepting = asyncio.create_task(server.accepting.wait())
        await asyncio.wait((task, accepting), return_when=asyncio.FIRST_COMPLETED)
        accepting.cancel()
        if task.done():
            bound.close()
            raise OSError(errno.ECANCELED, f"the application at {address} did not start")
        return cls(server, task, Address(address.host, bound.getsockname()[1]))

    async def stop(self) -> None:
        """Accept nothing more, let calls under way finish within the grace time, then cut what is left."""
        self._server.should_exit = True
        await self._task


def _bind(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen(_BACKLOG)
        bound.setblocking(False)  # noqa: FBT003 - the standard library's way
    except BaseException:
        bound.close()
        raise
    return bound
