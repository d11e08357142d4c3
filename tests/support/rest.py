"""What the gateway is tested with: a backend that plays a script, and a client without a socket."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from understudy_gateway.backend import Decode
from understudy_gateway.wire import App

Reply = Callable[[Message], Message | Status]


@dataclass
class Called:
    """A call as the backend met it."""

    method: str
    metadata: dict[str, str]
    request: Any
    refusal: Status | None


@dataclass
class FakeBackend:
    """Answers a refused request with its refusal, and any other with ``reply``; streams what ``items`` yields."""

    reply: Reply | None = None
    items: Callable[[], AsyncIterator[Message | Status]] | None = None
    calls: list[Called] = field(default_factory=list)

    async def unary(self, method: str, metadata: Mapping[str, str], decode: Decode) -> Message | Status:
        refusal = self._note(method, metadata, decode)
        if refusal is not None:
            return refusal
        assert self.reply is not None
        return self.reply(self.calls[-1].request)

    async def stream(self, method: str, metadata: Mapping[str, str], decode: Decode) -> AsyncIterator[Message | Status]:
        refusal = self._note(method, metadata, decode)
        if refusal is not None:
            yield refusal
            return
        assert self.items is not None
        async for item in self.items():
            yield item

    def _note(self, method: str, metadata: Mapping[str, str], decode: Decode) -> Status | None:
        request, refusal = decode()
        self.calls.append(Called(method, dict(metadata), request, refusal))
        return refusal

    @property
    def last(self) -> Called:
        return self.calls[-1]


def client(app: App) -> httpx.AsyncClient:
    """A client of the application, without a socket between them."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


@dataclass
class Exchange:
    """One request over raw ASGI: what the client sends, event by event, and what it was sent."""

    incoming: list[dict[str, Any]]
    sent: list[Any] = field(default_factory=list)

    async def run(self, app: App, method: str, raw_path: bytes, headers: Mapping[str, str] | None = None) -> None:
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        path, _, query = raw_path.partition(b"?")
        scope = {
            "type": "http",
            "method": method,
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": lines,
        }

        async def receive() -> dict[str, Any]:
            return self.incoming.pop(0)

        async def send(event: Any) -> None:
            self.sent.append(event)

        await app(scope, receive, send)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])
