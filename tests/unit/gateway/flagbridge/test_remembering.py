"""What was read of a body is remembered, and nothing else of the request that it came with."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from support.dispatching import World, world
from understudy.v1.key_service_pb2 import (
    KEY_KIND_FLAGBRIDGE,
    KEY_SCOPE_FULL,
    CreateKeyRequest,
    CreateKeyResponse,
)
from understudy_gateway.app import build_app
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings

BODY = {"flagKey": "a", "context": {"userId": "user-123"}}
FLAG = {"key": "a", "name": "A", "type": "boolean"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.make_project("checkout", "production", "staging")
        await made.make_project("other", "production", "staging")
        yield made


@pytest.fixture
async def http(here: World) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(here.dispatcher, flagbridge=FlagBridgeSettings(clock=here.clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway/v1") as client:
        yield client


async def key(here: World, project: str, environment: str = "") -> dict[str, str]:
    """The header of a new key."""
    request = CreateKeyRequest(kind=KEY_KIND_FLAGBRIDGE, scope=KEY_SCOPE_FULL, project=project, environment=environment)
    made = await here.call("KeyService.CreateKey", request)
    assert isinstance(made, CreateKeyResponse)
    return {"authorization": f"Bearer {made.text}"}


async def reason(http: httpx.AsyncClient, headers: dict[str, str]) -> str:
    answer = await http.post("/evaluate", json=BODY, headers=headers)
    found: str = answer.json()["reason"]
    return found


async def test_the_session_of_one_request_is_not_that_of_the_next_with_the_same_body(
    here: World, http: httpx.AsyncClient
) -> None:
    own = await key(here, "checkout")
    session = (await http.post("/testing/sessions", json={"projectId": "checkout"}, headers=own)).json()
    await http.put(f"/testing/sessions/{session['id']}/overrides/a", json={"value": True}, headers=own)
    inside = {**own, "x-flagbridge-session": session["token"]}

    found = [await reason(http, headers) for headers in (own, inside, own, inside)]

    assert found == ["FLAG_NOT_FOUND", "TEST_OVERRIDE"] * 2


async def test_the_same_body_is_about_the_place_of_each_key(here: World, http: httpx.AsyncClient) -> None:
    everywhere, elsewhere = await key(here, "checkout"), await key(here, "other")
    staging = await key(here, "checkout", "staging")
    await http.post("/projects/checkout/flags", json=FLAG, headers=everywhere)
    state = {"enabled": True}
    await http.put("/projects/checkout/flags/a/states/staging", json=state, headers=everywhere)

    found = [await reason(http, headers) for headers in (staging, everywhere, elsewhere, staging)]

    assert found == ["FLAG_ENABLED", "FLAG_DISABLED", "FLAG_NOT_FOUND", "FLAG_ENABLED"]


async def test_a_flag_that_changes_is_told_as_it_is_though_the_body_is_the_same(
    here: World, http: httpx.AsyncClient
) -> None:
    own = await key(here, "checkout")
    before = await reason(http, own)
    await http.post("/projects/checkout/flags", json=FLAG, headers=own)

    assert (before, await reason(http, own)) == ("FLAG_NOT_FOUND", "FLAG_DISABLED")
