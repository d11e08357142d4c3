"""No answer of an upstream, however odd, reaches the wrong client, or puts a client's connection out of step."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.proxying import Proxy, running
from support.recording_upstream import echo_of
from support.scripted_upstream import Script, Then, scripted_upstream
from support.strict_http import Message, read_answers
from support.vanishing import eventually
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(linger_seconds=0.2)
_DEADLINE_SECONDS = 10
_EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@dataclass(frozen=True)
class Row:
    """An odd answer. ``body`` is what the client may read of it, or ``None`` when it must not take it for whole."""

    name: str
    data: bytes
    body: bytes | None = None
    status: int = 200
    method: str = "GET"
    then: Then = Then.STAY
    may_fail: bool = False
    excess: bytes = b""


def _head(*lines: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", body])


_CHUNKED = b"Transfer-Encoding: chunked"
_LENGTH = b"Content-Length: 5"
_CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

_TWO_WAYS = [
    Row("length and coding", _head(_LENGTH, _CHUNKED, body=_CHUNKS)),
    Row("coding and length", _head(_CHUNKED, _LENGTH, body=_CHUNKS)),
    Row("length zero and coding", _head(b"Content-Length: 0", _CHUNKED, body=_CHUNKS)),
    Row("two lengths that differ", _head(_LENGTH, b"Content-Length: 0", body=b"hello")),
    Row("two lengths that agree", _head(_LENGTH, _LENGTH, body=b"hello")),
    Row("a list of lengths", _head(b"Content-Length: 5, 5", body=b"hello")),
    Row("length with a sign", _head(b"Content-Length: +5", body=b"hello")),
    Row("negative length", _head(b"Content-Length: -5", body=b"hello")),
    Row("length beyond 64 bits", _head(b"Content-Length: 18446744073709551621", body=b"hello")),
    Row("empty length", _head(b"Content-Length:", body=b"hello")),
    Row("hexadecimal length", _head(b"Content-Length: 0x5", body=b"hello")),
    Row("two codings", _head(_CHUNKED, _CHUNKED, body=_CHUNKS)),
    Row("coding before chunked", _head(b"Transfer-Encoding: gzip, chunked", body=_CHUNKS)),
    Row("coding after chunked", _head(b"Transfer-Encoding: chunked, gzip", body=_CHUNKS)),
    Row("coding that only looks like chunked", _head(b"Transfer-Encoding: xchunked", body=_CHUNKS)),
    Row("coding of identity", _head(b"Transfer-Encoding: identity", _LENGTH, body=b"hello")),
    Row("coding after a vertical tab", _head(b"Transfer-Encoding: \x0bchunked", body=_CHUNKS)),
    Row("space before the colon", _head(b"Content-Length : 5", body=b"hello")),
    Row("folded length", _head(b"X: y", b" Content-Length: 5", body=b"hello")),
    Row("bare LF", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
    Row("bare CR in a value", _head(b"X: y\rSet-Cookie: a=b", _LENGTH, body=b"hello")),
    Row("NUL in a value", _head(b"X: y\x00z", _LENGTH, body=b"hello")),
]

_CHUNK_ROWS = [
    Row(f"chunks: {name}", _head(_CHUNKED, body=body))
    for name, body in {
        "0x before the size": b"0x5\r\nhello\r\n0\r\n\r\n",
        "negative size": b"-5\r\nhello\r\n0\r\n\r\n",
        "size beyond 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        "empty size": b"\r\nhello\r\n0\r\n\r\n",
        "size line ended by LF": b"5\nhello\r\n0\r\n\r\n",
        "longer than its size": b"2\r\nhello\r\n0\r\n\r\n",
        "shorter than its size": b"7\r\nhello\r\n0\r\n\r\n",
        "no CRLF behind": b"5\r\nhello0\r\n\r\n",
        "a good one and then a bad one": b"5\r\nhello\r\nx\r\n\r\n",
        "an answer in place of a chunk": _EVIL,
    }.items()
] + [
    Row("chunks: plain", _head(_CHUNKED, body=_CHUNKS), b"hello"),
    Row("chunks: extension and trailer", _head(_CHUNKED, body=b"5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n"), b"hello"),
    Row("chunks: hide an answer", _head(_CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(_EVIL), _EVIL)), _EVIL),
]

_CUT = [
    Row("nothing at all", b"", then=Then.CLOSE),
    Row("cut in the status line", b"HTTP/1.1 20", then=Then.CLOSE),
    Row("cut in the head", b"HTTP/1.1 200 OK\r\nContent-Le", then=Then.CLOSE),
    Row("cut before the body", _head(_LENGTH), then=Then.CLOSE),
    Row("cut in the body", _head(_LENGTH, body=b"he"), then=Then.CLOSE),
    Row("reset in the body", _head(_LENGTH, body=b"he"), then=Then.RESET),
    Row("cut in a chunk size", _head(_CHUNKED, body=b"5"), then=Then.CLOSE),
    Row("cut in a chunk", _head(_CHUNKED, body=b"5\r\nhe"), then=Then.CLOSE),
    Row("cut before the last chunk", _head(_CHUNKED, body=b"5\r\nhello\r\n"), then=Then.CLOSE),
    Row("cut in the last chunk", _head(_CHUNKED, body=b"5\r\nhello\r\n0\r\n"), then=Then.CLOSE),
    Row("cut after an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n", then=Then.CLOSE),
    Row("reset in a body without framing", _head(body=b"hello"), then=Then.RESET),
    Row("ended by the connection", _head(body=b"hello"), b"hello", then=Then.CLOSE),
    Row("ended by half of the connection", _head(body=b"hello"), b"hello", then=Then.HALF_CLOSE),
    Row("answer like a body", _head(body=_EVIL), _EVIL, then=Then.CLOSE),
    Row("whole and then reset", _head(_LENGTH, body=b"hello"), b"hello", then=Then.RESET, may_fail=True),
    Row("whole and then closed", _head(_LENGTH, body=b"hello"), b"hello", then=Then.CLOSE),
    Row("whole and then half closed", _head(_LENGTH, body=b"hello"), b"hello", then=Then.HALF_CLOSE),
]

_WHOLE = _head(_LENGTH, body=b"hello")
_NO_CONTENT, _NOT_MODIFIED = b"204 No Content", b"304 Not Modified"

_MORE_THAN_ASKED = [
    Row("a second answer", _WHOLE, b"hello", excess=_EVIL),
    Row("a second answer after chunks", _head(_CHUNKED, body=_CHUNKS), b"hello", excess=_EVIL),
    Row("bytes beyond the length", _WHOLE, b"hello", excess=b" world"),
    Row("half of a second answer", _WHOLE, b"hello", excess=_EVIL[:20]),
    Row("an interim answer behind", _WHOLE, b"hello", excess=b"HTTP/1.1 103 Hints\r\n\r\n"),
    Row("an empty line behind", _WHOLE, b"hello", excess=b"\r\n"),
    Row("204 with a body", _head(status=_NO_CONTENT), b"", 204, excess=_EVIL),
    Row("304 with a length and a body", _head(_LENGTH, status=_NOT_MODIFIED), b"", 304, excess=_EVIL),
    Row("304 with chunks", _head(_CHUNKED, status=_NOT_MODIFIED), b"", 304, may_fail=True, excess=_CHUNKS),
    Row("304 with a body", _head(status=_NOT_MODIFIED), b"", 304, excess=_EVIL),
    Row("HEAD with a body", _head(_LENGTH), b"", method="HEAD", excess=b"hello"),
    Row("HEAD with chunks", _head(_CHUNKED), b"", method="HEAD", excess=_CHUNKS),
    Row("HEAD with an answer for a body", _head(_LENGTH), b"", method="HEAD", excess=_EVIL),
    Row("HEAD with a body without framing", _head(), b"", method="HEAD", excess=_EVIL),
    # That a body follows is announced, although none may: the connection must not be used again, whatever comes when.
    Row("204 with a length and a body", _head(_LENGTH, body=_EVIL, status=_NO_CONTENT), b"", 204, may_fail=True),
    Row("204 with chunks", _head(_CHUNKED, body=_CHUNKS, status=_NO_CONTENT), b"", 204, may_fail=True),
    Row("HEAD as it should be", _head(b"Content-Length: 500"), b"", method="HEAD"),
    Row("204 as it should be", _head(status=_NO_CONTENT), b"", 204),
    Row("304 as it should be", _head(b"Content-Length: 500", status=_NOT_MODIFIED), b"", 304),
]

_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
_INTERIM = [
    Row(
        "some interim answers", b"HTTP/1.1 100 Continue\r\n\r\n" + _HINTS * 3 + _head(_LENGTH, body=b"hello"), b"hello"
    ),
    Row("a flood of interim answers", _HINTS * 5_000 + _head(_LENGTH, body=b"hello"), b"hello", may_fail=True),
    Row(
        "interim answer with a length",
        _head(_LENGTH, status=b"103 H") + _head(_LENGTH, body=b"hello"),
        b"hello",
        may_fail=True,
    ),
    Row(
        "interim answer with a coding",
        _head(_CHUNKED, status=b"103 H") + _head(_LENGTH, body=b"hello"),
        b"hello",
        may_fail=True,
    ),
    *[
        Row(
            f"{status} with {name}",
            _head(line, body=body, status=b"%d H" % status) + _head(status=_NO_CONTENT),
            b"",
            204,
            may_fail=True,
        )
        for status in (103, 123, 199)
        for name, line, body in (("a body", _LENGTH, b"hello"), ("chunks", _CHUNKED, _CHUNKS))
    ],
    Row("unknown interim answer", _head(status=b"199 Huh") + _head(_LENGTH, body=b"hello"), b"hello"),
    Row(
        "switch of protocols that nobody offered",
        _head(b"Connection: upgrade", b"Upgrade: x", status=b"101 Switching") + _EVIL,
    ),
    Row("switch of protocols without a name", _head(status=b"101 Switching") + _EVIL),
]

_NOT_HTTP = [
    Row("another protocol", b"SSH-2.0-OpenSSH\r\n"),
    Row("RTSP", b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", may_fail=True),
    Row("HTTP/0.9", b"hello", then=Then.CLOSE),
    Row("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", may_fail=True),
    Row("HTTP/1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    Row("HTTP/1.0 with a length", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    Row(
        "HTTP/1.0 with chunks",
        b"HTTP/1.0 200 OK\r\n" + _CHUNKED + b"\r\n\r\n" + _CHUNKS,
        b"hello",
        may_fail=True,
        then=Then.CLOSE,
    ),
    Row("status of two digits", _head(_LENGTH, body=b"hello", status=b"20 OK")),
    Row("status of four digits", _head(_LENGTH, body=b"hello", status=b"2000 OK")),
    Row("status below 100", _head(_LENGTH, body=b"hello", status=b"099 OK")),
    Row("status that is no number", _head(_LENGTH, body=b"hello", status=b"2xx OK")),
    Row("request in place of an answer", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Row("frames of HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18),
    Row("head without end", _head(b"X: " + b"y" * 70_000, _LENGTH, body=b"hello")),
    Row(
        "control bytes in the reason",
        _head(_LENGTH, body=b"hello", status=b"200 O\x08\x1b[0mK"),
        b"hello",
        may_fail=True,
    ),
    Row("header without a colon", _head(b"nonsense", _LENGTH, body=b"hello")),
]

ROWS = [*_TWO_WAYS, *_CHUNK_ROWS, *_CUT, *_MORE_THAN_ASKED, *_INTERIM, *_NOT_HTTP]


def _source(upstream_url: str) -> FakeSource:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(upstream=upstream_url)})
    return source


def _ask(path: str, method: str = "GET") -> bytes:
    return f"{method} /checkout/staging{path} HTTP/1.1\r\nHost: proxy\r\n\r\n".encode()


async def _say(proxy: Proxy, data: bytes, methods: list[str]) -> tuple[list[Message], bytes]:
    """Send bytes, end the own side, and read until the proxy closes. Returns final answers, and what broke off."""
    reader, writer = await proxy.connect()
    writer.write(data)
    writer.write_eof()
    read = await asyncio.wait_for(_read(reader), _DEADLINE_SECONDS)
    writer.transport.abort()
    answers, rest = read_answers(read, methods)
    return [answer for answer in answers if answer.status >= 200], rest


async def _read(reader: asyncio.StreamReader) -> bytes:
    read = b""
    try:
        while data := await reader.read(65536):
            read += data
    except ConnectionResetError:
        pass
    return read


@pytest.mark.parametrize("byte_by_byte", [False, True], ids=["whole", "byte-by-byte"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_odd_answer_is_relayed_or_failed_and_all_others_get_their_own(row: Row, *, byte_by_byte: bool) -> None:
    # The flood in as many pieces as it has bytes would take minutes.
    byte_by_byte = byte_by_byte and len(row.data) < 10_000
    script = Script(row.data, row.then, byte_by_byte=byte_by_byte, excess=row.excess)
    async with scripted_upstream(script) as service, running(_source(service.url), settings=_SETTINGS) as proxy:
        mine, rest = await _say(proxy, _ask("/odd", row.method) + _ask("/mine"), [row.method, "GET"])
        yours = [(await _say(proxy, _ask(f"/yours/{number}"), ["GET"]))[0] for number in range(3)]
        both = await asyncio.gather(*[_say(proxy, _ask(f"/both/{number}"), ["GET"]) for number in range(3)])
    assert [answer.body for (answer,) in yours] == [echo_of("GET", f"/yours/{number}", b"") for number in range(3)]
    assert [answer.body for (answer,), _ in both] == [echo_of("GET", f"/both/{number}", b"") for number in range(3)]
    _check_mine(row, mine, rest)
    assert [exchange.path for exchange in proxy.journal.exchanges][:1] == ["/odd"]


def _check_mine(row: Row, answers: list[Message], rest: bytes) -> None:
    """The odd answer as it should be, a 502, or one that breaks off; then my other one, unless the end came first."""
    if rest:
        assert row.body is None or row.may_fail
        assert answers == []
        return
    odd, *others = answers
    if odd.status == 502:
        assert row.body is None or row.may_fail
        assert row.method == "HEAD" or json.loads(odd.body)["code"] in ("upstream_invalid", "upstream_unreachable")
    else:
        assert (odd.status, odd.body) == (row.status, row.body)
    closed = odd.values(b"connection") == [b"close"]
    assert [other.body for other in others] == ([] if closed else [echo_of("GET", "/mine", b"")])


async def _idle_connection(proxy: Proxy) -> None:
    (answer,), _ = await _say(proxy, _ask("/first"), ["GET"])
    assert answer.body == echo_of("GET", "/first", b"")


async def test_bytes_that_come_when_nobody_asked_end_the_connection() -> None:
    async with scripted_upstream(Script()) as service, running(_source(service.url), settings=_SETTINGS) as proxy:
        await _idle_connection(proxy)
        (writer,) = service.writers
        writer.write(_EVIL)
        await eventually(lambda: not service.writers, "the proxy keeps a connection with an answer to nothing")
        (answer,), _ = await _say(proxy, _ask("/second"), ["GET"])
    assert answer.body == echo_of("GET", "/second", b"")
    assert service.connections == 2


async def test_bytes_that_come_just_before_the_next_request_are_not_its_answer() -> None:
    """Both are there before the proxy looks at either, so that it may see the request first."""
    async with scripted_upstream(Script()) as service, running(_source(service.url), settings=_SETTINGS) as proxy:
        for number in range(20):
            await _idle_connection(proxy)
            reader, client = await proxy.connect()
            (writer,) = service.writers
            writer.write(_EVIL)
            client.write(_ask(f"/next/{number}"))
            client.write_eof()
            answers, rest = read_answers(await asyncio.wait_for(_read(reader), _DEADLINE_SECONDS), ["GET"])
            client.transport.abort()
            assert [answer.body for answer in answers] == [echo_of("GET", f"/next/{number}", b"")]
            assert rest == b""
            await eventually(
                lambda: len(service.writers) == 1, "the proxy keeps a connection with an answer to nothing"
            )


async def test_end_that_comes_just_before_the_next_request_does_not_fail_it() -> None:
    async with scripted_upstream(Script()) as service, running(_source(service.url), settings=_SETTINGS) as proxy:
        for number in range(20):
            await _idle_connection(proxy)
            reader, client = await proxy.connect()
            (writer,) = service.writers
            writer.transport.abort()
            client.write(_ask(f"/next/{number}"))
            client.write_eof()
            answers, _ = read_answers(await asyncio.wait_for(_read(reader), _DEADLINE_SECONDS), ["GET"])
            client.transport.abort()
            assert [answer.body for answer in answers] == [echo_of("GET", f"/next/{number}", b"")]
            await eventually(lambda: len(service.writers) == 1, "there is not one connection")
