"""Bytes in, events out: each row is read whole, byte by byte, and with more bytes behind it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.proxy.messages import BodyPart, ClientRequest, Header, Refused
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(target_bytes_max=64, head_bytes_max=256, headers_max=5, request_body_bytes_max=16)
_HOST = (b"Host", b"a")
_NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass(frozen=True)
class _Read:
    """A request with its parts joined. ``whole`` is False when its end did not come."""

    method: str
    target: str
    headers: tuple[Header, ...]
    body: bytes = b""
    http_1_0: bool = False
    keep_alive: bool = True
    upgrade: bytes = b""
    session_values: tuple[bytes, ...] = ()
    whole: bool = True


_NEXT_REQUEST = _Read("GET", "/next", (_HOST,))


def _request(head: bytes, body: bytes = b"") -> bytes:
    return head.replace(b"\n", b"\r\n") + b"\r\n" + body


_ACCEPTED: dict[str, tuple[bytes, _Read]] = {
    "plain": (_request(b"GET /x?a=1 HTTP/1.1\nHost: a\n"), _Read("GET", "/x?a=1", (_HOST,))),
    "case and order of headers": (
        _request(b"GET / HTTP/1.1\nX-b: 1\nHost: a\nx-A:  2 \t\nX-b:\n"),
        _Read("GET", "/", ((b"X-b", b"1"), _HOST, (b"x-A", b"2"), (b"X-b", b""))),
    ),
    "empty lines before the request": (b"\r\n\r\n" + _NEXT, _NEXT_REQUEST),
    "body by length": (
        _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\n", b"a\0b"),
        _Read("POST", "/", (_HOST, (b"Content-Length", b"3")), b"a\0b"),
    ),
    "body in chunks": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"),
        _Read("POST", "/", (_HOST, (b"Transfer-Encoding", b"chunked")), b"abc"),
    ),
    "trailers do not count": (
        _request(
            b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked\n",
            b"1\r\na\r\n0\r\nx-flowmock-session: evil\r\nHost: b\r\n\r\n",
        ),
        _Read("POST", "/", (_HOST, (b"Transfer-Encoding", b"Chunked")), b"a"),
    ),
    "values of the session header in order, and of no other": (
        _request(b"GET / HTTP/1.1\nX-Flowmock-Session:  a \nHost: a\nx-flowmock-session: b\nx-session: c\n"),
        _Read(
            "GET",
            "/",
            ((b"X-Flowmock-Session", b"a"), _HOST, (b"x-flowmock-session", b"b"), (b"x-session", b"c")),
            session_values=(b"a", b"b"),
        ),
    ),
    "empty session header": (
        _request(b"GET / HTTP/1.1\nHost: a\nx-flowmock-session:\n"),
        _Read("GET", "/", (_HOST, (b"x-flowmock-session", b"")), session_values=(b"",)),
    ),
    "offer to the next hop alone": (
        _request(b"GET / HTTP/1.1\nHost: a\nUpgrade: h2c\n"),
        _Read("GET", "/", (_HOST, (b"Upgrade", b"h2c"))),
    ),
    "empty body in chunks": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"0\r\n\r\n"),
        _Read("POST", "/", (_HOST, (b"Transfer-Encoding", b"chunked"))),
    ),
    "empty body by length": (
        _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 0\n"),
        _Read("POST", "/", (_HOST, (b"Content-Length", b"0"))),
    ),
    "body of a GET": (
        _request(b"GET / HTTP/1.1\nHost: a\nContent-Length: 2\n", b"ab"),
        _Read("GET", "/", (_HOST, (b"Content-Length", b"2")), b"ab"),
    ),
    "method beyond the usual ones": (
        _request(b"PROPFIND / HTTP/1.1\nHost: a\n"),
        _Read("PROPFIND", "/", (_HOST,)),
    ),
    "server as a whole": (_request(b"OPTIONS * HTTP/1.1\nHost: a\n"), _Read("OPTIONS", "*", (_HOST,))),
    "absolute target": (
        _request(b"GET http://b/x HTTP/1.1\nHost: a\n"),
        _Read("GET", "http://b/x", (_HOST,)),
    ),
    "old client that stays": (
        _request(b"GET / HTTP/1.0\nConnection: keep-alive\n"),
        _Read("GET", "/", ((b"Connection", b"keep-alive"),), http_1_0=True),
    ),
    "largest body": (
        _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 16\n", b"x" * 16),
        _Read("POST", "/", (_HOST, (b"Content-Length", b"16")), b"x" * 16),
    ),
    "largest body in chunks": (
        _request(
            b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"8\r\n%b\r\n" % (b"x" * 8) * 2 + b"0\r\n\r\n"
        ),
        _Read("POST", "/", (_HOST, (b"Transfer-Encoding", b"chunked")), b"x" * 16),
    ),
    "longest headers": (
        _request(b"GET / HTTP/1.1\nHost: a\nx: " + b"y" * 242 + b"\n"),
        _Read("GET", "/", (_HOST, (b"x", b"y" * 242))),
    ),
    "longest headers behind the longest target": (
        _request(b"OPTIONS /" + b"x" * 63 + b" HTTP/1.1\nHost: a\nx: " + b"y" * 242 + b"\n"),
        _Read("OPTIONS", "/" + "x" * 63, (_HOST, (b"x", b"y" * 242))),
    ),
    "longest trailers": (
        _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n", b"0\r\nx: " + b"y" * 245 + b"\r\n\r\n"),
        _Read("POST", "/", (_HOST, (b"Transfer-Encoding", b"chunked"))),
    ),
    "most headers": (
        _request(b"GET / HTTP/1.1\nHost: a\n" + b"a: b\n" * 4),
        _Read("GET", "/", (_HOST, *[(b"a", b"b")] * 4)),
    ),
    "longest target": (
        _request(b"GET /" + b"x" * 63 + b" HTTP/1.1\nHost: a\n"),
        _Read("GET", "/" + "x" * 63, (_HOST,)),
    ),
}

_LAST: dict[str, tuple[bytes, _Read]] = {
    "close": (
        _request(b"GET / HTTP/1.1\nHost: a\nConnection: close\n"),
        _Read("GET", "/", (_HOST, (b"Connection", b"close")), keep_alive=False),
    ),
    "old client": (
        _request(b"GET / HTTP/1.0\n"),
        _Read("GET", "/", (), http_1_0=True, keep_alive=False),
    ),
    "upgrade": (
        _request(b"GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n"),
        _Read(
            "GET",
            "/",
            (_HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")),
            keep_alive=False,
            upgrade=b"websocket",
        ),
    ),
    "upgrade with a body by length": (
        _request(b"POST / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c\nContent-Length: 3\n", b"abc"),
        _Read(
            "POST",
            "/",
            (_HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"h2c"), (b"Content-Length", b"3")),
            b"abc",
            keep_alive=False,
            upgrade=b"h2c",
        ),
    ),
    "upgrade with a body in chunks": (
        _request(
            b"POST / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c\nTransfer-Encoding: chunked\n",
            b"3\r\nabc\r\n0\r\n\r\n",
        ),
        _Read(
            "POST",
            "/",
            (_HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"h2c"), (b"Transfer-Encoding", b"chunked")),
            b"abc",
            keep_alive=False,
            upgrade=b"h2c",
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
    "headers a byte too long": (_request(b"GET / HTTP/1.1\nHost: a\nx: " + b"y" * 243 + b"\n"), 431),
    "trailers too long": (
        _request(
            b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n",
            b"0\r\n" + b"abcdefgh: ijklmnop\r\n" * 20 + b"\r\n",
        ),
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


_Reading = Callable[[bytes], list[Event]]


def _whole(data: bytes) -> list[Event]:
    return _in_pieces([data])


def _byte_by_byte(data: bytes) -> list[Event]:
    return _in_pieces(bytes([byte]) for byte in data)


def _in_pieces(pieces: Iterable[bytes]) -> list[Event]:
    events: list[Event] = []
    parser = RequestParser(_SETTINGS, events.append)
    for piece in pieces:
        parser.feed(piece)
    return events


def _joined(events: Iterable[Event]) -> list[_Read | int]:
    """Requests with their parts joined, refusals as their status."""
    read: list[_Read | int] = []
    for event in events:
        last = read[-1] if read else None
        assert not isinstance(last, int), "something came after a refusal"
        if isinstance(event, Refused):
            read.append(event.status)
        elif isinstance(event, BodyPart):
            assert last is not None, "a part without a request"
            assert not last.whole, "a part of a request that was whole"
            assert event.data or event.last, "an empty part"
            read[-1] = replace(last, body=last.body + event.data, whole=event.last)
        else:
            assert last is None or last.whole, "a request within another"
            read.append(_as_read(event))
    return read


def _as_read(request: ClientRequest) -> _Read:
    return _Read(
        request.method,
        request.target,
        tuple(request.headers),
        request.body,
        request.http_1_0,
        request.keep_alive,
        request.upgrade,
        request.session_values,
        request.complete,
    )


def _ends(read: list[_Read | int]) -> list[int | None]:
    """The status of each refusal, and ``None`` for each request that was whole."""
    return [each if isinstance(each, int) else None for each in read if isinstance(each, int) or each.whole]


_readings = pytest.mark.parametrize("read", [_whole, _byte_by_byte])


@_readings
@pytest.mark.parametrize("name", _ACCEPTED)
def test_request_is_read_and_the_next_one_too(name: str, read: _Reading) -> None:
    data, request = _ACCEPTED[name]
    assert _joined(read(data)) == [request]
    assert _joined(read(data + _NEXT)) == [request, _NEXT_REQUEST]


@_readings
@pytest.mark.parametrize("name", _LAST)
def test_last_request_is_read_and_nothing_after_it(name: str, read: _Reading) -> None:
    data, request = _LAST[name]
    assert _joined(read(data)) == [request]
    assert _joined(read(data + _NEXT)) == [request]
    assert _joined(read(data + b"\x00garbage")) == [request]


@_readings
@pytest.mark.parametrize("name", _REFUSED)
def test_refused_once_and_nothing_is_read_after_it(name: str, read: _Reading) -> None:
    data, status = _REFUSED[name]
    assert _ends(_joined(read(data))) == [status]
    assert _ends(_joined(read(data + _NEXT))) == [status]
    assert _ends(_joined(read(_NEXT + data))) == [None, status]


def test_whole_request_is_given_out_once_with_all_its_body() -> None:
    (request,) = _whole(_request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\n", b"abc"))
    assert isinstance(request, ClientRequest)
    assert (request.complete, request.body, request.has_body) == (True, b"abc", True)


def test_head_is_given_out_before_its_body_comes_and_parts_as_they_come() -> None:
    events: list[Event] = []
    parser = RequestParser(_SETTINGS, events.append)
    parser.feed(_request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 6\n", b"ab"))
    (request,) = events
    assert isinstance(request, ClientRequest)
    assert (request.complete, request.body, request.length) == (False, b"ab", 6)
    parser.feed(b"cd")
    parser.feed(b"ef")
    assert events[1:] == [BodyPart(b"cd", last=False), BodyPart(b"ef", last=True)]


def test_requests_in_one_piece_are_given_out_in_order_with_the_beginning_of_the_last() -> None:
    stream = _NEXT * 3 + _request(b"POST / HTTP/1.1\nHost: a\nContent-Length: 6\n", b"ab")
    read = _joined(_whole(stream))
    assert read[:3] == [_NEXT_REQUEST] * 3
    assert [each.whole for each in read if isinstance(each, _Read)] == [True, True, True, False]


def test_parser_tells_where_in_a_request_it_is() -> None:
    parser = RequestParser(_SETTINGS, lambda _: None)
    seen = [(parser.in_request, parser.in_head)]
    for piece in (b"PO", b"ST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", b"a", b"b"):
        parser.feed(piece)
        seen.append((parser.in_request, parser.in_head))
    assert seen == [(False, True), (True, True), (True, False), (True, False), (False, True)]


@pytest.mark.parametrize(
    ("head", "expects"),
    [
        (b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: 100-Continue\n", True),
        (b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: something\n", False),
        (b"POST / HTTP/1.1\nHost: a\nContent-Length: 3\n", False),
    ],
)
def test_client_that_waits_to_be_told_is_noticed(head: bytes, *, expects: bool) -> None:
    (request,) = _whole(_request(head))
    assert isinstance(request, ClientRequest)
    assert request.expects_continue is expects


@pytest.mark.parametrize(
    ("line", "has_secrets"), [(b"Authorization: x", True), (b"COOKIE: a=1", True), (b"X-Key: a", False)]
)
def test_credentials_among_the_headers_are_noticed(line: bytes, *, has_secrets: bool) -> None:
    (request,) = _whole(_request(b"GET / HTTP/1.1\nHost: a\n" + line + b"\n"))
    assert isinstance(request, ClientRequest)
    assert request.has_secrets is has_secrets


def test_what_follows_an_offer_to_switch_is_kept() -> None:
    parser = RequestParser(_SETTINGS, lambda _: None)
    parser.feed(_LAST["upgrade"][0] + b"\x81\x00raw")
    assert (parser.over, parser.rest) == (True, b"\x81\x00raw")


_CHUNKED = _request(b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n")
_ENDLESS = {
    "header value": (b"GET / HTTP/1.1\r\nx: ", b"y" * 32),
    "header name": (b"GET / HTTP/1.1\r\nx", b"y" * 32),
    "header lines": (b"GET / HTTP/1.1\r\n", b"x: " + b"y" * 27 + b"\r\n"),
    "white space": (b"GET / HTTP/1.1\r\nx:", b" " * 32),
    "empty lines": (b"\r\n", b"\r\n" * 16),
    "chunk extension": (_CHUNKED + b"1;", b"x" * 32),
    "chunk extension behind a chunk": (_CHUNKED + b"1\r\na\r\n1;", b"x" * 32),
    "trailer": (_CHUNKED + b"0\r\nx: ", b"y" * 32),
    "trailers": (_CHUNKED + b"0\r\n", b"x: " + b"y" * 27 + b"\r\n"),
}


@pytest.mark.parametrize("before", [b"", _NEXT], ids=["first", "second"])
@pytest.mark.parametrize(("start", "piece"), _ENDLESS.values(), ids=list(_ENDLESS))
def test_what_has_no_end_is_refused_before_it_is_held_whole(start: bytes, piece: bytes, before: bytes) -> None:
    events: list[Event] = []
    parser = RequestParser(_SETTINGS, events.append)
    parser.feed(before + start)
    fed = 0
    while not parser.over:
        parser.feed(piece)
        fed += len(piece)
        assert fed <= 2 * _SETTINGS.head_bytes_max
    assert [event.status for event in events if isinstance(event, Refused)] == [431]


def test_endless_target_is_refused_before_it_is_held_whole() -> None:
    events: list[Event] = []
    parser = RequestParser(_SETTINGS, events.append)
    parser.feed(b"GET /")
    for _ in range(_SETTINGS.target_bytes_max):
        parser.feed(b"x")
    assert [event.status for event in events if isinstance(event, Refused)] == [414]


@pytest.mark.parametrize("length", [0, 1, 200, 250])
def test_bytes_of_the_request_before_do_not_count_as_head(length: int) -> None:
    """However much of one piece belongs to the request before, the beginning of the next one is as long as it is."""
    first = _request(b"GET / HTTP/1.1\nHost: a\nx: " + b"y" * min(length, 242) + b"\n")
    events = _in_pieces([first + _NEXT[:5], _NEXT[5:8], *[bytes([byte]) for byte in _NEXT[8:]]])
    assert _ends(_joined(events)) == [None, None]


@given(st.data())
def test_pieces_of_any_size_give_the_same_events(data: st.DataObject) -> None:
    rows = st.sampled_from([*_ACCEPTED.values(), *_LAST.values(), *_REFUSED.values()])
    stream = b"".join(row[0] for row in data.draw(st.lists(rows, min_size=1, max_size=3)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream)), max_size=8)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert _told(_in_pieces(pieces)) == _told(_whole(stream))


def _told(events: list[Event]) -> list[_Read | int]:
    # Of a request that is refused in its middle, how much was given out before that depends on the pieces.
    return [each for each in _joined(events) if isinstance(each, int) or each.whole]


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([row[0] for row in _ACCEPTED.values()]), max_size=6),
    st.integers(0, 500),
    st.binary(min_size=1, max_size=3),
)
def test_damaged_bytes_are_read_or_refused_but_never_a_fault(pieces: list[bytes], at: int, damage: bytes) -> None:
    stream = b"".join(pieces)
    stream = stream[:at] + damage + stream[at + len(damage) :]
    for events in (_whole(stream), _byte_by_byte(stream)):
        assert all(400 <= each < 600 for each in _joined(events) if isinstance(each, int))
