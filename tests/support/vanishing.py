"""A client on a bare socket, and a count of what a process holds: nobody may leave anything behind."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_DEADLINE_SECONDS = 10


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as something holds. Fails with ``what`` when it does not within the deadline."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"in {_DEADLINE_SECONDS} s: {what}"
        await asyncio.sleep(0.002)


@dataclass
class Client:
    """A client that does what it wants with its socket, with no transport that would tidy up behind it."""

    sock: socket.socket

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self, size: int = 65536) -> bytes:
        """Return what is there, as soon as there is something; empty at the end. Raises ConnectionResetError."""
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, size), _DEADLINE_SECONDS)

    async def read_exactly(self, size: int) -> bytes:
        """Return so many bytes, or fewer when the end comes first."""
        read = bytearray()
        while len(read) < size and (data := await self.read(size - len(read))):
            read += data
        return bytes(read)

    async def read_all(self) -> bytes:
        """Return what comes until the end; a reset is an end too."""
        read = bytearray()
        try:
            while data := await self.read():
                read += data
        except ConnectionResetError:
            pass
        return bytes(read)

    def half_close(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Cut the connection: the other side gets a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def vanish(self) -> None:
        """Close and read nothing more: the other side sees an end, and a reset once it writes."""
        self.sock.close()


@asynccontextmanager
async def client(address: tuple[str, int]) -> AsyncIterator[Client]:
    """Connect for a while."""
    sock = socket.socket()
    sock.setblocking(False)
    # Small, so that a client that does not read is noticed soon.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
        yield Client(sock)
    finally:
        sock.close()


def _held() -> tuple[int, int]:
    return len(asyncio.all_tasks()), len(list(Path("/dev/fd").iterdir()))


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Check that there are as many tasks and open descriptors after the block as before it, once all has settled."""
    before = _held()
    yield
    await eventually(
        lambda: _held() <= before and _held()[0] <= before[0], f"(tasks, descriptors) still above {before}"
    )


@asynccontextmanager
async def full_house() -> AsyncIterator[tuple[str, int]]:
    """An address that neither accepts a connection nor refuses it: whoever connects waits."""
    loop = asyncio.get_running_loop()
    house = socket.socket()
    guests: list[socket.socket] = []
    try:
        house.bind(("127.0.0.1", 0))
        house.listen(0)
        for _ in range(8):
            guest = socket.socket()
            guest.setblocking(False)
            guests.append(guest)
            try:
                await asyncio.wait_for(loop.sock_connect(guest, house.getsockname()), 0.1)
            except TimeoutError:
                break
        else:
            raise AssertionError("the kernel accepts any number of connections here")
        address: tuple[str, int] = house.getsockname()
        yield address
    finally:
        for each in (house, *guests):
            each.close()
