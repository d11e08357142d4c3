"""Bytes in, events out: each row is read whole, byte by byte, and with more bytes behind it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.proxy.messages import ClientRequest, ContinueWanted, Refused
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(target_bytes_max=64, head_bytes_max=256, headers_max=5, request_body_bytes_max=16)
_HOST = (b"Host", b"a")
_NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
_NEXT_REQUEST = ClientRequest("GET", "/next", (_HOST,))


def _request(head: bytes, body: bytes = b"") -> bytes:
    return head.replace(b"\n", b"\r\n") + b"\r\n" + body


_ACCEPTED: dict[str, tuple[bytes, ClientRequest]] = {
    "plain": (_request(b"GET /x?a=1 HTTP/1.1\nHost: a\n"), ClientRequest("GET", "/x?a=1", (_HOST,))),
    "case and order of headers": (
        _request(b"GET / HTTP/1.1\nX-b: 1\nHost: a\nx-A:  2 \t\nX-b:\n"),
        ClientRequest("GET", "/", ((b"X-b", b"1"), _HOST, (b"x-A", b"2"), (b"X-b", b""))),
    ),
    "empty lines before the request": (b"\r\n\r\n" + _NEXT, _NEXT_REQUEST),
    "body by length": (
        _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\n", b"a\0b"),
        ClientRequest("POST", "/", (_HOST, (b"Content-Length", b"3")), b"a\0b"),
    ),
    "body in chunks": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"),
        ClientRequest("POST", "/", (_HOST, (b"Transfer-Encoding", b"chunked")), b"abc"),
    ),
    "trailers do not count": (
        _request(
            b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked\n",
            b"1\r\na\r\n0\r\nx-flowmock-session: evil\r\nHost: b\r\n\r\n",
        ),
        ClientRequest("POST", "/", (_HOST, (b"Transfer-Encoding", b"Chunked")), b"a"),
    ),
    "absolute target": (
        _request(b"GET http://b/x HTTP/1.1\nHost: a\n"),
        ClientRequest("GET", "http://b/x", (_HOST,)),
    ),
    "old client that stays": (
        _request(b"GET / HTTP/1.0\nConnection: keep-alive\n"),
        ClientRequest("GET", "/", ((b"Connection", b"keep-alive"),), http_1_0=True),
    ),
    "largest body": (
        _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 16\n", b"x" * 16),
        ClientRequest("POST", "/", (_HOST, (b"Content-Length", b"16")), b"x" * 16),
    ),
    "most headers": (
        _request(b"GET / HTTP/1.1\nHost: a\n" + b"a: b\n" * 4),
        ClientRequest("GET", "/", (_HOST, *[(b"a", b"b")] * 4)),
    ),
    "longest target": (
        _request(b"GET /" + b"x" * 63 + b" HTTP/1.1\nHost: a\n"),
        ClientRequest("GET", "/" + "x" * 63, (_HOST,)),
    ),
}

_LAST: dict[str, tuple[bytes, ClientRequest]] = {
    "close": (
        _request(b"GET / HTTP/1.1\nHost: a\nConnection: close\n"),
        ClientRequest("GET", "/", (_HOST, (b"Connection", b"close")), keep_alive=False),
    ),
    "old client": (
        _request(b"GET / HTTP/1.0\n"),
        ClientRequest("GET", "/", (), http_1_0=True, keep_alive=False),
    ),
    "upgrade": (
        _request(b"GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n"),
        ClientRequest("GET", "/", (_HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")), keep_alive=False),
    ),
    "upgrade with a body by length": (
        _request(b"POST / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c\nContent-Length: 3\n", b"abc"),
        ClientRequest(
            "POST",
            "/",
            (_HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"h2c"), (b"Content-Length", b"3")),
            b"abc",
            keep_alive=False,
        ),
    ),
    "upgrade with a body in chunks": (
        _request(
            b"POST / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c\nTransfer-Encoding: chunked\n",
            b"3\r\nabc\r\n0\r\n\r\n",
        ),
        ClientRequest(
            "POST",
            "/",
            (_HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"h2c"), (b"Transfer-Encoding", b"chunked")),
            b"abc",
            keep_alive=False,
        ),
    ),
}

_REFUSED: dict[str, tuple[bytes, int]] = {
    "not http": (b"hello\r\n\r\n", 501),
    "binary": (b"\x16\x03\x01\x02\x00\x01", 501),
    "unknown method": (_request(b"FOO / HTTP/1.1\nHost: a\n"), 501),
    "tunnel": (_request(b"CONNECT a:1 HTTP/1.1\nHost: a\n"), 405),
    "no version": (b"GET /\r\n\r\n", 505),
    "version 2.0": (_request(b"GET / HTTP/2.0\nHost: a\n"), 505),
    "version 1.2": (_request(b"GET / HTTP/1.2\nHost: a\n"), 400),
    "h2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no host": (_request(b"GET / HTTP/1.1\nx: y\n"), 400),
    "two hosts": (_request(b"GET / HTTP/1.1\nHost: a\nHost: a\n"), 400),
    "two hosts from an old client": (_request(b"GET / HTTP/1.0\nHost: a\nHost: b\n"), 400),
    "coding from an old client": (
        _request(b"POST / HTTP/1.0\nTransfer-Encoding: chunked\n", b"0\r\n\r\n"),
        400,
    ),
    "coding before chunked": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n", b"0\r\n\r\n"),
        501,
    ),
    "coding after chunked": (_request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, gzip\n"), 400),
    "length beside coding": (
        _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked\n", b"0\r\n\r\n"),
        400,
    ),
    "coding beside length": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 3\n", b"0\r\n\r\n"),
        400,
    ),
    "coding that only looks like chunked": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n", b"0\r\n\r\n"),
        501,
    ),
    "two equal lengths": (_request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 1\n", b"a"), 400),
    "length with a sign": (_request(b"POST / HTTP/1.1\nHost: a\nContent-Length: +1\n", b"a"), 400),
    "list of lengths": (_request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 1, 1\n", b"a"), 400),
    "empty length": (_request(b"POST / HTTP/1.1\nHost: a\nContent-Length:\n", b"a"), 400),
    "overflowing length": (_request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999\n"), 400),
    "space before the colon": (_request(b"GET / HTTP/1.1\nHost : a\n"), 400),
    "folded line": (_request(b"GET / HTTP/1.1\nHost: a\nx: y\n z\n"), 400),
    "bare line feed": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "bad chunk size": (_request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"g\r\n"), 400),
    "zero byte in a header": (_request(b"GET / HTTP/1.1\nHost: a\nx: a\0b\n"), 400),
    "fragment": (_request(b"GET /x#y HTTP/1.1\nHost: a\n"), 400),
    "target beyond ascii": (_request(b"GET /\xc3\xa9 HTTP/1.1\nHost: a\n"), 400),
    "target too long": (_request(b"GET /" + b"x" * 64 + b" HTTP/1.1\nHost: a\n"), 414),
    "too many headers": (_request(b"GET / HTTP/1.1\nHost: a\n" + b"a: b\n" * 5), 431),
    "headers too long": (_request(b"GET / HTTP/1.1\nHost: a\nx: " + b"y" * 300 + b"\n"), 431),
    "trailers too long": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"0\r\n" + b"abcdefgh: ijklmnop\r\n" * 20),
        431,
    ),
    "body too long by its length": (_request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 17\n"), 413),
    "expected body too long by its length": (
        _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 17\nExpect: 100-continue\n"),
        413,
    ),
    "body too long in chunks": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"11\r\n" + b"x" * 17),
        413,
    ),
}


Read = Callable[[bytes], list[Event]]


def _whole(data: bytes) -> list[Event]:
    return RequestParser(_SETTINGS).feed(data)


def _byte_by_byte(data: bytes) -> list[Event]:
    parser = RequestParser(_SETTINGS)
    return [event for byte in data for event in parser.feed(bytes([byte]))]


@pytest.mark.parametrize("read", [_whole, _byte_by_byte])
@pytest.mark.parametrize("name", _ACCEPTED)
def test_request_is_read_and_the_next_one_too(name: str, read: Read) -> None:
    data, request = _ACCEPTED[name]
    assert read(data) == [request]
    assert read(data + _NEXT) == [request, _NEXT_REQUEST]


@pytest.mark.parametrize("read", [_whole, _byte_by_byte])
@pytest.mark.parametrize("name", _LAST)
def test_last_request_is_read_and_nothing_after_it(name: str, read: Read) -> None:
    data, request = _LAST[name]
    assert read(data) == [request]
    assert read(data + _NEXT) == [request]
    assert read(data + b"\x00garbage") == [request]


@pytest.mark.parametrize("read", [_whole, _byte_by_byte])
@pytest.mark.parametrize("name", _REFUSED)
def test_refused_once_and_nothing_is_read_after_it(name: str, read: Read) -> None:
    data, status = _REFUSED[name]
    assert _statuses(read(data)) == [status]
    assert _statuses(read(data + _NEXT)) == [status]
    assert _statuses(read(_NEXT + data)) == [None, status]


@pytest.mark.parametrize("read", [_whole, _byte_by_byte])
def test_continue_is_wanted_before_the_body_comes(read: Read) -> None:
    head = _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: 100-Continue\n")
    assert read(head) == [ContinueWanted()]
    assert [type(event) for event in read(head + b"abc")] == [ContinueWanted, ClientRequest]


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\nHost: a\nContent-Length: 0\nExpect: 100-continue\n",
        b"POST / HTTP/1.0\nHost: a\nContent-Length: 1\nExpect: 100-continue\n",
        b"POST / HTTP/1.1\nHost: a\nContent-Length: 1\n",
    ],
)
def test_continue_is_not_sent_to_who_does_not_wait_for_it(head: bytes) -> None:
    assert ContinueWanted() not in _whole(_request(head, b"a"))


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\nx", b"\r\n"])
def test_a_line_without_end_is_refused_before_it_is_held_whole(start: bytes) -> None:
    parser = RequestParser(_SETTINGS)
    parser.feed(start)
    piece = b"\r\n" * 16 if start == b"\r\n" else b"y" * 32
    fed = 0
    while not (events := parser.feed(piece)):
        fed += len(piece)
        assert fed <= 2 * _SETTINGS.head_bytes_max
    assert _statuses(events) == [431]


@given(st.data())
def test_pieces_of_any_size_give_the_same_events(data: st.DataObject) -> None:
    rows = st.sampled_from([*_ACCEPTED.values(), *_LAST.values(), *_REFUSED.values()])
    stream = b"".join(row[0] for row in data.draw(st.lists(rows, min_size=1, max_size=3)))
    parser, events = RequestParser(_SETTINGS), []
    rest = stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        events += parser.feed(rest[:size])
        rest = rest[size:]
    assert [_kind(event) for event in events] == [_kind(event) for event in _whole(stream)]


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([row[0] for row in _ACCEPTED.values()]), max_size=6),
    st.integers(0, 500),
    st.binary(min_size=1, max_size=3),
)
def test_damaged_bytes_are_read_or_refused_but_never_a_fault(pieces: list[bytes], at: int, damage: bytes) -> None:
    stream = b"".join(pieces)
    stream = stream[:at] + damage + stream[at + len(damage) :]
    for event in _whole(stream) + _byte_by_byte(stream):
        assert not isinstance(event, Refused) or 400 <= event.status < 600


def _statuses(events: list[Event]) -> list[int | None]:
    return [event.status if isinstance(event, Refused) else None for event in events if event != ContinueWanted()]


def _kind(event: Event) -> Event | int:
    return event.status if isinstance(event, Refused) else event
