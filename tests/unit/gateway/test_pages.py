import re

import httpx
import pytest
from support.rest import Exchange, FakeBackend, client
from understudy_gateway.app import build_app


async def get(path: str, method: str = "GET") -> httpx.Response:
    async with client(build_app(FakeBackend())) as http:
        return await http.request(method, path)


async def test_the_document_is_served() -> None:
    answer = await get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"


async def test_the_page_shows_the_document() -> None:
    answer = await get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "openapi.json" in answer.text


async def test_every_asset_of_the_page_comes_from_here() -> None:
    page = (await get("/docs")).text
    assert "//" not in page
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert (await get(f"/{asset}")).status_code == 200


async def test_the_root_leads_to_the_page() -> None:
    answer = await get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "docs")


@pytest.mark.parametrize("path", ["/docs/assets/../core.py", "/docs/assets/%2e%2e/core.py", "/docs/assets/nothing.js"])
async def test_nothing_but_the_assets_is_served(path: str) -> None:
    assert (await get(path)).status_code == 404


async def test_another_method_on_a_page_is_refused_in_the_envelope() -> None:
    answer = await get("/openapi.json", "POST")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


async def test_the_application_starts_and_stops_with_its_server() -> None:
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    exchange = Exchange([])

    async def receive() -> dict[str, str]:
        return events.pop(0)

    async def send(event: object) -> None:
        exchange.sent.append(event)

    await build_app(FakeBackend())({"type": "lifespan", "app": None, "state": {}}, receive, send)
    assert [event["type"] for event in exchange.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
