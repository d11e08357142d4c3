"""What the parts of the proxy hand to each other: requests and answers as read, refusals of our own."""

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from understudy_server.core.exchange import RawHeaders

if TYPE_CHECKING:
    from understudy_server.proxy.alike import Alike

Header = tuple[bytes, bytes]
"""A header line: the name in the case it came in, the value without white space around it."""

Headers = list[Header] | tuple[Header, ...]

# Decoded once: a request names one of few.
METHODS: Final = {
    each.encode(): each for each in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT")
}


class ClientRequest:
    """A request whose head is read. What is rare stands in the class, and is set where it differs: mostly nowhere.

    ``body`` is what had come of the body when the request was given out; ``complete`` says that this is all of it.
    """

    method: str
    target: str
    """As sent: in origin form, absolute form, or ``*``."""

    headers: list[Header]
    body: bytes = b""
    complete: bool = True
    http_1_0: bool = False
    keep_alive: bool = True
    """The connection outlives the request."""

    host: bytes = b""
    length: int | None = None
    """The announced length of the body in bytes."""

    chunked: bool = False
    expects_continue: bool = False
    """The client waits for ``100 Continue`` before it sends the body."""

    upgrade: bytes = b""
    """The protocols it offers to go on with, as sent. Nothing is read after such a request."""

    origin: bytes = b""
    session_values: tuple[bytes, ...] = ()
    """The values of the session header, in order."""

    connection_values: tuple[bytes, ...] = ()
    """The values of Connection, in order."""

    has_secrets: bool = False
    """Credentials are among the headers."""

    has_body: bool = False

    body_bytes_max: int = sys.maxsize
    """How long a body its environment takes. It says so when the request is judged."""

    body_bytes: int = 0
    """How much of the body was here then, and was handed on since."""

    masked: RawHeaders | None = None
    """The headers as they go on record, where somebody has made them already, by the rules of ``masked_by``."""

    masked_by: object = None
    """The rules of an environment by which that was; ``None``: credentials alone are masked."""

    alike: "Alike | None" = None
    """What is known of all requests like it: there were others, so what is decided about it is worth remembering."""

    differs: frozenset[bytes] = frozenset()
    """The names, in lower case, of the headers that are not the same in all of those."""

    unfinished: object = None
    """What was found of it in the turns of the event loop before, for whoever goes on to take from here."""


class BodyPart(NamedTuple):
    """The next bytes of the body of the request given out last; perhaps none, when it is ``last``."""

    data: bytes
    last: bool


@dataclass
class AnswerHead:
    """The head of an upstream's final answer. Most of it stands in the class, and is set where it differs.

    ``headers`` are those for the client, in order: without what frames the body or is about the connection alone.
    ``length`` is the announced length of the body in bytes; for HEAD the one that GET would have.
    """

    status: int = 200
    reason: bytes | None = b""
    """``None``: the usual one."""

    headers: list[Header] = field(default_factory=list)
    length: int | None = None
    chunked: bool = False
    bodiless: bool = False
    """No body follows, whatever the headers say: HEAD, 204, 304, 101."""

    content_type: bytes = b""
    content_coding: bytes = b""
    has_secrets: bool = False
    """Cookies are among the headers."""

    upgrade: bytes = b""
    """The protocol it goes on with."""

    repeats: bool = False
    """It is remembered and will be given out again, as this object: nobody may change more of it than ``lines``."""

    lines: bytes = b""
    """Status line and header lines for a client, left here by whoever writes them first."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The proxy itself answers, with this status and the error envelope. ``code`` is stable, ``message`` for people.

    ``instead`` of the envelope there may be a body, with the headers that describe it.
    """

    status: int
    code: str
    message: str
    instead: tuple[RawHeaders, bytes] | None = None


def body_too_large(bytes_max: int) -> Refused:
    """The refusal of a body that is longer than so many bytes."""
    return Refused(413, "body_too_large", f"The body is longer than {bytes_max} bytes.")
