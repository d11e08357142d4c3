"""Requests that have fooled proxies: each row says what has to become of it."""

from support import smuggled_framing
from support.smuggled_row import CHUNKED, HIDDEN, HIDDEN_CHUNK, ROOT, Row, bad, good, length, post

_CONNECTION_ROWS = [
    good(
        "Connection names the length", b"Connection: Content-Length\r\n" + length(b"%d" % len(HIDDEN)), HIDDEN, HIDDEN
    ),
    good("Connection names the coding", b"Connection: Transfer-Encoding\r\n" + CHUNKED, HIDDEN_CHUNK, HIDDEN),
    good("Connection names Host", b"Connection: Host\r\n" + length(b"5"), b"hello", b"hello"),
    good("Connection names the session", b"Connection: x-flowmock-session\r\n" + length(b"5"), b"hello", b"hello"),
    good(
        "Connection names everything",
        b"Connection: host, content-length, keep-alive\r\n" + length(b"5"),
        b"hello",
        b"hello",
    ),
    good(
        "two lines of Connection",
        b"Connection: keep-alive\r\nConnection: close\r\n" + length(b"5"),
        b"hello",
        b"hello",
        last=True,
    ),
    good("Keep-Alive and TE are of the connection", b"Keep-Alive: 1\r\nTE: trailers\r\n" + length(b"2"), b"hi", b"hi"),
]

_LINE = b" HTTP/1.1\r\nHost: proxy\r\n\r\n"


def _line(name: str, data: bytes, target: str | None = None, *, method: str = "GET", may_refuse: bool = False) -> Row:
    return Row(name, data, (target and (method, target, b"")) or None, may_refuse=may_refuse)


_TARGETS = [
    _line("absolute target, another Host", b"GET http://elsewhere" + ROOT + b"/x" + _LINE, "/x"),
    _line("absolute target with a user", b"GET http://a@b" + ROOT + b"/x" + _LINE, "/x", may_refuse=True),
    _line("absolute target with a port", b"GET http://elsewhere:81" + ROOT + b"/x" + _LINE, "/x"),
    _line(
        "request in the query",
        b"GET " + ROOT + b"/x?a=GET%20/hidden%20HTTP/1.1" + _LINE,
        "/x?a=GET%20/hidden%20HTTP/1.1",
    ),
    _line("encoded CRLF in the path", b"GET " + ROOT + b"/x%0d%0aHost:%20evil" + _LINE, "/x%0d%0aHost:%20evil"),
    _line("encoded slash and dots", b"GET " + ROOT + b"/..%2f../x" + _LINE, "/..%2f../x"),
    _line("space in the target", b"GET " + ROOT + b"/x y" + _LINE),
    _line("tab in the target", b"GET " + ROOT + b"/x\ty" + _LINE),
    _line("tab between the parts", b"GET\t" + ROOT + b"/x\tHTTP/1.1\r\nHost: proxy\r\n\r\n"),
    _line("space before the method", b" GET " + ROOT + b"/x" + _LINE),
    _line("two spaces before the target", b"GET  " + ROOT + b"/x" + _LINE, "/x", may_refuse=True),
    _line("two spaces behind the target", b"GET " + ROOT + b"/x " + _LINE, "/x", may_refuse=True),
    _line("space behind the version", b"GET " + ROOT + b"/x HTTP/1.1 \r\nHost: proxy\r\n\r\n"),
    _line("bare LF behind the request line", b"GET " + ROOT + b"/x HTTP/1.1\nHost: proxy\r\n\r\n"),
    _line("bare CR behind the request line", b"GET " + ROOT + b"/x HTTP/1.1\rHost: proxy\r\n\r\n"),
    _line("bare LF in the target", b"GET " + ROOT + b"/x\n HTTP/1.1\r\nHost: proxy\r\n\r\n"),
    _line("bare CR in the target", b"GET " + ROOT + b"/x\r HTTP/1.1\r\nHost: proxy\r\n\r\n"),
    _line("NUL in the target", b"GET " + ROOT + b"/x\x00" + _LINE),
    _line("DEL in the target", b"GET " + ROOT + b"/x\x7f" + _LINE),
    _line("byte beyond ascii in the target", b"GET " + ROOT + b"/\xff" + _LINE),
    _line("fragment in the target", b"GET " + ROOT + b"/x#y" + _LINE),
    Row("asterisk target", b"OPTIONS *" + _LINE, unaddressed=True),
    Row("absolute target without a path", b"GET http://proxy" + _LINE, unaddressed=True),
    _line("authority target", b"GET proxy:80" + _LINE),
    _line("no target", b"GET HTTP/1.1\r\nHost: proxy\r\n\r\n"),
    _line("method in lower case", b"get " + ROOT + b"/x" + _LINE),
    _line("unknown method", b"SMUGGLE " + ROOT + b"/x" + _LINE),
    _line("method with a colon", b"GET: " + ROOT + b"/x" + _LINE),
    _line("tunnel", b"CONNECT proxy:80" + _LINE),
    _line("tunnel to a path", b"CONNECT " + ROOT + b"/x" + _LINE),
    _line("empty lines before", b"\r\n\r\nGET " + ROOT + b"/x" + _LINE, "/x"),
    _line("bare LF before", b"\nGET " + ROOT + b"/x" + _LINE, "/x", may_refuse=True),
]


