"""Requests that a mock has passed on to another target than the environment's upstream."""

import asyncio
import json
from typing import Any

import pytest
from support.manual_loop import ManualLoop
from support.planned import KEY, Planned, forward, planned_mocks, respond, source_of
from support.played_upstream import played_upstream
from support.proxying import OK, ask, body_of, get, running, status_of, unused_port, upstream
from support.vanishing import full_house
from support.virtual_proxy import VirtualProxy
from understudy_server.core.allow_list import AllowList
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import FaultKind, Forward, Plan, PlannedFault
from understudy_server.proxy.settings import ProxySettings


def _plan(base: str, target: str = "/there", **fields: object) -> Planned:
    return Planned(Plan(forward(base, target, **fields)))


async def _asked(answer: Forward, data: bytes, **row: object) -> bytes:
    """What the target is asked."""
    plan = Planned(Plan(answer))
    async with upstream() as service:
        plan.given = Plan(Forward(service.url, *[getattr(answer, name) for name in list(Forward.__slots__)[1:]]))
        with planned_mocks({"/x": plan}):
            async with running(source_of("/x", **row)) as proxy:  # type: ignore[arg-type]
                assert status_of(await proxy.ask(data)) == 200
        (request,) = service.requests
        return request.replace(service.authority.encode(), b"TARGET")


async def test_request_goes_to_the_target_and_its_answer_comes_back() -> None:
    async with upstream() as elsewhere, upstream() as usual:
        with planned_mocks({"/x": _plan(elsewhere.url, "/a/b?c=d")}):
            async with running(source_of("/x", upstream=usual.url)) as proxy:
                answer = await proxy.ask(ask("POST", "/x?y", KEY, body=b"hello"))
    assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok"
    assert usual.requests == []
    (request,) = elsewhere.requests
    assert request.startswith(b"POST /a/b?c=d HTTP/1.1\r\nHost: " + elsewhere.authority.encode() + b"\r\n")
    assert request.endswith(b"\r\n\r\nhello")


async def test_target_has_the_path_prefix_of_its_base() -> None:
    async with upstream() as service:
        with planned_mocks({"/x": _plan(f"{service.url}/base/", "/there")}):
            async with running(source_of("/x")) as proxy:
                await proxy.ask(get("/x", KEY))
    assert service.requests[0].startswith(b"GET /base/there HTTP/1.1\r\n")


async def test_exchange_is_the_mocks_and_has_the_path_that_was_asked_for() -> None:
    async with upstream() as service:
        with planned_mocks({"/x": _plan(service.url)}):
            async with running(source_of("/x")) as proxy:
                await proxy.ask(get("/x?q=1", KEY))
    (exchange,) = proxy.journal.exchanges
    assert (exchange.mock_id, exchange.path, exchange.query, exchange.status) == ("ovr_0", "/x", "q=1", 200)


async def test_headers_are_set_in_place_of_those_of_the_same_name() -> None:
    changed = forward("", set_headers=((b"X-A", b"new"), (b"x-a", b"too")))
    request = await _asked(changed, get("/x", KEY, "x-a: old", "X-B: stays"))
    assert b"old" not in request
    assert b"\r\nX-B: stays\r\n" in request
    assert b"\r\nX-A: new\r\nx-a: too\r\n" in request


async def test_headers_are_taken_away_in_any_case_of_letters() -> None:
    request = await _asked(forward("", removed=frozenset({b"x-a"})), get("/x", KEY, "X-A: 1", "x-a: 2", "X-B: 3"))
    assert b"x-a" not in request.lower()
    assert b"X-B: 3" in request


async def test_host_is_the_targets_unless_it_is_to_be_kept_or_set() -> None:
    data = get("/x", KEY).replace(b"Host: proxy", b"Host: shop.example")
    assert b"\r\nHost: TARGET\r\n" in await _asked(forward(""), data)
    assert b"\r\nHost: shop.example\r\n" in await _asked(forward("", keep_host=True), data)
    named = forward("", keep_host=True, set_headers=((b"host", b"other.example"),))
    request = await _asked(named, data)
    assert b"\r\nHost: other.example\r\n" in request
    assert request.lower().count(b"\r\nhost:") == 1


