"""uvicorn's HTTP protocol, held to limits that it does not have, and answering in the API's own envelope.

What is not HTTP, has too large a head, or does not come to its end in time is answered once, and the connection closed.
An offer to go on with another protocol, as Java's client makes it with its requests, is ignored: they are answered as
they are.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from understudy_server.cli.http_limits import HttpLimits
from understudy_server.cli.http_upgrade import framing_head, parser_behind_head

# How long a refused client may go on sending before the connection is closed.
_LINGER_SECONDS = 1.0


class _Refused(Exception):
    """Raised inside the parser, which stops at it. What to answer is noted in the protocol."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection of the REST door."""

    def __init__(self, *arguments: Any, limits: HttpLimits, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._refusal = (HTTPStatus.BAD_REQUEST, "invalid_request", "This is not a request in HTTP/1.1.")
        self._in_head = True
        self._head_bytes = 0
        self._header_lines = 0
        self._is_whole = False
        self._lingering = False
        """True once a refusal is written: what still comes is dropped."""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingering:
            return
        before = self._head_bytes
        self._is_whole = False
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("")
        if self.transport.is_closing() or self._lingering:
            return
        if self._in_head and self._head_bytes == before:
            # A line that has not ended yet is in the parser's hands; count what it took.
            self._head_bytes += len(data)
        if self._in_head and self._head_bytes > self._limits.head_bytes_max:
            self._refuse_head()
            self.send_400_response("")
        elif not self._is_whole and self._deadline is None:
            self._watch()

    def _parse(self, data: bytes) -> None:
        """Let the parser read it all. Raises HttpParserError."""
        ahead: list[bytes | memoryview] = [data]
        while ahead:
            piece = ahead.pop()
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as offer:
                # It has read a head that offers an upgrade, and stops there.
                self.parser = parser_behind_head(self)
                ahead += [memoryview(piece)[offer.args[0] :], framing_head(self.headers)]

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes, self._header_lines = True, 0, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_lines += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            # Said with the head, before there can be a body: the parser behind the head says it in time.
            return
        self._is_whole = True
        self._stop_watching()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words; ours are noted
        status, code, text = self._refusal
        body = orjson.dumps({"error": text, "code": code})
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self._linger()

    def _linger(self) -> None:
        """End our side, and drop what still comes for a while: a close with unread bytes would reset the answer."""
        self._lingering = True
        self._stop_watching()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._deadline = self.loop.call_later(_LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        limits = self._limits
        if self._head_bytes > limits.head_bytes_max or self._header_lines > limits.header_lines_max:
            self._refuse_head()
            raise _Refused

    def _refuse_head(self) -> None:
        limits = self._limits
        text = f"The head is larger than {limits.head_bytes_max} bytes or {limits.header_lines_max} headers."
        self._refusal = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", text)

    def _watch(self) -> None:
        self._deadline = self.loop.call_later(self._limits.request_seconds, self._give_up)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """The request did not come to its end. An application that waits for the rest of it hears of a disconnect."""
        self._deadline = None
        if self.transport.is_closing() or self._lingering:
            return
        if self.cycle is not None and self.cycle.response_started and not self._in_head:
            # It was answered before it was whole; there is nothing more to say.
            self.transport.close()
            return
        text = f"The request did not come to its end in {self._limits.request_seconds:g} seconds."
        self._refusal = (HTTPStatus.REQUEST_TIMEOUT, "request_timeout", text)
        self.send_400_response("")
