"""A key that is longer than any flag's may be, as the doors that evaluate flags refuse it: nothing of it is kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from support.dispatching import World, world
from understudy.v1.key_service_pb2 import KEY_KIND_FLAGBRIDGE, KEY_SCOPE_EVAL, CreateKeyRequest, CreateKeyResponse
from understudy_gateway.app import build_app
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings
from understudy_server.cli.owners import Owners

LONGEST, LONGER = "x" * 256, "x" * 257


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.make_project("checkout", "production")
        yield made


@pytest.fixture
async def http(here: World) -> AsyncIterator[httpx.AsyncClient]:
    request = CreateKeyRequest(
        kind=KEY_KIND_FLAGBRIDGE, scope=KEY_SCOPE_EVAL, project="checkout", environment="production"
    )
    made = await here.call("KeyService.CreateKey", request)
    assert isinstance(made, CreateKeyResponse)
    app = build_app(here.dispatcher, flagbridge=FlagBridgeSettings(clock=here.clock, trusted=Owners(here.dispatcher)))
    headers = {"authorization": f"Bearer {made.text}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
        yield client


async def test_flagbridge_says_that_it_is_not_valid(http: httpx.AsyncClient) -> None:
    fine = await http.post("/v1/evaluate", json={"flagKey": LONGEST})
    single = await http.post("/v1/evaluate", json={"flagKey": LONGER})
    batch = await http.post("/v1/evaluate/batch", json={"flags": ["a", LONGER]})

    assert (fine.status_code, fine.json()["reason"]) == (200, "FLAG_NOT_FOUND")
    for refused in (single, batch):
        assert (refused.status_code, refused.json()["error"]) == (400, "VALIDATION_ERROR")


async def test_openfeatures_protocol_says_that_the_request_is_at_fault(http: httpx.AsyncClient) -> None:
    missing = await http.post(f"/ofrep/v1/evaluate/flags/{LONGEST}", json={})
    refused = await http.post(f"/ofrep/v1/evaluate/flags/{LONGER}", json={})

    assert (missing.status_code, missing.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "GENERAL")
