"""Our own choices about delays where FlowMock documents nothing. Time passes by hand here, so all numbers are exact."""

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.proxying import OK, get
from support.virtual_proxy import VirtualProxy
from understudy_server.core.exchange import CLIENT_GONE

KEY = "x-flowmock-session: ci-42"
LONG_MS = 120_000
MOCKED, PASSED_THROUGH = "/mocked", "/other"


def _source(delay_ms: int, delay_max_ms: int = 0, *, mock_delay_ms: int = 0) -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream="http://127.0.0.1:1")},
        mocks={"ovr_it": mock("ovr_it", path=MOCKED, json='"mocked"', delay_ms=mock_delay_ms)},
    )
    _set_delay(source, delay_ms, delay_max_ms)
    return source


def _set_delay(source: FakeSource, delay_ms: int, delay_max_ms: int = 0) -> None:
    row = session(overrides=("ovr_it",), delay_ms=delay_ms, delay_max_ms=delay_max_ms)
    source.commit(sessions={row.id: row})


def _delay_of(proxy: VirtualProxy) -> int:
    """How long a mocked answer is held back now."""
    proxy.send(get(MOCKED, KEY))
    proxy.pass_ms(2 * LONG_MS)
    return proxy.exchanges[-1].duration_ms


def _answered(proxy: VirtualProxy, path: str) -> Wire:
    """A client that sent a request, which the service, if it was asked, has answered at once."""
    client = proxy.send(get(path, KEY))
    for upstream in proxy.upstreams:
        upstream.deliver(OK)
    return client


@pytest.mark.parametrize(("fixed_ms", "max_ms"), [(50, 0), (50, 20), (50, 50), (0, 0), (LONG_MS, 0)])
def test_a_greatest_delay_that_is_not_above_the_fixed_one_does_not_count(fixed_ms: int, max_ms: int) -> None:
    with VirtualProxy(_source(fixed_ms, max_ms)) as proxy:
        assert {_delay_of(proxy) for _ in range(5)} == {fixed_ms}


@pytest.mark.parametrize(("fixed_ms", "max_ms"), [(20, 25), (0, 3), (119_998, LONG_MS)])
def test_a_greatest_delay_above_the_fixed_one_makes_any_whole_number_between_them(fixed_ms: int, max_ms: int) -> None:
    with VirtualProxy(_source(fixed_ms, max_ms)) as proxy:
        assert {_delay_of(proxy) for _ in range(200)} == set(range(fixed_ms, max_ms + 1))


def test_a_random_delay_is_as_likely_to_be_short_as_long() -> None:
    with VirtualProxy(_source(0, 1)) as proxy:
        drawn = [_delay_of(proxy) for _ in range(400)]
    assert 150 < sum(drawn) < 250


def test_delays_of_mock_and_session_add_up() -> None:
    with VirtualProxy(_source(50, mock_delay_ms=70)) as proxy:
        assert _delay_of(proxy) == 120


def test_a_random_delay_adds_to_that_of_the_mock() -> None:
    with VirtualProxy(_source(1, 3, mock_delay_ms=70)) as proxy:
        assert {_delay_of(proxy) for _ in range(50)} == {71, 72, 73}


@pytest.mark.parametrize("path", [MOCKED, PASSED_THROUGH])
def test_nothing_of_the_answer_is_sent_before_the_delay_is_over(path: str) -> None:
    with VirtualProxy(_source(LONG_MS)) as proxy:
        client = _answered(proxy, path)
        proxy.pass_ms(LONG_MS - 1)
        assert client.sent == []
        proxy.pass_ms(1)
        assert b"".join(client.sent).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("path", [MOCKED, PASSED_THROUGH])
def test_a_delay_ends_when_the_client_goes(path: str) -> None:
    with VirtualProxy(_source(LONG_MS)) as proxy:
        client = _answered(proxy, path)
        proxy.pass_ms(7)
        client.lose(ConnectionResetError())
        assert [(each.status, each.duration_ms) for each in proxy.exchanges] == [(CLIENT_GONE, 7)]


def test_the_service_is_asked_first_and_its_answer_held_back_then() -> None:
    with VirtualProxy(_source(50)) as proxy:
        client = proxy.send(get(PASSED_THROUGH, KEY))
        (upstream,) = proxy.upstreams
        assert upstream.sent[0].startswith(b"GET /other HTTP/1.1\r\n")
        proxy.pass_ms(300)
        upstream.deliver(OK)
        proxy.pass_ms(49)
        assert client.sent == []
        proxy.pass_ms(1)
        assert [each.duration_ms for each in proxy.exchanges] == [350]


@pytest.mark.parametrize("path", [MOCKED, PASSED_THROUGH])
def test_the_delay_is_the_one_in_force_when_the_request_is_handled(path: str) -> None:
    source = _source(50)
    with VirtualProxy(source) as proxy:
        _answered(proxy, path)
        _set_delay(source, LONG_MS)
        proxy.pass_ms(50)
        assert [each.duration_ms for each in proxy.exchanges] == [50]
        assert _delay_of(proxy) == LONG_MS
