"""Who looks on while calls are served, and the id that each call has."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from support.dispatching import World, world
from understudy import request_ids, status
from understudy.v1.server_service_pb2 import GetStatusRequest, GetStatusResponse
from understudy.v1.session_service_pb2 import GetSessionRequest
from understudy_gateway.channel import ChannelBackend
from understudy_server.rpc.grpc_server import GrpcServer

STATUS = "/understudy.v1.ServerService/GetStatus"
GET = "/understudy.v1.SessionService/GetSession"


class Onlooker:
    """Keeps what it saw: each call with the code that it ended with, and the id it was served under."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, int]] = []
        self.ids: list[str] = []
        self.metadata: list[Mapping[str, Any]] = []

    def observe(self, method: str, metadata: Mapping[str, Any]) -> "_Seen":
        self.ids.append(request_ids.CURRENT.get())
        self.metadata.append(metadata)
        return _Seen(self, method)


class _Seen:
    def __init__(self, onlooker: Onlooker, method: str) -> None:
        self._onlooker = onlooker
        self._method = method

    def end(self, code: int) -> None:
        self._onlooker.ended.append((self._method, code))


@pytest.fixture
def onlooker() -> Onlooker:
    return Onlooker()


@pytest.fixture
async def here(tmp_path: Path, onlooker: Onlooker) -> AsyncIterator[World]:
    async with world(tmp_path / "data", observe=onlooker.observe) as made:
        yield made


async def test_a_call_that_is_served_ends_with_0(here: World, onlooker: Onlooker) -> None:
    await here.dispatcher.unary(STATUS, {}, lambda: (GetStatusRequest(), None), owner=True)
    assert onlooker.ended == [(STATUS, 0)]


async def test_a_call_that_is_refused_ends_with_its_code(here: World, onlooker: Onlooker) -> None:
    await here.dispatcher.unary(GET, {}, lambda: (GetSessionRequest(), None))
    assert onlooker.ended == [(GET, Code.UNAUTHENTICATED)]


async def test_a_call_that_fails_ends_as_internal_under_its_id(
    here: World, onlooker: Onlooker, caplog: pytest.LogCaptureFixture
) -> None:
    def decode() -> tuple[Message, Status | None]:
        raise RuntimeError("on purpose")

    token = request_ids.CURRENT.set("mine-1")
    answer = await here.dispatcher.unary(STATUS, {}, decode, owner=True)
    request_ids.CURRENT.reset(token)
    assert onlooker.ended == [(STATUS, Code.INTERNAL)]
    assert isinstance(answer, Status)
    assert status.read(answer).request_id == "mine-1"
    assert "mine-1" in caplog.text


async def test_a_call_whose_caller_went_away_ends_as_cancelled(here: World, onlooker: Onlooker) -> None:
    reached, never = asyncio.Event(), asyncio.Event()

    async def admit(*_: object) -> None:
        reached.set()
        await never.wait()

    here.dispatcher._admission.admit = admit  # type: ignore[assignment,method-assign]
    task = asyncio.create_task(here.dispatcher.unary(STATUS, {}, lambda: (GetStatusRequest(), None)))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert onlooker.ended == [(STATUS, Code.CANCELLED)]


async def test_a_stream_ends_once(here: World, onlooker: Onlooker) -> None:
    items = [item async for item in here.dispatcher.stream("/none", {}, lambda: (GetStatusRequest(), None))]
    assert len(items) == 1
    assert onlooker.ended == [("/none", Code.UNIMPLEMENTED)]


@asynccontextmanager
async def _over_grpc(here: World) -> AsyncIterator[Any]:
    """Calls GetStatus."""
    server = GrpcServer(here.dispatcher, owner=True)
    async with grpc.aio.insecure_channel(await server.start("127.0.0.1:0")) as channel:
        yield channel.unary_unary(STATUS, GetStatusRequest.SerializeToString, GetStatusResponse.FromString)
    await server.stop(0)


async def test_a_call_over_grpc_has_the_id_that_its_caller_chose(here: World, onlooker: Onlooker) -> None:
    async with _over_grpc(here) as ask:
        call = ask(GetStatusRequest(), metadata=(("x-request-id", "mine-2"),))
        assert dict(await call.initial_metadata())["x-request-id"] == "mine-2"
        await call
    assert onlooker.ids == ["mine-2"]


async def test_a_call_over_grpc_without_an_id_is_given_one(here: World, onlooker: Onlooker) -> None:
    async with _over_grpc(here) as ask:
        await ask(GetStatusRequest())
        await ask(GetStatusRequest())
    assert all(each.startswith("req_") for each in onlooker.ids)
    assert len(set(onlooker.ids)) == 2


async def test_a_caller_over_grpc_learns_the_id_of_a_call_that_fails(here: World, onlooker: Onlooker) -> None:
    server = GrpcServer(here.dispatcher)
    async with grpc.aio.insecure_channel(await server.start("127.0.0.1:0")) as channel:
        ask: Any = channel.unary_unary(GET, GetSessionRequest.SerializeToString, None)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await ask(GetSessionRequest())
    await server.stop(0)
    told = dict(failed.value.trailing_metadata() or ())
    assert told["x-request-id"] == onlooker.ids[0]
    assert "grpc-status-details-bin" in told


async def test_a_gateway_elsewhere_hands_on_the_id_of_its_request(here: World, onlooker: Onlooker) -> None:
    server = GrpcServer(here.dispatcher, owner=True)
    backend = ChannelBackend(await server.start("127.0.0.1:0"))
    token = request_ids.CURRENT.set("mine-3")
    await backend.unary(STATUS, {"traceparent": "00-1-2-01"}, lambda: (GetStatusRequest(), None))
    request_ids.CURRENT.reset(token)
    await backend.close()
    await server.stop(0)
    assert onlooker.ids == ["mine-3"]
    assert onlooker.metadata[0]["traceparent"] == "00-1-2-01"
