"""The reference of rows that post: it must cost what the page costs, and the body besides."""

from support.rest import FakeBackend, client
from understudy_gateway.app import build_app

from benchmarks.posted_page import POSTED_PATH, posted_page


async def test_what_is_posted_is_read_and_answered_as_the_page_is() -> None:
    async with client(build_app(FakeBackend(), more_pages=[posted_page()])) as http:
        posted, page = await http.post(POSTED_PATH, content=b"{}"), await http.get("/docs")

    assert (posted.status_code, posted.content) == (200, page.content)
    assert posted.headers.keys() == page.headers.keys()


async def test_no_other_gateway_has_it() -> None:
    async with client(build_app(FakeBackend())) as http:
        assert (await http.post(POSTED_PATH, content=b"{}")).status_code == 404
