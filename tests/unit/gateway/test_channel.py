"""The gateway before a server elsewhere: real sockets, and a gRPC server that tells what it met."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from support import synthetic
from support.rest import client
from understudy import status
from understudy.status import Problem
from understudy.v1 import session_service_pb2, verification_service_pb2
from understudy_gateway.app import build_app
from understudy_gateway.channel import REFUSAL_KEY, ChannelBackend

GET = "/understudy.v1.SessionService/GetSession"
WATCH = "/synthetic.v1.ThingService/Watch"
Handler = Callable[[bytes, Any], Awaitable[bytes]]


async def succeed(_request: bytes, _context: Any) -> bytes:
    response = session_service_pb2.GetSessionResponse()
    response.session.session_key = "ci-42"
    return response.SerializeToString()


@dataclass
class Server:
    """A server of any unary method, and of a stream of two things that fails at its end."""

    handler: Handler = succeed
    requests: list[bytes] = field(default_factory=list)
    metadata: dict[str, str | bytes] = field(default_factory=dict)

    async def unary(self, request: bytes, context: Any) -> bytes:
        self.requests.append(request)
        self.metadata = dict(context.invocation_metadata())
        return await self.handler(request, context)

    async def stream(self, _request: bytes, context: Any) -> AsyncIterator[bytes]:
        for text in ("a", "b"):
            yield synthetic.make("Everything", text=text).SerializeToString()
        await abort(context, status.write(code_pb2.NOT_FOUND, Problem("not_found", "Gone.")))

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        if details.method == WATCH:
            return grpc.unary_stream_rpc_method_handler(self.stream)
        return grpc.unary_unary_rpc_method_handler(self.unary)


class Everything(grpc.GenericRpcHandler):
    def __init__(self, server: Server) -> None:
        self._server = server

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return self._server.service(handler_call_details)


async def abort(context: Any, refusal: Status) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", refusal.SerializeToString()),))
    code = next(each for each in grpc.StatusCode if each.value[0] == refusal.code)
    await context.abort(code, refusal.message)


@asynccontextmanager
async def served(server: Server, **options: Any) -> AsyncIterator[ChannelBackend]:
    listener = grpc.aio.server()
    listener.add_generic_rpc_handlers((Everything(server),))
    port = listener.add_insecure_port("127.0.0.1:0")
    await listener.start()
    backend = ChannelBackend(f"127.0.0.1:{port}", **options)
    try:
        yield backend
    finally:
        await backend.close()
        await listener.stop(None)


def request(key: str = "ci-42") -> Message:
    return session_service_pb2.GetSessionRequest(session_key=key)


async def test_a_call_goes_there_and_comes_back() -> None:
    server = Server()
    async with served(server) as backend:
        answer = await backend.unary(GET, {"authorization": "Bearer fmk_x"}, lambda: (request(), None))
    assert isinstance(answer, session_service_pb2.GetSessionResponse)
    assert answer.session.session_key == "ci-42"
    assert server.requests == [request().SerializeToString()]
    assert server.metadata["authorization"] == "Bearer fmk_x"
    assert REFUSAL_KEY not in server.metadata


async def test_what_was_wrong_with_a_request_travels_beside_its_readable_part() -> None:
    server = Server()
    refusal = status.write(code_pb2.INVALID_ARGUMENT, Problem("invalid_json", "Malformed."))
    async with served(server) as backend:
        await backend.unary(GET, {}, lambda: (request("a"), refusal))
    assert server.requests == [request("a").SerializeToString()]
    sent = server.metadata[REFUSAL_KEY]
    assert isinstance(sent, bytes)
    assert Status.FromString(sent) == refusal


async def test_an_error_comes_back_with_its_details() -> None:
    refusal = status.write(code_pb2.NOT_FOUND, Problem("not_found", "No such session.", field="session_key"))

    async def refuse(_request: bytes, context: Any) -> bytes:
        await abort(context, refusal)
        return b""

    async with served(Server(refuse)) as backend:
        assert await backend.unary(GET, {}, lambda: (request(), None)) == refusal


@pytest.mark.parametrize("details", [None, b"\xff\xff"])
async def test_an_error_without_readable_details_is_what_grpc_says(details: bytes | None) -> None:
    async def fail(_request: bytes, context: Any) -> bytes:
        if details is not None:
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
        await context.abort(grpc.StatusCode.DATA_LOSS, "lost")
        return b""

    async with served(Server(fail)) as backend:
        answer = await backend.unary(GET, {}, lambda: (request(), None))
    assert answer == Status(code=code_pb2.DATA_LOSS, message="lost")


@pytest.mark.parametrize("text", ["é", "a\nb", "\x00", " padded ", "", "%41", "😀"])
async def test_no_text_in_metadata_breaks_a_call(text: str) -> None:
    server = Server()
    async with served(server) as backend:
        answer = await backend.unary(GET, {"understudy-query-project": text}, lambda: (request(), None))
    assert isinstance(answer, Message)
    sent = server.metadata["understudy-query-project"]
    assert sent == text or sent != text.strip()


async def test_a_server_out_of_reach_is_a_bad_gateway() -> None:
    async with served(Server()) as backend:
        await backend.close()
        other = ChannelBackend("127.0.0.1:1")
        async with client(build_app(other)) as http:
            answer = await http.get("/api/v1/sessions/ci-42")
        await other.close()
    assert (answer.status_code, answer.json()["code"]) == (502, "server_unreachable")


async def test_a_server_that_never_answers_is_a_gateway_timeout() -> None:
    async def hang(_request: bytes, _context: Any) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with (
        served(Server(hang), call_seconds_max=0.0) as backend,
        client(build_app(backend)) as http,
    ):
        answer = await http.get("/api/v1/sessions/ci-42")
    assert (answer.status_code, answer.json()["code"]) == (504, "server_timeout")


async def test_a_call_that_waits_may_take_so_much_longer() -> None:
    async def late(_request: bytes, context: Any) -> bytes:
        assert context.time_remaining() > 290
        return verification_service_pb2.AwaitCallsResponse(timed_out=True).SerializeToString()

    async with (
        served(Server(late), call_seconds_max=0.1) as backend,
        client(build_app(backend)) as http,
    ):
        answer = await http.post("/api/v1/sessions/ci-42/calls:await", json={"timeoutMs": 300_000})
    assert (answer.status_code, answer.json()["timedOut"]) == (200, True)


async def test_a_stream_ends_with_its_error() -> None:
    async with served(Server(), contract=synthetic.contract()) as backend:
        items: list[Any] = [item async for item in backend.stream(WATCH, {}, lambda: (synthetic.make("Named"), None))]
    assert [item.text for item in items[:2]] == ["a", "b"]
    assert status.read(items[2]).reason == "not_found"


async def test_a_stream_that_nobody_reads_any_more_is_cancelled() -> None:
    async with served(Server(), contract=synthetic.contract()) as backend:
        items: Any = backend.stream(WATCH, {}, lambda: (synthetic.make("Named"), None))
        assert (await anext(items)).text == "a"
        await items.aclose()