async def test_what_frames_a_body_is_not_for_a_mock_to_change() -> None:
    changed = forward(
        "",
        set_headers=((b"Content-Length", b"99"), (b"Transfer-Encoding", b"chunked"), (b"Connection", b"x")),
        removed=frozenset({b"content-length", b"host"}),
    )
    request = await _asked(changed, ask("POST", "/x", KEY, body=b"hello"))
    assert request.lower().count(b"content-length: 5") == 1
    assert b"99" not in request
    assert b"transfer-encoding" not in request.lower()
    assert b"\r\nHost: TARGET\r\n" in request


async def test_session_header_goes_no_further_where_the_environment_keeps_it() -> None:
    assert b"x-flowmock-session" in await _asked(forward(""), get("/x", KEY))
    assert b"x-flowmock-session" not in await _asked(forward(""), get("/x", KEY), forwards_session_header=False)


async def test_target_that_is_not_allowed_is_403() -> None:
    settings = ProxySettings(upstream_allow=AllowList.parse("10.0.0.0/8"))
    async with upstream() as service:
        with planned_mocks({"/x": _plan(service.url)}):
            async with running(source_of("/x", upstream=service.url), settings=settings) as proxy:
                answer = await proxy.ask(get("/x", KEY))
                usual = await proxy.ask(get("/other", KEY))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (403, "target_not_allowed")
    assert (status_of(usual), json.loads(body_of(usual))["code"]) == (502, "upstream_forbidden")
    assert [(each.status, each.mock_id) for each in proxy.journal.exchanges] == [(403, "ovr_0"), (502, "")]
    assert service.requests == []


async def test_target_that_cannot_be_reached_is_502_and_the_mocks() -> None:
    with planned_mocks({"/x": _plan(f"http://127.0.0.1:{unused_port()}")}):
        async with running(source_of("/x")) as proxy:
            answer = await proxy.ask(get("/x", KEY))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (502, "upstream_unreachable")
    assert [(each.status, each.mock_id) for each in proxy.journal.exchanges] == [(502, "ovr_0")]


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/a\x00", "no-slash", "", "/\x7f"])
async def test_path_that_would_be_more_than_a_path_is_not_asked_for(target: str) -> None:
    async with upstream() as service:
        with planned_mocks({"/x": _plan(service.url, target)}):
            async with running(source_of("/x")) as proxy:
                answer = await proxy.ask(get("/x", KEY))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (500, "forward_failed")
    assert [(each.status, each.mock_id) for each in proxy.journal.exchanges] == [(500, "ovr_0")]
    assert service.requests == []


async def test_long_body_streams_to_the_target() -> None:
    async with played_upstream() as service:
        with planned_mocks({"/x": _plan(service.url), "/y": respond(b"y")}):
            async with running(source_of("/x", "/y")) as proxy:
                reader, writer = await proxy.connect()
                writer.write(ask("POST", "/x", KEY, "Transfer-Encoding: chunked", close=False) + b"5\r\nhello\r\n")
                line = await service.line()
                head = await line.until(b"hello\r\n")
                assert head.startswith(b"POST /there HTTP/1.1\r\n")
                writer.write(b"0\r\n\r\n")
                await line.until(b"0\r\n\r\n")
                line.send(OK)
                await reader.readuntil(b"ok")
                writer.write(get("/y", KEY))
                assert (await reader.read()).endswith(b"\r\n\r\ny")


def test_answer_waits_for_the_delay_of_the_mock_and_of_the_session() -> None:
    plan = Planned(Plan(forward("http://192.0.2.7"), delay_ms=70))
    with planned_mocks({"/x": plan}), VirtualProxy(source_of("/x", delay_ms=30)) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        (target,) = proxy.upstreams
        proxy.say(target, OK)
        proxy.pass_ms(99)
        assert client.sent == []
        proxy.pass_ms(2)
        assert b"".join(client.sent) == OK
    assert [(each.mock_id, each.duration_ms) for each in proxy.exchanges] == [("ovr_0", 100)]


