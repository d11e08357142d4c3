"""The door over a real dispatcher, with the clock in the test's hand: editions, expiry, login, comments."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.dispatching import World, world
from understudy.v1.key_service_pb2 import (
    KEY_KIND_FLAGBRIDGE,
    CreateKeyRequest,
    CreateKeyResponse,
    GetOwnKeyRequest,
    GetOwnKeyResponse,
)
from understudy_gateway.app import build_app
from understudy_gateway.dialects.flagbridge.settings import Edition, FlagBridgeSettings, Login
from understudy_gateway.wire import App
from understudy_server.cli.owners import Owners

LOGIN = Login("admin@example.com", "pässword", b"secret")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.make_project("checkout", "production", "staging")
        await made.make_project("other", "production")
        yield made


def built(here: World, **settings: Any) -> App:
    return build_app(
        here.dispatcher, flagbridge=FlagBridgeSettings(clock=here.clock, trusted=Owners(here.dispatcher), **settings)
    )


@asynccontextmanager
async def asking(here: World, scope: str = "full", **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key of the project checkout; an empty scope: without one."""
    headers = {}
    if scope:
        request = CreateKeyRequest(kind=KEY_KIND_FLAGBRIDGE, scope=f"KEY_SCOPE_{scope.upper()}", project="checkout")
        made = await here.call("KeyService.CreateKey", request)
        assert isinstance(made, CreateKeyResponse)
        headers["authorization"] = f"Bearer {made.text}"
    transport = httpx.ASGITransport(built(here, **settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway/v1", headers=headers) as http:
        yield http


async def test_the_community_edition_has_one_lifetime_and_no_secret(here: World) -> None:
    async with asking(here, edition=Edition.CE) as http:
        made = await http.post("/testing/sessions", json={"projectId": "checkout", "ttl": "whatever"})
        session = made.json()
        await http.put(f"/testing/sessions/{session['id']}/overrides/a", json={"value": True})
        headers = {"x-flagbridge-session": session["id"]}
        evaluated = await http.post("/evaluate", json={"flagKey": "a"}, headers=headers)

    assert made.status_code == 201
    assert session["token"] == session["id"]
    assert (session["createdAt"], session["expiresAt"]) == ("2026-06-23T12:00:00.000Z", "2026-06-23T13:00:00.000Z")
    assert evaluated.json()["reason"] == "TEST_OVERRIDE"


async def test_the_community_edition_refuses_what_is_pro(here: World) -> None:
    async with asking(here, edition=Edition.CE) as http:
        session = (await http.post("/testing/sessions", json={"projectId": "checkout"})).json()
        place = f"/testing/sessions/{session['id']}"
        batch = await http.put(f"{place}/overrides/batch", json={"value": True})
        listed = await http.get("/testing/sessions?project_id=checkout")
        left = (await http.get(place)).json()["overrides"]

    for each in (batch, listed):
        assert (each.status_code, each.json()["error"]) == (403, "PRO_REQUIRED")
    assert left == {}


@pytest.mark.parametrize(("seconds", "is_alive"), [(59.999, True), (60, False), (61, False)])
async def test_a_session_is_dead_from_the_moment_it_expires(here: World, seconds: float, is_alive: bool) -> None:
    async with asking(here) as http:
        session = (await http.post("/testing/sessions", json={"projectId": "checkout", "ttl": 60})).json()
        place = f"/testing/sessions/{session['id']}"
        await http.put(f"{place}/overrides/a", json={"value": True})
        here.clock.advance(seconds)
        headers = {"x-flagbridge-session": session["token"]}
        evaluated = await http.post("/evaluate", json={"flagKey": "a"}, headers=headers)
        statuses = [
            (await http.get(place)).status_code,
            (await http.put(f"{place}/overrides/b", json={"value": True})).status_code,
        ]

    assert evaluated.status_code == 200
    assert evaluated.json()["reason"] == ("TEST_OVERRIDE" if is_alive else "FLAG_NOT_FOUND")
    assert statuses == ([200, 200] if is_alive else [404, 404])


@pytest.mark.parametrize(
    ("project", "status"), [("none", 404), ("proj_none", 404), ("other", 403), ("proj_other", 403)]
)
async def test_a_project_that_is_not_there_differs_from_one_that_is_not_the_keys(
    here: World, project: str, status: int
) -> None:
    async with asking(here) as http:
        assert (await http.post("/testing/sessions", json={"projectId": project})).status_code == status


async def test_the_minute_begins_anew(here: World) -> None:
    async with asking(here, "mgmt") as http:
        statuses = {(await http.get("/sse/a")).status_code for _ in range(500)}
        over = await http.get("/sse/a")
        here.clock.advance(60)
        later = await http.get("/sse/a")

    assert (statuses, over.status_code, later.status_code) == ({403}, 429, 403)
    assert int(over.headers["retry-after"]) == 60
    assert later.headers["x-ratelimit-remaining"] == "499"


async def test_a_login_manages_for_an_hour(here: World) -> None:
    async with asking(here, "", login=LOGIN) as http:
        body = {"email": "Admin@example.com", "password": "pässword"}
        answer = (await http.post("/auth/login", json=body)).json()
        headers = {"authorization": f"Bearer {answer['token']}"}
        project = {"name": "Made", "slug": "made"}
        made = await http.post("/projects", json=project, headers=headers)
        denied = await http.post("/evaluate", json={"flagKey": "a"}, headers=headers)
        here.clock.advance(3599)
        still = await http.get("/projects/made", headers=headers)
        here.clock.advance(1)
        over = await http.get("/projects/made", headers=headers)

    assert answer["expiresAt"] == "2026-06-23T13:00:00.000Z"
    assert answer["user"]["email"] == "admin@example.com"
    statuses = [each.status_code for each in (made, denied, still, over)]
    assert statuses == [201, 403, 200, 401]


async def test_a_login_neither_rotates_nor_revokes_keys_of_another_kind(here: World) -> None:
    native = await here.make_key()
    own = await here.call("KeyService.GetOwnKey", GetOwnKeyRequest(), native)
    assert isinstance(own, GetOwnKeyResponse)
    async with asking(here, "", login=LOGIN) as http:
        answer = (await http.post("/auth/login", json={"email": LOGIN.email, "password": LOGIN.password})).json()
        for authorization in (answer["token"], native):
            http.headers["authorization"] = f"Bearer {authorization}"
            for method, path in (("POST", f"/api-keys/{own.key.id}/rotate"), ("DELETE", f"/api-keys/{own.key.id}")):
                refused = await http.request(method, path)
                assert (refused.status_code, refused.json()["error"]) == (404, "NOT_FOUND")
            made = (await http.post("/api-keys", json={"name": "a", "projectSlug": "checkout"})).json()
            assert (await http.post(f"/api-keys/{made['id']}/rotate")).json()["key"].startswith("fb_sk_eval_")
            assert (await http.delete(f"/api-keys/{made['id']}")).status_code == 204

    assert await here.code("KeyService.GetOwnKey", GetOwnKeyRequest(), native) == ""


@pytest.mark.parametrize(
    ("login", "body", "status"),
    [
        (LOGIN, {"email": "admin@example.com", "password": "wrong"}, 401),
        (LOGIN, {"email": "other@example.com", "password": "pässword"}, 401),
        (LOGIN, {"email": "admin@example.com"}, 400),
        (LOGIN, {"email": 1, "password": "pässword"}, 400),
        (None, {"email": "admin@example.com", "password": "pässword"}, 401),
    ],
)
async def test_nobody_else_logs_in(here: World, login: Login | None, body: Any, status: int) -> None:
    async with asking(here, "", login=login) as http:
        assert (await http.post("/auth/login", json=body)).status_code == status


async def test_a_silent_stream_has_comments(here: World) -> None:
    async with asking(here) as http:
        authorization = http.headers["authorization"].encode()
    scope = {"type": "http", "method": "GET", "path": "/v1/sse/production", "query_string": b""}
    scope |= {"raw_path": b"/v1/sse/production", "headers": [(b"authorization", authorization)]}
    sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive() -> Any:
        return await asyncio.get_running_loop().create_future()

    async def send(event: Any) -> None:
        await sent.put(event.get("body", b""))

    task = asyncio.ensure_future(built(here, comment_seconds=0.01)(scope, receive, send))
    try:
        parts = [await asyncio.wait_for(sent.get(), 20) for _ in range(4)]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert parts[1:] == [b'event: connected\ndata: {"environment":"production"}\n\n', *[b": heartbeat\n\n"] * 2]
