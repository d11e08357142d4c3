"""What environments of Assertive's profile send, byte for byte on real sockets, and that it ends without a reset."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from support.proxying import DATE, running, upstream
from support.stubbed import Stub, drop, proxy_to, respond, sse, stub, stubbed, template
from support.vanishing import client
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(linger_seconds=0.1, tick_seconds=0.01)
_DATE = b"date: " + DATE + b"\r\n"
_END = b"connection: close\r\n\r\n"
_CLOSE = "Connection: close"
_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"


def _ask(method: str, target: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: h:8910", *lines, "", ""]).encode()


@dataclass(frozen=True)
class Row:
    """What is sent for a request; ``statuses`` are those on record."""

    name: str
    asked: bytes
    sent: bytes
    statuses: Sequence[int] = ()
    stubs: Sequence[Stub] = field(default_factory=list)


_ROWS = [
    Row(
        "no match",
        _ask("GET", "/none", _CLOSE),
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n" + _DATE + _END + b"NO_STUB_MATCH_FOUND",
        [404],
    ),
    Row(
        "no match for HEAD",
        _ask("HEAD", "/none", _CLOSE),
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n" + _DATE + _END,
        [404],
    ),
    Row(
        "another method",
        _ask("TRACE", "/x", _CLOSE),
        b"HTTP/1.1 405 Method Not Allowed\r\ncontent-type: application/json\r\n"
        b"allow: GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD\r\ncontent-length: 31\r\n"
        + _DATE
        + _END
        + b'{"detail":"Method Not Allowed"}',
    ),
    Row(
        "tunnel",
        _ask("GET", "/none") + b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n"
        + _DATE
        + b"\r\nNO_STUB_MATCH_FOUND"
        + b"HTTP/1.1 405 Method Not Allowed\r\ncontent-type: application/json\r\n"
        b"allow: GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD\r\ncontent-length: 31\r\n"
        + _DATE
        + _END
        + b'{"detail":"Method Not Allowed"}',
        [404],
    ),
    Row(
        "two scopes",
        _ask("GET", "/x", "A: 1", "b:", _CLOSE),
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 56\r\n"
        + _DATE
        + _END
        + b'{"detail":"Multiple scope headers matched this request"}',
    ),
    Row(
        "template that fails",
        _ask("GET", "/x", _CLOSE),
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncontent-length: 64\r\n"
        + _DATE
        + _END
        + b'{"error":"TEMPLATE_RENDER_ERROR","detail":"\'nope\' is undefined"}',
        [500],
        [stub({}, action=template("{{ nope }}"))],
    ),
    Row(
        "text",
        _ask("GET", "/x", _CLOSE),
        b"HTTP/1.1 200 OK\r\nX-A: b\r\ncontent-length: 2\r\n" + _DATE + _END + b"hi",
        [200],
        [stub({}, action=respond("hi", headers={"X-A": "b"}))],
    ),
    Row(
        "dropped text",
        _ask("GET", "/x"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n" + _DATE + b"\r\n2\r\nab\r\n",
        [200],
        [stub({}, "abcde", chaos=drop())],
    ),
    Row(
        "dropped text to an old client",
        b"GET /x HTTP/1.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + _DATE + _END + b"ab",
        [200],
        [stub({}, "abcde", chaos=drop())],
    ),
    Row(
        "stream",
        _ask("GET", "/x") + _ask("GET", "/none", _CLOSE),
        _STREAM
        + b"transfer-encoding: chunked\r\n"
        + _DATE
        + b"connection: keep-alive\r\n\r\n"
        + b"11\r\nid: 7\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n"
        + b"HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n"
        + _DATE
        + _END
        + b"NO_STUB_MATCH_FOUND",
        [200, 404],
        [stub({"path": "/x"}, action=sse({"data": "one", "id": "7"}, {"data": "two"}))],
    ),
    Row(
        "dropped stream",
        _ask("GET", "/x"),
        _STREAM + b"transfer-encoding: chunked\r\n" + _DATE + b"connection: keep-alive\r\n\r\n" + b"5\r\ndata:\r\n",
        [200],
        [stub({}, action=sse({"data": "one"}), chaos=drop())],
    ),
    Row(
        "dropped stream for HEAD",
        _ask("HEAD", "/x"),
        _STREAM + b"transfer-encoding: chunked\r\n" + _DATE + b"connection: keep-alive\r\n\r\n",
        [200],
        [stub({}, action=sse({"data": "one"}), chaos=drop())],
    ),
    Row(
        "target that refuses",
        _ask("GET", "/x", _CLOSE),
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\n"
        + _DATE
        + _END
        + b"Internal Server Error",
        [500],
        [stub({}, action=proxy_to("http://127.0.0.1:1/"))],
    ),
]


@pytest.mark.parametrize("row", _ROWS, ids=[row.name for row in _ROWS])
async def test_it_is_sent_so(row: Row) -> None:
    source = stubbed(*row.stubs, scopes={"a": [], "b": []})
    async with running(source, settings=_SETTINGS, bound=("checkout", "staging")) as proxy:
        async with client(proxy.address) as asking:
            await asking.send(row.asked)
            sent = bytearray()
            # A reset would raise.
            while data := await asking.read():
                sent += data
        assert bytes(sent) == row.sent
        assert [each.status for each in proxy.journal.exchanges] == list(row.statuses)


async def test_dropped_answer_of_a_target_is_half_of_it_in_a_chunk() -> None:
    answer = b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nabcde"
    async with upstream(answer) as service:
        source = stubbed(stub({}, action=proxy_to(service.url), chaos=drop()))
        async with (
            running(source, settings=_SETTINGS, bound=("checkout", "staging")) as proxy,
            client(proxy.address) as asking,
        ):
            await asking.send(_ask("GET", "/x"))
            sent = await asking.read_all()
    assert sent == (
        b"HTTP/1.1 200 OK\r\nA: b\r\ncontent-type: application/octet-stream\r\n"
        b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n"
    )
