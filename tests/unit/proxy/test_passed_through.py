"""Requests that the upstream answers."""

import asyncio
import gzip
import json
import ssl
import subprocess
from pathlib import Path

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.proxying import OK, Upstream, ask, body_of, get, head_of, running, status_of, upstream
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
        + b"X-b: 1\r\nx-A: 2\r\nX-b: 3\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\x00\xff"
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
    assert head_of(service.requests[0]) == [host, b"X-Kept: 1", b"x-flowmock-session: k", b"Connection: close"]


async def test_chunked_body_is_forwarded_with_its_length_and_without_trailers() -> None:
    head = "POST /checkout/staging/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with upstream() as service, running(_source(service.url)) as proxy:
        await proxy.ask(head.encode() + b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
    assert service.requests[0].endswith(b"Content-Length: 5\r\nConnection: close\r\n\r\nabcde")


async def test_answer_is_relayed_as_it_came() -> None:
    answer = (
        b"HTTP/1.1 302 Look There\r\nLocation: http://elsewhere/\r\nSet-Cookie: a=1; Domain=x\r\nset-cookie: b=2\r\n"
        b"Content-Length: 3\r\nX-z: \xc3\xa9\r\n\r\n\x00\xffx"
    )
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/"))
    assert relayed == answer.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nabcde",
        b"HTTP/1.0 200 OK\r\n\r\nabcde",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabcde",
    ],
)
async def test_answer_of_any_framing_is_relayed_with_its_length(answer: bytes) -> None:
    async with upstream(answer) as service, running(_source(service.url)) as proxy:
        relayed = await proxy.ask(get("/"))
    assert relayed == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nconnection: close\r\n\r\nabcde"


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
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000,
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
async def test_answer_that_cannot_be_relayed_is_502_on_record(answer: bytes) -> None:
    settings = ProxySettings(response_body_bytes_max=2048)
    async with upstream(answer) as service, running(_source(service.url), settings=settings) as proxy:
        relayed = await proxy.ask(get("/"))
    assert (status_of(relayed), json.loads(body_of(relayed))["code"]) == (502, "upstream_invalid")
    assert [(exchange.status, exchange.mock_id) for exchange in proxy.journal.exchanges] == [(502, "")]


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"])
async def test_upstream_that_falls_silent_is_504_on_record(start: bytes) -> None:
    done = asyncio.Event()

    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await done.wait()

    settings = ProxySettings(upstream_timeout_seconds=0.05)
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
    assert ("Cookie", "[redacted]") in exchange.request_headers
    assert ("Set-Cookie", "[redacted]") in exchange.response_headers
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


async def test_certificate_of_a_tls_upstream_is_checked(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, tmp_path / "key.pem")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=served)
    source = _source(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    trusting = ProxySettings(upstream_tls=ssl.create_default_context(cafile=str(certificate)))
    async with server, running(source) as wary, running(source, settings=trusting) as proxy:
        assert status_of(await proxy.ask(get("/"))) == 200
        assert status_of(await wary.ask(get("/"))) == 502


def _certificate(folder: Path) -> Path:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return folder / "certificate.pem"


def _target(service: Upstream) -> str:
    return service.requests[0].split(b" ")[1].decode()
