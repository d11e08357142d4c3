"""One request, sent as wrk sends it, and its answer as it lay on the wire."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import httptools

_SECONDS = 10
_CHUNK_BYTES = 65536


@dataclass(frozen=True)
class Answer:
    """``size`` is of the whole answer in bytes, with its head and the framing of its body."""

    status: int
    body: bytes
    size: int


def ask(address: str, path: str, headers: Mapping[str, str], post: str = "") -> Answer:
    """GET, or POST a text, once on a connection of its own. Raises OSError when no whole answer comes."""
    host, _, port = address.rpartition(":")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reading = _Reading()
    with socket.create_connection((host, int(port)), timeout=_SECONDS) as connection:
        if post:
            lines += f"Content-Length: {len(post.encode())}\r\n"
        method = "POST" if post else "GET"
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: {address}\r\n{lines}\r\n{post}".encode())
        while not reading.complete:
            reading.feed(connection.recv(_CHUNK_BYTES))
    return Answer(reading.status, bytes(reading.body), reading.size)


class _Reading:
    """What has come of an answer until now."""

    def __init__(self) -> None:
        self.body, self.size, self.complete = bytearray(), 0, False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())

    def feed(self, part: bytes) -> None:
        if not part:
            raise ConnectionError(f"the connection was closed {self.size} bytes into an answer")
        self.size += len(part)
        try:
            self._parser.feed_data(part)
        except httptools.HttpParserError as error:
            raise ConnectionError(f"what came is not HTTP: {error}") from error

    # Called by the parser.
    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.complete = True
