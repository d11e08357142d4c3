"""The few HTTP calls that the demo makes: one connection each, nothing followed, nothing repeated."""

import asyncio
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer and how long it took."""

    status: int
    body: str
    took_ms: int


async def ask(
    address: str, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | None = None
) -> HttpAnswer:
    """Send a request to ``HOST:PORT`` and read the whole answer. Raises OSError and http.client.HTTPException."""
    return await asyncio.to_thread(_ask, address, method, path, headers or {}, body)


def _ask(address: str, method: str, path: str, headers: Mapping[str, str], body: str | None) -> HttpAnswer:
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
    started = time.perf_counter()
    try:
        connection.request(method, path, body=body.encode() if body is not None else None, headers=dict(headers))
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
    return HttpAnswer(answer.status, text, round((time.perf_counter() - started) * 1_000))
