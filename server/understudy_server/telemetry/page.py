"""The page that Prometheus reads, as an ASGI application for a listener of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from understudy_server.telemetry.metrics import families
from understudy_server.telemetry.snapshot import Snapshot, Sources, take

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH: Final = "/metrics"


class MetricsPage:
    """Answers ``GET /metrics``; whatever else is asked goes to ``otherwise``."""

    def __init__(self, sources: Sources, otherwise: App) -> None:
        self._sources = sources
        self._otherwise = otherwise
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)
        PlatformCollector(registry=self._process)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] not in ("GET", "HEAD"):
            await self._otherwise(scope, receive, send)
            return
        accepted = b", ".join(value for name, value in scope["headers"] if name == b"accept")
        body, content_type = await self.text(accepted.decode("latin-1"))
        headers = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def text(self, accepted: str) -> tuple[bytes, str]:
        """All of it in the format that fits an Accept header, and its content type."""
        encode, content_type = choose_encoder(accepted)
        snapshot = await take(self._sources)
        # Thousands of lines, where there are many environments: requests are answered meanwhile.
        body = await asyncio.to_thread(lambda: encode(_All(snapshot, self._process)))
        return body, content_type


class _All(Collector):
    """One snapshot, and the process as the library sees it."""

    def __init__(self, snapshot: Snapshot, process: CollectorRegistry) -> None:
        self._snapshot = snapshot
        self._process = process

    def collect(self) -> Iterator[Family]:
        yield from families(self._snapshot)
        yield from self._process.collect()
