"""Bytes of a client in, requests out. No sockets here.

Strict httptools does the framing: it refuses a length beside a coding, doubled or malformed lengths, folded lines,
bare line feeds and the like. What it lets through and a proxy must not is refused here: missing or doubled Host,
transfer codings other than `chunked`, versions other than 1.0 and 1.1, CONNECT, and anything over a limit. After a
refusal nothing more is read: a stream that was misunderstood once cannot be trusted to be in step again.
"""

from collections.abc import Callable
from typing import Final

import httptools

from understudy_server.proxy.messages import ClientRequest, ContinueWanted, Refused, first
from understudy_server.proxy.settings import ProxySettings

Event = ClientRequest | ContinueWanted | Refused

_VERSIONS: Final = ("1.0", "1.1")


class RequestParser:
    """Parses one connection. Feed it what was read, in pieces of any size; it gives the same events for all of them."""

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings
        self._events: list[Event] = []
        self._message = _Message(settings, self._events.append)
        self._parser = self._message.parser = httptools.HttpRequestParser(self._message)
        self._silent_bytes = 0
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Return what the bytes complete, in order. A ``Refused``, or a request that is not kept alive, is the last."""
        if self._over:
            return []
        self._message.called = False
        refusal = self._parse(data)
        if refusal is None:
            refusal = self._silence(len(data))
        if refusal and not self._message.last:
            self._events.append(refusal)
        self._over = self._message.last or refusal is not None
        events = self._events.copy()
        self._events.clear()
        return events

    def _parse(self, data: bytes) -> Refused | None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            return self._parse_body_of_upgrade(data[stopped.args[0] :])
        except httptools.HttpParserInvalidMethodError:
            return Refused(501, "method_unknown", "This method is not known.")
        except httptools.HttpParserCallbackError:
            if self._message.refusal is None:
                raise
            return self._message.refusal
        except httptools.HttpParserError as error:
            return Refused(400, "bad_request", f"This is not HTTP: {error}.")
        return None

    def _parse_body_of_upgrade(self, rest: bytes) -> Refused | None:
        """Read the body of a request that offers an upgrade, which we decline by answering in HTTP/1.1.

        The parser takes what follows such a head for another protocol; the length that the head announces still holds.
        """
        framing = self._message.framing
        if framing is None:
            return None
        self._parser = httptools.HttpRequestParser(_BodyOnly(self._message))
        return self._parse(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing + rest)

    def _silence(self, fed: int) -> Refused | None:
        # The parser holds back a line until it is whole, so an endless line must be noticed from outside.
        self._silent_bytes = 0 if self._message.called else self._silent_bytes + fed
        if self._silent_bytes > self._settings.head_bytes_max:
            return _head_too_large(self._settings)
        return None


class _Over(Exception):
    """Raised in a callback once a refusal is noted: makes the parser stop."""


class _Message:
    """Collects one message after the other from the parser's callbacks."""

    parser: httptools.HttpRequestParser

    def __init__(self, settings: ProxySettings, emit: Callable[[Event], None]) -> None:
        self._settings = settings
        self._emit = emit
        self.refusal: Refused | None = None
        self.last = False
        """True when a request was given out after which the connection ends."""
        self.called = False
        """True when any callback came since it was last set to False."""
        self.framing: bytes | None = None
        """The header line that frames the body of a request to be upgraded, when it has one."""
        self.on_message_begin()

    def on_message_begin(self) -> None:
        self.called = True
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._in_head = True
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_url(self, part: bytes) -> None:
        self.called = True
        self._target += part
        if len(self._target) > self._settings.target_bytes_max:
            bound = self._settings.target_bytes_max
            self._refuse(Refused(414, "target_too_long", f"The request target is longer than {bound} bytes."))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.called = True
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._settings.head_bytes_max:
            self._refuse(_head_too_large(self._settings))
        # A trailer never counts as a header: the session was fixed when the head was complete.
        if not self._in_head:
            return
        self._headers.append((name, value.strip(b" \t")))
        if len(self._headers) > self._settings.headers_max:
            bound = self._settings.headers_max
            self._refuse(Refused(431, "too_many_headers", f"There are more than {bound} header lines."))

    def on_headers_complete(self) -> None:
        self.called = True
        self._in_head = False
        version = self.parser.get_http_version()
        self._http_1_0 = version == "1.0"
        self._method = self.parser.get_method().decode("ascii")
        self._keep_alive = self.parser.should_keep_alive()
        if version not in _VERSIONS:
            self._refuse(Refused(505, "version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here."))
        if self._method == "CONNECT":
            self._refuse(Refused(405, "method_not_allowed", "This is not a tunnel."))
        if b"#" in self._target:
            self._refuse(Refused(400, "bad_request", "A request target has no fragment."))
        self._check_hosts()
        self._check_framing()

    def _check_hosts(self) -> None:
        hosts = sum(name.lower() == b"host" for name, _ in self._headers)
        if hosts > 1 or (hosts == 0 and not self._http_1_0):
            self._refuse(Refused(400, "bad_request", "There must be exactly one Host header."))

    def _check_framing(self) -> None:
        headers = tuple(self._headers)
        coding, length = first(headers, b"transfer-encoding"), first(headers, b"content-length")
        if coding is not None:
            if self._http_1_0:
                self._refuse(Refused(400, "bad_request", "HTTP/1.0 has no Transfer-Encoding."))
            if coding.lower() != b"chunked":
                self._refuse(Refused(501, "coding_not_supported", "The only transfer coding known here is chunked."))
        if length is not None and int(length) > self._settings.request_body_bytes_max:
            self._refuse(_body_too_large(self._settings))
        has_body = coding is not None or int(length or 0) > 0
        if self.parser.should_upgrade():
            self._keep_alive = False
            if has_body:
                self.framing = b"Transfer-Encoding: chunked" if coding else b"Content-Length: %b" % (length or b"0")
        expects = (first(headers, b"expect") or b"").lower() == b"100-continue"
        if has_body and expects and not self._http_1_0:
            self._emit(ContinueWanted())

    def on_body(self, part: bytes) -> None:
        self.called = True
        self._body_bytes += len(part)
        if self._body_bytes > self._settings.request_body_bytes_max:
            self._refuse(_body_too_large(self._settings))
        self._body.append(part)

    def on_message_complete(self) -> None:
        self.called = True
        if self.framing is None:
            self.give_out()

    def give_out(self) -> None:
        if self.last:
            return
        self.last = not self._keep_alive
        self._emit(
            ClientRequest(
                method=self._method,
                target=self._target.decode("latin-1"),
                headers=tuple(self._headers),
                body=b"".join(self._body),
                http_1_0=self._http_1_0,
                keep_alive=self._keep_alive,
            )
        )

    def _refuse(self, refusal: Refused) -> None:
        self.refusal = refusal
        raise _Over


class _BodyOnly:
    """Passes on a body alone: the head was read by another parser, and trailers do not count."""

    def __init__(self, message: _Message) -> None:
        self.on_body = message.on_body
        self.on_message_complete = message.give_out


def _head_too_large(settings: ProxySettings) -> Refused:
    return Refused(431, "headers_too_large", f"The headers are longer than {settings.head_bytes_max} bytes.")


def _body_too_large(settings: ProxySettings) -> Refused:
    return Refused(413, "body_too_large", f"The body is longer than {settings.request_body_bytes_max} bytes.")
