"""The service behind the sample environment, asked as the proxy asks it."""

import httpx
import pytest
from understudy_server.cli.sample_names import PREFIX
from understudy_server.cli.sample_upstream import sample_upstream


async def ask(method: str, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=sample_upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://sample") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(
    ("method", "path", "name", "value"),
    [
        ("GET", "/api/cart", "total", 1180),
        ("GET", "/api/users/u%201", "id", "u 1"),
        ("POST", "/api/pay", "receipt", "r-1001"),
        ("GET", "/health", "status", "ok"),
    ],
)
async def test_it_always_goes_well(method: str, path: str, name: str, value: object) -> None:
    answer = await ask(method, PREFIX + path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()[name] == value


async def test_a_head_has_the_length_and_no_body() -> None:
    answer = await ask("HEAD", f"{PREFIX}/api/cart")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len((await ask("GET", f"{PREFIX}/api/cart")).content)


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", f"{PREFIX}/api/nothing", "GET /api/nothing"),
        ("POST", f"{PREFIX}/api/cart", "POST /api/cart"),
        ("POST", f"{PREFIX}/api/users/1", "POST /api/users/1"),
        ("GET", f"{PREFIX}/api/users/1/2", "GET /api/users/1/2"),
        ("GET", "/api/cart", "GET /api/cart"),
    ],
)
async def test_anything_else_is_not_there(method: str, path: str, said: str) -> None:
    answer = await ask(method, path)
    assert (answer.status_code, answer.json()) == (404, {"error": f"the sample service has no {said}"})
