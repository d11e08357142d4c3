"""A page to be posted to: it reads the body and answers as ``/docs`` does, with the same bytes each time.

No gateway has it but the benchmarks' own. What evaluates a flag is a POST with a body, which takes longer to come in
than the GET of a page, whoever answers it.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from understudy_gateway import docs_page
from understudy_gateway.app import BODY_BYTES_MAX
from understudy_gateway.wire import read_body

POSTED_PATH: Final = "/posted"


def posted_page() -> Route:
    """The page for ``build_app``."""
    return Route(POSTED_PATH, _posted, methods=["POST"])


async def _posted(request: Request) -> Response:
    # As the doors read it, which costs less than the framework's own way.
    await read_body(request.headers["content-length"].encode(), request.receive, BODY_BYTES_MAX)
    return HTMLResponse(docs_page.page("Understudy API", "docs/assets/"))
