"""What the parts of the proxy hand to each other: requests as read, answers as relayed, refusals of our own."""

from dataclasses import dataclass

RawHeaders = tuple[tuple[bytes, bytes], ...]
"""Header lines in order, names in the case they came in, values without white space around them."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A whole request. ``target`` is as sent; trailers are left out; ``keep_alive``: the connection outlives it."""

    method: str
    target: str
    headers: RawHeaders
    body: bytes = b""
    http_1_0: bool = False
    keep_alive: bool = True


@dataclass(frozen=True, slots=True)
class ContinueWanted:
    """The client waits for ``100 Continue`` before it sends the body of the request that follows."""


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """A whole answer of the upstream, with the transfer coding taken off and any content coding left on."""

    status: int
    reason: bytes
    headers: RawHeaders
    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The proxy itself answers, with this status and the error envelope. ``code`` is stable, ``message`` for people."""

    status: int
    code: str
    message: str


def text_of(raw: bytes) -> str:
    """Read a header's bytes: as UTF-8 when they are, else as Latin-1. Never fails."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def first(headers: RawHeaders, name: bytes) -> bytes | None:
    """The first value of a header, given its name in lower case; ``None`` when there is none."""
    for given, value in headers:
        if given.lower() == name:
            return value
    return None
