"""What the gRPC door says of the server's health."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support.dispatching import World
from understudy_gateway.channel import ChannelBackend
from understudy_server.rpc.grpc_server import GrpcServer

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = "understudy.v1.SessionService"


@dataclass
class Door:
    """A door whose server has ``problems``, by name."""

    server: GrpcServer
    address: str
    health: Any
    problems: dict[str, str] = field(default_factory=lambda: {"store": "", "journal": ""})

    async def check(self, service: str = "") -> int:
        answer = await self.health.Check(health_pb2.HealthCheckRequest(service=service))
        return int(answer.status)


@asynccontextmanager
async def opened(here: World) -> AsyncIterator[Door]:
    async def ready() -> dict[str, str]:
        return door.problems

    server = GrpcServer(here.dispatcher, ready=ready)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        door = Door(server, address, health_pb2_grpc.HealthStub(channel))
        yield door
    await server.stop(0)


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_a_door_serves_once_the_server_takes_work_and_until_it_is_drained(here: World, service: str) -> None:
    async with opened(here) as door:
        before = await door.check(service)
        await door.server.take_work()
        meanwhile = await door.check(service)
        await door.server.drain()
        after = await door.check(service)
    assert (before, meanwhile, after) == (NOT_SERVING, SERVING, NOT_SERVING)


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_a_server_with_a_problem_does_not_serve_until_it_is_gone(here: World, service: str) -> None:
    async with opened(here) as door:
        await door.server.take_work()
        door.problems["journal"] = "it cannot be written"
        broken = await door.check(service)
        door.problems["journal"] = ""
        assert (broken, await door.check(service)) == (NOT_SERVING, SERVING)


async def test_a_service_that_is_not_served_has_no_health(here: World) -> None:
    async with opened(here) as door:
        await door.server.take_work()
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await door.check("understudy.v1.NoService")
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND


async def test_who_watches_is_told_when_the_server_begins_and_ceases_to_take_work(here: World) -> None:
    async with opened(here) as door:
        watching = door.health.Watch(health_pb2.HealthCheckRequest())
        said = [(await watching.read()).status]
        await door.server.take_work()
        said.append((await watching.read()).status)
        await door.server.drain()
        said.append((await watching.read()).status)
        watching.cancel()
    assert said == [NOT_SERVING, SERVING, NOT_SERVING]


async def test_a_gateway_is_not_ready_while_the_server_behind_has_a_problem(here: World) -> None:
    async with opened(here) as door:
        await door.server.take_work()
        backend = ChannelBackend(door.address)
        well = await backend.ready()
        door.problems["store"] = "it cannot be read"
        ill = await backend.ready()
        await backend.close()
    assert well == {"server": ""}
    assert "takes no work" in ill["server"]
