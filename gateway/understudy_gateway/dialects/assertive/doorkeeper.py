"""Takes the calls of the control plane: finds out what is asked for, asks the server, and answers.

Each call is in the scope whose name one of its headers has; those about scopes, and the pages, do not look. A call that
a browser makes for a page of another site is refused.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing
from typing import Any, Final, TypeVar

from understudy_gateway import answers
from understudy_gateway.answers import Answer
from understudy_gateway.backend import Backend
from understudy_gateway.dialects.assertive import (
    answering,
    asserting,
    making,
    payloads,
    reading,
    stubs,
    times,
    validation,
)
from understudy_gateway.dialects.assertive.control import Control, Found, find
from understudy_gateway.dialects.assertive.elsewhere import is_from_elsewhere
from understudy_gateway.dialects.assertive.kept_stubs import KeptStubs
from understudy_gateway.dialects.assertive.pages import Pages
from understudy_gateway.dialects.assertive.record import Record
from understudy_gateway.dialects.assertive.scopes import NAME_CHARACTERS_MAX, Ambiguous, Scopes, Taken, Unknown
from understudy_gateway.dialects.assertive.server import Refused, Server
from understudy_gateway.dialects.assertive.validation import Invalid
from understudy_gateway.request_id import under_an_id
from understudy_gateway.sse import until_disconnected
from understudy_gateway.wire import (
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

RECEIVED_NAMES: Final = "understudy.received_header_names"
"""Key in an ASGI scope: the names of the headers that the client sent, in lower case, each once. Whoever passes calls
on to here without some of their headers puts it there; without it they are those that came.
"""

T = TypeVar("T")
_WITH_A_BODY: Final = frozenset((Control.MAKE_STUB, Control.ASSERT, Control.MAKE_SCOPE))
_LONG_BYTES: Final = 64 * 1024
"""What a longer body asks for is worked out beside the event loop, and so much of a long list is sent at once."""

_REFUSES_A_STUB: Final = frozenset(
    ("invalid_field", "invalid_json", "already_exists", "session_mocks_full", "file_in_use")
)


class Call:
    """A call: what is asked for, its headers, and its body, empty where none is looked at.

    ``header_names`` are those that the client sent, in lower case.
    """

    def __init__(self, found: Found, scope: Scope, body: bytes) -> None:
        self.name = found.name
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        received: Collection[bytes] | None = scope.get(RECEIVED_NAMES)
        self.header_names = {name.lower() for name, _ in self.headers} if received is None else received
        self._body = body

    async def payload(self) -> Any:
        """The body as JSON. Raises Invalid."""
        content_type = pick_headers(self.headers, (b"content-type",)).get(b"content-type")
        return await self.work(
            reading.read, self._body, None if content_type is None else content_type.decode("latin-1")
        )

    async def work(self, function: Callable[..., T], *arguments: Any) -> T:
        """Do what takes the longer the longer the body is; if that is long, beside the event loop."""
        if len(self._body) > _LONG_BYTES:
            return await asyncio.to_thread(function, *arguments)
        return function(*arguments)


class Doorkeeper:
    """The control plane of one environment, as an ASGI application."""

    def __init__(self, backend: Backend, project: str, environment: str, body_bytes_max: int) -> None:
        server = Server(backend, project, environment)
        self._scopes = Scopes(server)
        self._stubs = KeptStubs(server, self._scopes)
        self._record = Record(server, self._scopes)
        self._body_bytes_max = body_bytes_max
        pages = Pages(self._scopes, self._stubs, self._record)
        self._take: Mapping[Control, Callable[[Call], Awaitable[Answer | AsyncGenerator[bytes, None]]]] = {
            Control.WELCOME: _welcome,
            Control.MAKE_STUB: self._make_stub,
            Control.LIST_STUBS: self._list_stubs,
            Control.DELETE_STUB: self._delete_stub,
            Control.LIST_REQUESTS: self._list_requests,
            Control.ASSERT: self._assert,
            Control.MAKE_SCOPE: self._make_scope,
            Control.LIST_SCOPES: self._list_scopes,
            Control.DELETE_SCOPE: self._delete_scope,
            **pages.takes(),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"the control plane does not speak {scope['type']}")
        await self._serve(scope, receive, under_an_id(scope, send))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answered = await self._answer(scope, receive)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - the last line of defence: the client learns that we failed
            answers.unexpected(error)
            answered = answering.failed("Internal Server Error", 500)
        if not isinstance(answered, Answer):
            # What goes wrong from here on ends the connection, so that half a list is not taken for the whole.
            await _send_parts(answered, receive, send)
            return
        await send_answer(send, answered, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | AsyncGenerator[bytes, None]:
        found = find(scope["method"], raw_path(scope).decode("latin-1"))
        if found is None:
            # Nobody hands over what is none of ours.
            return answering.failed("Not Found", 404)
        if is_from_elsewhere(scope["method"], scope["headers"]):
            return answering.from_elsewhere()
        body = b""
        try:
            if found.control in _WITH_A_BODY:
                length = pick_headers(scope["headers"], (b"content-length",)).get(b"content-length")
                body = await read_body(length, receive, self._body_bytes_max)
            return await self._take[found.control](Call(found, scope, body))
        except BodyTooLarge:
            return answering.failed(f"The body is longer than {self._body_bytes_max} bytes.", 413)
        except BadLength:
            return answering.failed("The body is not as long as its Content-Length says.", 400)
        except Ambiguous:
            return answering.ambiguous()
        except Invalid as invalid:
            return answering.invalid(invalid)
        except Refused as refused:
            return answering.refused(refused)

    async def _make_stub(self, call: Call) -> Answer:
        payload = await call.payload()
        stub = await call.work(stubs.translate, payload)
        scope = await self._scopes.of(call.header_names)
        try:
            stub_id = await self._stubs.make(stub, scope)
        except Refused as refused:
            if refused.reason not in _REFUSES_A_STUB:
                raise
            raise making.invalid(refused, payload) from refused
        return answering.answer({"success": True, "stub_id": stub_id})

    async def _list_stubs(self, call: Call) -> Answer:
        return answering.answer({"stubs": await self._stubs.views(await self._scopes.of(call.header_names))})

    async def _delete_stub(self, call: Call) -> Answer:
        scope = await self._scopes.of(call.header_names)
        try:
            await self._stubs.delete(call.name, scope)
        except Unknown:
            return answering.failed(f"Stub '{call.name}' was not found", 404)
        return answering.answer({"success": True, "stub_id": call.name})

    async def _list_requests(self, call: Call) -> AsyncGenerator[bytes, None]:
        views = self._record.views(await self._scopes.of(call.header_names))
        # Whatever goes wrong at the beginning is still answered as such.
        first = await anext(views, None)
        return _listed(b"requests", first, views)

    async def _assert(self, call: Call) -> Answer:
        payload = await call.payload()
        assertion = await call.work(asserting.translate, payload)
        scope = await self._scopes.of(call.header_names)
        try:
            least, most = await self._record.count(assertion.matcher, scope)
        except Refused as refused:
            if refused.reason != "invalid_field":
                raise
            raise making.invalid(refused, payload, within=("request",)) from refused
        verdict = await call.work(times.verdict, assertion.times, least, most)
        if verdict is None:
            detail = "It cannot be told: calls, or the whole of their bodies, are not on record any more."
            return answering.failed(detail, 500)
        return answering.answer({"result": verdict})

    async def _make_scope(self, call: Call) -> Answer:
        payload = await call.payload()
        name = payloads.scope_name(payload)
        if len(name) > NAME_CHARACTERS_MAX:
            message = f"The name of a scope has at most {NAME_CHARACTERS_MAX} characters."
            raise validation.refused(message, name, ("body", "name"))
        try:
            await self._scopes.make(name.lower())
        except Taken as taken:
            what = "a session that is found by its key" if taken.by_key else ""
            return answering.failed(f"Scope '{name}' already exists{' as ' if what else ''}{what}", 409)
        return answering.answer({"success": True, "name": name.lower()}, 201)

    async def _list_scopes(self, _call: Call) -> Answer:
        return answering.answer({"scopes": await self._scopes.names()})

    async def _delete_scope(self, call: Call) -> Answer:
        try:
            await self._scopes.delete(call.name.lower())
        except Unknown:
            return answering.failed(f"Scope '{call.name}' was not found", 404)
        return answering.answer({"success": True, "name": call.name.lower()})


async def _welcome(_call: Call) -> Answer:
    return answering.welcome()


async def _listed(name: bytes, first: Any, views: AsyncGenerator[Any, None]) -> AsyncGenerator[bytes, None]:
    """Write an object with one list, in parts: all of it may be more than anybody would hold."""
    async with aclosing(views):
        part = b'{"%b":[' % name
        if first is not None:
            part += answering.text_of(first)
            async for view in views:
                if len(part) >= _LONG_BYTES:
                    yield part
                    part = b""
                part += b"," + answering.text_of(view)
        yield part + b"]}"


async def _send_parts(parts: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    """Send an answer until it ends or nobody listens any more. What goes wrong is raised, with half of it sent."""
    sending = asyncio.create_task(_send_all(parts, send))
    gone = asyncio.create_task(until_disconnected(receive))
    try:
        await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        sending.cancel()
        gone.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)


async def _send_all(parts: AsyncGenerator[bytes, None], send: Send) -> None:
    async with aclosing(parts):
        begun = False
        async for part in parts:
            if not begun:
                await send({"type": "http.response.start", "status": 200, "headers": [answering.JSON]})
                begun = True
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