@pytest.mark.parametrize(
    ("own_ms", "environment_ms", "expected_ms"), [(500, 5000, 500), (0, 5000, 5000), (500, 100, 500)]
)
def test_target_that_does_not_begin_in_time_is_504(own_ms: int, environment_ms: int, expected_ms: int) -> None:
    settings = ProxySettings(tick_seconds=0.01)
    source = source_of("/x", first_byte_ms=environment_ms)
    with (
        planned_mocks({"/x": _plan("http://192.0.2.7", first_byte_ms=own_ms)}),
        VirtualProxy(source, settings) as proxy,
    ):
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(expected_ms - 10)
        assert client.sent == []
        proxy.pass_ms(50)
        assert status_of(b"".join(client.sent)) == 504


def test_target_is_let_go_of_where_its_answer_is_cut() -> None:
    plan = Planned(Plan(forward("http://192.0.2.7"), fault=PlannedFault(FaultKind.CUT, 0.5)))
    with planned_mocks({"/x": plan}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        (target,) = proxy.upstreams
        proxy.say(target, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(600))
        assert (client.closing, target.lost) == (True, True)
        assert len(body_of(b"".join(client.sent))) == 500
    assert [each.findings for each in proxy.exchanges] == [("fault_injected",)]


async def test_two_mocks_may_use_one_connection_to_a_target_one_after_the_other() -> None:
    async with played_upstream() as service:
        with planned_mocks({"/x": _plan(service.url), "/y": _plan(service.url, "/elsewhere")}):
            async with running(source_of("/x", "/y")) as proxy:
                reader, writer = await proxy.connect()
                writer.write(get("/x", KEY, close=False) + get("/y", KEY))
                line = await service.line()
                for target in ("/there", "/elsewhere"):
                    assert (await line.request()).target == target
                    line.send(OK)
                await asyncio.wait_for(reader.read(), 10)
    assert service.connections == 1


async def test_target_that_lets_nobody_connect_in_the_time_of_the_answer_is_504() -> None:
    async with full_house() as (host, port):
        plan = Planned(Plan(forward(f"http://{host}:{port}", first_byte_ms=20)))
        with planned_mocks({"/x": plan}):
            async with running(source_of("/x")) as proxy:
                answer = await proxy.ask(get("/x", KEY))
                assert proxy.listener.upstream_connections == 0
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (504, "upstream_timeout")
    (exchange,) = proxy.journal.exchanges
    assert (exchange.mock_id, exchange.outcome) == ("ovr_0", ExchangeOutcome.UPSTREAM_FAILED)


class _OnlyOnce(ManualLoop):
    """After the first connection to an upstream, nobody takes another one."""

    async def create_connection(self, *known: Any, **named: Any) -> Any:
        if self.outgoing:
            await self.create_future()
        return await super().create_connection(*known, **named)


def test_target_that_lets_nobody_connect_once_more_is_504_in_the_time_of_the_answer() -> None:
    plan = _plan("http://192.0.2.7", first_byte_ms=500)
    with planned_mocks({"/x": plan}), VirtualProxy(source_of("/x"), loop=_OnlyOnce()) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        (kept,) = proxy.upstreams
        proxy.say(kept, OK)
        client.sent.clear()
        proxy.pass_ms(300)
        proxy.say(client, get("/x", KEY, close=False))
        proxy.pass_ms(300)
        # It was closed just when it was used again: what was spent on it does not count.
        kept.lose()
        proxy.pass_ms(499)
        assert client.sent == []
        proxy.pass_ms(1)
        answer = b"".join(client.sent)
        proxy.pass_ms(10_000)
        assert proxy.timers == 0 or client.sent == [answer]
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (504, "upstream_timeout")
    assert [each.findings for each in proxy.exchanges] == [(), ("upstream_retried",)]
