"""Requests at a listener that are for the control plane: they go to the gateway, and nothing of them is kept."""

import asyncio
import json
from dataclasses import replace

import pytest
from support.live_source import FakeSource, environment
from support.planned import Planned, forward, planned_mocks, respond, source_of
from support.proxying import OK, body_of, read_request, running, status_of, unused_port, upstream
from support.vanishing import client
from understudy_server.core.allow_list import AllowList
from understudy_server.core.responding.plan import Plan
from understudy_server.proxy.handover import Handover, pool_to_gateway
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.watch import Watch

_PROOF = (b"x-proof", b"secret")
_BOUND = ("checkout", "staging")


class _Takes:
    """Takes what lies below a path, and keeps what it was asked."""

    def __init__(self, below: str = "/control") -> None:
        self.asked: list[tuple[str, str]] = []
        self._below = below

    def __call__(self, method: str, target: str) -> bool:
        self.asked.append((method, target))
        return target.startswith(self._below)


def _source(**row: object) -> FakeSource:
    source = FakeSource()
    source.commit(environments={"env_1": environment(**row)})  # type: ignore[arg-type]
    return source


def _request(target: str, *lines: str, method: str = "GET", body: bytes = b"", close: bool = True) -> bytes:
    framed = [*lines, *([f"Content-Length: {len(body)}"] if body else []), *(["Connection: close"] if close else [])]
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: here:8910", *framed, "", ""]).encode() + body


async def test_request_for_the_control_plane_goes_there_as_it_came_with_the_proof() -> None:
    async with upstream() as gateway, upstream() as service:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(upstream=service.url), bound=_BOUND, handover=handover) as proxy:
            answer = await proxy.ask(_request("/control/x?y=1", "A: b", method="POST", body=b"hello"))
    assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok"
    assert gateway.requests == [
        b"POST /control/x?y=1 HTTP/1.1\r\nHost: here:8910\r\nA: b\r\nContent-Length: 5\r\n"
        b"x-proof: secret host,a,content-length,connection\r\n\r\nhello"
    ]
    assert service.requests == []


async def test_nothing_of_it_is_recorded_or_found() -> None:
    async with upstream() as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(), bound=_BOUND, handover=handover) as proxy:
            await proxy.ask(_request("/control", "x-flowmock-session: ci-42"))
    assert (proxy.journal.exchanges, proxy.journal.seen, proxy.journal.noted) == ([], [], [])


async def test_all_else_is_traffic_of_the_environment() -> None:
    async with upstream() as gateway, upstream() as service:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(upstream=service.url), bound=_BOUND, handover=handover) as proxy:
            await proxy.ask(_request("/other"))
    assert gateway.requests == []
    assert b"x-proof" not in service.requests[0]
    assert [each.path for each in proxy.journal.exchanges] == ["/other"]


@pytest.mark.parametrize("line", ["x-proof: forged", "X-PROOF: forged", "X-Proof:forged"])
async def test_proof_that_a_client_sends_goes_no_further(line: str) -> None:
    async with upstream() as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(), bound=_BOUND, handover=handover) as proxy:
            await proxy.ask(_request("/control", line, "Connection: x-proof", close=False) + _request("/control"))
    first, _ = gateway.requests
    assert b"forged" not in first
    assert first.lower().count(b"x-proof: ") == 1
    assert b"\r\nx-proof: secret host,x-proof,connection\r\n" in first


async def test_gateway_hears_of_headers_that_go_no_further() -> None:
    lines = ("TE: x", "Keep-Alive: x", "Proxy-Authorization: x", "Connection: team-c", "Team-C: 1", "team-c: 2")
    async with upstream() as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(), bound=_BOUND, handover=handover) as proxy:
            await proxy.ask(_request("/control", *lines))
    assert gateway.requests == [
        b"GET /control HTTP/1.1\r\nHost: here:8910\r\n"
        b"x-proof: secret host,te,keep-alive,proxy-authorization,connection,team-c\r\n\r\n"
    ]


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("/control?a", "/control?a"),
        ("http://elsewhere/control?a", "/control?a"),
        ("http://elsewhere?a", "/?a"),
        ("/%63ontrol", "/%63ontrol"),
        ("*", "*"),
    ],
)
async def test_target_is_asked_about_in_origin_form_as_it_was_received(target: str, asked: str) -> None:
    takes = _Takes("")
    async with upstream() as gateway:
        handover = Handover(takes, gateway.url, _PROOF)
        async with running(_source(), bound=_BOUND, handover=handover) as proxy:
            await proxy.ask(_request(target, method="OPTIONS"))
    assert takes.asked == [("OPTIONS", asked)]
    assert gateway.requests[0].startswith(b"OPTIONS %b HTTP/1.1\r\n" % asked.encode())


