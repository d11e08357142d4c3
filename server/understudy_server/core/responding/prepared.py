"""An answer's bytes, made once and sent many times."""

from dataclasses import dataclass

from understudy_server.core.exchange import Captured, RawHeaders
from understudy_server.core.redaction import redact
from understudy_server.core.responding.reasons import reason

_BODILESS = frozenset({204, 304})


@dataclass(slots=True, eq=False)
class Prepared:
    """What of an answer is the same for every request.

    ``head`` is the status line and all header lines, each with its CRLF, without the blank line at the end: the date
    (unless ``has_date``), what is to be said about the connection, and permission for other origins (unless
    ``sets_cors``) are added by whoever sends it. ``body`` is what follows, but for a request with HEAD. ``raw_headers``
    are the headers of ``head``, and ``stored_headers`` the same with credentials masked. ``kept`` is the journal's copy
    of the body, for whoever makes it first to leave it here, and ``kept_by`` the rules by which it was made: by other
    ones it would be another. Nothing else is changed once it is made.
    """

    status: int
    head: bytes
    body: bytes
    raw_headers: RawHeaders
    stored_headers: RawHeaders
    has_date: bool
    sets_cors: bool
    kept: Captured | None = None
    kept_by: object = None


def prepare(status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> Prepared:
    """Prepare an answer. Names and values of headers are Latin-1 (UnicodeEncodeError) and without line breaks.

    204 and 304 have no body and no length; an answer to HEAD has no body, and the length that GET would have had.
    Source: RFC 9110, sections 6.4.1 and 8.6.
    """
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if status in _BODILESS:
        body = b""
    else:
        raw.append((b"content-length", b"%d" % len(body)))
    raw_headers = tuple(raw)
    names = {name.lower() for name, _ in raw_headers}
    return Prepared(
        status=status,
        head=b"".join(
            [b"HTTP/1.1 %d %b\r\n" % (status, reason(status)), *[b"%b: %b\r\n" % each for each in raw_headers]]
        ),
        body=body,
        raw_headers=raw_headers,
        stored_headers=redact(raw_headers),
        has_date=b"date" in names,
        sets_cors=b"access-control-allow-origin" in names,
    )
