"""The ASGI endpoint of every route of the contract: find the route, read the request, call, answer."""

import asyncio
from functools import partial
from typing import NamedTuple

from google.rpc.status_pb2 import Status

from understudy_gateway import answers
from understudy_gateway.answers import Answer, Dialect
from understudy_gateway.backend import Backend, Decode
from understudy_gateway.sse import EventStream, Timing, event, until_disconnected
from understudy_gateway.transcoding.operations import AUTHORIZATION, CONTENT_LENGTH, TRACE_CONTEXT, Operation
from understudy_gateway.transcoding.requests import RequestParts
from understudy_gateway.transcoding.responses import Headers
from understudy_gateway.transcoding.routes import BadEncoding, MethodNotAllowed, PathNotFound, RouteTree
from understudy_gateway.transcoding.spelling import spelled
from understudy_gateway.wire import (
    App,
    BadLength,
    BodyTooLarge,
    Disconnected,
    Receive,
    Scope,
    Send,
    pick_headers,
    raw_path,
    read_body,
    send_answer,
)

QUERY_PLACE_PREFIX = "understudy-query-"
"""Before ``project`` or ``environment``: metadata with what the query named beside a body, which may name another."""


LARGE_BYTES = 128 * 1024
"""An answer of more bytes takes milliseconds to be written, and is written beside the event loop."""


_STREAM_HEADERS: Headers = [(b"cache-control", b"no-store")]


class _Call(NamedTuple):
    """A request that has been read as HTTP and not yet as a message."""

    operation: Operation
    metadata: dict[str, str]
    decode: Decode


class Endpoint:
    """Serves the routes; a path that none of them has goes to ``otherwise``."""

    def __init__(
        self,
        backend: Backend,
        routes: RouteTree[Operation],
        dialect: Dialect,
        otherwise: App,
        *,
        body_bytes_max: int,
        timing: Timing,
    ) -> None:
        self._backend = backend
        self._routes = routes
        self._dialect = dialect
        self._otherwise = otherwise
        self._body_bytes_max = body_bytes_max
        self._timing = timing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request. Whatever goes wrong is answered in the dialect's envelope."""
        head = scope["method"] == "HEAD"
        try:
            prepared = await self._prepare(scope, receive)
            if isinstance(prepared, _Call):
                if prepared.operation.streams:
                    refused = await self._stream(prepared, receive, send)
                    if refused is None:
                        return
                    prepared = refused
                else:
                    prepared = await (
                        self._waited(prepared, receive) if prepared.operation.waits else self._unary(prepared)
                    )
        except PathNotFound:
            await self._otherwise(scope, receive, send)
            return
        except Disconnected:
            return
        # The last line of defence: the client learns that we failed, the log learns why.
        except Exception as error:  # noqa: BLE001
            prepared = self._dialect.refuse(answers.unexpected(error))
        await send_answer(send, prepared, head=head)

    async def _prepare(self, scope: Scope, receive: Receive) -> _Call | Answer:
        """Find the route and read the request as HTTP, or say why not. Raises ``PathNotFound`` and ``Disconnected``."""
        method, bytes_max = scope["method"], self._body_bytes_max
        try:
            match = self._routes.find(method, raw_path(scope))
            operation = match.target
            request = operation.request
            headers = pick_headers(scope["headers"], operation.headers)
            body = b""
            if request.reads_body:
                bytes_max = max(bytes_max, operation.body_bytes_max)
                body = await read_body(headers.get(CONTENT_LENGTH), receive, bytes_max)
        except BadEncoding:
            return self._refuse(answers.bad_request("The path is not percent-encoded UTF-8.", "encoding"))
        except MethodNotAllowed as error:
            return self._other_method(method, error.allowed)
        except BodyTooLarge:
            return self._refuse(answers.body_too_large(bytes_max))
        except BadLength:
            return self._refuse(answers.bad_request("The body is not as long as its Content-Length says.", "length"))
        parts = RequestParts(match.values, scope["query_string"], headers, body)
        return _Call(operation, _metadata(operation, parts), lambda: request.decode(parts))

    async def _unary(self, call: _Call) -> Answer:
        answer = await self._backend.unary(call.operation.rpc, call.metadata, call.decode)
        if isinstance(answer, Status):
            return self._refuse_call(call.operation, answers.presentable(answer))
        encode = call.operation.response.encode
        large = answer.ByteSize() > LARGE_BYTES
        content = await asyncio.to_thread(encode, answer) if large else encode(answer)
        return Answer(200, [(b"content-type", content.content_type), *content.headers], content.body)

    async def _waited(self, call: _Call, receive: Receive) -> Answer:
        """Serve a call that may wait; it is cancelled when the client goes. Raises ``Disconnected`` then."""
        answer = asyncio.create_task(self._unary(call))
        gone = asyncio.create_task(until_disconnected(receive))
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise Disconnected
            return answer.result()
        finally:
            answer.cancel()
            gone.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)

    async def _stream(self, call: _Call, receive: Receive, send: Send) -> Answer | None:
        """Serve a stream, or say what refuses it."""
        items = self._backend.stream(call.operation.rpc, call.metadata, call.decode)
        refuse = partial(self._refuse_call, call.operation)
        stream = EventStream(
            write=lambda message: event(call.operation.response.encode(message).body),
            fail=lambda refusal: event(refuse(refusal).body, b"error"),
            timing=self._timing,
            headers=_STREAM_HEADERS,
        )
        refused = await stream.serve(items, receive, send)
        return None if refused is None else refuse(refused)

    def _other_method(self, method: str, known: list[str]) -> Answer:
        answer = Answer(204, []) if method == "OPTIONS" else self._refuse(answers.method_not_allowed(method))
        return answer.with_header(b"allow", ", ".join(sorted({*known, "OPTIONS"})).encode())

    def _refuse_call(self, operation: Operation, refusal: Status) -> Answer:
        return self._refuse(spelled(refusal, operation.request.spelling))

    def _refuse(self, refusal: Status) -> Answer:
        return self._dialect.refuse(refusal)


def _metadata(operation: Operation, parts: RequestParts) -> dict[str, str]:
    """Return what the call carries beside its message: the caller's key, untouched, and never a cookie."""
    places = operation.request.places(parts.query)
    metadata = {QUERY_PLACE_PREFIX + name: value for name, value in places.items()}
    if AUTHORIZATION in parts.headers:
        metadata["authorization"] = parts.headers[AUTHORIZATION].decode("latin-1")
    for name in TRACE_CONTEXT:
        if name in parts.headers:
            metadata[name.decode()] = parts.headers[name].decode("latin-1")
    return metadata
