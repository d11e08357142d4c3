"""Traffic at a pace while what answers it is exchanged, and the check that all of it is exchanged at once.

Every mock says its own name and a generation. To the requests, the whole file must look like one value that changes in
one moment: a request that is sent after any answer was received sees that answer's generation or a later one, whichever
mocks the two were about. Half a file in force would show as an older generation after a newer one, or as no mock.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_TICK_SECONDS = 0.001
_ANSWER_SECONDS_MAX = 30.0
_PAIR_SHARE = 0.25
_OK = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, and the newest generation that any answer had told by then."""

    mock: str
    floor: int


@dataclass
class Check:
    """Follows requests and answers in the order in which they happen, and notes what must not be."""

    begun: int = 1
    """The newest generation whose writing has begun: nobody can see a later one."""

    newest: int = 0
    answered: int = 0
    wrong: list[str] = field(default_factory=list)

    def send(self, mock: str) -> Sent:
        """Note that a request for a mock is about to be sent."""
        return Sent(mock, self.newest)

    def answer(self, sent: Sent, head: bytes, body: str) -> None:
        """Note an answer: ``body`` is the mock's name and a generation."""
        self.answered += 1
        name, _, number = body.partition(" ")
        if not head.startswith(_OK) or not number.isdecimal():
            self.wrong.append(f"{sent.mock} was answered by no mock: {head[:40]!r} {body[:80]!r}")
            return
        generation = int(number)
        if name != sent.mock:
            self.wrong.append(f"{sent.mock} was answered by {name}")
        if generation < sent.floor:
            self.wrong.append(f"{sent.mock} told {generation} after {sent.floor} had been told")
        if generation > self.begun:
            self.wrong.append(f"{sent.mock} told {generation} before it was written")
        self.newest = max(self.newest, generation)


@dataclass(frozen=True)
class Target:
    """What is asked: for each mock its path, and the headers that go with it."""

    address: str
    requests: dict[str, bytes]
    pairs: Sequence[tuple[str, str]]
    """Mocks that are asked for by two requests in one write."""


class Traffic:
    """Open connections that share a pace of requests, whatever the answers do."""

    def __init__(self, target: Target, check: Check, seed: int) -> None:
        self._target = target
        self._check = check
        self._dice = random.Random(seed)
        self._connections: list[_Connection] = []
        self._task: asyncio.Task[None] | None = None
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    async def start(self, connections: int, rate: int) -> None:
        """Open connections and send so many requests a second from now on."""
        host, _, port = self._target.address.rpartition(":")
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            made = await loop.create_connection(lambda: _Connection(self._check, self._look), host, int(port))
            self._connections.append(made[1])
        self._task = asyncio.create_task(self._send(rate))

    async def stop(self) -> None:
        """Send no more, wait for what is under way, and close."""
        assert self._task
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        async with asyncio.timeout(_ANSWER_SECONDS_MAX):
            for connection in self._connections:
                await connection.drained()
        for connection in self._connections:
            connection.close()

    async def more(self, count: int) -> None:
        """Wait until so many more requests have been answered."""
        future = asyncio.get_running_loop().create_future()
        self._waiters.append((self._check.answered + count, future))
        async with asyncio.timeout(_ANSWER_SECONDS_MAX):
            await future

    async def told(self, generation: int) -> None:
        """Wait until an answer tells a generation."""
        async with asyncio.timeout(_ANSWER_SECONDS_MAX):
            while self._check.newest < generation and not self._check.wrong:
                await self.more(1)

    def _look(self) -> None:
        due = [future for count, future in self._waiters if count <= self._check.answered]
        self._waiters = [each for each in self._waiters if each[0] > self._check.answered]
        for future in due:
            if not future.done():
                future.set_result(None)

    async def _send(self, rate: int) -> None:
        loop, names = asyncio.get_running_loop(), list(self._target.requests)
        began, sent = loop.time(), 0
        while True:
            while sent < (loop.time() - began) * rate:
                mocks = self._draw(names)
                connection = self._connections[sent % len(self._connections)]
                connection.send(mocks, b"".join(self._target.requests[each] for each in mocks))
                sent += len(mocks)
            await asyncio.sleep(_TICK_SECONDS)

    def _draw(self, names: Sequence[str]) -> Sequence[str]:
        if self._dice.random() < _PAIR_SHARE:
            return self._dice.choice(self._target.pairs)
        return (self._dice.choice(names),)


class _Connection(asyncio.Protocol):
    """One connection; answers come in the order of the requests."""

    def __init__(self, check: Check, look: Callable[[], None]) -> None:
        self._check = check
        self._look = look
        self._waiting: deque[Sent] = deque()
        self._unread = b""
        self._empty = asyncio.Event()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        for sent in self._waiting:
            self._check.wrong.append(f"{sent.mock} was not answered: {exc or 'the connection was closed'}")
        self._waiting.clear()
        self._empty.set()

    def send(self, mocks: Sequence[str], data: bytes) -> None:
        self._waiting.extend(self._check.send(each) for each in mocks)
        self._empty.clear()
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            length = _length_of(head)
            if len(self._unread) < end + 4 + length:
                break
            body = self._unread[end + 4 : end + 4 + length].decode()
            self._unread = self._unread[end + 4 + length :]
            self._check.answer(self._waiting.popleft(), head, body)
        if not self._waiting:
            self._empty.set()
        self._look()

    async def drained(self) -> None:
        """Wait until nothing is under way."""
        if self._waiting:
            await self._empty.wait()

    def close(self) -> None:
        self._transport.close()


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise AssertionError(f"an answer without a length: {head!r}")
