"""What is no route of the contract: the OpenAPI document, the page that shows it, and the health of the server.

The page has its assets from this machine alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module

from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from understudy_gateway import docs_page
from understudy_gateway.answers import Answer, method_not_allowed, route_not_found
from understudy_gateway.health_pages import health_routes
from understudy_gateway.readiness import Ready, nothing_to_look_at
from understudy_gateway.transcoding.json_encode import dump

Handler = Callable[[Request, Exception], Awaitable[Response]]


def build_pages(
    refuse: Callable[[Status], Answer], ready: Ready = nothing_to_look_at, more: Sequence[BaseRoute] = ()
) -> Starlette:
    """Build the pages and ``more``; ``refuse`` writes the answer for every other path, and for other methods on these.

    Beside the event loop: it takes tens of milliseconds the first time, with what the pages import when they are asked.
    """
    with suppress(ImportError):
        # What reads files for the framework, which would import it with the first of them, in the event loop.
        import_module("anyio._backends._asyncio")
    return Starlette(
        routes=[
            *more,
            Route("/", _root),
            Route("/docs", _docs),
            Mount("/docs/assets", StaticFiles(directory=docs_page.assets())),
            Route("/openapi.json", _openapi),
            *health_routes(ready),
        ],
        exception_handlers={404: _not_found(refuse), 405: _method_not_allowed(refuse)},
    )


# Coroutines, because the framework takes a plain function to a thread, which a refusal is not worth.
def _not_found(refuse: Callable[[Status], Answer]) -> Handler:
    async def handle(_request: Request, _error: Exception) -> Response:
        return _response(refuse(route_not_found()))

    return handle


def _method_not_allowed(refuse: Callable[[Status], Answer]) -> Handler:
    async def handle(request: Request, _error: Exception) -> Response:
        return _response(refuse(method_not_allowed(request.method)).with_header(b"allow", b"GET, HEAD"))

    return handle


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {name.decode(): value.decode() for name, value in answer.headers})


async def _root(_request: Request) -> Response:
    return RedirectResponse("docs")


async def _docs(_request: Request) -> Response:
    return HTMLResponse(docs_page.page("Understudy API", "docs/assets/"))


async def _openapi(_request: Request) -> Response:
    return Response(await asyncio.to_thread(_document_text), media_type="application/json")


@cache
def _document_text() -> bytes:
    # Made when first asked for, beside the event loop: it takes as long as a third of the start.
    from understudy_gateway.transcoding.openapi import document  # noqa: PLC0415 - of no use to anything else

    return dump(document())
