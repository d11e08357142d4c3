"""Bytes of a client in, requests out. No sockets here.

Strict httptools does the framing: it refuses a length beside a coding, doubled or malformed lengths, folded lines,
bare line feeds and the like. What it lets through and a proxy must not is refused here: missing or doubled Host,
transfer codings other than `chunked`, versions other than 1.0 and 1.1, CONNECT, and anything over a limit. After a
refusal nothing more is read: a stream that was misunderstood once cannot be trusted to be in step again.

A request is given out as soon as what was fed at one time is read: whole when it is whole, else with as much of its
body as is here, and the rest follows in parts. Trailers are left out: they must not change what the head has said.
"""

from collections.abc import Callable
from typing import Any, Final

import httptools

from understudy_server.proxy.alike import Alike
from understudy_server.proxy.header_meanings import (
    CODING,
    CONNECTION,
    EXPECT,
    HOST,
    LENGTH,
    NO_MEANINGS,
    ORIGIN,
    SECRET,
    SESSION,
    UPGRADE,
    HeaderMeanings,
)
from understudy_server.proxy.likeness import AlikeReader, Firsts
from understudy_server.proxy.memo import MESSAGE_BYTES_MAX, MISSES_MAX, Memo
from understudy_server.proxy.messages import METHODS, BodyPart, ClientRequest, Header, Refused, body_too_large
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.spellings import Spellings

Event = ClientRequest | BodyPart | Refused

_BLANKS: Final = b" \t"

METHOD_UNKNOWN: Final = "method_unknown"
"""The code of a refusal."""

METHOD_NOT_ALLOWED: Final = "method_not_allowed"
"""The code of another one: of CONNECT."""

# More than there is of a head besides target and header lines: a method, a version, and the empty line.
_AROUND_BYTES: Final = 32


