"""An upstream's bytes: whole, byte by byte, in pieces of any size, and one answer after the other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.proxy.messages import AnswerHead, Header
from understudy_server.proxy.response_parser import INTERIM_MAX, ResponseParser
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(head_bytes_max=256, headers_max=5)
_LENGTH_2: Header = (b"Content-Length", b"2")
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class _Row:
    method: str
    data: bytes
    head: AnswerHead
    body: bytes = b""
    reusable: bool = True


_WHOLE_BY_ITSELF: dict[str, _Row] = {
    "by length": _Row("GET", _OK, AnswerHead(200, b"OK", [_LENGTH_2], 2), b"ok"),
    "without a reason": _Row(
        "GET",
        b"HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok",
        AnswerHead(299, b"", [_LENGTH_2], 2),
        b"ok",
    ),
    "case, order and blanks of headers": _Row(
        "GET",
        b"HTTP/1.1 200 OK\r\nSet-Cookie:  a \t\r\nX-b:\r\nset-cookie: c\r\nContent-Length: 0\r\n\r\n",
        AnswerHead(
            200,
            b"OK",
            [(b"Set-Cookie", b"a"), (b"X-b", b""), (b"set-cookie", b"c"), (b"Content-Length", b"0")],
            0,
            has_secrets=True,
        ),
    ),
    "in chunks, with a trailer": _Row(
        "GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1;x=y\r\nb\r\n0\r\nX: y\r\n\r\n",
        AnswerHead(200, b"OK", [], None, chunked=True),
        b"ab",
    ),
    "to HEAD": _Row(
        "HEAD",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        AnswerHead(200, b"OK", [_LENGTH_2], 2, bodiless=True),
    ),
    "to HEAD, in chunks": _Row(
        "HEAD",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        AnswerHead(200, b"OK", [], None, chunked=True, bodiless=True),
    ),
    "not modified, with a length": _Row(
        "GET",
        b"HTTP/1.1 304 So\r\nContent-Length: 2\r\n\r\n",
        AnswerHead(304, b"So", [_LENGTH_2], 2, bodiless=True),
    ),
    "behind interim ones": _Row(
        "GET",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 None\r\nX: y\r\n\r\n",
        AnswerHead(204, b"None", [(b"X", b"y")], None, bodiless=True),
    ),
    "the last of its connection": _Row(
        "GET",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        AnswerHead(200, b"OK", [_LENGTH_2], 2),
        b"ok",
        reusable=False,
    ),
    "of an old server": _Row(
        "GET",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        AnswerHead(200, b"OK", [_LENGTH_2], 2),
        b"ok",
        reusable=False,
    ),
    "longest headers": _Row(
        "GET",
        b"HTTP/1.1 204 \r\nx: " + b"y" * 251 + b"\r\n\r\n",
        AnswerHead(204, b"", [(b"x", b"y" * 251)], None, bodiless=True),
    ),
    "most headers": _Row(
        "GET",
        b"HTTP/1.1 204 \r\n" + b"x: y\r\n" * 5 + b"\r\n",
        AnswerHead(204, b"", [(b"x", b"y")] * 5, None, bodiless=True),
    ),
}

_Feeding = Callable[[ResponseParser, bytes], bytes]


def _whole(parser: ResponseParser, data: bytes) -> bytes:
    parser.feed(data)
    return parser.take()


def _byte_by_byte(parser: ResponseParser, data: bytes) -> bytes:
    return _in_pieces(parser, (bytes([byte]) for byte in data))


def _in_pieces(parser: ResponseParser, pieces: Iterable[bytes]) -> bytes:
    return b"".join([_whole(parser, piece) for piece in pieces])


_feedings = pytest.mark.parametrize("feed", [_whole, _byte_by_byte])
_rows = pytest.mark.parametrize("name", _WHOLE_BY_ITSELF)


def _parser(method: str = "GET", *, upgrade: bool = False) -> ResponseParser:
    parser = ResponseParser(_SETTINGS)
    parser.begin(method, upgrade=upgrade)
    return parser


@_feedings
@_rows
def test_answer_is_read_whole(name: str, feed: _Feeding) -> None:
    row, parser = _WHOLE_BY_ITSELF[name], _parser(_WHOLE_BY_ITSELF[name].method)
    assert feed(parser, row.data) == row.body
    assert (parser.head, parser.complete, parser.fault) == (row.head, True, "")
    assert parser.reusable is row.reusable


@_feedings
@_rows
def test_answer_is_not_complete_before_its_last_byte(name: str, feed: _Feeding) -> None:
    row = _WHOLE_BY_ITSELF[name]
    parser = _parser(row.method)
    feed(parser, row.data[:-1])
    assert (parser.complete, parser.fault) == (False, "")


@_feedings
@pytest.mark.parametrize("trailing", [b"\x00garbage", b"x", b"HTTP/1.1 500 Second\r\n\r\n"])
@_rows
def test_what_follows_an_answer_is_ignored_but_spoils_the_connection(
    name: str, feed: _Feeding, trailing: bytes
) -> None:
    row = _WHOLE_BY_ITSELF[name]
    parser = _parser(row.method)
    assert feed(parser, row.data + trailing) == row.body
    assert (parser.head, parser.complete, parser.fault) == (row.head, True, "")
    assert not parser.reusable


@_feedings
@pytest.mark.parametrize("first", [name for name, row in _WHOLE_BY_ITSELF.items() if row.reusable])
@_rows
def test_answers_follow_each_other_on_one_connection(first: str, name: str, feed: _Feeding) -> None:
    before, row = _WHOLE_BY_ITSELF[first], _WHOLE_BY_ITSELF[name]
    parser = _parser(before.method)
    feed(parser, before.data)
    parser.begin(row.method)
    assert (parser.head, parser.complete, parser.anything) == (None, False, False)
    assert feed(parser, row.data) == row.body
    assert (parser.head, parser.complete, parser.reusable) == (row.head, True, row.reusable)


def test_body_is_given_out_as_it_comes() -> None:
    parser = _parser()
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
    assert (parser.take(), parser.take(), parser.complete) == (b"ab", b"", False)
    parser.feed(b"cd")
    parser.feed(b"ef")
    assert (parser.take(), parser.complete) == (b"cdef", True)


@_feedings
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_answer_without_framing_ends_with_the_connection(feed: _Feeding, version: bytes) -> None:
    parser = _parser()
    assert feed(parser, b"HTTP/%b 200 OK\r\n\r\nok" % version) == b"ok"
    assert not parser.complete
    parser.end()
    assert (parser.complete, parser.reusable, parser.fault) == (True, False, "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: y\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ],
)
def test_answer_that_breaks_off_is_at_fault(data: bytes) -> None:
    parser = _parser()
    parser.feed(data)
    before = parser.fault
    parser.end()
    assert (before, bool(parser.fault), parser.complete) == ("", True, False)


def test_end_after_a_whole_answer_only_spoils_the_connection() -> None:
    parser = _parser()
    parser.feed(_OK)
    parser.end()
    assert (parser.complete, parser.fault, parser.reusable) == (True, "", False)


_FAULTS: dict[str, bytes] = {
    "not http": b"SSH-2.0-OpenSSH\r\n",
    "status too low": b"HTTP/1.1 99 Low\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nX: y\n\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    "length beside coding": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding beside length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
    "coding before chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n",
    "unasked switch": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "headers too long": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 252 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 6 + b"\r\n",
    "too many trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 11 + b"\r\n",
    "too many interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM_MAX + 1),
    "header line without end": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 600,
    "chunk extension without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 600,
    "trailer without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + b"y" * 600,
}


@_feedings
@pytest.mark.parametrize("data", _FAULTS.values(), ids=list(_FAULTS))
def test_answer_that_breaks_a_rule_is_at_fault(feed: _Feeding, data: bytes) -> None:
    parser = _parser()
    feed(parser, data)
    assert parser.fault
    assert not parser.complete


def test_as_many_interim_answers_as_may_be_are_skipped() -> None:
    parser = _parser()
    parser.feed(b"HTTP/1.1 100 Continue\r\n\r\n" * INTERIM_MAX + _OK)
    assert (parser.complete, parser.take(), parser.fault) == (True, b"ok", "")


@_feedings
def test_switch_that_was_offered_keeps_what_follows_it(feed: _Feeding) -> None:
    parser = _parser(upgrade=True)
    head = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    feed(parser, head)
    assert parser.head is not None
    assert (parser.head.status, parser.head.upgrade) == (101, b"x")
    assert (parser.complete, parser.fault, parser.reusable) == (True, "", False)
    other = _parser(upgrade=True)
    other.feed(head + b"\x81raw")
    assert other.rest == b"\x81raw"


def test_offer_may_be_declined() -> None:
    parser = _parser(upgrade=True)
    parser.feed(_OK)
    assert (parser.complete, parser.reusable, parser.take()) == (True, True, b"ok")


def _headers(lines: bytes, *, status: int = 200) -> list[Header]:
    """The headers for the client of an answer with these lines."""
    parser = _parser()
    parser.feed(b"HTTP/1.1 %d OK\r\n%b\r\n" % (status, lines))
    assert parser.head is not None
    return parser.head.headers


def test_headers_keep_order_case_and_doubles() -> None:
    assert _headers(b"Set-Cookie: a\r\nx-Z:\r\nset-cookie: b\r\nContent-Length: 3\r\n") == [
        (b"Set-Cookie", b"a"),
        (b"x-Z", b""),
        (b"set-cookie", b"b"),
        (b"Content-Length", b"3"),
    ]


@pytest.mark.parametrize(
    "line", [b"Keep-Alive: 5", b"TRAILER: x", b"Transfer-Encoding: chunked", b"Upgrade: h2", b"Proxy-Authenticate: x"]
)
def test_what_is_about_the_connection_alone_goes_no_further(line: bytes) -> None:
    assert _headers(line + b"\r\nX-Public: 1\r\n") == [(b"X-Public", b"1")]


def test_what_is_named_in_connection_goes_no_further_but_for_the_length() -> None:
    lines = b"connection: X-Private, content-length\r\nx-private: 1\r\nContent-Length: 0\r\nConnection: ,close\r\n"
    assert _headers(lines) == [(b"Content-Length", b"0")]


@pytest.mark.parametrize(("status", "kept"), [(204, False), (200, True), (304, True)])
def test_length_goes_no_further_where_some_would_wait_for_a_body(status: int, *, kept: bool) -> None:
    assert bool(_headers(b"Content-Length: 7\r\n", status=status)) is kept


def test_what_describes_the_body_and_secrets_are_noticed() -> None:
    parser = _parser()
    parser.feed(
        b"HTTP/1.1 200 OK\r\ncontent-type: a/b\r\nContent-Type: c/d\r\nContent-Encoding: br\r\nSet-Cookie: a\r\n\r\n"
    )
    assert parser.head is not None
    assert (parser.head.content_type, parser.head.content_coding, parser.head.has_secrets) == (b"a/b", b"br", True)


def test_only_bytes_count_as_something() -> None:
    parser = _parser()
    assert not parser.anything
    parser.feed(b"H")
    assert parser.anything


@given(st.data())
def test_pieces_of_any_size_give_the_same_answer(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from([*_WHOLE_BY_ITSELF.values()]), min_size=1, max_size=3))
    parser = ResponseParser(_SETTINGS)
    for row in rows:
        parser.begin(row.method)
        cuts = sorted(data.draw(st.sets(st.integers(1, len(row.data)), max_size=8)))
        pieces = [row.data[start:end] for start, end in zip([0, *cuts], [*cuts, len(row.data)], strict=True)]
        assert _in_pieces(parser, [piece for piece in pieces if piece]) == row.body
        assert (parser.head, parser.complete, parser.reusable) == (row.head, True, row.reusable)
        if not row.reusable:
            break


@given(
    st.sampled_from([*[row.data for row in _WHOLE_BY_ITSELF.values()], *_FAULTS.values()]),
    st.integers(0, 300),
    st.binary(max_size=3),
    st.sampled_from(["GET", "HEAD"]),
)
def test_damaged_answer_is_read_or_at_fault_but_raises_nothing(
    data: bytes, at: int, damage: bytes, method: str
) -> None:
    for feed in (_whole, _byte_by_byte):
        parser = _parser(method)
        feed(parser, data[:at] + damage + data[at + len(damage) :])
        parser.end()
        assert parser.complete is (not parser.fault)
