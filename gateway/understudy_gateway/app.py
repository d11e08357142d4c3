"""The gateway as one ASGI application: the routes of the contract, their document, and a page to read it."""

from understudy_gateway.backend import Backend
from understudy_gateway.dialects.flowmock import FlowMock
from understudy_gateway.endpoint import Endpoint
from understudy_gateway.pages import build_pages
from understudy_gateway.sse import Timing
from understudy_gateway.transcoding.contract import Contract, understudy
from understudy_gateway.transcoding.operations import compile_routes
from understudy_gateway.wire import App, Receive, Scope, Send

BODY_BYTES_MAX = 2 * 1024 * 1024
"""A mock's body may have 1 MiB; base64 makes it a third longer, and the rest of the request needs room too."""


def build_app(
    backend: Backend,
    *,
    body_bytes_max: int = BODY_BYTES_MAX,
    timing: Timing | None = None,
    contract: Contract | None = None,
) -> App:
    """Build the gateway over a backend, which the caller closes.

    ``body_bytes_max``: a longer request body is refused with 413 before more of it is kept, unless the contract allows
    the route more. ``timing`` of streams and ``contract`` (default: Understudy's own) are for the rare caller that
    needs others.
    """
    dialect = FlowMock()
    pages = build_pages(dialect.refuse)
    endpoint = Endpoint(
        backend,
        compile_routes(contract or understudy()),
        dialect,
        pages,
        body_bytes_max=body_bytes_max,
        timing=timing or Timing(),
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (endpoint if scope["type"] == "http" else pages)(scope, receive, send)

    return app
