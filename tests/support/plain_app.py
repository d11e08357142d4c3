"""An app under test that writes its requests by hand: they reach the proxy to the byte, and nothing is added."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

PATIENCE_SECONDS = 20
"""How long the app waits for bytes. It raises TimeoutError then."""


@dataclass(frozen=True)
class PlainAnswer:
    """An answer as it came; a body in chunks is put together."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of a header, in order; its name in any case."""
        return [value for given, value in self.headers if given.lower() == name]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class PlainApp:
    """Calls the proxy at ``host:port``. ``base`` goes before every path."""

    proxy: str
    base: str = ""

    def ask(self, method: str, path: str, *lines: str, body: bytes = b"", host: str = "proxy") -> PlainAnswer:
        """Send a request with these header lines after Host, and its length if it has a body; read the answer."""
        with self.asking(method, path, *lines, body=body, host=host) as (response, _):
            return PlainAnswer(response.status, response.getheaders(), response.read())

    def cart(self, *lines: str, path: str = "/api/cart") -> str:
        """What the cart says: ``mocked``, or ``real`` when the service answered."""
        said: str = self.ask("GET", path, *lines).json()["cart"]
        return said

    def written(self, method: str, path: str, *lines: str, body: bytes = b"", host: str = "proxy") -> bytes:
        """The bytes of a request."""
        length = [f"Content-Length: {len(body)}"] if body else []
        head = [f"{method} {self.base}{path} HTTP/1.1", f"Host: {host}", *lines, *length, "", ""]
        return "\r\n".join(head).encode() + body

    @contextmanager
    def asking(
        self, method: str, path: str, *lines: str, body: bytes = b"", host: str = "proxy"
    ) -> Iterator[tuple[HTTPResponse, socket.socket]]:
        """An answer whose head is here, to be read as it comes."""
        with self.sent(method, path, *lines, body=body, host=host) as connection:
            response = HTTPResponse(connection, method=method)
            response.begin()
            yield response, connection
            response.close()

    @contextmanager
    def sent(
        self, method: str, path: str, *lines: str, body: bytes = b"", host: str = "proxy"
    ) -> Iterator[socket.socket]:
        """A connection on which a request was sent. It is closed at the end, answered or not."""
        address, _, port = self.proxy.rpartition(":")
        with socket.create_connection((address, int(port)), PATIENCE_SECONDS) as connection:
            connection.sendall(self.written(method, path, *lines, body=body, host=host))
            yield connection
