"""The routes that an orchestrator asks, and the id of each request."""

from collections.abc import Mapping

import grpc
import grpc.aio
import httpx
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from support.rest import FakeBackend, client
from understudy import request_ids
from understudy.v1 import session_service_pb2
from understudy_gateway.app import build_app
from understudy_gateway.channel import ChannelBackend


async def get(path: str, problems: Mapping[str, str] | None = None, request_id: str = "") -> httpx.Response:
    headers = {"x-request-id": request_id} if request_id else {}

    async def ready() -> Mapping[str, str]:
        return problems or {}

    async with client(build_app(FakeBackend(), ready=ready)) as http:
        return await http.get(path, headers=headers)


async def test_a_process_that_answers_lives() -> None:
    answer = await get("/health/live", {"store": "it cannot be read"})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_server_with_nothing_wrong_is_ready() -> None:
    answer = await get("/health/ready", {"store": ""})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": [{"name": "store", "ok": True, "problem": ""}]}
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_wrong_is_said_with_503() -> None:
    answer = await get("/health/ready", {"store": "", "journal": "it is full"})
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "checks": [
            {"name": "store", "ok": True, "problem": ""},
            {"name": "journal", "ok": False, "problem": "it is full"},
        ],
    }


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/nothing", "/api/v1/sessions/%FF"])
async def test_every_answer_has_the_id_that_the_client_chose(path: str) -> None:
    assert (await get(path, request_id="mine-1")).headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize("given", ["", "with space", "x" * 200, "ä"])
async def test_an_id_that_cannot_be_used_is_replaced(given: str) -> None:
    async with client(build_app(FakeBackend())) as http:
        answer = await http.get("/health/live", headers=[(b"x-request-id", given.encode("latin-1"))])
    assert answer.headers["x-request-id"].startswith("req_")


async def test_the_backend_serves_a_call_under_the_id_of_its_request() -> None:
    seen = []

    def reply(_request: object) -> session_service_pb2.GetSessionResponse:
        seen.append(request_ids.CURRENT.get())
        return session_service_pb2.GetSessionResponse()

    async with client(build_app(FakeBackend(reply))) as http:
        answer = await http.get("/api/v1/sessions/ci-42")
    assert seen == [answer.headers["x-request-id"]]


async def test_an_internal_error_names_the_id_of_its_request() -> None:
    def reply(_request: object) -> session_service_pb2.GetSessionResponse:
        raise RuntimeError("on purpose")

    async with client(build_app(FakeBackend(reply))) as http:
        answer = await http.get("/api/v1/sessions/ci-42", headers={"x-request-id": "mine-2"})
    assert (answer.status_code, answer.json()["requestId"]) == (500, "mine-2")


async def test_the_trace_that_a_call_is_a_part_of_goes_on_to_the_backend() -> None:
    backend = FakeBackend(lambda _: session_service_pb2.GetSessionResponse())
    async with client(build_app(backend)) as http:
        await http.get("/api/v1/sessions/ci-42", headers={"traceparent": "00-1-2-01", "tracestate": "a=b"})
    assert backend.last.metadata == {"traceparent": "00-1-2-01", "tracestate": "a=b"}


@pytest.mark.parametrize(
    ("serving", "problem"),
    [(health_pb2.HealthCheckResponse.SERVING, ""), (health_pb2.HealthCheckResponse.NOT_SERVING, "takes no work")],
)
async def test_a_gateway_is_ready_when_the_server_behind_it_is(serving: int, problem: str) -> None:
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await servicer.set("", serving)
    backend = ChannelBackend(f"127.0.0.1:{port}")
    found = (await backend.ready())["server"]
    await backend.close()
    await server.stop(None)
    assert problem in found
    assert bool(problem) == bool(found)


async def test_a_gateway_without_a_server_is_not_ready() -> None:
    backend = ChannelBackend("127.0.0.1:1")
    assert "does not answer" in (await backend.ready())["server"]
    await backend.close()
