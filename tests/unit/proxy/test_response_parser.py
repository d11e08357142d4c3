"""An upstream's bytes, whole and byte by byte."""

from collections.abc import Callable

import pytest
from understudy_server.proxy.messages import UpstreamAnswer
from understudy_server.proxy.response_parser import InvalidAnswer, ResponseParser
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(head_bytes_max=256, response_body_bytes_max=16)
_LENGTH_2 = (b"Content-Length", b"2")

_WHOLE_BY_ITSELF: list[tuple[str, bytes, UpstreamAnswer]] = [
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", UpstreamAnswer(200, b"OK", (_LENGTH_2,), b"ok")),
    ("GET", b"HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok", UpstreamAnswer(299, b"", (_LENGTH_2,), b"ok")),
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", UpstreamAnswer(200, b"OK", (_LENGTH_2,), b"")),
    ("GET", b"HTTP/1.1 304 So\r\nContent-Length: 2\r\n\r\n", UpstreamAnswer(304, b"So", (_LENGTH_2,), b"")),
    (
        "GET",
        b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 None\r\nX: y\r\n\r\n",
        UpstreamAnswer(204, b"None", ((b"X", b"y"),), b""),
    ),
    (
        "GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\nX: y\r\n\r\n",
        UpstreamAnswer(200, b"OK", ((b"Transfer-Encoding", b"chunked"),), b"ab"),
    ),
]


def _whole(parser: ResponseParser, data: bytes) -> UpstreamAnswer | None:
    return parser.feed(data)


def _byte_by_byte(parser: ResponseParser, data: bytes) -> UpstreamAnswer | None:
    answer = None
    for byte in data:
        answer = parser.feed(bytes([byte]))
    return answer


Read = Callable[[ResponseParser, bytes], UpstreamAnswer | None]


@pytest.mark.parametrize("read", [_whole, _byte_by_byte])
@pytest.mark.parametrize("trailing", [b"", b"\x00garbage", b"HTTP/1.1 500 Second\r\n\r\n"])
@pytest.mark.parametrize(("method", "data", "answer"), _WHOLE_BY_ITSELF)
def test_answer_is_read_once_and_what_follows_is_ignored(
    read: Read, method: str, data: bytes, answer: UpstreamAnswer, trailing: bytes
) -> None:
    assert read(ResponseParser(method, _SETTINGS), data + trailing) == answer


@pytest.mark.parametrize("read", [_whole, _byte_by_byte])
def test_answer_without_a_length_ends_with_the_connection(read: Read) -> None:
    parser = ResponseParser("GET", _SETTINGS)
    assert read(parser, b"HTTP/1.1 200 OK\r\n\r\nok") is None
    assert parser.end() == UpstreamAnswer(200, b"OK", (), b"ok")


@pytest.mark.parametrize("read", [_whole, _byte_by_byte])
@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 17,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 200 OK\nX: y\n\n",
    ],
)
def test_answer_that_breaks_a_rule_is_invalid(read: Read, data: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        read(ResponseParser("GET", _SETTINGS), data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: y\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ],
)
def test_answer_that_breaks_off_is_invalid(data: bytes) -> None:
    parser = ResponseParser("GET", _SETTINGS)
    parser.feed(data)
    with pytest.raises(InvalidAnswer):
        parser.end()
