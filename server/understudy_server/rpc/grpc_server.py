"""The gRPC door: bytes in, bytes out, everything between is the dispatcher's."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from understudy import request_ids, status
from understudy.status import Problem

from understudy_server.app.beside import beside
from understudy_server.rpc import long_messages
from understudy_server.rpc.dispatcher import Decode, Dispatcher
from understudy_server.rpc.table import Kind, Rpc, service_names

# A gateway elsewhere hands over what it could not read, to be raised at its place in the order.
REFUSAL = "understudy-refusal-bin"
# A manifest is one message, and its files may hold so much.
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
# A status travels in the trailers, as base64 and beside its message, and there many clients take 8 KiB at most.
_STATUS_BYTES_MAX = 5_000

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""Looks at what it takes to serve: what is wrong with each thing, by its name; the empty text when nothing is."""


async def _nothing_to_look_at() -> Mapping[str, str]:
    """Nothing is wrong with a server that takes work."""
    return {}


class GrpcServer:
    """Serves the contract, health and reflection on one address. As the owner's door it asks for no key.

    Its health is not serving before `take_work`, and from then on until `drain` what ``ready`` finds.
    """

    def __init__(self, dispatcher: Dispatcher, *, owner: bool = False, ready: Ready = _nothing_to_look_at) -> None:
        self._server = grpc.aio.server(
            options=[
                # Without this, two servers share a port and neither notices.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                # Who follows a stream asks now and then whether we are there; by default that counts as abuse.
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ]
        )
        self._health = _Health(ready)
        self._server.add_generic_rpc_handlers((_Handlers(dispatcher, owner=owner),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (*service_names(), health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )

    async def start(self, address: str, credentials: grpc.ServerCredentials | None = None) -> str:
        """Listen on ``HOST:PORT`` (0: any free port) or ``unix:PATH`` (made with mode 0600); returns the address bound.

        With ``credentials`` it speaks TLS, else it is plain. Raises OSError when the address cannot be had.
        """
        mask = os.umask(0o177)
        try:
            if credentials is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        finally:
            os.umask(mask)
        # Before anybody can ask: the other listeners do not accept yet.
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._server.start()
        return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"

    async def take_work(self) -> None:
        """Say to whoever asks for its health that it takes work, as long as nothing is wrong."""
        await self._say(health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Say to whoever asks for its health that it takes no new work; it still does."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_seconds: float) -> None:
        """Refuse new calls, give those under way some time, then end them."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_seconds)

    async def _say(self, serving: int) -> None:
        for name in ("", *service_names()):
            await self._health.set(name, serving)


# The class that it extends is published without type information.
class _Health(health.aio.HealthServicer):  # type: ignore[misc]
    """``Check`` looks whenever it is asked; ``Watch`` tells when the server begins and ceases to take work."""

    def __init__(self, ready: Ready) -> None:
        super().__init__()
        self._ready = ready

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - as the service spells it
        """Say whether a service, or the whole server, takes work; ``NOT_FOUND`` when there is no such service."""
        answer = await super().Check(request, context)
        serving = health_pb2.HealthCheckResponse.SERVING
        if answer.status == serving and any((await self._ready()).values()):
            return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.NOT_SERVING)
        return answer


class _Handlers(grpc.GenericRpcHandler):
    """Finds the handler of a method. Requests stay bytes, so that they are read inside the chain of checks."""

    def __init__(self, dispatcher: Dispatcher, *, owner: bool) -> None:
        self._dispatcher = dispatcher
        self._owner = owner
        # Of methods that there are, each when it is first called.
        self._handlers: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method = handler_call_details.method
        handler = self._handlers.get(method)
        if handler is None and (rpc := self._dispatcher.find(method)) is not None:
            handler = self._handlers[method] = self._handler(rpc)
        return handler

    def _handler(self, rpc: Rpc) -> Any:
        if rpc.kind is Kind.STREAMS:
            return grpc.unary_stream_rpc_method_handler(self._streaming(rpc))
        return grpc.unary_unary_rpc_method_handler(self._unary(rpc))

    def _unary(self, rpc: Rpc) -> Any:
        async def serve(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            metadata = _metadata(context)
            await _under_an_id(metadata, context)
            decode = _decode(rpc, request, metadata)
            answer = await self._dispatcher.unary(rpc.method, metadata, decode, owner=self._owner)
            return await _bytes_of(answer, context)

        return serve

    def _streaming(self, rpc: Rpc) -> Any:
        async def serve(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[bytes]:
            metadata = _metadata(context)
            await _under_an_id(metadata, context)
            decode = _decode(rpc, request, metadata)
            async with aclosing(self._dispatcher.stream(rpc.method, metadata, decode, owner=self._owner)) as answers:
                async for answer in answers:
                    yield await _bytes_of(answer, context)

        return serve


async def _bytes_of(answer: Message | Status, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
    if isinstance(answer, Status):
        refusal = rpc_status.to_status(status.within(answer, _STATUS_BYTES_MAX))
        told = (*refusal.trailing_metadata, (request_ids.HEADER, request_ids.CURRENT.get()))
        await context.abort_with_status(refusal._replace(trailing_metadata=told))
    if long_messages.is_long(answer):
        return await beside(partial(long_messages.write, answer))
    return answer.SerializeToString()


def _metadata(context: grpc.aio.ServicerContext[Any, Any]) -> dict[str, Any]:
    """The metadata of a call; of a name that is given twice, the first value counts, as over REST."""
    return dict(reversed(tuple(context.invocation_metadata() or ())))


async def _under_an_id(metadata: Mapping[str, Any], context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Choose the id of this call, and tell it in the metadata before the answer to a caller that sent one.

    Metadata of its own makes a call cost a sixth more: who sent none learns the id when the call fails, and it is of
    use.
    """
    given = metadata.get(request_ids.HEADER)
    request_id = request_ids.chosen(given)
    request_ids.CURRENT.set(request_id)
    if given is not None:
        await context.send_initial_metadata(((request_ids.HEADER, request_id),))


def _decode(rpc: Rpc, request: bytes, metadata: Mapping[str, Any]) -> Decode:
    def decode() -> tuple[Message, Status | None]:
        try:
            message = long_messages.read(rpc.request, request)
        except DecodeError:
            problem = Problem("invalid_request", f"the bytes are not a {rpc.request.DESCRIPTOR.name}")
            return rpc.request(), status.write(Code.INVALID_ARGUMENT, problem)
        return message, _refusal(metadata.get(REFUSAL))

    return decode


def _refusal(given: bytes | None) -> Status | None:
    """What a gateway could not read. It only ever shapes the answer to the very caller that sent it."""
    if given is None:
        return None
    try:
        refusal = Status.FromString(given)
    except DecodeError:
        refusal = Status()
    # A refusal refuses, whatever it says.
    return refusal if refusal.code else status.write(Code.INVALID_ARGUMENT, Problem("invalid_request", "unreadable"))
