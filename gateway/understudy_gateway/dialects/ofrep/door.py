"""The door of the protocol as an ASGI application: find what is asked for, call, answer."""

import asyncio
from typing import Final

from google.rpc.status_pb2 import Status
from understudy.v1.evaluation_service_pb2 import EvaluateBatchResponse, EvaluateResponse

from understudy_gateway import answers
from understudy_gateway.answers import Answer
from understudy_gateway.backend import Backend
from understudy_gateway.dialects import browsers
from understudy_gateway.dialects.ofrep import answering, carried
from understudy_gateway.dialects.ofrep.asking import Asking
from understudy_gateway.dialects.ofrep.paths import Asked, find
from understudy_gateway.dialects.ofrep.refusing import refuse
from understudy_gateway.dialects.session_headers import SessionHeaders
from understudy_gateway.entity_tags import IF_NONE_MATCH
from understudy_gateway.transcoding.operations import CONTENT_LENGTH
from understudy_gateway.transcoding.responses import Headers
from understudy_gateway.transcoding.routes import BadEncoding
from understudy_gateway.wire import (
    App,
    BadLength,
    BodyTooLarge,
    Disconnected,
    Receive,
    Scope,
    Send,
    raw_path,
    read_body,
    send_answer,
)

_LARGE_BYTES: Final = 128 * 1024
"""An answer of more bytes takes milliseconds to be written, and is written beside the event loop."""

_ALLOWED: Final = b"OPTIONS, POST"
_READABLE: Final = browsers.readable(b"etag", b"retry-after", b"x-request-id")


def build_door(backend: Backend, otherwise: App, *, body_bytes_max: int) -> App:
    """Build the door over a backend, which the caller closes. What is none of the protocol's goes to ``otherwise``.

    ``body_bytes_max``: a longer request body is refused before more of it is kept.
    """
    return _Door(backend, otherwise, body_bytes_max)


class _Door:
    def __init__(self, backend: Backend, otherwise: App, body_bytes_max: int) -> None:
        self._backend = backend
        self._otherwise = otherwise
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        key: str | None = None
        given = carried.read(scope["headers"])
        try:
            asked = find(raw_path(scope))
            if asked is None:
                await self._otherwise(scope, receive, send)
                return
            key = asked.key
            answer = await self._answer(asked, given, scope, receive)
        except Disconnected:
            return
        except BadEncoding:
            answer = refuse(answers.bad_request("The path is not percent-encoded UTF-8.", "encoding"), "")
        # The last line of defence: the client learns that we failed, the log learns why.
        except Exception as error:  # noqa: BLE001
            answer = refuse(answers.unexpected(error), key)
        if browsers.ORIGIN in given.named:
            answer = answer._replace(headers=[*answer.headers, *_READABLE])
        await send_answer(send, answer, head=scope["method"] == "HEAD")

    async def _answer(self, asked: Asked, given: SessionHeaders, scope: Scope, receive: Receive) -> Answer:
        method = scope["method"]
        if method != "POST":
            return _options(scope["headers"]) if method == "OPTIONS" else _other_method(method, asked)
        try:
            body = await read_body(given.named.get(CONTENT_LENGTH), receive, self._body_bytes_max)
        except BodyTooLarge:
            return refuse(answers.body_too_large(self._body_bytes_max), asked.key)
        except BadLength:
            said = "The body is not as long as its Content-Length says."
            return refuse(answers.bad_request(said, "length"), asked.key)
        asking = Asking(asked, given, scope["query_string"], body)
        found = await self._backend.unary(asking.rpc, carried.metadata(given), asking.decode)
        if isinstance(found, EvaluateResponse):
            return answering.one(found)
        if isinstance(found, EvaluateBatchResponse):
            tags = given.named.get(IF_NONE_MATCH, b"")
            if found.ByteSize() > _LARGE_BYTES:
                return await asyncio.to_thread(answering.all_of, found, tags)
            return answering.all_of(found, tags)
        if isinstance(found, Status):
            return refuse(answers.presentable(found), asked.key)
        raise TypeError(f"{asking.rpc} answered with {found.DESCRIPTOR.full_name}")


def _options(lines: Headers) -> Answer:
    """The answer to OPTIONS, be it a browser that asks or anybody else."""
    told = [(b"allow", _ALLOWED)]
    if any(name == browsers.ASKED_METHOD for name, _ in lines):
        told += browsers.preflight(lines, b"POST")
    return Answer(204, told)


def _other_method(method: str, asked: Asked) -> Answer:
    refused = refuse(answers.method_not_allowed(method), asked.key)
    return refused._replace(status=405).with_header(b"allow", _ALLOWED)
