"""An answer that stands, and whatever else is known of requests alike, is what deciding anew would come to."""

import gc
import gzip
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.proxying import NOON_MS
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.core.exchange import Exchange
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.json_paths import parse
from understudy_server.core.redaction import Redaction
from understudy_server.live.source import EnvironmentRow
from understudy_server.proxy.standing import STANDING_BYTES_MAX, Standing

_START_MS = NOON_MS + 1_000_000
"""When the proxies of these tests begin."""

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\n\r\nok"
_REDACTION = Redaction(frozenset({b"x-tenant"}), frozenset({"token"}), JsonMask((parse("$.token"),)))
_ROWS = [
    environment(upstream="http://192.0.2.1/base"),
    environment(upstream="http://192.0.2.1", redaction=_REDACTION, forwards_session_header=False),
    environment(upstream="http://192.0.2.1", carriers=(Carrier(CarrierKind.COOKIE, "qa"),), captured_bytes_max=5),
    environment(upstream="http://192.0.2.1", strict=True, carriers=(Carrier(CarrierKind.HEADER, "x-tenant"),)),
    environment(upstream="", adds_cors_headers=False, answers_preflights=False),
    environment(upstream="http://192.0.2.1", request_body_bytes_max=9),
]


class _Played(NamedTuple):
    """What the client and the upstream got, and what went on record, but for its id."""

    answer: bytes
    asked: bytes
    exchange: Exchange | None


def _made(name: str, template: str, **fields: str) -> Mock:
    made = mock(f"ovr_{name}", path=f"/{name}")
    made.action.respond.template = template
    for header, value in fields.items():
        made.action.respond.headers.add(name=header, value=value)
    return made


def _mocks() -> dict[str, Mock]:
    judged = mock("ovr_judged", path="/judged", json='{"by": "tenant"}')
    judged.matcher.headers["x-tenant"].equals = "blue"
    by_cookie = mock("ovr_cookie", path="/judged", json='{"by": "cookie"}')
    by_cookie.matcher.cookies["sid"].equals = "1"
    by_all = mock("ovr_all", path="/all", json='{"by": "all"}')
    by_all.matcher.all_headers.json_subset = '{"traceparent": "1"}'
    with_cookie = mock("ovr_fixed", path="/fixed", json='{"token": "s3cr3t"}')
    with_cookie.action.respond.headers.add(name="Set-Cookie", value="a=1")
    by_body = mock("ovr_body", path="/body", json='{"by": "body"}')
    by_body.matcher.body.json_subset = '{"a": 1}'
    all_of_them = [
        with_cookie,
        by_body,
        judged,
        by_cookie,
        by_all,
        mock("ovr_late", path="/late", json="1", delay_ms=20),
        mock("ovr_old", path="/dated", json="1"),
        _made("parsed", "{{ request.json.a }} {{ request.body }}"),
        _made("echo", "{{ request.headers.traceparent }} {{ request.query.a }}"),
        _made("cookies", "{{ request.cookies.sid }}"),
        _made("whole", "{{ request.headers | tojson }}"),
        _made("target", "{{ request.target }} {{ request.host }} {{ request.method }}"),
        _made("header", "x"),
    ]
    last = all_of_them[-1].action.respond
    last.header_templates = True
    last.headers.add(name="x-echo", value="{{ request.headers['x-tenant'] | default('') }}")
    all_of_them[6].action.respond.headers.add(name="Date", value="today")
    return {each.id: each for each in all_of_them}


_PATHS = (
    "/fixed",
    "/judged",
    "/all",
    "/late",
    "/dated",
    "/echo",
    "/cookies",
    "/whole",
    "/target",
    "/header",
    "/body",
    "/parsed",
    "/real",
)


def _source(row: EnvironmentRow, delay_ms: int = 0) -> FakeSource:
    source = FakeSource()
    mocks = _mocks()
    source.commit(
        environments={ENVIRONMENT_ID: row},
        mocks=dict(mocks),
        sessions={"ses_ci-42": session(overrides=tuple(mocks), delay_ms=delay_ms), "ses_ci-43": session("ci-43")},
    )
    return source


