"""A real service for the proxy to stand before: it says ``real``."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from support.threaded_service import Quiet, threaded_service


@dataclass(frozen=True)
class Upstream:
    url: str


class _Service(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A head and its body go out at once; without this the second waits 40 ms for the first to be acknowledged.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(b'{"cart": "real"}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(b'{"pay": "real"}')

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def running_upstream() -> Iterator[Upstream]:
    with threaded_service(_Service) as url:
        yield Upstream(url)
