"""What is on record before an answer is what is sent then: whatever is planned, and whoever asks."""

from hypothesis import given, settings
from hypothesis import strategies as st
from support.planned import KEY, events, planned_mocks, respond, source_of
from support.proxying import ask
from support.stubbed import said
from support.virtual_proxy import VirtualProxy
from understudy_server.core.profiles import Profile
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import Events, Failed, FaultKind, Plan, PlannedFault
from understudy_server.proxy.settings import ProxySettings

# No round of events takes as long as a stream without an end may.
_SETTINGS = ProxySettings(stream_seconds=10, tick_seconds=2)
# A byte, or a piece of a slow answer, leaves no closer to the next than so; there are no other delays as short.
_BETWEEN_MS = 60
_EVENTS = st.builds(
    lambda given, rounds: events(*given, rounds=rounds, round_delay_ms=300),
    st.lists(st.tuples(st.sampled_from([b"data: 1\n\n", b"x" * 300]), st.integers(100, 900)), max_size=3),
    st.integers(0, 3),
)


def _is_endless(plan: Plan) -> bool:
    # The last of its events, once begun, has as long as it takes.
    return isinstance(plan.answer, Events) and not plan.answer.rounds


_PLANS = st.builds(
    Plan,
    answer=st.one_of(
        st.sampled_from([b"", b"x", b"y" * 500]).map(lambda body: respond(body).answer),
        _EVENTS,
        st.just(Failed("template_failed", "No.")),
    ),
    delay_ms=st.sampled_from([100, 300]),
    fault=st.none() | st.builds(PlannedFault, st.sampled_from(list(FaultKind)), st.floats(0, 1)),
    bytes_per_second=st.sampled_from([0, 0, 100, 4000]),
).map(lambda plan: plan._replace(bytes_per_second=0) if _is_endless(plan) else plan)
_ASKED = st.sampled_from(
    [
        ask("GET", "/x", KEY, close=False),
        ask("HEAD", "/x", KEY, close=False),
        ask("POST", "/x", KEY, body=b"hello"),
        f"GET /checkout/staging/x HTTP/1.0\r\n{KEY}\r\n\r\n".encode(),
    ]
)


@settings(max_examples=400, deadline=None)
@given(plan=_PLANS, asked=_ASKED)
def test_what_is_on_record_is_sent(plan: Plan, asked: bytes) -> None:
    with planned_mocks({"/x": plan}), VirtualProxy(source_of("/x", profile=Profile.ASSERTIVE), _SETTINGS) as proxy:
        client = proxy.send(asked)
        (exchange,) = proxy.exchanges
        proxy.pass_ms(exchange.duration_ms - _BETWEEN_MS)
        before = said(client), client.closing
        proxy.pass_ms(2 * _BETWEEN_MS)
        whole, is_cut_off = said(client), client.closing
        proxy.pass_seconds(100)
        assert (said(client), len(proxy.exchanges)) == (whole, 1)
    assert before != (whole, is_cut_off)
    assert exchange.phases.delay_us == plan.delay_ms * 1000
    assert exchange.phases.total_us == exchange.duration_ms * 1000
    if exchange.outcome is ExchangeOutcome.FAULT_INJECTED:
        assert is_cut_off
    head, _, body = whole.partition(b"\r\n\r\n")
    if exchange.status:
        assert head.startswith(b"HTTP/1.1 %d " % exchange.status)
    else:
        assert not head.startswith(b"HTTP")
    if exchange.status and (plan.fault is None or plan.fault.kind is FaultKind.CUT):
        sent = _without_chunks(body) if b"chunked" in head else body
        kept = exchange.response_body.content if exchange.response_body else b""
        # Of a stream of several rounds, the first one is kept.
        several = isinstance(plan.answer, Events) and plan.answer.rounds != 1
        assert sent.startswith(kept) if several else sent == kept


def _without_chunks(body: bytes) -> bytes:
    """What is in the chunks that are there."""
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        found += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return found
