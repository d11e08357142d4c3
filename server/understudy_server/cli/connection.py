"""How a command reaches a server: over the network, over the socket of the process that owns a data directory, or,
when nobody owns it, with a dispatcher of its own on the directory's store.

Two questions, whatever the way: ``call``, a request in and its answer out, and ``stream``, with many answers. The
owner's socket and the dispatcher need no key: who may open them owns the data anyway.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from understudy import status

from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call
from understudy_server.cli.peer import Peer, read_peer
from understudy_server.cli.target import OWNER_SOCKET, SECURE, Target

if TYPE_CHECKING:
    # All of the server's rooms: they take as long to import as everything else here.
    from understudy_server.rpc.dispatcher import Dispatcher

Answer = TypeVar("Answer", bound=Message)

CALL_TIMEOUT_SECONDS = 30.0
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
"""The largest request: a manifest of all that its files may hold."""
OWNER_WAIT_SECONDS = 3.0
_OWNER_LOOK_SECONDS = 0.05
# An answer that holds a manifest is as large as the request that made it, and a little more.
_ANSWER_BYTES_MAX = 4 * MESSAGE_BYTES_MAX
_CHANNEL_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", _ANSWER_BYTES_MAX),
    # A stream may be silent for long: only by asking is it found out that nobody is at its other end any more.
    ("grpc.keepalive_time_ms", 30_000),
    # What is not answered within that time; releases of gRPC know it by the one name or the other.
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


class Connection(Protocol):
    """A way to a server."""

    async def call(
        self, request: Message, answer: type[Answer], timeout_seconds: float = CALL_TIMEOUT_SECONDS
    ) -> Answer:
        """Call the RPC that the request belongs to. Raises CommandFailed for every failure."""

    def stream(
        self, request: Message, answer: type[Answer], timeout_seconds: float | None = None
    ) -> AsyncGenerator[Answer]:
        """The answers of a streaming RPC as they come. Raises CommandFailed for every failure, even late.

        ``timeout_seconds`` is for one that ends by itself: for all of it; ``None`` for one that goes on.
        """


def method_of(request: Message) -> str:
    """The RPC that a request belongs to (``/understudy.v1.SessionService/GetSession``): each has its own request."""
    kind = request.DESCRIPTOR
    for service in kind.file.services_by_name.values():
        for method in service.methods:
            if method.input_type is kind:
                return f"/{service.full_name}/{method.name}"
    raise TypeError(f"{kind.full_name} is not the request of an RPC")


class OverChannel:
    """A server at the other end of a gRPC channel. ``name`` is what messages call it."""

    def __init__(self, channel: grpc.aio.Channel, name: str, key: str = "") -> None:
        self._channel = channel
        self._name = name
        self._metadata = (("authorization", f"Bearer {key}"),) if key else ()

    async def call(
        self, request: Message, answer: type[Answer], timeout_seconds: float = CALL_TIMEOUT_SECONDS
    ) -> Answer:
        """Call over the channel; nothing is sent twice."""
        if request.ByteSize() > MESSAGE_BYTES_MAX:
            message = f"this takes {request.ByteSize()} bytes, more than the {MESSAGE_BYTES_MAX} that a server reads"
            raise CommandFailed(ExitCode.USAGE, message, "Make several of it: several files, each with its own source.")
        ask = self._channel.unary_unary(
            method_of(request),
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            found: Answer = await ask(request, metadata=self._metadata, timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from error
        return found

    async def stream(
        self, request: Message, answer: type[Answer], timeout_seconds: float | None = None
    ) -> AsyncGenerator[Answer]:
        """Follow a stream over the channel."""
        ask = self._channel.unary_stream(
            method_of(request),
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        call = ask(request, metadata=self._metadata, timeout=timeout_seconds)
        try:
            async for found in call:
                yield found
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from error
        finally:
            call.cancel()

    def _failure(self, error: grpc.aio.AioRpcError) -> CommandFailed:
        found = rpc_status.from_call(error)
        if found is not None and (problem := status.read(found)).reason:
            return failed_call(found.code, problem)
        if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            advice = "Is `understudy serve` running there? Its first lines name the gRPC address."
            if self._name.startswith(SECURE):
                advice += " Who vouches for its certificate must be in the file of --ca (or UNDERSTUDY_CA)."
                advice += f"\n{error.details()}"
            return CommandFailed(ExitCode.UNREACHABLE, f"no answer from {self._name}", advice)
        number, _ = error.code().value
        return failed_call(number, status.Problem("", f"{error.code().name}: {error.details()}"))


class InProcess:
    """A dispatcher in this process, called as the owner of its store."""

    def __init__(self, dispatcher: "Dispatcher") -> None:
        self._dispatcher = dispatcher

    async def call(
        self,
        request: Message,
        answer: type[Answer],
        timeout_seconds: float = CALL_TIMEOUT_SECONDS,  # noqa: ARG002 - only what is far away can be late
    ) -> Answer:
        """Call the dispatcher, which is waited for however long it takes: nothing can be lost on the way."""
        found = await self._dispatcher.unary(method_of(request), {}, lambda: (request, None), owner=True)
        if isinstance(found, Status):
            raise failed_call(found.code, status.read(found))
        if not isinstance(found, answer):
            raise TypeError(f"{method_of(request)} answers with {type(found).__name__}, not {answer.__name__}")
        return found

    async def stream(
        self,
        request: Message,
        answer: type[Answer],
        timeout_seconds: float | None = None,  # noqa: ARG002 - as for a call
    ) -> AsyncGenerator[Answer]:
        """Follow a stream of the dispatcher."""
        stream = self._dispatcher.stream(method_of(request), {}, lambda: (request, None), owner=True)
        async with aclosing(stream) as answers:
            async for found in answers:
                if isinstance(found, Status):
                    raise failed_call(found.code, status.read(found))
                if not isinstance(found, answer):
                    raise TypeError(f"{method_of(request)} streams {type(found).__name__}, not {answer.__name__}")
                yield found


@asynccontextmanager
async def connect(target: Target, *, may_open: bool = True) -> AsyncIterator[Connection]:
    """Connect to a target until the block ends. Raises CommandFailed (unreachable) when nothing is there.

    With ``may_open`` a directory that nobody holds is held by this process meanwhile; without it, only one that runs
    already is asked.
    """
    async with AsyncExitStack() as closing:
        if target.address:
            peer = _read_peer(target)
            yield OverChannel(await closing.enter_async_context(_channel_to(peer)), str(peer), target.key)
        elif await asyncio.to_thread(target.data.is_dir):
            yield await _as_owner(closing, target.data, may_open=may_open)
        else:
            advice = (
                "Start one with `understudy serve`, or name a server with --server HOST:PORT (or UNDERSTUDY_SERVER)."
            )
            raise CommandFailed(ExitCode.UNREACHABLE, f"there is no data directory {target.data}", advice)


def _read_peer(target: Target) -> Peer:
    try:
        return read_peer(target.address, target.ca)
    except ValueError as error:
        raise CommandFailed(ExitCode.USAGE, str(error)) from error


def _channel_to(peer: Peer) -> grpc.aio.Channel:
    if peer.credentials is None:
        return grpc.aio.insecure_channel(str(peer.address), options=_CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(str(peer.address), peer.credentials, options=_CHANNEL_OPTIONS)


async def _as_owner(closing: AsyncExitStack, data: Path, *, may_open: bool) -> Connection:
    """Speak to the process that holds the directory, or hold it ourselves.

    A process may hold it and not answer for a moment: another command, or a server that starts or stops. That is
    waited for.
    """
    path, loop = data / OWNER_SOCKET, asyncio.get_running_loop()
    deadline = loop.time() + OWNER_WAIT_SECONDS
    while True:
        if _is_answered(path):
            channel = grpc.aio.insecure_channel(f"unix:{path.absolute()}", options=_CHANNEL_OPTIONS)
            return OverChannel(await closing.enter_async_context(channel), f"the server that owns {data}")
        if not may_open:
            advice = f"Start one: `understudy serve --data {data}`."
            raise CommandFailed(ExitCode.UNREACHABLE, f"no server runs on the data directory {data}", advice)
        from understudy_server.cli.embedded import DirectoryInUse, embedded_dispatcher

        try:
            return InProcess(await closing.enter_async_context(embedded_dispatcher(data)))
        except DirectoryInUse as error:
            if loop.time() >= deadline:
                raise CommandFailed(ExitCode.UNREACHABLE, f"{error.message}, and it does not answer") from error
        await asyncio.sleep(_OWNER_LOOK_SECONDS)


def _is_answered(path: Path) -> bool:
    """True when a process listens on the socket; a socket left behind by a killed one is not answered."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
