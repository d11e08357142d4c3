"""Asking one thing at a time over one kept connection, with next to nothing in between."""

import gc
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from benchmarks.method import Rejected
from benchmarks.scenery import HEADERS

_ANSWER_SECONDS_MAX = 30
_PIECE_BYTES = 1 << 16
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
# As many as a server takes in before it has to answer the first.
_PIPELINED = 16


class Asker:
    """One connection to ``HOST:PORT``. Raises OSError when nobody accepts there, or the connection breaks."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS_MAX)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def close(self) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> bytes:
        """Send a request and give its whole answer, which must say its length."""
        self._socket.sendall(request)
        return self._answer()

    def expect(self, request: bytes, status: int, body: bytes = b"") -> float:
        """Ask, and give the seconds that it took. Raises Rejected when the answer is another."""
        began = time.perf_counter()
        answer = self.ask(request)
        took = time.perf_counter() - began
        if not (answer.startswith(b"HTTP/1.1 %d " % status) and answer.endswith(body)):
            raise Rejected(f"{request[:100]!r} was answered with {answer[:400]!r}")
        return took

    def expect_all(self, requests: Sequence[bytes], status: int, body: bytes) -> None:
        """Ask for many things, some ahead of the answers. Raises Rejected when one is another."""
        for start in range(0, len(requests), _PIPELINED):
            few = requests[start : start + _PIPELINED]
            self._socket.sendall(b"".join(few))
            for request in few:
                answer = self._answer()
                if not (answer.startswith(b"HTTP/1.1 %d " % status) and answer.endswith(body)):
                    raise Rejected(f"{request[:100]!r} was answered with {answer[:400]!r}")

    def _answer(self) -> bytes:
        head_bytes = self._until(lambda: self._read.find(b"\r\n\r\n") + 4)
        length = _LENGTH.search(self._read, 0, head_bytes)
        size = head_bytes + (int(length[1]) if length else 0)
        self._until(lambda: size if len(self._read) >= size else 0)
        answer, self._read = self._read[:size], self._read[size:]
        return answer

    def _until(self, found: Callable[[], int]) -> int:
        """Receive until something is there that is longer than the end of a head."""
        while (size := found()) < len(b"\r\n\r\n"):
            data = self._socket.recv(_PIECE_BYTES)
            if not data:
                raise ConnectionError(f"the connection ended after {self._read[:200]!r}")
            self._read += data
        return size


@contextmanager
def asking(address: str) -> Iterator[Asker]:
    asker = Asker(address)
    try:
        yield asker
    finally:
        asker.close()


@contextmanager
def no_collections() -> Iterator[None]:
    """Let the collector of this process not be taken for the server's time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def request(method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
    """A request with the scenery's headers; others, and another session key, by name with ``_`` for ``-``."""
    lines = {"Host": "bench", **HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body:
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body