def _versioned(name: str, version: bytes) -> Row:
    return Row(name, b"GET " + ROOT + b"/x" + version + b"\r\nHost: proxy\r\n\r\n")


_VERSIONS = [
    Row("version 0.9", b"GET " + ROOT + b"/x\r\n"),
    Row("version 0.9 with headers", b"GET " + ROOT + b"/x\r\nHost: proxy\r\n\r\n"),
    _versioned("version 0.9 by name", b" HTTP/0.9"),
    _versioned("version 1.2", b" HTTP/1.2"),
    _versioned("version 2.0", b" HTTP/2.0"),
    _versioned("version 2", b" HTTP/2"),
    _versioned("version 3.0", b" HTTP/3.0"),
    _versioned("version 1.10", b" HTTP/1.10"),
    _versioned("version 1.01", b" HTTP/1.01"),
    _versioned("version 01.1", b" HTTP/01.1"),
    _versioned("version 1,1", b" HTTP/1,1"),
    _versioned("version in lower case", b" http/1.1"),
    # Read by the same rules as HTTP/1.0, and passed on as HTTP/1.1: odd, but nothing can be hidden in it.
    Row(
        "another protocol",
        b"GET " + ROOT + b"/x RTSP/1.0\r\nHost: proxy\r\n\r\n",
        ("GET", "/x", b""),
        last=True,
        may_refuse=True,
    ),
    _versioned("a protocol of other methods", b" ICE/1.0"),
    Row("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Row("greeting of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32),
    Row("1.0 with a coding", post(CHUNKED, HIDDEN_CHUNK, version=b"HTTP/1.0")),
    Row(
        "1.0 with a coding, kept alive",
        post(b"Connection: keep-alive\r\n" + CHUNKED, HIDDEN_CHUNK, version=b"HTTP/1.0"),
    ),
    Row(
        "1.0 with a length",
        post(length(b"5"), b"hello", version=b"HTTP/1.0", host=b""),
        ("POST", "/pay", b"hello"),
        last=True,
    ),
    Row(
        "1.0 kept alive",
        post(b"Connection: keep-alive\r\n" + length(b"5"), b"hello", version=b"HTTP/1.0"),
        ("POST", "/pay", b"hello"),
    ),
]

_HOSTS = [
    Row("no Host", post(length(b"5"), b"hello", host=b"")),
    bad("two Hosts", b"Host: elsewhere\r\n"),
    bad("two equal Hosts", b"Host: proxy\r\n"),
    bad("Host in a folded line", b"X: y\r\n Host: elsewhere\r\n"),
    Row("Host with a space before the colon", post(b"", host=b"Host : proxy\r\n")),
    Row("first line folded", post(b"", host=b" Host: proxy\r\nHost: proxy\r\n")),
    Row(
        "two Hosts beside an absolute target", b"GET http://proxy" + ROOT + b"/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    ),
]


def _upgrade(name: str, offered: bytes, framing: bytes, sent: bytes, body: bytes) -> Row:
    return good(
        name, b"Connection: Upgrade\r\nUpgrade: " + offered + b"\r\n" + framing, sent, body, last=True, may_refuse=True
    )


_METHODS = [
    *[
        Row(
            f"{method} with a body that hides a request",
            method.encode() + b" " + ROOT + b"/x HTTP/1.1\r\nHost: proxy\r\n" + framing + b"\r\n" + sent,
            (method, "/x", HIDDEN),
            may_refuse=True,
        )
        for method in ("GET", "HEAD", "DELETE", "OPTIONS", "PATCH")
        for framing, sent in ((length(b"%d" % len(HIDDEN)), HIDDEN), (CHUNKED, HIDDEN_CHUNK))
    ],
    _upgrade("upgrade to h2c with a length", b"h2c", length(b"%d" % len(HIDDEN)), HIDDEN, HIDDEN),
    _upgrade("upgrade to h2c with chunks", b"h2c", CHUNKED, HIDDEN_CHUNK, HIDDEN),
    _upgrade(
        "upgrade to h2c with settings", b"h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", length(b"5"), b"hello", b"hello"
    ),
    _upgrade("upgrade to a WebSocket with a body", b"websocket", length(b"5"), b"hello", b"hello"),
    _upgrade("upgrade without a body", b"h2c", b"", b"", b""),
    good("upgrade that is not of the connection", b"Upgrade: h2c\r\n" + length(b"5"), b"hello", b"hello"),
]

ROWS: list[Row] = [
    *smuggled_framing.ROWS,
    *_CONNECTION_ROWS,
    *_TARGETS,
    *_VERSIONS,
    *_HOSTS,
    *_METHODS,
]
