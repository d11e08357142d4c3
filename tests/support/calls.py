"""What a real client is told to send and what it saw, and both as one line of text for clients written in any language.

Fields of a line are apart by tabs; headers are lines ``name: value`` in base64, bodies are bytes in base64:

    METHOD  URL  headers  body  none | length | chunked  wait | go        a call
    status  headers  body                                               its answer
    error   message                                                     there was none
"""

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

CALL_SECONDS_MAX = 30
"""Clients give up after so long: what hangs is then an error that names the call."""


@dataclass(frozen=True)
class Call:
    """One request. ``chunked``: without a length known in advance. ``waits``: the body only after ``100 Continue``."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunked: bool = False
    waits: bool = False

    def line(self) -> str:
        """The call as a line, without its end."""
        framing = "none" if not self.body else "chunked" if self.chunked else "length"
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        waiting = "wait" if self.waits else "go"
        return "\t".join((self.method, self.url, _coded(headers.encode()), _coded(self.body), framing, waiting))


@dataclass(frozen=True)
class Answer:
    """What the client made of the response. Names of headers are in lower case; some clients hide some of them."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of a header, empty when there is none."""
        return next((value for each, value in self.headers if each == name), "")

    def text(self) -> str:
        """The body as text. Some clients unpack gzip themselves, for the others it is done here."""
        packed = self.body.startswith(b"\x1f\x8b")
        return (gzip.decompress(self.body) if packed else self.body).decode()


class Client(Protocol):
    """Plays calls in order, over one pool of connections, without following redirects."""

    def play(self, calls: Sequence[Call]) -> Sequence[Answer]: ...

    def close(self) -> None: ...


def answer_of(line: str) -> Answer:
    """Read an answer. Raises AssertionError with the client's words when it had none."""
    first, *rest = line.rstrip("\n").split("\t")
    fields = [base64.b64decode(each) for each in rest]
    assert first.isdigit(), f"the client failed: {b''.join(fields).decode() or line!r}"
    headers = [each.partition(": ") for each in fields[0].decode("latin-1").splitlines()]
    return Answer(int(first), [(name.lower(), value) for name, _, value in headers], fields[1])


def _coded(data: bytes) -> str:
    return base64.b64encode(data).decode()
