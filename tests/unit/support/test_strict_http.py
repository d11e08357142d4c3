"""The judge of the proxy's bytes is itself to be trusted."""

import pytest
from support.strict_http import Ambiguous, Message, read_answers, read_requests

_HOST = b"GET / HTTP/1.1\r\nHost: a\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"


def test_requests_are_read_one_after_the_other() -> None:
    by_length = _HOST + b"Content-Length: 2\r\n\r\nhi"
    in_chunks = _HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"
    requests, rest = read_requests(by_length + in_chunks + _HOST + b"\r\n" + _HOST)
    assert [each.body for each in requests] == [b"hi", b"hi", b""]
    assert (requests[0].method, requests[0].target) == ("GET", "/")
    assert rest == _HOST


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        _HOST + b"Host: a\r\n\r\n",
        _HOST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        _HOST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n",
        _HOST + b"Content-Length: 02\r\n\r\n",
        _HOST + b"Content-Length: +2\r\n\r\n",
        _HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        _HOST + b"Transfer-Encoding : chunked\r\n\r\n",
        _HOST + b"X: y\nZ: y\r\n\r\n",
        _HOST + b"X: y\rZ: y\r\n\r\n",
        _HOST + b"X: y\r\n z\r\n\r\n",
        _HOST + b"X: y\x00\r\n\r\n",
        _HOST + b"Transfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\n\r\n",
        _HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhiho\r\n0\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    ],
)
def test_request_that_could_be_read_in_two_ways_is_not_read(data: bytes) -> None:
    with pytest.raises(Ambiguous):
        read_requests(data)


def test_answers_are_read_by_what_was_asked() -> None:
    data = _OK + b"Content-Length: 5\r\n\r\n" + b"HTTP/1.1 103 Hints\r\n\r\n" + _OK + b"Content-Length: 2\r\n\r\nhi"
    answers, rest = read_answers(data, ["HEAD", "GET"])
    assert [(each.status, each.body) for each in answers] == [(200, b""), (103, b""), (200, b"hi")]
    assert rest == b""


@pytest.mark.parametrize("broken", [b"Content-Length: 3\r\n\r\nhi", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"])
def test_answer_that_breaks_off_is_not_whole(broken: bytes) -> None:
    assert read_answers(_OK + broken, ["GET"]) == ([], _OK + broken)


def test_answer_that_nobody_asked_for_is_not_read() -> None:
    with pytest.raises(Ambiguous, match="an answer to nothing"):
        read_answers((_OK + b"Content-Length: 0\r\n\r\n") * 2, ["GET"])


def test_answer_without_framing_is_all_that_came() -> None:
    assert read_answers(_OK + b"\r\nhi", ["GET"])[0] == [Message(b"HTTP/1.1 200 OK", (), b"hi")]
