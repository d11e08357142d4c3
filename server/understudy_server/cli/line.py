"""The line of a command to its server: connected when it is first needed, and again after it was hung up.

A command that works without the server for a while (an editor is open, a file is read) hangs up meanwhile: where no
server runs, the data directory is held by the command itself, and would be held from everybody else.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from understudy_server.cli.target import Target

if TYPE_CHECKING:
    # gRPC and messages take long to import, and help needs none of them.
    from google.protobuf.message import Message

    from understudy_server.cli.connection import Connection

Answer = TypeVar("Answer", bound="Message")


class Line:
    """Calls go to one target. With ``may_open`` false, only a server that runs already is called."""

    def __init__(self, target: Target, *, may_open: bool = True) -> None:
        self._target = target
        self._may_open = may_open
        self._closing = AsyncExitStack()
        self._connection: Connection | None = None

    async def __aenter__(self) -> "Line":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.hang_up()

    async def call(self, request: "Message", answer: "type[Answer]", timeout_seconds: float | None = None) -> "Answer":
        """Call the RPC that the request belongs to. Raises CommandFailed."""
        from understudy_server.cli.connection import CALL_TIMEOUT_SECONDS

        return await (await self._connected()).call(request, answer, timeout_seconds or CALL_TIMEOUT_SECONDS)

    async def _connected(self) -> "Connection":
        from understudy_server.cli.connection import connect

        if self._connection is None:
            connecting = connect(self._target, may_open=self._may_open)
            self._connection = await self._closing.enter_async_context(connecting)
        return self._connection

    async def stream(
        self, request: "Message", answer: "type[Answer]", timeout_seconds: float | None = None
    ) -> "AsyncGenerator[Answer]":
        """The answers of the streaming RPC that the request belongs to. Raises CommandFailed, even late.

        ``timeout_seconds`` is for all of one that ends by itself.
        """
        async with aclosing((await self._connected()).stream(request, answer, timeout_seconds)) as answers:
            async for found in answers:
                yield found

    async def hang_up(self) -> None:
        """End the connection, if there is one; the next call makes another."""
        self._connection = None
        await self._closing.aclose()

    @property
    def address(self) -> str:
        """Where the server is, as it was named; empty for one that owns a directory of this machine."""
        return self._target.address

    def to_a_running_server(self) -> "Line":
        """Another line to the same target, which opens no data directory by itself."""
        return Line(self._target, may_open=False)
