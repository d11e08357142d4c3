"""A server stream over HTTP: server-sent events, one or none per message.

The headers wait a moment for the first item, so that an early refusal is a real HTTP error; a later one becomes
what the door says last. Comments keep the connection alive. When the client goes away, the call is cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from understudy_gateway.answers import presentable, unexpected
from understudy_gateway.transcoding.responses import Headers
from understudy_gateway.wire import Receive, Send

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    # Proxies that buffer would hold the events back.
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT = b": heartbeat\n\n"
_Task = asyncio.Task[bytes | Status | None] | asyncio.Task[None]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the headers wait for the first item (``None``: until it comes), and how long a stream may be silent."""

    first_item_seconds: float | None = 1.0
    heartbeat_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class EventStream:
    """Sends one stream, with ``headers`` beside those of any.

    ``write`` gives the event of a message, see `event`; ``fail`` what is sent last when the stream breaks off.
    """

    write: Callable[[Message], bytes]
    fail: Callable[[Status], bytes]
    timing: Timing
    headers: Headers

    async def serve(self, items: AsyncIterator[Message | Status], receive: Receive, send: Send) -> Status | None:
        """Send items until the stream ends, fails or nobody listens any more.

        What refuses it before anything was sent is returned, and then nothing is: it is for the caller to answer.
        """
        gone = asyncio.create_task(until_disconnected(receive))
        upcoming = asyncio.create_task(self._next(items))
        try:
            await _either(gone, upcoming, self.timing.first_item_seconds)
            if upcoming.done() and isinstance(first := upcoming.result(), Status):
                return first
            if gone.done():
                return None
            await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, *self.headers]})
            while not gone.done():
                await _either(gone, upcoming, self.timing.heartbeat_seconds)
                if not upcoming.done():
                    await _send_part(send, _HEARTBEAT)
                    continue
                item = upcoming.result()
                if not isinstance(item, bytes):
                    last = b"" if item is None else self.fail(item)
                    await send({"type": "http.response.body", "body": last})
                    return None
                await _send_part(send, item)
                upcoming = asyncio.create_task(self._next(items))
            return None
        finally:
            await _cancel(gone, upcoming)
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    async def _next(self, items: AsyncIterator[Message | Status]) -> bytes | Status | None:
        """Return the event of the next message, what is wrong, or None at the end. Never fails."""
        try:
            item = await anext(items)
            return presentable(item) if isinstance(item, Status) else self.write(item)
        except StopAsyncIteration:
            return None
        # Nothing may escape into a stream that is half sent.
        except Exception as error:  # noqa: BLE001
            return unexpected(error)


def event(text: bytes, name: bytes = b"") -> bytes:
    """Write one event; its data is JSON text, on one line."""
    # Line breaks in JSON text can only stand between tokens; here they would end the event.
    data = b"data: " + text.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"
    return b"event: " + name + b"\n" + data if name else data


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


async def until_disconnected(receive: Receive) -> None:
    """Return when the client is gone. For requests that were read to their end."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _either(one: _Task, other: _Task, seconds: float | None) -> None:
    await asyncio.wait({one, other}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def _cancel(*tasks: _Task) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