def _request(method: str, target: str, *lines: str, body: bytes = b"") -> bytes:
    length = [f"Content-Length: {len(body)}"] if body else []
    head = [f"{method} /checkout/staging{target} HTTP/1.1", "Host: proxy", *length, *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


_REQUESTS = st.builds(
    lambda method, path, query, lines: _request(method, path + query, *filter(None, lines)),
    st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS"]),
    st.sampled_from(_PATHS),
    st.sampled_from(["", "", "?a=1&token=2"]),
    st.tuples(
        st.sampled_from(["x-flowmock-session: ci-42", "x-flowmock-session: ci-42", "x-flowmock-session: ci-43", ""]),
        st.sampled_from(["traceparent: 1", "traceparent: 2", "traceparent: 3", ""]),
        st.sampled_from(["x-tenant: blue", "x-tenant: green", ""]),
        st.sampled_from(["Cookie: sid=1", "Cookie: sid=2; qa=ci-42", ""]),
        st.sampled_from(["Origin: http://a", "Referer: /a?token=1", "Access-Control-Request-Method: PUT", ""]),
    ),
)


def _play(proxy: VirtualProxy, client: Wire, data: bytes) -> _Played:
    sent, recorded = len(client.sent), len(proxy.exchanges)
    told = [len(each.sent) for each in proxy.upstreams]
    proxy.say(client, data)
    asked = [b"".join(each.sent[at:]) for each, at in zip(proxy.upstreams, [*told, 0], strict=False)]
    for wire, request in zip(proxy.upstreams, asked, strict=True):
        if request:
            proxy.say(wire, _OK if not request.startswith(b"HEAD") else _OK[:-2])
    proxy.pass_ms(100)
    exchange = None
    for each in proxy.exchanges[recorded:]:
        assert exchange is None
        exchange = each._replace(id="", request_headers=tuple(each.request_headers))
    return _Played(b"".join(client.sent[sent:]), b"".join(asked), exchange)


def _anew(row: EnvironmentRow, delay_ms: int, data: bytes, after_ms: int) -> _Played:
    """The same to a proxy that has met nothing yet, at the same moment."""
    with VirtualProxy(_source(row, delay_ms)) as proxy:
        proxy.pass_ms(after_ms)
        return _play(proxy, proxy.connect(), data)


@given(
    st.sampled_from(_ROWS),
    st.sampled_from([0, 0, 30]),
    st.lists(_REQUESTS, min_size=1, max_size=3),
    st.lists(st.integers(0, 2), min_size=4, max_size=14),
)
def test_what_is_known_of_requests_alike_makes_no_difference(
    row: EnvironmentRow, delay_ms: int, requests: list[bytes], order: list[int]
) -> None:
    # A trace of its own for each: it is what differs, unless somebody looks at it.
    asked = [
        requests[which % len(requests)].replace(b"traceparent: 3", b"traceparent: %d" % (number + 3))
        for number, which in enumerate(order)
    ]
    with VirtualProxy(_source(row, delay_ms)) as proxy:
        client = proxy.connect()
        played = [_play(proxy, client, data) for data in asked]
    assert played == [_anew(row, delay_ms, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize("row", _ROWS[:4], ids=["plain", "masked", "cookie", "strict"])
@pytest.mark.parametrize(
    "path", ["/fixed", "/judged", "/all", "/echo", "/cookies", "/whole", "/target", "/header", "/real"]
)
@pytest.mark.parametrize("line", ["traceparent: {}", "x-tenant: {}", "Cookie: sid={}", "Cookie: qa=ci-4{}"])
def test_line_that_differs_makes_a_difference_where_somebody_looks_at_it(
    row: EnvironmentRow, path: str, line: str
) -> None:
    values = ["7", "8", "9", "3", "blue", "2", "1", "4", "5"]
    lines = ["x-flowmock-session: ci-42", "traceparent: 1", "Cookie: sid=1", "x-tenant: blue"]
    name = line.partition(":")[0]
    kept = [each for each in lines if not each.startswith(name)]
    asked = [_request("GET", path, line.format(value), *kept) for value in values]
    with VirtualProxy(_source(row)) as proxy:
        client = proxy.connect()
        played = [_play(proxy, client, data) for data in asked]
    assert played == [_anew(row, 0, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize("row", [_ROWS[0], _ROWS[1], _ROWS[-1]], ids=["plain", "masked", "short"])
@pytest.mark.parametrize("path", ["/fixed", "/late", "/all", "/body", "/parsed", "/real"])
@pytest.mark.parametrize("line", ["Content-Type: application/json", "Content-Type: text/{}", "Content-Encoding: x{}"])
def test_body_that_differs_makes_a_difference_where_somebody_looks_at_it(
    row: EnvironmentRow, path: str, line: str
) -> None:
    bodies = [b'{"a": %d}' % number for number in (7, 8, 9, 33, 1, 44, 1, 5)] + [b'{"a": 1, "token": 3}', b'{"a": 12}']
    asked = [
        _request("POST", path, "x-flowmock-session: ci-42", line.format(number), body=body)
        for number, body in enumerate(bodies)
    ]
    with VirtualProxy(_source(row)) as proxy:
        client = proxy.connect()
        played = [_play(proxy, client, data) for data in asked]
    assert played == [_anew(row, 0, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize("row", [_ROWS[0], _ROWS[1]], ids=["plain", "masked"])
def test_what_is_kept_of_a_body_follows_from_the_coding_that_it_has(row: EnvironmentRow) -> None:
    body = b'{"token": "s3cr3t", "a": 1}'
    codings = [f"x{number}" for number in range(6)] + ["gzip", "x7", "gzip"]
    asked = [
        _request(
            "POST",
            "/fixed",
            "x-flowmock-session: ci-42",
            "Content-Type: application/json",
            f"Content-Encoding: {coding}",
            body=gzip.compress(body + b" " * number) if coding == "gzip" else body + b" " * number,
        )
        for number, coding in enumerate(codings)
    ]
    with VirtualProxy(_source(row)) as proxy:
        client = proxy.connect()
        played = [_play(proxy, client, data) for data in asked]
    assert played == [_anew(row, 0, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize(("size", "stands"), [(STANDING_BYTES_MAX - 2, True), (STANDING_BYTES_MAX, False)])
def test_long_answer_does_not_stand(size: int, *, stands: bool) -> None:
    source = _source(_ROWS[0])
    source.commit(mocks={"ovr_fixed": mock("ovr_fixed", path="/fixed", json=f'"{"x" * size}"')})
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(9):
            _play(proxy, client, _request("GET", "/fixed", "x-flowmock-session: ci-42", f"traceparent: {number}"))
        gc.collect()
        assert any(isinstance(each, Standing) for each in gc.get_objects()) is stands
        assert [each.mock_id for each in proxy.exchanges] == ["ovr_fixed"] * 9


def test_preflight_behind_requests_that_look_like_one_is_one() -> None:
    methods = ["no token", "nor this", "nor that", "another one", "the last one", "PUT", "one more"]
    asked = [
        _request(
            "OPTIONS", "/fixed", "x-flowmock-session: ci-42", f"Access-Control-Request-Method: {each}", "Origin: a"
        )
        for each in methods
    ]
    with VirtualProxy(_source(_ROWS[0])) as proxy:
        client = proxy.connect()
        played = [_play(proxy, client, data) for data in asked]
    assert played == [_anew(_ROWS[0], 0, data, 100 * number) for number, data in enumerate(asked)]
    assert [each.exchange.status for each in played if each.exchange] == [200] * 5 + [204, 200]


def _on_record(change: Callable[[FakeSource], None] | None = None) -> list[tuple[int, str]]:
    """Status and mock of requests alike, of which each has a trace of its own, with a change after the sixth."""
    source = _source(_ROWS[0])
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(9):
            if number == 6 and change:
                change(source)
            _play(proxy, client, _request("GET", "/fixed", "x-flowmock-session: ci-42", f"traceparent: {number}"))
        return [(each.status, each.mock_id) for each in proxy.exchanges]


def test_answer_stands() -> None:
    assert _on_record() == [(200, "ovr_fixed")] * 9


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (
            lambda source: source.commit(mocks={"ovr_fixed": mock("ovr_fixed", path="/fixed", status=418)}),
            (418, "ovr_fixed"),
        ),
        (lambda source: source.commit(sessions={"ses_ci-42": session()}), (200, "")),
        (lambda source: source.commit(environments={ENVIRONMENT_ID: None}), None),
        (
            lambda source: source.commit(
                sessions={"ses_ci-42": session(overrides=("ovr_fixed",), expires_at_ms=NOON_MS + 1)}
            ),
            (200, ""),
        ),
    ],
    ids=["mock", "session", "environment", "expired"],
)
def test_answer_stands_no_longer_than_what_it_follows_from(
    change: Callable[[FakeSource], None], after: tuple[int, str] | None
) -> None:
    assert _on_record(change) == [(200, "ovr_fixed")] * 6 + [after] * 3 if after else [(200, "ovr_fixed")] * 6


def test_session_expires_while_its_answer_stands() -> None:
    source = _source(_ROWS[0])
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_fixed",), expires_at_ms=_START_MS + 550)})
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(8):
            _play(proxy, client, _request("GET", "/fixed", "x-flowmock-session: ci-42", f"traceparent: {number}"))
        assert [each.mock_id for each in proxy.exchanges] == ["ovr_fixed"] * 6 + [""] * 2
