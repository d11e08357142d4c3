"""An answer's bytes, made once and sent many times."""

from dataclasses import dataclass
from typing import Any

from understudy_server.core.exchange import Captured, RawHeaders
from understudy_server.core.headers import Content, content_of
from understudy_server.core.redaction import redact
from understudy_server.core.responding.reasons import reason

_BODILESS = frozenset({204, 304})


@dataclass(slots=True, eq=False)
class Prepared:
    """What of an answer is the same for every request.

    ``head`` is the status line and all header lines, each with its CRLF, without the blank line at the end: the date
    (unless ``has_date``), what is to be said about the connection, and permission for other origins (unless
    ``sets_cors``) are added by whoever sends it. ``body`` is what follows, but for a request with HEAD. ``raw_headers``
    are the headers of ``head``, ``stored_headers`` the same with credentials masked, and ``content`` what they tell of
    the body. ``kept`` is the journal's copy of the body, for whoever makes it first to leave it here, and ``kept_by``
    the rules by which it was made: by other ones it would be another. ``wire`` is left here by whoever sends it first
    as it is sent to most. Nothing else is changed once it is made.
    """

    status: int
    head: bytes
    body: bytes
    raw_headers: RawHeaders
    stored_headers: RawHeaders
    content: Content
    has_date: bool
    sets_cors: bool
    kept: Captured | None = None
    kept_by: object = None
    wire: Any = None


@dataclass(frozen=True, slots=True)
class Shape:
    """An answer but for its body: what `Prepared` holds, without a length."""

    status: int
    head: bytes
    raw_headers: RawHeaders
    stored_headers: RawHeaders
    content: Content
    has_date: bool
    sets_cors: bool

    def with_body(self, body: bytes) -> Prepared:
        """Make an answer. 204 and 304 have no body and no length; one to HEAD has the length that GET's would have.

        Source: RFC 9110, sections 6.4.1 and 8.6.
        """
        if self.status in _BODILESS:
            return self.without_length()
        length = b"%d" % len(body)
        raw = stored = (*self.raw_headers, (b"content-length", length))
        if self.stored_headers is not self.raw_headers:
            stored = (*self.stored_headers, (b"content-length", length))
        head = b"%bcontent-length: %b\r\n" % (self.head, length)
        return Prepared(self.status, head, body, raw, stored, self.content, self.has_date, self.sets_cors)

    def without_length(self) -> Prepared:
        """Make an answer whose body is sent as it comes, or that has none."""
        return Prepared(
            self.status,
            self.head,
            b"",
            self.raw_headers,
            self.stored_headers,
            self.content,
            self.has_date,
            self.sets_cors,
        )


def shape(status: int, headers: tuple[tuple[str, str], ...]) -> Shape:
    """Prepare an answer but for its body. Names and values are Latin-1 (UnicodeEncodeError) and without line breaks."""
    raw = tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])
    names = {name.lower() for name, _ in raw}
    return Shape(
        status=status,
        head=b"".join([b"HTTP/1.1 %d %b\r\n" % (status, reason(status)), *[b"%b: %b\r\n" % each for each in raw]]),
        raw_headers=raw,
        stored_headers=redact(raw),
        content=content_of(raw),
        has_date=b"date" in names,
        sets_cors=b"access-control-allow-origin" in names,
    )


def prepare(status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> Prepared:
    """Prepare an answer: `shape` with a body."""
    return shape(status, headers).with_body(body)
