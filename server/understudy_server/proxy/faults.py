"""What goes wrong on purpose: what is sent in place of an answer, as bytes."""

from typing import Final, NamedTuple

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.responding.plan import FaultKind, PlannedFault
from understudy_server.proxy.forwarding import chunk

FAULT_INJECTED: Final = "fault_injected"
"""The finding that the answer was spoiled on purpose."""

NO_STATUS: Final = 0
"""The status on record when none was sent."""

GARBAGE: Final = b"\x00\xff\xfe This is not HTTP, on purpose. \x80\x81\x82\r\n\x1b\x07\x00\r\n"
MALFORMED_CHUNK: Final = b"this is no chunk size\r\nand this no chunk\r\n"

CHUNKED: Final = b"transfer-encoding: chunked\r\n"


class Opening(NamedTuple):
    """The beginning of an answer.

    ``lines`` are the status line and the header lines that the mock has, ``framing`` is the one that frames the body,
    and ``added`` are those that every answer gets; ``stored`` are the headers as they are kept.
    """

    status: int
    lines: bytes
    framing: bytes
    added: bytes
    stored: RawHeaders

    @property
    def head(self) -> bytes:
        """All of it, with the blank line at its end."""
        return b"".join((self.lines, self.framing, self.added, b"\r\n"))


class Spoilt(NamedTuple):
    """What is sent, and then the connection ends: with a reset if ``hard``. The rest is what is put on record."""

    data: bytes = b""
    hard: bool = False
    status: int = NO_STATUS
    stored: RawHeaders = ()
    body: bytes = b""


def spoil(fault: PlannedFault, opening: Opening, body: bytes) -> Spoilt:
    """Spoil an answer that is here whole. ``body`` is empty where none would be sent."""
    match fault.kind:
        case FaultKind.CUT:
            part = body[: cut_bytes(len(body), fault.fraction)]
            return Spoilt(cut_head(opening, body) + part, status=opening.status, stored=opening.stored, body=part)
        case FaultKind.MALFORMED_CHUNK:
            data = opening._replace(framing=CHUNKED).head + MALFORMED_CHUNK
            stored = tuple([header for header in opening.stored if header[0].lower() != b"content-length"])
            return Spoilt(data, status=opening.status, stored=stored)
        case FaultKind.GARBAGE:
            return Spoilt(GARBAGE)
        case FaultKind.EMPTY_REPLY:
            return Spoilt()
        case FaultKind.RESET:
            return Spoilt(hard=True)


def drop(opening: Opening, body: bytes, fraction: float, *, chunked: bool) -> Spoilt:
    """Drop the connection in the middle of an answer that is here whole, as Assertive does.

    A length is never announced, so that with chunks it can always be told; without them it cannot.
    """
    part = body[: dropped_bytes(len(body), fraction)]
    stored = tuple([header for header in opening.stored if header[0].lower() != b"content-length"])
    head = opening._replace(framing=CHUNKED if chunked else b"").head
    return Spoilt(head + (chunk(part) if chunked else part), status=opening.status, stored=stored, body=part)


def dropped_bytes(size: int, fraction: float) -> int:
    """How much of a body of so many bytes is sent before Assertive drops the connection: a byte at least."""
    return max(min(1, size), min(int(size * fraction), size))


def cut_bytes(size: int, fraction: float) -> int:
    """How much of a body of so many bytes is sent before a cut: a byte at least where there are two, and never all."""
    return max(min(1, size - 1), min(int(size * fraction), size - 1), 0)


def cut_head(opening: Opening, body: bytes) -> bytes:
    """The head of an answer that is cut. Where there is no body to cut, it is the head: its end is left out."""
    return opening.head if body else opening.head[:-2]
