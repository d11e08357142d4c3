"""Each exchange is on record once, as what became of it, with where the mock was on and the session's revision."""

from collections.abc import Callable

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.planned import KEY, events, forward, planned_mocks, respond, source_of
from support.proxying import ask, get
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.allow_list import AllowList
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import Failed, FaultKind, Plan, PlannedFault
from understudy_server.proxy.settings import ProxySettings

_UPSTREAM = "http://192.0.2.1"
_ELSEWHERE = "http://192.0.2.7"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
_PLANS = {
    "/mocked": respond(b"made"),
    "/late": respond(b"late", delay_ms=500),
    "/slow": respond(b"x" * 1000, bytes_per_second=500),
    "/events": Plan(events((b"data: 1\n\n", 0), (b"data: 2\n\n", 1000))),
    "/failed": Plan(Failed("template_failed", "There is no such value.")),
    **{f"/{kind.name}": respond(fault=PlannedFault(kind, 0.5)) for kind in FaultKind},
    "/SLOW_CUT": respond(b"x" * 1000, bytes_per_second=2000, fault=PlannedFault(FaultKind.CUT, 0.5)),
    "/EVENTS_CUT": Plan(events((b"data: 1\n\n", 0)), fault=PlannedFault(FaultKind.CUT, 0.5)),
    "/forward": Plan(forward(_ELSEWHERE)),
    "/forward_slow": Plan(forward(_ELSEWHERE), bytes_per_second=2),
    "/forward_reset": Plan(forward(_ELSEWHERE), fault=PlannedFault(FaultKind.RESET)),
    "/forward_cut": Plan(forward(_ELSEWHERE), fault=PlannedFault(FaultKind.CUT, 0.5)),
    "/forward_nowhere": Plan(forward(_ELSEWHERE, "no target")),
    "/forward_forbidden": Plan(forward("http://10.1.2.3")),
}


Play = Callable[[VirtualProxy, Wire], None]


def _wait(proxy: VirtualProxy, _: Wire) -> None:
    proxy.pass_seconds(10)


def _upstream_says(*pieces: bytes, then: str = "") -> Play:
    def play(proxy: VirtualProxy, _: Wire) -> None:
        far = proxy.upstreams[-1]
        for piece in pieces:
            proxy.say(far, piece)
        if then == "end":
            far.end()
        if then == "lose":
            far.lose(ConnectionResetError())
        proxy.pass_seconds(10)

    return play


def _client_goes(*pieces: bytes) -> Play:
    def play(proxy: VirtualProxy, wire: Wire) -> None:
        for piece in pieces:
            proxy.say(proxy.upstreams[-1], piece)
        wire.lose()
        proxy.pass_seconds(10)

    return play


def _silence(proxy: VirtualProxy, _: Wire) -> None:
    proxy.pass_seconds(100)


def _more(data: bytes) -> Play:
    def play(proxy: VirtualProxy, wire: Wire) -> None:
        proxy.say(wire, data)
        proxy.pass_seconds(10)

    return play


def _get(path: str) -> bytes:
    return get(path, KEY, close=False)


def _begun(path: str, *lines: str) -> bytes:
    return ask("POST", path, KEY, "Content-Length: 10", *lines, close=False) + b"half"


