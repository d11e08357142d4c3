"""Bytes of an upstream in, one answer out. No sockets here.

Interim answers (1xx) are skipped. An answer that can be framed in two ways, that breaks off, or that switches protocols
although nothing was offered, is invalid: it must not be relayed as if it were whole.
"""

import httptools

from understudy_server.proxy.messages import UpstreamAnswer, first
from understudy_server.proxy.settings import ProxySettings


class InvalidAnswer(Exception):
    """The upstream's answer cannot be relayed. The message says why."""


class ResponseParser:
    """Parses the answer to one request on a connection of its own."""

    def __init__(self, method: str, settings: ProxySettings) -> None:
        self._collector = _Collector(method, settings)
        self._parser = self._collector.parser = httptools.HttpResponseParser(self._collector)

    @property
    def head_done(self) -> bool:
        """True once the head of the final answer is here."""
        return self._collector.final

    def feed(self, data: bytes) -> UpstreamAnswer | None:
        """Take what was read; return the answer once it is whole. Raises InvalidAnswer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise InvalidAnswer(self._collector.objection or "it could not be read") from error
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # What follows a whole answer is of no interest: the connection is not used again.
            if self._collector.answer is None:
                raise InvalidAnswer(f"it is not HTTP: {error}") from error
        return self._collector.answer

    def end(self) -> UpstreamAnswer:
        """Take note that the upstream has closed. Raises InvalidAnswer unless that is how its answer ends."""
        if not self._collector.final:
            raise InvalidAnswer("the connection was closed before it came")
        if self._collector.framed:
            raise InvalidAnswer("it broke off")
        self._collector.finish()
        if self._collector.answer is None:
            raise InvalidAnswer("it broke off")
        return self._collector.answer


class _Collector:
    parser: httptools.HttpResponseParser

    def __init__(self, method: str, settings: ProxySettings) -> None:
        self._method = method
        self._settings = settings
        self.objection = ""
        self.answer: UpstreamAnswer | None = None
        self.final = False
        self.framed = False
        self.on_message_begin()

    def on_message_begin(self) -> None:
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_status(self, part: bytes) -> None:
        self._reason += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.final:
            return
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._settings.head_bytes_max:
            self._object("its headers are too long")
        self._headers.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self._status = self.parser.get_status_code()
        if self._status == 101:
            self._object("it switches protocols")
        if self._status < 200:
            return
        self.final = True
        headers = tuple(self._headers)
        coding = first(headers, b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            self._object("its transfer coding is not known here")
        self.framed = coding is not None or first(headers, b"content-length") is not None
        if self._method == "HEAD":
            self.finish()

    def on_body(self, part: bytes) -> None:
        self._body_bytes += len(part)
        if self._body_bytes > self._settings.response_body_bytes_max:
            self._object("its body is too long")
        self._body.append(part)

    def on_message_complete(self) -> None:
        if self.final:
            self.finish()

    def finish(self) -> None:
        if self.answer is None:
            self.answer = UpstreamAnswer(self._status, self._reason, tuple(self._headers), b"".join(self._body))

    def _object(self, objection: str) -> None:
        self.objection = objection
        raise InvalidAnswer(objection)
