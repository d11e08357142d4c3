"""Reading on behind a head that offers an upgrade as if it did not: a server may ignore the offer (RFC 9110, 7.8).

httptools takes all that follows such a head for another protocol, whatever body the head announces, and has no switch
for that. So another parser reads on, which is first told of the body by a head of ours.
"""

from collections.abc import Iterable

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
"""The headers that say where a body ends. What is wrong with them is refused again."""


def framing_head(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The head to feed to ``parser_behind_head``. The names of ``headers`` are in lower case."""
    lines = [b"%b: %b\r\n" % header for header in headers if header[0] in _FRAMING]
    return b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(lines)


def parser_behind_head(protocol: HttpToolsProtocol) -> httptools.HttpRequestParser:
    """A parser that tells of all but its first head, for the rest of the connection."""
    parser = httptools.HttpRequestParser(_BehindHead(protocol))
    # As uvicorn has it: what follows a last request is not held against that request.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


class _BehindHead:
    """Hands on what the parser tells once the first head is over."""

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol
        self._is_behind = False
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if self._is_behind:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self._is_behind:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_behind:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_behind:
            self._protocol.on_headers_complete()
        self._is_behind = True
