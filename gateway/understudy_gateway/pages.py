"""What is no route of the contract: the OpenAPI document, the page that shows it, and the health of the server.

The page has its assets from this machine alone.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from understudy_gateway.answers import Answer, method_not_allowed, route_not_found
from understudy_gateway.health_pages import Ready, health_routes, nothing_to_look_at
from understudy_gateway.transcoding.json_encode import dump
from understudy_gateway.transcoding.openapi import document

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Understudy API</title>
<link rel="icon" href="docs/assets/favicon.png">
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null});
</script>
</body>
</html>
"""


def build_pages(refuse: Callable[[Status], Answer], ready: Ready = nothing_to_look_at) -> Starlette:
    """Build the pages; ``refuse`` writes the answer for every other path, and for other methods on these."""
    return Starlette(
        routes=[
            Route("/", _root),
            Route("/docs", _docs),
            Mount("/docs/assets", StaticFiles(directory=_assets())),
            Route("/openapi.json", _openapi),
            *health_routes(ready),
        ],
        exception_handlers={404: _not_found(refuse), 405: _method_not_allowed(refuse)},
    )


def _not_found(refuse: Callable[[Status], Answer]) -> Callable[[Request, Exception], Response]:
    return lambda _request, _error: _response(refuse(route_not_found()))


def _method_not_allowed(refuse: Callable[[Status], Answer]) -> Callable[[Request, Exception], Response]:
    return lambda request, _error: _response(
        refuse(method_not_allowed(request.method)).with_header(b"allow", b"GET, HEAD")
    )


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {name.decode(): value.decode() for name, value in answer.headers})


def _assets() -> Path:
    """Find the folder of Swagger UI in the package that carries it, without importing the framework it is made for."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package fastapi-offline, which carries the files of the docs page, is not installed")
    return Path(spec.submodule_search_locations[0]) / "static"


async def _root(_request: Request) -> Response:
    return RedirectResponse("docs")


async def _docs(_request: Request) -> Response:
    return HTMLResponse(_PAGE)


async def _openapi(_request: Request) -> Response:
    return Response(_document_text(), media_type="application/json")


@cache
def _document_text() -> bytes:
    # Made when first asked for: it takes longer than all the rest of the start.
    return dump(document())
