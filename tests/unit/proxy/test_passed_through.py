"""Requests that the upstream answers."""

import asyncio
import gzip
import json
import ssl
from pathlib import Path

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.played_upstream import played_upstream
from support.proxying import Upstream, ask, body_of, get, head_of, running, status_of, upstream
from support.strict_http import read_answers, read_requests
from support.tls import Authority
from understudy_server.proxy.settings import ProxySettings


def _source(upstream_url: str) -> FakeSource:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(upstream=upstream_url)})
    return source


async def test_request_arrives_as_it_was_sent_but_for_host_and_connection() -> None:
    async with upstream() as service, running(_source(service.url)) as proxy:
        await proxy.ask(ask("POST", "/a%2Fb//c/?x=%20+&x=1&&y", "X-b: 1", "x-A: 2", "X-b: 3", body=b"\x00\xff"))
    assert service.requests == [
        f"POST /a%2Fb//c/?x=%20+&x=1&&y HTTP/1.1\r\nHost: {service.authority}\r\n".encode()
        + b"X-b: 1\r\nx-A: 2\r\nX-b: 3\r\nContent-Length: 2\r\n\r\n\x00\xff"
    ]


@pytest.mark.parametrize(
    ("sent", "received"),
    [("", "/"), ("/", "/"), ("?", "/?"), ("?a=1", "/?a=1"), ("/x?", "/x?"), ("/x??y", "/x??y"), ("//x", "//x")],
)
async def test_only_the_rest_of_the_target_is_forwarded(sent: str, received: str) -> None:
    async with upstream() as service, running(_source(service.url)) as proxy:
        await proxy.ask(get(sent))
    assert _target(service) == received


async def test_base_path_of_the_upstream_comes_first() -> None:
    async with upstream() as service, running(_source(f"{service.url}/v1/")) as proxy:
        await proxy.ask(get("/x?y"))
    assert _target(service) == "/v1/x?y"


async def test_hop_by_hop_headers_are_dropped_both_ways() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nConnection: x-private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\n"
        b"X-Public: 1\r\nContent-Length: 0\r\n\r\n"
    )
    lines = ["Connection: close, X-Mine", "X-Mine: 1", "Keep-Alive: 1", "TE: trailers", "Trailer: x", "Upgrade: h2c"]
    lines += ["Proxy-Authorization: secret", "Proxy-Connection: close", "X-Kept: 1", "x-flowmock-session: k"]
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/", *lines, close=False))
    assert head_of(relayed) == [b"X-Public: 1", b"Content-Length: 0", b"connection: close"]
    host = f"Host: {service.authority}".encode()
    assert head_of(service.requests[0]) == [host, b"X-Kept: 1", b"x-flowmock-session: k"]


async def test_session_header_is_left_out_where_the_environment_says_so() -> None:
    async with upstream() as service:
        source = FakeSource()
        row = environment(upstream=service.url, forwards_session_header=False)
        source.commit(environments={ENVIRONMENT_ID: row})
        async with running(source) as proxy:
            await proxy.ask(get("/", "X-A: 1", "X-FlowMock-Session: k", "x-flowmock-session-2: k"))
    assert head_of(service.requests[0])[1:] == [b"X-A: 1", b"x-flowmock-session-2: k"]
    (exchange,) = proxy.journal.exchanges
    assert exchange.session_key == "k"
    assert (b"X-FlowMock-Session", b"k") in exchange.request_headers


