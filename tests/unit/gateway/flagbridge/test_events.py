"""The stream of events over a backend that plays a script: clients that leave, and streams that break."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from support.rest import FakeBackend
from understudy import status
from understudy.status import Problem
from understudy.v1.evaluation_service_pb2 import WatchFlagsResponse
from understudy.v1.key_service_pb2 import KEY_SCOPE_EVAL, GetOwnKeyResponse, Key
from understudy_gateway.dialects.flagbridge.door import Door
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings

Play = Callable[[], AsyncIterator[Message | Status]]
KEY = GetOwnKeyResponse(key=Key(id="key_1", scope=KEY_SCOPE_EVAL, project="shop", environment="production"))
CONNECTED = WatchFlagsResponse(environment="production")
CHANGED = WatchFlagsResponse(environment="production", flag_key="a")
GONE = status.write(code_pb2.NOT_FOUND, Problem("not_found", "There is no such environment."))


class Listener:
    """A client of one stream. It goes away when ``gone`` is set."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Any) -> None:
        self.sent.append(event)

    async def listen(self, play: Play) -> None:
        path = b"/v1/sse/production"
        scope = {"type": "http", "method": "GET", "path": path.decode(), "raw_path": path, "query_string": b""}
        scope["headers"] = [(b"authorization", b"Bearer fb_sk_eval_1"), (b"origin", b"https://app.example")]
        await Door(FakeBackend(lambda _: KEY, play), FlagBridgeSettings())(scope, self.receive, self.send)


def playing(*items: Message | Status, breaks: bool = False) -> Play:
    async def play() -> AsyncIterator[Message | Status]:
        for item in items:
            yield item
        if breaks:
            raise RuntimeError("secret")

    return play


async def test_the_first_message_says_that_it_is_connected() -> None:
    listener = Listener()
    await listener.listen(playing(CONNECTED, CHANGED))
    start, *parts = listener.sent
    headers = dict(start["headers"])
    assert (headers[b"cache-control"], headers[b"access-control-allow-origin"]) == (b"no-cache", b"*")
    assert b"x-ratelimit-limit" in {name.lower() for name in headers}
    assert [each["body"] for each in parts] == [
        b'event: connected\ndata: {"environment":"production"}\n\n',
        b'event: flag.updated\ndata: {"flag_key":"a","environment":"production"}\n\n',
        b"",
    ]


async def test_a_client_that_leaves_before_the_first_message_ends_the_call() -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def play() -> AsyncIterator[Message | Status]:
        try:
            asked.set()
            await asyncio.Event().wait()
            yield CONNECTED
        finally:
            ended.set()

    listener = Listener()
    served = asyncio.ensure_future(listener.listen(play))
    await asked.wait()
    listener.gone.set()
    await asyncio.wait_for(served, 20)
    assert (ended.is_set(), listener.sent) == (True, [])


@pytest.mark.parametrize("play", [playing(CONNECTED, breaks=True), playing(CONNECTED, GONE)], ids=["breaks", "refused"])
async def test_what_fails_after_the_headers_ends_the_stream_and_starts_no_other_answer(play: Play) -> None:
    listener = Listener()
    await listener.listen(play)
    assert [each["type"] for each in listener.sent].count("http.response.start") == 1
    assert listener.sent[-1] == {"type": "http.response.body", "body": b""}


async def test_an_early_refusal_is_answered_in_the_dialects_words() -> None:
    listener = Listener()
    await listener.listen(playing(GONE))
    start, body = listener.sent
    assert start["status"] == 404
    assert b'"NOT_FOUND"' in body["body"]