_CHUNKED = ask("POST", "/mocked", KEY, "Transfer-Encoding: chunked", close=False) + b"2\r\nab\r\n"
_PASSED_CHUNKED = _CHUNKED.replace(b"/mocked", b"/real")
_ROWS: list[tuple[str, bytes, Play, ExchangeOutcome, str]] = [
    ("mock", _get("/mocked"), _wait, ExchangeOutcome.MOCKED, "ovr"),
    ("mock that waits", _get("/late"), _wait, ExchangeOutcome.MOCKED, "ovr"),
    ("mock that is slow", _get("/slow"), _wait, ExchangeOutcome.MOCKED, "ovr"),
    ("events", _get("/events"), _wait, ExchangeOutcome.MOCKED, "ovr"),
    ("head of events", _get("/events").replace(b"GET", b"HEAD"), _wait, ExchangeOutcome.MOCKED, "ovr"),
    ("mock that fails", _get("/failed"), _wait, ExchangeOutcome.MOCK_FAILED, "ovr"),
    *[(kind.name, _get(f"/{kind.name}"), _wait, ExchangeOutcome.FAULT_INJECTED, "ovr") for kind in FaultKind],
    ("slow and cut", _get("/SLOW_CUT"), _wait, ExchangeOutcome.FAULT_INJECTED, "ovr"),
    ("events and cut", _get("/EVENTS_CUT"), _wait, ExchangeOutcome.FAULT_INJECTED, "ovr"),
    ("passed on", _get("/forward"), _upstream_says(_OK), ExchangeOutcome.FORWARDED, "ovr"),
    ("passed on slowly", _get("/forward_slow"), _upstream_says(_OK), ExchangeOutcome.FORWARDED, "ovr"),
    ("passed on and lost", _get("/forward_reset"), _upstream_says(_OK), ExchangeOutcome.FAULT_INJECTED, "ovr"),
    ("passed on and cut", _get("/forward_cut"), _upstream_says(_OK), ExchangeOutcome.FAULT_INJECTED, "ovr"),
    ("passed on to nothing", _get("/forward_nowhere"), _wait, ExchangeOutcome.MOCK_FAILED, "ovr"),
    ("passed on, forbidden", _get("/forward_forbidden"), _wait, ExchangeOutcome.MOCK_FAILED, "ovr"),
    (
        "passed on slowly, and broken off",
        _get("/forward_slow"),
        _upstream_says(_HALF, then="lose"),
        ExchangeOutcome.UPSTREAM_FAILED,
        "ovr",
    ),
    ("upstream", _get("/real"), _upstream_says(_OK), ExchangeOutcome.FORWARDED, ""),
    ("upstream in parts", _get("/real"), _upstream_says(_HALF, b"tail!"), ExchangeOutcome.FORWARDED, ""),
    ("upstream that ends", _get("/real"), _upstream_says(then="end"), ExchangeOutcome.UPSTREAM_FAILED, ""),
    ("upstream that is gone", _get("/real"), _upstream_says(then="lose"), ExchangeOutcome.UPSTREAM_FAILED, ""),
    ("upstream gone midway", _get("/real"), _upstream_says(_HALF, then="lose"), ExchangeOutcome.UPSTREAM_FAILED, ""),
    ("upstream ends midway", _get("/real"), _upstream_says(_HALF, then="end"), ExchangeOutcome.UPSTREAM_FAILED, ""),
    ("upstream speaks nonsense", _get("/real"), _upstream_says(b"what\r\n\r\n"), ExchangeOutcome.UPSTREAM_FAILED, ""),
    ("upstream that is silent", _get("/real"), _silence, ExchangeOutcome.UPSTREAM_FAILED, ""),
    ("upstream silent midway", _get("/real"), _upstream_says(_HALF), ExchangeOutcome.UPSTREAM_FAILED, ""),
    ("client gone before the answer", _get("/real"), _client_goes(), ExchangeOutcome.CLIENT_GONE, ""),
    ("client gone midway", _get("/real"), _client_goes(_HALF), ExchangeOutcome.CLIENT_GONE, ""),
    ("client gone in its body", _begun("/real"), _client_goes(), ExchangeOutcome.CLIENT_GONE, ""),
    ("client gone in its body to a mock", _begun("/mocked"), _client_goes(), ExchangeOutcome.CLIENT_GONE, "ovr"),
    ("client gone in the delay", _get("/late"), _client_goes(), ExchangeOutcome.CLIENT_GONE, "ovr"),
    ("client gone in a slow answer", _get("/slow"), _client_goes(), ExchangeOutcome.CLIENT_GONE, "ovr"),
    ("client gone in events", _get("/events"), _client_goes(), ExchangeOutcome.CLIENT_GONE, "ovr"),
    ("body that cannot be read", _CHUNKED, _more(b"zz\r\n"), ExchangeOutcome.REFUSED, ""),
    ("body that cannot be read, passed on", _PASSED_CHUNKED, _more(b"zz\r\n"), ExchangeOutcome.REFUSED, ""),
    ("body that does not come", _begun("/mocked"), _silence, ExchangeOutcome.REFUSED, ""),
    ("body that is too long", _begun("/real").replace(b"10", b"5000", 1), _wait, ExchangeOutcome.REFUSED, ""),
    (
        "preflight",
        ask("OPTIONS", "/real", KEY, "Origin: https://a.example", "Access-Control-Request-Method: PUT", close=False),
        _wait,
        ExchangeOutcome.PREFLIGHT,
        "",
    ),
]


