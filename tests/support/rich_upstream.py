"""A real service with something of everything: bodies of all kinds, no body, redirects. It keeps what it was sent."""

import contextlib
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = b"0123456789abcdef" * (1 << 16)
"""One MiB, what ``/api/large`` answers."""


@dataclass(frozen=True)
class Received:
    """One request as the service read it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for each, value in self.headers if each.lower() == name), "")


@dataclass
class RichUpstream:
    url: str
    received: list[Received] = field(default_factory=list)

    def last(self, target: str) -> Received:
        """The last request to a target."""
        return next(each for each in reversed(self.received) if each.target == target)

    def count(self, target: str, method: str = "") -> int:
        return sum(each.target == target and method in ("", each.method) for each in self.received)


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body go out apart: neither may wait for the other's acknowledgement.
    disable_nagle_algorithm = True
    server: "_Server"

    def serve(self) -> None:
        body = self._body()
        self.server.upstream.received.append(Received(self.command, self.path, tuple(self.headers.items()), body))
        match self.command, self.path.partition("?")[0]:
            case "DELETE", _:
                self._answer(204)
            case _, "/api/large":
                self._answer(200, LARGE, "application/octet-stream")
            case _, "/api/streamed":
                self._answer_chunked(LARGE)
            case _, "/api/gzip":
                self._answer(200, gzip.compress(_said(cart="real")), "application/json", ("content-encoding", "gzip"))
            case _, "/api/moved":
                self._answer(302, b"moved", "text/plain", ("location", "/api/elsewhere"))
            case "POST", "/api/echo":
                self._answer(200, body)
            case "POST", _:
                self._answer(200, _said(pay="real", bytes=len(body)))
            case _:
                self._answer(200, _said(cart="real"))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = serve  # noqa: N815 - the server looks for these

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def _answer(
        self, status: int, body: bytes = b"", kind: str = "application/json", *headers: tuple[str, str]
    ) -> None:
        self._begin(status, *headers)
        if status != 204:
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _answer_chunked(self, body: bytes) -> None:
        self._begin(200, ("content-type", "application/octet-stream"), ("transfer-encoding", "chunked"))
        self.end_headers()
        for start in range(0, len(body), 10_000):
            piece = body[start : start + 10_000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _begin(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        if origin := self.headers.get("origin"):
            # The service allows pages of other origins itself; what passes through keeps its words.
            headers += (
                ("access-control-allow-origin", origin),
                ("access-control-allow-credentials", "true"),
                ("access-control-expose-headers", "x-served-by"),
            )
        for name, value in (*headers, ("x-served-by", "service")):
            self.send_header(name, value)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # So many clients may come at the same moment.
    request_queue_size = 512
    upstream: RichUpstream


def _said(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@contextlib.contextmanager
def running_rich_upstream() -> Iterator[RichUpstream]:
    server = _Server(("127.0.0.1", 0), _Service)
    server.upstream = RichUpstream(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