async def test_connection_goes_on_with_mocks_after_it() -> None:
    async with upstream() as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        with planned_mocks({"/x": Planned(respond(b"mocked"), repeats=True)}):
            async with running(source_of("/x"), bound=_BOUND, handover=handover) as proxy:
                key = "x-flowmock-session: ci-42"
                answers = await proxy.ask(
                    _request("/x", key, close=False) + _request("/control", close=False) + _request("/x", key)
                )
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert [answers.index(b"mocked") < answers.index(b"ok"), answers.count(b"mocked")] == [True, 2]


async def test_body_streams_to_the_gateway_and_its_answer_back() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        await writer.drain()
        writer.write(b"1\r\nc\r\n0\r\n\r\n")

    async with upstream(echo) as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(), bound=_BOUND, handover=handover) as proxy:
            reader, writer = await proxy.connect()
            writer.write(
                b"PUT /control HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\n"
                b"Content-Length: 6\r\n\r\n"
            )
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"abc")
            await writer.drain()
            writer.write(b"def")
            answer = await reader.read()
    assert gateway.requests[0].endswith(b"\r\n\r\nabcdef")
    assert answer.endswith((b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
    assert proxy.journal.exchanges == []


async def test_gateway_may_be_connected_to_whatever_the_allow_list_says() -> None:
    settings = ProxySettings(upstream_allow=AllowList.parse("10.0.0.0/8"))
    async with upstream() as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(), settings=settings, bound=_BOUND, handover=handover) as proxy:
            assert status_of(await proxy.ask(_request("/control"))) == 200


async def test_connection_to_the_gateway_is_never_one_for_mocks() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The connection stays, to be used again.
        writer.write(OK)
        await read_request(reader)

    settings = ProxySettings(upstream_allow=AllowList.parse("10.0.0.0/8"))
    async with upstream(serve) as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        with planned_mocks({"/x": Planned(Plan(forward(gateway.url)))}):
            async with running(source_of("/x"), settings=settings, bound=_BOUND, handover=handover) as proxy:
                assert status_of(await proxy.ask(_request("/control"))) == 200
                answer = await proxy.ask(_request("/x", "x-flowmock-session: ci-42"))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (403, "target_not_allowed")


async def test_gateway_out_of_reach_is_502_and_not_recorded() -> None:
    handover = Handover(_Takes(), f"http://127.0.0.1:{unused_port()}", _PROOF)
    async with running(_source(), bound=_BOUND, handover=handover) as proxy:
        answer = await proxy.ask(_request("/control"))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (502, "upstream_unreachable")
    assert proxy.journal.exchanges == []


async def test_client_that_goes_meanwhile_is_not_recorded_either() -> None:
    asked, let_go = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        let_go.set()

    async with upstream(wait) as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(), bound=_BOUND, handover=handover) as proxy:
            async with client(proxy.address) as asking:
                await asking.send(_request("/control", close=False))
                await asked.wait()
                asking.reset()
            await let_go.wait()
    assert proxy.journal.exchanges == []


async def test_what_is_mocked_over_and_over_is_not_asked_about() -> None:
    takes = _Takes()
    with planned_mocks({"/x": Planned(respond(b"mocked"), repeats=True)}):
        async with running(source_of("/x"), bound=_BOUND, handover=Handover(takes, "http://x", _PROOF)) as proxy:
            reader, writer = await proxy.connect()
            for _ in range(20):
                writer.write(_request("/x", "x-flowmock-session: ci-42", close=False))
                await reader.readuntil(b"mocked")
    assert len(takes.asked) < 5
    assert len(proxy.journal.exchanges) == 20


async def test_what_is_set_for_upstreams_is_not_meant_for_the_gateway() -> None:
    told = ProxySettings(
        connect_seconds=1,
        first_byte_seconds=1,
        upstream_idle_seconds=1,
        upstream_keep_seconds=1,
        upstream_connections_max=1,
        upstream_idle_connections_max=1,
        upstream_allow=AllowList.parse("10.0.0.0/8"),
        head_bytes_max=4096,
        tick_seconds=0.1,
    )
    usual = ProxySettings()
    pool = pool_to_gateway(told, Watch(asyncio.get_running_loop(), 1))
    assert pool._settings == replace(usual, first_byte_seconds=120, head_bytes_max=4096, tick_seconds=0.1)


async def test_slow_gateway_has_longer_than_a_slow_upstream() -> None:
    settings = ProxySettings(first_byte_seconds=0.02, tick_seconds=0.01)
    let_go = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await let_go.wait()
        writer.write(OK)

    async with upstream(wait) as gateway:
        handover = Handover(_Takes(), gateway.url, _PROOF)
        async with running(_source(upstream=gateway.url), settings=settings, bound=_BOUND, handover=handover) as proxy:
            asking = asyncio.create_task(proxy.ask(_request("/control")))
            # An upstream that is asked later is given up on before.
            assert status_of(await proxy.ask(_request("/other"))) == 504
            let_go.set()
            assert status_of(await asking) == 200