class RequestParser:
    """Parses one connection. Feed it what was read, in pieces of any size; ``emit`` gets what the bytes complete.

    A ``Refused`` is the last event, and so is the end of a request that is not kept alive. ``rest`` holds what followed
    a request that offers to go on with another protocol. It is its own listener at httptools: the ``on_`` methods are
    not for others.
    """

    __slots__ = (
        "_alike",
        "_blanks",
        "_body_bytes",
        "_codings",
        "_connections",
        "_emit",
        "_ended",
        "_fed_before",
        "_fed_in_head",
        "_feed_data",
        "_given",
        "_given_out",
        "_head_bytes_max",
        "_headers",
        "_hosts",
        "_last",
        "_meaning_of",
        "_meanings",
        "_memo",
        "_misses",
        "_parser",
        "_pieces",
        "_refusal",
        "_request",
        "_request_given",
        "_settings",
        "_silent_bytes",
        "_suspicious",
        "_target",
        "in_head",
        "in_request",
        "over",
        "rest",
    )

    def __init__(
        self,
        settings: ProxySettings,
        emit: Callable[[Event], None],
        meanings: HeaderMeanings | None = None,
        memo: Memo[ClientRequest] | None = None,
        firsts: Firsts | None = None,
    ) -> None:
        self._settings = settings
        self._memo = memo
        self._alike = None if firsts is None else AlikeReader(firsts, settings)
        self._misses = 0
        self._head_bytes_max = settings.head_bytes_max
        self._emit = emit
        self._meanings = HeaderMeanings(settings.session_header) if meanings is None else meanings
        self._parser: Any = httptools.HttpRequestParser(self)
        self._feed_data: Callable[[bytes], None] = self._parser.feed_data
        self._fed_in_head = 0
        self._fed_before = 0
        self._silent_bytes = 0
        self._refusal: Refused | None = None
        self._last = False
        """True once a request was given out whole after which the connection ends."""
        self._ended = False
        """True when a request ended in what is fed now."""
        self._blanks = False
        """True when values may end in white space."""
        self._suspicious = False
        """True when so much was fed that the head may be too long."""
        self._pieces: list[bytes] = []
        self._given_out = False
        self._given = 0
        self._request_given: ClientRequest
        """The request that ended last, one of so many in what is fed now."""
        self._body_bytes = 0
        self.in_request = False
        """True from the first byte of a request to its last."""
        self._reset()
        self.over = False
        self.rest = b""

    def feed(self, data: bytes) -> None:
        """Read bytes. Does nothing once the last event was given out."""
        if self.over:
            return
        begins = not self.in_request and not self._fed_in_head
        if begins:
            known = self._recall(data)
            if known is not None:
                self._emit(known)
                return
        # A head can be too long only if more than the limit was fed since the request before it ended, and a value can
        # end in blanks only if they stand before an end of line; so most requests need no look at that.
        continued = self._fed_in_head
        self._suspicious = continued + len(data) > self._head_bytes_max
        self._blanks = continued > 0 or b" \r\n" in data or b"\t\r\n" in data
        self._ended = False
        self._given = 0
        before = self._body_bytes
        refusal = None
        try:
            self._feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as stopped:
            refusal = self._stopped(data, stopped)
        if self._ended and not self.in_request and not self._last and refusal is None:
            if begins:
                # What only continues a request is a body, whatever it looks like.
                self._remember(data)
            self._fed_in_head = 0
            return
        self._conclude(len(data), refusal, progress=self._body_bytes != before or self._ended)

    def close(self) -> None:
        """Nothing is read any more: let go of the parsers, which know this one as it knows them."""
        self.over = True
        self._feed_data = _read_nothing
        self._parser = None

    def _recall(self, data: bytes) -> ClientRequest | None:
        """The request that these bytes are, if they were read before, or such as are like them."""
        memo, reader = self._memo, self._alike
        if memo is not None:
            known = memo.get(data)
            if known is not None:
                self._misses = 0
                return known
            self._misses += 1
            if self._misses > MISSES_MAX:
                self._memo = None
        return reader.read(data) if reader is not None and len(data) <= reader.bytes_max else None

    def _remember(self, data: bytes) -> None:
        """Remember what was fed, if it was one request and nothing else."""
        request, memo, reader = self._request_given, self._memo, self._alike
        if self._given != 1:
            return
        if memo is not None and len(data) <= MESSAGE_BYTES_MAX and not request.has_body:
            request.alike = Alike()
            memo.put(data, request)
        if reader is not None and len(data) <= reader.bytes_max:
            reader.learn(data, request)

    def _conclude(self, fed: int, refusal: Refused | None, *, progress: bool) -> None:
        """After bytes that do not end with a request: see that what is under way stays within its limits."""
        if self._last:
            self.over = True
            return
        if refusal is None:
            refusal = self._check_head(fed) if self.in_head else self._after_body(fed, progress=progress)
        if refusal is not None:
            self.over = True
            if not self.in_head:
                # What is known of a request that cannot be read any further must not depend on how it came in pieces.
                self._give_out()
            self._emit(refusal)

    def _check_head(self, fed: int) -> Refused | None:
        if self._ended:
            # The bytes belong to the request that has just ended, and are the beginning of the next one.
            self._fed_in_head = self._fed_before = fed
            return None
        if not self._fed_in_head:
            self._fed_before = 0
        self._fed_in_head += fed
        settings, target_bytes = self._settings, len(self._target)
        if target_bytes > settings.target_bytes_max:
            return _target_too_long(settings)
        # Only what surely is of header lines counts here: in how many pieces a head comes must make no difference.
        surely = self._fed_in_head - self._fed_before - target_bytes - _AROUND_BYTES
        return _head_too_large(settings) if surely > settings.head_bytes_max else None

    def _stopped(self, data: bytes, stopped: Exception) -> Refused | None:
        """The parser goes no further: what that means."""
        match stopped:
            case httptools.HttpParserUpgrade():
                return self._parse_after_upgrade(data[stopped.args[0] :])
            case httptools.HttpParserInvalidMethodError():
                return Refused(501, METHOD_UNKNOWN, "This method is not known.")
            case httptools.HttpParserCallbackError():
                if self._refusal is None:
                    raise stopped
                return self._refusal
            case _:
                return Refused(400, "bad_request", f"This is not HTTP: {stopped}.")

    def _parse_after_upgrade(self, rest: bytes) -> Refused | None:
        """Read the body of a request that offers an upgrade, or keep what follows it.

        The parser takes what follows such a head for another protocol; the length that the head announces still holds.
        """
        if self._last:
            self.rest = rest
            return None
        request = self._request
        framing = b"Transfer-Encoding: chunked" if request.chunked else b"Content-Length: %d" % (request.length or 0)
        self._parser = httptools.HttpRequestParser(_BodyOnly(self))
        self._feed_data = self._parser.feed_data
        body = b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing + rest
        try:
            self._feed_data(body)
        except httptools.HttpParserError as stopped:
            return self._stopped(body, stopped)
        except httptools.HttpParserUpgrade:
            # In what follows the last request.
            return None
        return None

    def _after_body(self, fed: int, *, progress: bool) -> Refused | None:
        """Give out what is here of a request that is not whole yet, and notice endless lines between chunks.

        The parser holds back a line until it is whole, so they must be noticed from outside.
        """
        self._fed_in_head = self._fed_before = 0
        # What the head came with is mostly the head.
        self._silent_bytes = 0 if progress or not self._given_out else self._silent_bytes + fed
        if self._silent_bytes > self._settings.head_bytes_max:
            return _head_too_large(self._settings)
        self._give_out()
        return None

    def _give_out(self) -> None:
        data = b"".join(self._pieces)
        self._pieces.clear()
        if not self._given_out:
            self._given_out = True
            self._request.body = data
            self._request.complete = False
            self._emit(self._request)
        elif data:
            self._emit(BodyPart(data, last=False))

    def _reset(self) -> None:
        """Be ready for the next request."""
        self.in_request = False
        self.in_head = True
        self._target = b""
        self._request = request = ClientRequest()
        self._headers = request.headers = []
        self._hosts = self._codings = self._connections = 0
        self._meaning_of: Spellings = self._meanings

    def on_message_begin(self) -> None:
        # The first byte of a method, and not only a whole one: what follows is no request of its own.
        self.in_request = True

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        meaning = self._meaning_of[name]
        if meaning:
            self._note(meaning, value)

    def _note(self, meaning: int, value: bytes) -> None:
        """Note what the proxy itself goes by."""
        if self._blanks:
            value = value.rstrip(_BLANKS)
        request = self._request
        if meaning == HOST:
            self._hosts += 1
            request.host = value
        elif meaning == SESSION:
            request.session_values += (value,)
        elif meaning == SECRET:
            request.has_secrets = True
        elif meaning == CONNECTION:
            self._connections += 1
            request.connection_values += (value,)
        elif meaning == LENGTH:
            # Checked by the parser: digits alone, and one such header.
            request.length = int(value)
        elif meaning == CODING:
            self._codings += 1
            request.chunked = value.lower() == b"chunked"
        elif meaning == ORIGIN:
            request.origin = value
        elif meaning == EXPECT:
            request.expects_continue = value.lower() == b"100-continue"
        elif meaning == UPGRADE:
            request.upgrade = value

    def on_headers_complete(self) -> None:
        request, parser, settings = self._request, self._parser, self._settings
        if self._blanks:
            # The parser takes off the white space in front alone.
            request.headers = [(name, value.rstrip(_BLANKS)) for name, value in request.headers]
        raw_method = parser.get_method()
        method = request.method = METHODS.get(raw_method) or raw_method.decode("ascii")
        target = request.target = self._target.decode("latin-1")
        if self._connections or not parser.should_keep_alive():
            # Without that header only HTTP/1.1 is kept alive, so there is no need to ask for the version.
            self._check_connection(request)
        if len(target) > settings.target_bytes_max or len(request.headers) > settings.headers_max or self._suspicious:
            self._check_size(request)
        if self._hosts != 1 or "#" in target or method == "CONNECT":
            self._check_addressing(request)
        if request.upgrade:
            self._check_upgrade(request)
        if self._codings or request.length:
            self._begin_body(request)
        else:
            self._finish(request)

    def _finish(self, request: ClientRequest) -> None:
        """The request is whole."""
        self._last = not request.keep_alive
        self._ended = True
        self._given += 1
        self._request_given = request
        self._reset()
        self._emit(request)

    def _check_connection(self, request: ClientRequest) -> None:
        version = self._parser.get_http_version()
        if version == "1.0":
            request.http_1_0 = True
        elif version != "1.1":
            self._refuse(Refused(505, "version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here."))
        request.keep_alive = self._parser.should_keep_alive()

    def _check_size(self, request: ClientRequest) -> None:
        settings = self._settings
        if len(request.target) > settings.target_bytes_max:
            self._refuse(_target_too_long(settings))
        if len(request.headers) > settings.headers_max:
            message = f"There are more than {settings.headers_max} header lines."
            self._refuse(Refused(431, "too_many_headers", message))
        if _size(request.headers) > settings.head_bytes_max:
            self._refuse(_head_too_large(settings))

    def _check_addressing(self, request: ClientRequest) -> None:
        if request.method == "CONNECT":
            self._refuse(Refused(405, METHOD_NOT_ALLOWED, "This is not a tunnel."))
        if "#" in request.target:
            self._refuse(Refused(400, "bad_request", "A request target has no fragment."))
        if self._hosts > 1 or (self._hosts == 0 and not request.http_1_0):
            self._refuse(Refused(400, "bad_request", "There must be exactly one Host header."))

    def _begin_body(self, request: ClientRequest) -> None:
        if self._codings:
            if request.http_1_0:
                self._refuse(Refused(400, "bad_request", "HTTP/1.0 has no Transfer-Encoding."))
            if self._codings > 1 or not request.chunked:
                self._refuse(Refused(501, "coding_not_supported", "The only transfer coding known here is chunked."))
        if request.length is not None and request.length > self._settings.request_body_bytes_max:
            self._refuse(body_too_large(self._settings.request_body_bytes_max))
        request.has_body = True
        # A trailer never counts as a header: the session is fixed here. What comes after is thrown away.
        self._headers = []
        self._meaning_of = NO_MEANINGS
        self.in_head = False
        self._given_out = False
        self._body_bytes = self._silent_bytes = 0

    def _check_upgrade(self, request: ClientRequest) -> None:
        if self._parser.should_upgrade():
            request.keep_alive = False
        else:
            # Offered without `Connection: upgrade`: to the next hop alone, which is we.
            request.upgrade = b""

    def on_body(self, part: bytes) -> None:
        self._body_bytes += len(part)
        if self._body_bytes > self._settings.request_body_bytes_max:
            self._refuse(body_too_large(self._settings.request_body_bytes_max))
        self._pieces.append(part)

    def on_message_complete(self) -> None:
        # Of a request with an offer to upgrade the parser says so before it has read the body.
        if not self.in_head and not self._request.upgrade:
            if self._headers and _size(self._headers) > self._settings.head_bytes_max:
                # Trailers. That they have no end is noticed sooner.
                self._refuse(_head_too_large(self._settings))
            self.end_body()

    def end_body(self) -> None:
        """The body is whole, and so is the request."""
        if self._last:
            # Of what follows the last request, `_BodyOnly` may still read some.
            return
        request, data = self._request, b"".join(self._pieces)
        self._pieces.clear()
        if not self._given_out:
            request.body = data
            self._finish(request)
            return
        self._last = not request.keep_alive
        self._ended = True
        self._given += 1
        self._request_given = request
        self._reset()
        self._emit(BodyPart(data, last=True))

    def _refuse(self, refusal: Refused) -> None:
        self._refusal = refusal
        raise _Over


class _Over(Exception):
    """Raised in a callback once a refusal is noted: makes the parser stop."""


class _BodyOnly:
    """Passes on a body alone: the head was read by another parser, and trailers do not count."""

    def __init__(self, parser: RequestParser) -> None:
        self.on_body = parser.on_body
        self.on_message_complete = parser.end_body


def _read_nothing(_data: bytes) -> None:
    """Reads for a parser that was closed."""


def _size(headers: list[Header]) -> int:
    return sum([len(name) + len(value) + 4 for name, value in headers])


def _target_too_long(settings: ProxySettings) -> Refused:
    return Refused(414, "target_too_long", f"The request target is longer than {settings.target_bytes_max} bytes.")


def _head_too_large(settings: ProxySettings) -> Refused:
    return Refused(431, "headers_too_large", f"The headers are longer than {settings.head_bytes_max} bytes.")