async def test_chunked_body_is_forwarded_in_chunks_and_without_trailers() -> None:
    head = "POST /checkout/staging/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with played_upstream() as service, running(_source(service.url)) as proxy:
        asking = asyncio.create_task(proxy.ask(head.encode() + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"))
        line = await service.line()
        arrived = await line.until(b"0\r\n\r\n")
        line.send()
        await asking
    (request,), rest = read_requests(arrived)
    assert (request.body, request.values(b"transfer-encoding"), rest) == (b"abcde", [b"chunked"], b"")
    assert b"railer" not in arrived
    (exchange,) = proxy.journal.exchanges
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"abcde"


async def test_empty_body_in_chunks_is_forwarded_as_one() -> None:
    head = "POST /checkout/staging/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with played_upstream() as service, running(_source(service.url)) as proxy:
        asking = asyncio.create_task(proxy.ask(head.encode() + b"0\r\n\r\n"))
        line = await service.line()
        assert (await line.until(b"0\r\n\r\n")).endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        line.send()
        await asking
    assert [exchange.request_body for exchange in proxy.journal.exchanges] == [None]


async def test_answer_is_relayed_as_it_came() -> None:
    answer = (
        b"HTTP/1.1 302 Look There\r\nLocation: http://elsewhere/\r\nSet-Cookie: a=1; Domain=x\r\nset-cookie: b=2\r\n"
        b"Content-Length: 3\r\nX-z: \xc3\xa9\r\n\r\n\x00\xffx"
    )
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/"))
    assert relayed == answer.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


_UNMEASURED = {
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\n\r\nabcde",
    "of an old server": b"HTTP/1.0 200 OK\r\n\r\nabcde",
    "behind interim ones": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\n\r\nabcde",
}


@pytest.mark.parametrize("answer", _UNMEASURED.values(), ids=list(_UNMEASURED))
async def test_answer_without_a_length_is_relayed_in_chunks(answer: bytes) -> None:
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/"))
    (message,), rest = read_answers(relayed, ["GET"])
    assert (message.start, message.body, rest) == (b"HTTP/1.1 200 OK", b"abcde", b"")
    assert message.headers == ((b"transfer-encoding", b"chunked"), (b"connection", b"close"))
    (exchange,) = proxy.journal.exchanges
    assert exchange.response_body is not None
    assert exchange.response_body.content == b"abcde"
    assert (b"transfer-encoding", b"chunked") not in exchange.response_headers


@pytest.mark.parametrize("answer", _UNMEASURED.values(), ids=list(_UNMEASURED))
async def test_answer_without_a_length_ends_with_the_connection_for_an_old_client(answer: bytes) -> None:
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(b"GET /checkout/staging/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert relayed == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcde"


async def test_answer_with_a_length_leaves_the_connection_of_an_old_client_open() -> None:
    async with upstream() as service, running(_source(service.url)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(b"GET /checkout/staging/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert await reader.readuntil(b"ok") == (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: keep-alive\r\n\r\nok"
        )
        writer.close()
    assert service.requests[0].startswith(b"GET / HTTP/1.1\r\nHost: ")


async def test_empty_answer_without_a_length_is_relayed_as_one() -> None:
    async with upstream(b"HTTP/1.1 200 OK\r\n\r\n") as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/"))
    assert body_of(relayed) == b"0\r\n\r\n"
    assert [exchange.response_body for exchange in proxy.journal.exchanges] == [None]


async def test_answer_to_head_keeps_the_length_and_has_no_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(ask("HEAD", "/"))
    assert relayed == b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_answer_without_content_is_relayed_without_a_body(status: bytes) -> None:
    async with (
        upstream(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n") as service,
        running(_source(service.url)) as proxy,
    ):
        relayed = await proxy.ask(get("/"))
    assert relayed == b"HTTP/1.1 " + status + b"\r\nETag: x\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
async def test_answer_that_cannot_be_relayed_is_502_on_record(answer: bytes) -> None:
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/"))
    assert (status_of(relayed), json.loads(body_of(relayed))["code"]) == (502, "upstream_invalid")
    assert [(exchange.status, exchange.mock_id) for exchange in proxy.journal.exchanges] == [(502, "")]


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_upstream_that_does_not_answer_in_time_is_504_on_record(start: bytes) -> None:
    done = asyncio.Event()

    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await done.wait()

    settings = ProxySettings(first_byte_seconds=0.05, tick_seconds=0.01)
    async with upstream(stall) as service, running(_source(service.url), settings=settings) as proxy:
        relayed = await proxy.ask(get("/"))
        done.set()
    assert (status_of(relayed), json.loads(body_of(relayed))["code"]) == (504, "upstream_timeout")
    assert [exchange.status for exchange in proxy.journal.exchanges] == [504]


async def test_exchange_is_on_record_with_the_answer_of_the_upstream() -> None:
    answer = b"HTTP/1.1 201 Made\r\nSet-Cookie: secret\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nok"
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        await proxy.ask(get("/a%20b?c", "Cookie: secret"))
    (exchange,) = proxy.journal.exchanges
    assert (exchange.path, exchange.query, exchange.status, exchange.mock_id) == ("/a%20b", "c", 201, "")
    assert (b"Cookie", b"[redacted]") in exchange.request_headers
    assert (b"Set-Cookie", b"[redacted]") in exchange.response_headers
    assert exchange.request_body is None
    assert exchange.response_body is not None
    assert (exchange.response_body.content, exchange.response_body.content_type) == (b"ok", "text/x")


async def test_compressed_body_is_relayed_as_it_came_and_readable_on_record() -> None:
    packed = gzip.compress(b'{"a": 1}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with upstream(head + packed) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/"))
    assert body_of(relayed) == packed
    (exchange,) = proxy.journal.exchanges
    assert exchange.response_body is not None
    assert exchange.response_body.content == b'{"a": 1}'


async def test_long_body_is_relayed_whole_and_captured_in_part() -> None:
    body = b"x" * 300_000
    async with (
        upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body) as service,
        running(_source(service.url)) as proxy,
    ):
        relayed = await proxy.ask(ask("POST", "/", body=body))
    assert body_of(relayed) == body
    (exchange,) = proxy.journal.exchanges
    for captured in (exchange.request_body, exchange.response_body):
        assert captured is not None
        assert (len(captured.content), captured.size_bytes, captured.truncated) == (262_144, 300_000, True)


async def test_client_that_expects_to_be_told_sends_its_body_after_100_continue() -> None:
    async with upstream() as service, running(_source(service.url)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("PUT", "/", "Content-Length: 2", "Expect: 100-continue"))
        interim = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"hi")
        final = await reader.read()
        writer.close()
    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert status_of(final) == 200
    assert b"Expect" not in service.requests[0]


async def test_upstream_over_tls_is_passed_through(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority.identity())
    trusting = ProxySettings(upstream_tls=authority.trust())
    async with played_upstream(served) as service:
        source = _source(service.url)
        async with running(source) as wary, running(source, settings=trusting) as proxy:
            refused = await wary.ask(get("/"))
            asking = asyncio.create_task(proxy.ask(get("/")))
            line = await service.line()
            await line.request()
            line.send()
            assert body_of(await asking) == b"ok"
    assert (status_of(refused), json.loads(body_of(refused))["code"]) == (502, "upstream_untrusted")


async def test_cookie_on_a_host_of_the_environments_own_is_shared_with_its_siblings() -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nX: y; Domain=z\r\nset-cookie: b=2; domain=staging\r\n\r\n"
    async with upstream(answer) as service:
        source = FakeSource()
        row = environment(upstream=service.url, hosts=("api.example.com",))
        source.commit(environments={ENVIRONMENT_ID: row})
        async with running(source) as proxy:
            by_host = await proxy.ask(b"GET / HTTP/1.1\r\nHost: API.example.com:80\r\nConnection: close\r\n\r\n")
            by_path = await proxy.ask(get("/"))
    assert head_of(by_host)[:3] == [
        b"Set-Cookie: a=1; Path=/; Domain=example.com",
        b"X: y; Domain=z",
        b"set-cookie: b=2; domain=example.com",
    ]
    assert head_of(by_path)[:3] == head_of(answer)


def _target(service: Upstream) -> str:
    return service.requests[0].split(b" ")[1].decode()
