"""The gateway as one ASGI application: the routes of the contract, their document, and a page to read it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from understudy_gateway.backend import Backend
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings
from understudy_gateway.dialects.flowmock import FlowMock
from understudy_gateway.endpoint import Endpoint
from understudy_gateway.readiness import Ready, nothing_to_look_at
from understudy_gateway.request_id import under_an_id
from understudy_gateway.sse import Timing
from understudy_gateway.transcoding.contract import Contract, services_of_understudy
from understudy_gateway.transcoding.operations import Operation, compile_routes
from understudy_gateway.transcoding.routes import RouteTree
from understudy_gateway.wire import App, Receive, Scope, Send, raw_path

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

BODY_BYTES_MAX = 2 * 1024 * 1024
"""A mock's body may have 1 MiB; base64 makes it a third longer, and the rest of the request needs room too."""

_FLAGBRIDGE = b"/v1/"

_OFREP = b"/ofrep/v1/"


def build_app(
    backend: Backend,
    *,
    body_bytes_max: int = BODY_BYTES_MAX,
    timing: Timing | None = None,
    contract: Contract | None = None,
    ready: Ready = nothing_to_look_at,
    flagbridge: FlagBridgeSettings | None = None,
    more_pages: "Sequence[BaseRoute]" = (),
) -> App:
    """Build the gateway over a backend, which the caller closes.

    ``body_bytes_max``: a longer request body is refused with 413 before more of it is kept, unless the contract allows
    the route more. ``ready`` is what ``/health/ready`` tells. ``flagbridge``: settings of the dialect at ``/v1``.
    ``timing`` of streams and ``contract`` (default: Understudy's own) are for the rare caller that needs others, and
    ``more_pages`` for one that has pages of its own: no route of the contract has their paths.
    """
    dialect = FlowMock()

    def make_pages() -> App:
        from understudy_gateway.pages import build_pages  # noqa: PLC0415 - see _Late

        return build_pages(dialect.refuse, ready, more_pages)

    pages = _Late(make_pages)
    endpoint = Endpoint(
        backend,
        compile_routes(contract) if contract else _own_routes(),
        dialect,
        pages,
        body_bytes_max=body_bytes_max,
        timing=timing or Timing(),
    )

    def make_ofrep() -> App:
        from understudy_gateway.dialects.ofrep.door import build_door  # noqa: PLC0415 - most runs evaluate no flags

        return build_door(backend, endpoint, body_bytes_max=body_bytes_max)

    def make_flagbridge() -> App:
        from understudy_gateway.dialects.flagbridge.door import Door  # noqa: PLC0415 - most runs evaluate no flags

        return Door(backend, flagbridge or FlagBridgeSettings())

    ofrep, bridge = _Late(make_ofrep), _Late(make_flagbridge)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = raw_path(scope)
            door = ofrep if path.startswith(_OFREP) else bridge if path.startswith(_FLAGBRIDGE) else endpoint
            await door(scope, receive, under_an_id(scope, send))
        else:
            await pages(scope, receive, send)

    return app


class _Late:
    """An application that is made when it is first asked for, beside the event loop.

    What the pages are made with takes longer to import than the gateway, and most runs never look at one; dialects that
    many never speak are not imported either.
    """

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make
        self._app: App | None = None
        self._making: asyncio.Future[App] | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request. Once it is made, nothing stands between."""
        return (self._app or self._first)(scope, receive, send)

    async def _first(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make it. Whoever asks meanwhile waits for the same one, and none of them can break it off."""
        if self._making is None:
            self._making = asyncio.ensure_future(asyncio.to_thread(self._make))
            self._making.add_done_callback(self._keep)
        app = await asyncio.shield(self._making)
        await app(scope, receive, send)

    def _keep(self, made: "asyncio.Future[App]") -> None:
        # What failed is tried anew by whoever asks next.
        self._making = None
        if not made.cancelled() and made.exception() is None:
            self._app = made.result()


@cache
def _own_routes() -> RouteTree[Operation]:
    """The routes of Understudy's own contract. They are the same for every app, and are never changed."""
    return compile_routes(services_of_understudy(), whole=False)
