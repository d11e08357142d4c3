"""The door itself, an ASGI application: who asks, how often, for what; and how a refusal is written."""

from typing import Final

import msgspec

from understudy_gateway import answers
from understudy_gateway.answers import Answer
from understudy_gateway.backend import Backend
from understudy_gateway.dialects import browsers
from understudy_gateway.dialects.flagbridge import events, tokens
from understudy_gateway.dialects.flagbridge.asking import Asked, answer
from understudy_gateway.dialects.flagbridge.callers import Caller, Callers, bearer
from understudy_gateway.dialects.flagbridge.evaluating import speaks_sdk
from understudy_gateway.dialects.flagbridge.rates import WINDOW_MS, Rates, Standing
from understudy_gateway.dialects.flagbridge.refusals import (
    RATE_LIMITED,
    UNAUTHORIZED,
    Refusal,
    forbidden,
    invalid,
    not_found,
    of_status,
    too_large,
)
from understudy_gateway.dialects.flagbridge.routes import compile_routes
from understudy_gateway.dialects.flagbridge.server import Server
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings
from understudy_gateway.dialects.flagbridge.texts import object_of
from understudy_gateway.dialects.session_headers import SessionHeaders, Wanted
from understudy_gateway.transcoding.operations import AUTHORIZATION, CONTENT_LENGTH, TRACE_CONTEXT
from understudy_gateway.transcoding.responses import Headers
from understudy_gateway.transcoding.routes import BadEncoding, MethodNotAllowed, PathNotFound
from understudy_gateway.wire import (
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

_CORS: Final = browsers.readable(
    b"X-RateLimit-Limit", b"X-RateLimit-Remaining", b"X-RateLimit-Reset", b"Retry-After", b"X-Request-Id"
)
_METHODS: Final = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
_DOCUMENTED: Final = (b"Authorization", b"Content-Type", b"X-FlagBridge-Session")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_NO_REQUEST: Final = (BadEncoding, PathNotFound, MethodNotAllowed, BodyTooLarge, BadLength)
_WANTED: Final = Wanted(own=(AUTHORIZATION, CONTENT_LENGTH), also=(browsers.ORIGIN, *TRACE_CONTEXT))


class Door:
    """Serves ``/v1``. Whatever goes wrong is answered in FlagBridge's words."""

    def __init__(self, backend: Backend, settings: FlagBridgeSettings) -> None:
        self._backend = backend
        self._settings = settings
        self._routes = compile_routes()
        self._callers = Callers()
        self._rates = Rates(settings.requests_a_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        turn = _Turn(_WANTED.read(scope["headers"]))
        try:
            given = await self._serve(scope, receive, send, turn)
        except Disconnected:
            return
        except _NO_REQUEST as error:
            given = _no_request(error, self._settings.body_bytes_max)
        except Refusal as error:
            standing = turn.standing or self._nobody()
            if error.code == RATE_LIMITED and not standing.is_over:
                # The server counts too, its own calls, and for all gateways together: what it says holds.
                turn.standing = standing.refused(error.retry_after_seconds, self._settings.clock())
            given = _refused(error, turn.body)
        # The last line of defence: the client learns that we failed, the log learns why.
        except Exception as error:  # noqa: BLE001
            given = _refused(of_status(answers.unexpected(error)), turn.body)
        if given is not None:
            await send_answer(send, given, also=self._about(turn), head=scope["method"] == "HEAD")

    async def _serve(self, scope: Scope, receive: Receive, send: Send, turn: "_Turn") -> Answer | None:
        method = scope["method"]
        if method == "OPTIONS":
            return Answer(204, browsers.preflight(scope["headers"], _METHODS, _DOCUMENTED))
        route, path = self._routes.find(method, raw_path(scope))
        named = turn.headers.named
        if method in _WITH_BODY:
            turn.body = await read_body(named.get(CONTENT_LENGTH), receive, self._settings.body_bytes_max)
        authorization = named.get(AUTHORIZATION, b"").decode("latin-1")
        metadata = _trace_of(named)
        remembered = self._callers.remembered(authorization)
        # That a key works is asked now, or by the call that is made with it.
        is_sure = remembered is None or route.scopes is None
        if route.scopes is None:
            server, caller = Server(self._settings.trusted or self._backend, metadata), _NOBODY
        elif remembered is None:
            server, caller = await self._admit(authorization, metadata)
        else:
            metadata["authorization"] = authorization
            server, caller = Server(self._backend, metadata), remembered
        asked = Asked(server, self._settings, caller, path, scope["query_string"], turn.headers, turn.body)
        try:
            if route.scopes is not None or turn.body:
                # Whoever tries passwords shares one limit with all who do.
                self._count(caller, turn)
            if route.scopes is not None and caller.scope not in route.scopes:
                raise forbidden(f"A key of the scope {caller.scope} may not do this.")
            if route.streams:
                await events.serve(asked, receive, send, self._about(turn))
                return None
            assert route.handler is not None  # noqa: S101 - for the type checker: all others have one
            return await route.handler(asked)
        except Refusal as error:
            if error.code == UNAUTHORIZED and authorization and route.scopes is not None:
                self._callers.forget(authorization)
            elif not is_sure and error.code != RATE_LIMITED:
                # Whatever else is wrong: a key that works no more is what is said first.
                await self._callers.look_up(authorization, server)
            raise

    async def _admit(self, authorization: str, metadata: dict[str, str]) -> tuple[Server, Caller]:
        """Find who asks. Raises Refusal."""
        text, login, trusted = bearer(authorization), self._settings.login, self._settings.trusted
        if tokens.looks_like_one(text) and login is not None and trusted is not None:
            email = tokens.read(text, login.secret, self._settings.clock())
            return Server(trusted, metadata), Caller(f"login {email}", "mgmt")
        metadata["authorization"] = f"Bearer {text}"
        server = Server(self._backend, metadata)
        return server, await self._callers.look_up(authorization, server)

    def _count(self, caller: Caller, turn: "_Turn") -> None:
        now_ms = self._settings.clock()
        turn.standing = standing = self._rates.count(caller.key_id, caller.scope, now_ms)
        if standing.is_over:
            wait = standing.seconds_left(now_ms)
            message = f"More than {standing.limit} requests in a minute; wait {wait} seconds."
            raise Refusal(429, RATE_LIMITED, message, wait)

    def _about(self, turn: "_Turn") -> Headers:
        """What every answer says of itself, and to browsers, which tell where the page is from, that it may be read."""
        standing = (turn.standing or self._nobody()).headers()
        return [*_CORS, *standing] if browsers.ORIGIN in turn.headers.named else standing

    def _nobody(self) -> Standing:
        """What is told before anybody is known: the whole of the lowest limit."""
        limit = self._settings.requests_a_minute.of(_NOBODY.scope)
        return Standing(limit, limit, self._settings.clock() + WINDOW_MS)


_NOBODY: Final = Caller("", "full")
"""One without a key that works is told the limit of the scope that may do everything."""


class _Turn(msgspec.Struct, gc=False):
    """What is known of a request so far, for whatever it is answered with."""

    headers: SessionHeaders
    standing: Standing | None = None
    body: bytes = b""


def _trace_of(headers: dict[bytes, bytes]) -> dict[str, str]:
    told = {}
    for name in TRACE_CONTEXT:
        if name in headers:
            told[name.decode()] = headers[name].decode("latin-1")
    return told


def _no_request(error: Exception, bytes_max: int) -> Answer:
    """The answer to what is none of the dialect's requests: the path, the method or the body is not one's."""
    if isinstance(error, MethodNotAllowed):
        refusal = Refusal(405, "METHOD_NOT_ALLOWED", "This path does not have that method.")
        allowed = ", ".join(sorted({*error.allowed, "OPTIONS"}))
        return _refused(refusal, b"").with_header(b"allow", allowed.encode())
    if isinstance(error, BodyTooLarge):
        return _refused(too_large(bytes_max), b"")
    if isinstance(error, BadLength):
        return _refused(invalid("The body is not as long as its Content-Length says."), b"")
    if isinstance(error, BadEncoding):
        return _refused(invalid("The path is not percent-encoded UTF-8."), b"")
    return _refused(not_found("There is no such route."), b"")


def _refused(refusal: Refusal, body: bytes) -> Answer:
    given = answer(refusal.body(nested=_is_sdk(body)), refusal.http_status)
    if refusal.http_status == 401:
        given = given.with_header(b"www-authenticate", b"Bearer")
    if refusal.retry_after_seconds or refusal.http_status == 429:
        given = given.with_header(b"retry-after", b"%d" % max(1, refusal.retry_after_seconds))
    return given


def _is_sdk(body: bytes) -> bool:
    """True when a body is one of the published clients', which read errors in another form."""
    if b"flag_key" not in body:
        return False
    try:
        return speaks_sdk(object_of(body))
    except Refusal:
        return False
