"""A real service that says what the test tells it to, and keeps every byte that it was sent."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from support.strict_http import Message, read_requests

PATIENCE_SECONDS = 20
"""How long anybody waits for a gate. A test that holds one longer fails."""

Step = bytes | threading.Event
"""Bytes to send, or a gate that must be open before anything more is sent."""


def answer(body: bytes = b'{"cart": "real", "pay": "real"}', *lines: str, status: str = "200 OK") -> bytes:
    """Write an answer with these header lines, and the length of its body."""
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class ToldUpstream:
    """A running service. ``raw`` are the requests as they came, ``asked`` is set once there is one."""

    authority: str
    raw: list[bytes] = field(default_factory=list)
    requests: list[Message] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    steps: Sequence[Step] = (answer(),)

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    @property
    def last(self) -> Message:
        return self.requests[-1]

    def tell(self, *steps: Step) -> None:
        """Answer every request so from now on, on connections that stay open."""
        self.steps = steps


class _Talk(socketserver.BaseRequestHandler):
    server: "_Server"
    request: socket.socket

    def handle(self) -> None:
        upstream, unread = self.server.upstream, b""
        self.server.open.add(self.request)
        # Cut by the proxy or by the end of the test: what arrived is kept all the same.
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                unread += data
                requests, rest = read_requests(unread)
                if requests:
                    upstream.raw.append(unread.removesuffix(rest))
                    upstream.requests += requests
                    unread = rest
                    upstream.asked.set()
                    self._answer(upstream.steps)
        self.server.open.discard(self.request)

    def _answer(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, bytes):
                self.request.sendall(step)
            else:
                step.wait(PATIENCE_SECONDS)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    upstream: ToldUpstream

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.open: set[socket.socket] = set()


@contextlib.contextmanager
def running_told_upstream() -> Iterator[ToldUpstream]:
    """Run the service for a while; at the end its connections are cut."""
    with _Server() as server:
        server.upstream = ToldUpstream(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.upstream
        finally:
            server.shutdown()
            thread.join()
            for connection in list(server.open):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
