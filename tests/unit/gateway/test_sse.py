"""Server streams over HTTP, as a client meets them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from support import synthetic
from support.rest import FakeBackend
from understudy import status
from understudy.status import Problem
from understudy_gateway.app import build_app
from understudy_gateway.sse import Timing

NEVER = 3600.0
REFUSAL = status.write(code_pb2.NOT_FOUND, Problem("not_found", "No such thing."))


def thing(text: str) -> Message:
    made: Message = synthetic.make("Everything", text=text, loose='{\n "a": 1}')
    return made


class Listener:
    """A client of one stream: it can wait for what it is sent, and go away."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.gone = asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Any) -> None:
        await self.sent.put(event)

    def listen(self, backend: FakeBackend, timing: Timing, method: str = "GET") -> "asyncio.Task[None]":
        app = build_app(backend, contract=synthetic.contract(), timing=timing)
        scope = {
            "type": "http",
            "method": method,
            "path": "/things/a:watch",
            "raw_path": b"/things/a:watch",
            "query_string": b"",
            "headers": [],
        }
        return asyncio.ensure_future(app(scope, self.receive, self.send))

    async def rest(self) -> list[Any]:
        events = []
        while not self.sent.empty():
            events.append(await self.sent.get())
        return events


async def listened(backend: FakeBackend, timing: Timing | None = None) -> list[Any]:
    """Listen until the stream ends and return the ASGI events."""
    listener = Listener()
    await listener.listen(backend, timing or Timing(NEVER, NEVER))
    return await listener.rest()


def yielding(*items: Message | Status) -> FakeBackend:
    async def play() -> AsyncIterator[Message | Status]:
        for item in items:
            yield item

    return FakeBackend(items=play)


def data(event: Any) -> Any:
    (line,) = event["body"].decode().removesuffix("\n\n").split("\n")
    return orjson.loads(line.removeprefix("data: "))


async def test_each_message_is_one_line_of_json() -> None:
    start, one, two, end = await listened(yielding(thing("a"), thing("b")))
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"text/event-stream")
    assert [data(one)["text"], data(two)["text"]] == ["a", "b"]
    assert end == {"type": "http.response.body", "body": b""}


async def test_line_breaks_in_raw_json_do_not_end_the_event() -> None:
    events = await listened(yielding(thing("a\nb")))
    assert data(events[1])["loose"] == {"a": 1}
    assert data(events[1])["text"] == "a\nb"


async def test_a_stream_of_nothing_is_an_empty_success() -> None:
    start, end = await listened(yielding())
    assert (start["status"], end["body"]) == (200, b"")


async def test_an_early_refusal_is_a_real_http_error() -> None:
    start, body = await listened(yielding(REFUSAL))
    assert start["status"] == 404
    assert orjson.loads(body["body"]) == {"error": "No such thing.", "code": "not_found"}


async def test_a_late_refusal_is_an_error_event() -> None:
    *_, end = await listened(yielding(thing("a"), REFUSAL))
    name, line = end["body"].decode().strip().split("\n")
    assert name == "event: error"
    assert orjson.loads(line.removeprefix("data: "))["code"] == "not_found"
    assert "more_body" not in end


async def test_a_stream_that_breaks_says_so_without_saying_why(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> AsyncIterator[Message | Status]:
        yield thing("a")
        raise RuntimeError("secret")

    *_, end = await listened(FakeBackend(items=play))
    assert b"internal_error" in end["body"]
    assert b"secret" not in end["body"]
    assert "secret" in caplog.text


async def test_headers_do_not_wait_for_ever_and_silence_is_filled() -> None:
    quiet = asyncio.Event()

    async def play() -> AsyncIterator[Message | Status]:
        await quiet.wait()
        yield thing("a")

    listener = Listener()
    stream = listener.listen(FakeBackend(items=play), Timing(0.0, 0.001))
    assert (await listener.sent.get())["status"] == 200
    assert (await listener.sent.get())["body"] == b": heartbeat\n\n"
    quiet.set()
    await stream
    assert b'"text":"a"' in b"".join(event["body"] for event in await listener.rest())


@pytest.mark.parametrize("before_headers", [True, False])
async def test_the_call_is_cancelled_when_the_client_goes_away(*, before_headers: bool) -> None:
    called, cancelled = asyncio.Event(), asyncio.Event()

    async def play() -> AsyncIterator[Message | Status]:
        try:
            if not before_headers:
                yield thing("a")
            called.set()
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    listener = Listener()
    stream = listener.listen(FakeBackend(items=play), Timing(NEVER, NEVER))
    await called.wait()
    listener.gone.set()
    await stream
    assert cancelled.is_set()
    assert [event["type"] for event in await listener.rest()][:1] == ([] if before_headers else ["http.response.start"])


async def test_the_call_is_cancelled_when_the_server_stops() -> None:
    called, cancelled = asyncio.Event(), asyncio.Event()

    async def play() -> AsyncIterator[Message | Status]:
        try:
            called.set()
            await asyncio.Event().wait()
            yield thing("a")
        finally:
            cancelled.set()

    stream = Listener().listen(FakeBackend(items=play), Timing(NEVER, NEVER))
    await called.wait()
    stream.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stream
    assert cancelled.is_set()


async def test_head_does_not_open_a_stream() -> None:
    listener, backend = Listener(), yielding(thing("a"))
    await listener.listen(backend, Timing(NEVER, NEVER), "HEAD")
    start, _ = await listener.rest()
    assert start["status"] == 405
    assert (b"allow", b"GET, OPTIONS") in start["headers"]
    assert backend.calls == []
