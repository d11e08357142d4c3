"""Whatever is planned and whatever the client does: one exchange is on record, and nothing is left."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.manual_loop import Wire
from support.planned import KEY, events, forward, planned_mocks, respond, source_of
from support.proxying import ask
from support.virtual_proxy import VirtualProxy
from understudy_server.core.responding.plan import Failed, FaultKind, Plan, PlannedFault
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(stream_seconds=8, write_seconds=5, captured_bytes_max=64, tick_seconds=2)
_LONG_SECONDS = 400
_EVENTS = st.builds(
    lambda given, rounds, round_delay_ms, heartbeat_ms: events(
        *given, rounds=rounds, round_delay_ms=round_delay_ms, heartbeat_ms=heartbeat_ms
    ),
    st.lists(st.tuples(st.sampled_from([b"data: 1\n\n", b"x" * 3000]), st.integers(10, 900)), min_size=1, max_size=3),
    st.integers(0, 3),
    st.sampled_from([0, 500]),
    st.sampled_from([0, 100]),
)
_ANSWERS = st.one_of(
    st.sampled_from([b"", b"x", b"y" * 5000]).map(lambda body: respond(body).answer),
    _EVENTS,
    st.just(forward("http://192.0.2.7")),
    st.just(Failed("template_failed", "No.")),
)
_PLANS = st.builds(
    Plan,
    answer=_ANSWERS,
    delay_ms=st.sampled_from([0, 0, 300]),
    fault=st.none() | st.builds(PlannedFault, st.sampled_from(list(FaultKind)), st.floats(0, 1)),
    bytes_per_second=st.sampled_from([0, 0, 100, 4000]),
)
_TARGETS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"HTTP/1.1 204 None\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"nonsense\r\n\r\n",
    ]
)
_ACTS = st.lists(
    st.sampled_from(["wait", "wait", "wait long", "narrow", "widen", "end", "lose", "target", "target ends", "stop"]),
    max_size=8,
)
_ASKED = st.sampled_from(
    [
        ask("GET", "/x", KEY, close=False),
        ask("HEAD", "/x", KEY, close=False),
        ask("POST", "/x", KEY, body=b"hello"),
        ask("POST", "/x", KEY, "Content-Length: 5", close=False) + b"hel",
        f"GET /checkout/staging/x HTTP/1.0\r\n{KEY}\r\n\r\n".encode(),
    ]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=_PLANS, asked=_ASKED, narrow=st.booleans(), acts=_ACTS, target=_TARGETS)
def test_one_exchange_is_on_record_and_nothing_is_left(
    caplog: pytest.LogCaptureFixture, plan: Plan, asked: bytes, narrow: bool, acts: list[str], target: bytes
) -> None:
    caplog.clear()
    with planned_mocks({"/x": plan}), VirtualProxy(source_of("/x"), _SETTINGS) as proxy:
        client = proxy.send(asked, narrow=narrow)
        for act in acts:
            _act(proxy, client, act, target)
        proxy.pass_seconds(_LONG_SECONDS)
        client.lose()
        for wire in proxy.upstreams:
            wire.lose()
        proxy.pass_seconds(_LONG_SECONDS)
        assert len(proxy.exchanges) == 1
        assert proxy.exchanges[0].mock_id in ("ovr_0", "")
        assert proxy.open_connections == (0, 0)
        assert (proxy.timers, proxy.faults) == (0, [])
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def _act(proxy: VirtualProxy, client: Wire, act: str, target: bytes) -> None:
    match act:
        case "wait":
            proxy.pass_ms(170)
        case "wait long":
            proxy.pass_seconds(7)
        case "narrow" | "widen":
            client.narrow = act == "narrow"
            if not client.narrow:
                client.widen()
        case "end":
            client.end()
        case "lose":
            client.lose()
        case "stop":
            proxy.stop()
        case _:
            _act_on_target(proxy, act, target)
    proxy.settle()


def _act_on_target(proxy: VirtualProxy, act: str, target: bytes) -> None:
    for wire in proxy.upstreams:
        if act == "target ends":
            wire.end()
        elif not wire.lost:
            proxy.say(wire, target)
