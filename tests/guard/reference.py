"""The reference loop: what a request costs a plain proxy of the simplest kind, for the proxy's time to be held against.

It never changes, and uses nothing of ours. It is made of what the hot path is made of, in about the same proportions: a
parser in C that calls back for each header, lookups, calls, tuples, joins, lists that grow and are let go. A machine, a
neighbour or an interpreter that slows the one slows the other.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import httptools

_KEPT_MAX = 1_024
_BLOCK = 64


class Reference:
    """Reads requests, looks up who and what is asked for, keeps a record of it, and makes an answer."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._answers = {b"/orders/%d" % each: b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n" for each in range(50)}
        self._known = {f"key-{each}": each for each in range(50)}
        self._record: deque[tuple[Any, ...]] = deque(maxlen=_KEPT_MAX)
        self._block: list[tuple[Any, ...]] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._target = self._key = b""
        self._sent: list[bytes] = []
        self._write: Callable[[bytes], None] = self._sent.append

    def run(self, requests: Sequence[bytes]) -> None:
        """Answer them all."""
        for request in requests:
            self._parser.feed_data(request)
            if len(self._sent) >= _BLOCK:
                self._sent.clear()

    # What the parser tells.

    def on_url(self, url: bytes) -> None:
        self._target = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        if len(name) == 5 and name.lower() == b"x-key":
            self._key = value

    def on_message_complete(self) -> None:
        path, _, query = self._target.partition(b"?")
        whose = self._find(self._key)
        head = self._answers.get(path)
        body = self._body(whose, query)
        if head is not None:
            self._keep(path, query, whose, body)
            self._write(b"".join((head, b"date: Tue, 23 Jun 2026 12:00:00 GMT\r\n\r\n", body)))
        self._headers = []

    def _find(self, key: bytes) -> int:
        return self._known.get(key.decode("latin-1").strip().lower(), -1)

    def _body(self, whose: int, query: bytes) -> bytes:
        return f"{whose:04}-{len(query):04}".encode()

    def _keep(self, path: bytes, query: bytes, whose: int, body: bytes) -> None:
        block = self._block
        block.append((path.decode(), query.decode(), whose, tuple(self._headers), body, len(body), 200, "answered"))
        if len(block) >= _BLOCK:
            self._record.extend([each for each in block if each[2] >= 0])
            self._block = []


def request(number: int) -> bytes:
    """What the reference is asked: no two requests are alike."""
    head = (
        f"GET /orders/{number % 50}?page={number % 7} HTTP/1.1\r\nHost: 127.0.0.1:8400\r\nX-Key: key-{number % 50}\r\n"
    )
    return f"{head}Accept: application/json\r\nUser-Agent: bench/1\r\ntraceparent: 00-{number:032x}-01\r\n\r\n".encode()
