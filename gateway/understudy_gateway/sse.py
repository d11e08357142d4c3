"""A server stream over HTTP: server-sent events, one ``data:`` line of JSON per message.

The headers wait a moment for the first item, so that an early refusal is a real HTTP error; a later one becomes an
``error`` event. Comments keep the connection alive. When the client goes away, the call is cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from understudy_gateway.answers import Answer, presentable, unexpected
from understudy_gateway.wire import Receive, Send, send_answer

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # Proxies that buffer would hold the events back.
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT = b": heartbeat\n\n"
_Task = asyncio.Task[bytes | Answer | None] | asyncio.Task[None]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the headers wait for the first item, and how long the stream may be silent at most."""

    first_item_seconds: float = 1.0
    heartbeat_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class EventStream:
    """Sends one stream. ``write`` gives the JSON text of a message, ``refuse`` the answer for an error."""

    write: Callable[[Message], bytes]
    refuse: Callable[[Status], Answer]
    timing: Timing

    async def serve(self, items: AsyncIterator[Message | Status], receive: Receive, send: Send) -> None:
        """Send items until the stream ends, fails or nobody listens any more."""
        gone = asyncio.create_task(until_disconnected(receive))
        upcoming = asyncio.create_task(self._next(items))
        try:
            await _either(gone, upcoming, self.timing.first_item_seconds)
            if upcoming.done() and isinstance(first := upcoming.result(), Answer):
                await send_answer(send, first)
                return
            if gone.done():
                return
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            while not gone.done():
                await _either(gone, upcoming, self.timing.heartbeat_seconds)
                if not upcoming.done():
                    await _send_part(send, _HEARTBEAT)
                    continue
                item = upcoming.result()
                if not isinstance(item, bytes):
                    await _send_end(send, item)
                    return
                await _send_part(send, _event(item))
                upcoming = asyncio.create_task(self._next(items))
        finally:
            await _cancel(gone, upcoming)
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    async def _next(self, items: AsyncIterator[Message | Status]) -> bytes | Answer | None:
        """Return the text of the next message, the answer of an error, or None at the end. Never fails."""
        try:
            item = await anext(items)
            return self.refuse(presentable(item)) if isinstance(item, Status) else self.write(item)
        except StopAsyncIteration:
            return None
        # Nothing may escape into a stream that is half sent.
        except Exception as error:  # noqa: BLE001
            return self.refuse(unexpected(error))


def _event(text: bytes) -> bytes:
    # Line breaks in JSON text can only stand between tokens; here they would end the event.
    return b"data: " + text.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


async def _send_end(send: Send, failure: Answer | None) -> None:
    body = b"" if failure is None else b"event: error\n" + _event(failure.body)
    await send({"type": "http.response.body", "body": body})


async def until_disconnected(receive: Receive) -> None:
    """Return when the client is gone. For requests that were read to their end."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _either(one: _Task, other: _Task, seconds: float) -> None:
    await asyncio.wait({one, other}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def _cancel(*tasks: _Task) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
