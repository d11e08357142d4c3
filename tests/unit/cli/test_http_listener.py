"""The listener of the REST door, over real sockets."""

import asyncio
from typing import Any

import pytest
from understudy_server.cli.addresses import LOOPBACK, Address
from understudy_server.cli.http_limits import HttpLimits
from understudy_server.cli.http_listener import HttpListener


async def read_all(_scope: Any, receive: Any, send: Any) -> None:
    """Answers when the request is whole."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    "half", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n", b"PUT / HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"]
)
async def test_a_request_that_does_not_come_to_its_end_is_given_up(half: bytes) -> None:
    limits = HttpLimits(request_seconds=0.1)
    listener = await HttpListener.start(read_all, Address(LOOPBACK, 0), 1, limits)
    reader, writer = await asyncio.open_connection(LOOPBACK, listener.address.port)
    writer.write(half)
    answer = await reader.read()
    assert b" 408 " in answer
    assert b"request_timeout" in answer
    writer.close()
    await writer.wait_closed()
    await listener.stop()