@pytest.mark.parametrize(
    ("data", "play", "outcome", "mocked"), [row[1:] for row in _ROWS], ids=[row[0] for row in _ROWS]
)
def test_exchange_is_on_record_once_as_what_became_of_it(
    data: bytes, play: Play, outcome: ExchangeOutcome, mocked: str
) -> None:
    settings = ProxySettings(
        upstream_allow=AllowList.parse("192.0.2.0/24"), first_byte_seconds=5, upstream_idle_seconds=5, body_seconds=5
    )
    source = source_of(*_PLANS, upstream=_UPSTREAM, request_body_bytes_max=1000)
    with planned_mocks(_PLANS), VirtualProxy(source, settings) as proxy:
        wire = proxy.send(data)
        play(proxy, wire)
        wire.lose()
        proxy.pass_seconds(100)
        (exchange,) = proxy.exchanges
    assert exchange.outcome is outcome
    assert (exchange.mock_id[:3], exchange.layer) == (mocked, "session" if mocked else "")
    assert exchange.session_revision == 1


def _answered(source: FakeSource, data: bytes, *, refusing: bool = False) -> Exchange:
    with VirtualProxy(source) as proxy:
        proxy.upstreams_are(refusing=refusing)
        proxy.send(data)
        proxy.settle()
        (exchange,) = proxy.exchanges
    return exchange


def test_request_that_no_mock_is_for_is_unmatched_where_there_is_no_upstream() -> None:
    exchange = _answered(source_of(), _get("/real"))
    assert (exchange.outcome, exchange.status, exchange.layer) == (ExchangeOutcome.UNMATCHED, 502, "")


def test_upstream_that_refuses_the_connection_has_failed() -> None:
    exchange = _answered(source_of(upstream=_UPSTREAM), _get("/real"), refusing=True)
    assert (exchange.outcome, exchange.status) == (ExchangeOutcome.UPSTREAM_FAILED, 502)


def test_request_without_a_key_is_refused_where_that_is_strict() -> None:
    exchange = _answered(source_of(strict=True), get("/real", close=False))
    assert (exchange.outcome, exchange.status) == (ExchangeOutcome.REFUSED, 400)
    assert (exchange.session_id, exchange.session_revision) == ("", 0)


def _by_body() -> Mock:
    message = mock("ovr_body", path="/x")
    message.matcher.body.json_subset = '{"a":1}'
    return message


def test_client_that_goes_before_its_body_can_be_judged_is_gone() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_body": _by_body()},
        sessions={"ses_ci-42": session(overrides=("ovr_body",))},
    )
    with VirtualProxy(source) as proxy:
        wire = proxy.send(_begun("/x"))
        proxy.pass_ms(7)
        wire.lose()
        proxy.settle()
        (exchange,) = proxy.exchanges
    assert (exchange.outcome, exchange.mock_id, exchange.layer) == (ExchangeOutcome.CLIENT_GONE, "", "")
    assert (exchange.phases.queue_us, exchange.phases.total_us) == (7_000, 7_000)


@pytest.mark.parametrize("uses_max", [0, 9])
@pytest.mark.parametrize("layer", ["session", "scenario", "environment"])
def test_record_says_where_the_mock_was_on(layer: str, uses_max: int) -> None:
    message = mock("ovr_x", path="/x", json="1")
    message.lifetime.uses_max = uses_max
    is_on = ("ovr_x",)
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=is_on if layer == "environment" else ())},
        mocks={"ovr_x": message},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=is_on)} if layer == "scenario" else {},
        sessions={
            "ses_ci-42": session(
                overrides=is_on if layer == "session" else (),
                scenario="scn_1" if layer == "scenario" else "",
                revision=17,
            )
        },
    )
    with VirtualProxy(source) as proxy:
        wire = proxy.connect()
        # The third time it is remembered.
        for _ in range(4):
            proxy.say(wire, _get("/x"))
    assert [(each.outcome, each.layer, each.session_revision) for each in proxy.exchanges] == [
        (ExchangeOutcome.MOCKED, layer, 17)
    ] * 4


def test_revision_is_that_in_force_when_the_request_was_judged() -> None:
    source = source_of("/late")
    with planned_mocks(_PLANS), VirtualProxy(source) as proxy:
        proxy.send(_get("/late"))
        source.commit(sessions={"ses_ci-42": session(overrides=("ovr_0",), revision=2)})
        proxy.pass_ms(500)
        proxy.send(_get("/late"))
        proxy.pass_ms(500)
    assert [each.session_revision for each in proxy.exchanges] == [1, 2]
