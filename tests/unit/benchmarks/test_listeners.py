import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from support.serving import serving

from benchmarks.listeners import Listeners
from benchmarks.method import Rejected

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
CLIENTS = 5


@dataclass
class Stage:
    """A server that tells all who have asked it what it is told."""

    head: bytes
    address: str
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.head)
        self.writers.append(writer)
        # Until the client goes.
        await reader.read()

    def tell(self, event: bytes) -> None:
        for writer in self.writers:
            writer.write(b"data: %b\n\n" % event)


@asynccontextmanager
async def staged(head: bytes = HEAD) -> AsyncIterator[Stage]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stage = Stage(head, f"127.0.0.1:{listener.getsockname()[1]}")
        async with serving(stage.serve, listener):
            yield stage


async def listen(stage: Stage) -> Listeners:
    return await Listeners.listen(stage.address, b"GET / HTTP/1.1\r\n\r\n", CLIENTS)


async def test_all_hear_of_an_event_after_it_was_told() -> None:
    async with staged() as stage:
        listeners = await listen(stage)
        hearing = listeners.expect(b"n=2")
        stage.tell(b"n=1")
        began = time.perf_counter()
        stage.tell(b"n=2")
        heard = await hearing
        await listeners.close()

    assert len(heard) == CLIENTS
    assert min(heard) > began


async def test_who_only_hears_of_something_else_goes_on_waiting() -> None:
    async with staged() as stage:
        listeners = await listen(stage)
        hearing = listeners.expect(b"n=2")
        stage.tell(b"n=1")
        done, _ = await asyncio.wait([hearing], timeout=0.05)
        hearing.cancel()
        await listeners.close()

    assert not done


async def test_a_refusal_is_no_stream() -> None:
    async with staged(b"HTTP/1.1 429 Too Many Requests\r\n\r\n") as stage:
        with pytest.raises(Rejected, match="429"):
            await listen(stage)


async def test_a_stream_that_ends_is_found_out() -> None:
    async with staged() as stage:
        listeners = await listen(stage)
        hearing = listeners.expect(b"n=1")
        stage.writers[0].close()
        stage.tell(b"n=1")
        with pytest.raises(Rejected, match="ended"):
            await hearing
        await listeners.close()


async def test_each_event_that_is_followed_has_its_time_for_each_client() -> None:
    async with staged() as stage:
        listeners = await listen(stage)
        following = asyncio.ensure_future(listeners.beats(b"tick", 0.1))
        await asyncio.sleep(0)
        for _ in range(3):
            stage.tell(b"tick")
        beats = await following
        await listeners.close()

    assert [len(times) for times in beats] == [3] * CLIENTS
    assert all(times == sorted(times) for times in beats)


async def test_a_stream_that_ends_while_it_is_followed_is_found_out() -> None:
    async with staged() as stage:
        listeners = await listen(stage)
        stage.writers[0].close()
        with pytest.raises(Rejected, match="ended"):
            await listeners.beats(b"tick", 0.1)
        await listeners.close()
