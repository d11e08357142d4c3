"""An answer that stands, and whatever else is known of requests alike, is what deciding anew would come to."""

import gc
import gzip
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.live_source import ENVIRONMENT_ID, FakeSource, mock, session
from support.proxying import NOON_MS
from support.requests_alike import PATHS, ROWS, START_MS, Played, all_mocks, play, request
from support.virtual_proxy import VirtualProxy
from understudy_server.live.source import EnvironmentRow
from understudy_server.proxy.standing import STANDING_BYTES_MAX, Standing


def _source(row: EnvironmentRow, delay_ms: int = 0) -> FakeSource:
    source = FakeSource()
    mocks = all_mocks()
    source.commit(
        environments={ENVIRONMENT_ID: row},
        mocks=dict(mocks),
        sessions={"ses_ci-42": session(overrides=tuple(mocks), delay_ms=delay_ms), "ses_ci-43": session("ci-43")},
    )
    return source


_REQUESTS = st.builds(
    lambda method, path, query, lines: request(method, path + query, *filter(None, lines)),
    st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS"]),
    st.sampled_from(PATHS),
    st.sampled_from(["", "", "?a=1&token=2"]),
    st.tuples(
        st.sampled_from(["x-flowmock-session: ci-42", "x-flowmock-session: ci-42", "x-flowmock-session: ci-43", ""]),
        st.sampled_from(["traceparent: 1", "traceparent: 2", "traceparent: 3", ""]),
        st.sampled_from(["x-tenant: blue", "x-tenant: green", ""]),
        st.sampled_from(["Cookie: sid=1", "Cookie: sid=2; qa=ci-42", ""]),
        st.sampled_from(["Origin: http://a", "Referer: /a?token=1", "Access-Control-Request-Method: PUT", ""]),
    ),
)


def _anew(row: EnvironmentRow, delay_ms: int, data: bytes, after_ms: int) -> Played:
    """The same to a proxy that has met nothing yet, at the same moment."""
    with VirtualProxy(_source(row, delay_ms)) as proxy:
        proxy.pass_ms(after_ms)
        return play(proxy, proxy.connect(), data)


@given(
    st.sampled_from(ROWS),
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
        played = [play(proxy, client, data) for data in asked]
    assert played == [_anew(row, delay_ms, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize("row", ROWS[:4], ids=["plain", "masked", "cookie", "strict"])
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
    asked = [request("GET", path, line.format(value), *kept) for value in values]
    with VirtualProxy(_source(row)) as proxy:
        client = proxy.connect()
        played = [play(proxy, client, data) for data in asked]
    assert played == [_anew(row, 0, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize("row", [ROWS[0], ROWS[1], ROWS[-1]], ids=["plain", "masked", "short"])
@pytest.mark.parametrize("path", ["/fixed", "/late", "/all", "/body", "/parsed", "/real"])
@pytest.mark.parametrize("line", ["Content-Type: application/json", "Content-Type: text/{}", "Content-Encoding: x{}"])
def test_body_that_differs_makes_a_difference_where_somebody_looks_at_it(
    row: EnvironmentRow, path: str, line: str
) -> None:
    bodies = [b'{"a": %d}' % number for number in (7, 8, 9, 33, 1, 44, 1, 5)] + [b'{"a": 1, "token": 3}', b'{"a": 12}']
    asked = [
        request("POST", path, "x-flowmock-session: ci-42", line.format(number), body=body)
        for number, body in enumerate(bodies)
    ]
    with VirtualProxy(_source(row)) as proxy:
        client = proxy.connect()
        played = [play(proxy, client, data) for data in asked]
    assert played == [_anew(row, 0, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize("row", [ROWS[0], ROWS[1]], ids=["plain", "masked"])
def test_what_is_kept_of_a_body_follows_from_the_coding_that_it_has(row: EnvironmentRow) -> None:
    body = b'{"token": "s3cr3t", "a": 1}'
    codings = [f"x{number}" for number in range(6)] + ["gzip", "x7", "gzip"]
    asked = [
        request(
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
        played = [play(proxy, client, data) for data in asked]
    assert played == [_anew(row, 0, data, 100 * number) for number, data in enumerate(asked)]


@pytest.mark.parametrize(("size", "stands"), [(STANDING_BYTES_MAX - 2, True), (STANDING_BYTES_MAX, False)])
def test_long_answer_does_not_stand(size: int, *, stands: bool) -> None:
    source = _source(ROWS[0])
    source.commit(mocks={"ovr_fixed": mock("ovr_fixed", path="/fixed", json=f'"{"x" * size}"')})
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(9):
            play(proxy, client, request("GET", "/fixed", "x-flowmock-session: ci-42", f"traceparent: {number}"))
        gc.collect()
        assert any(isinstance(each, Standing) for each in gc.get_objects()) is stands
        assert [each.mock_id for each in proxy.exchanges] == ["ovr_fixed"] * 9


def test_preflight_behind_requests_that_look_like_one_is_one() -> None:
    methods = ["no token", "nor this", "nor that", "another one", "the last one", "PUT", "one more"]
    asked = [
        request("OPTIONS", "/fixed", "x-flowmock-session: ci-42", f"Access-Control-Request-Method: {each}", "Origin: a")
        for each in methods
    ]
    with VirtualProxy(_source(ROWS[0])) as proxy:
        client = proxy.connect()
        played = [play(proxy, client, data) for data in asked]
    assert played == [_anew(ROWS[0], 0, data, 100 * number) for number, data in enumerate(asked)]
    assert [each.exchange.status for each in played if each.exchange] == [200] * 5 + [204, 200]


def _on_record(change: Callable[[FakeSource], None] | None = None) -> list[tuple[int, str]]:
    """Status and mock of requests alike, of which each has a trace of its own, with a change after the sixth."""
    source = _source(ROWS[0])
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(9):
            if number == 6 and change:
                change(source)
            play(proxy, client, request("GET", "/fixed", "x-flowmock-session: ci-42", f"traceparent: {number}"))
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
    source = _source(ROWS[0])
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_fixed",), expires_at_ms=START_MS + 550)})
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(8):
            play(proxy, client, request("GET", "/fixed", "x-flowmock-session: ci-42", f"traceparent: {number}"))
        assert [each.mock_id for each in proxy.exchanges] == ["ovr_fixed"] * 6 + [""] * 2
