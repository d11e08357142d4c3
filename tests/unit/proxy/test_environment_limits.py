"""What the requests of one environment may take, where that is less than the server's own limits."""

import asyncio
import json

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.proxying import OK, ask, body_of, get, head_of, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.live.source import EnvironmentRow
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"
_CHUNKED = "Transfer-Encoding: chunked"
_MAX = 10
_PATHS = ["/mocked", "/judged", "/passed"]
_SETTINGS = ProxySettings()


def _row(
    *,
    request_body_bytes_max: int | None = _MAX,
    captured_bytes_max: int | None = None,
    first_byte_ms: int | None = None,
    strict: bool = False,
) -> EnvironmentRow:
    return environment(
        upstream="http://192.0.2.1",
        request_body_bytes_max=request_body_bytes_max,
        captured_bytes_max=captured_bytes_max,
        first_byte_ms=first_byte_ms,
        strict=strict,
    )


def _source(row: EnvironmentRow) -> FakeSource:
    """`/mocked` is mocked, `/judged` if its body is right, and the rest is passed through."""
    by_body = mock("ovr_judged", path="/judged")
    by_body.matcher.body.equals = "right"
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: row},
        mocks={"ovr_mocked": mock("ovr_mocked", path="/mocked", json='"mocked"'), "ovr_judged": by_body},
        sessions={"ses_ci-42": session(overrides=("ovr_mocked", "ovr_judged"))},
    )
    return source


def _proxy(row: EnvironmentRow | None = None, settings: ProxySettings = _SETTINGS) -> VirtualProxy:
    return VirtualProxy(_source(row or _row()), settings)


def _sent(wire: Wire) -> bytes:
    return b"".join(wire.sent)


def _code(answer: bytes) -> str:
    code: str = json.loads(body_of(answer))["code"]
    return code


def _announcing(path: str, size: int, *lines: str) -> bytes:
    return ask("POST", path, _KEY, f"Content-Length: {size}", *lines, close=False)


def _chunks(*sizes: int) -> bytes:
    return b"".join([b"%x\r\n%b\r\n" % (size, b"x" * size) for size in sizes])


# Bodies of requests.


@pytest.mark.parametrize("path", _PATHS)
def test_announced_body_over_the_limit_is_413_before_any_of_it_came(path: str) -> None:
    with _proxy() as proxy:
        client = proxy.send(_announcing(path, _MAX + 1, "Expect: 100-continue"))
        answer = _sent(client)
        assert (status_of(answer), _code(answer)) == (413, "body_too_large")
        assert f"{_MAX} bytes" in json.loads(body_of(answer))["error"]
        assert b"connection: close" in head_of(answer)
        assert proxy.upstreams == []
    (exchange,) = proxy.exchanges
    assert (exchange.status, exchange.session_id, exchange.mock_id) == (413, "ses_ci-42", "")


@pytest.mark.parametrize("path", _PATHS)
def test_body_over_the_limit_that_came_with_its_head_is_413(path: str) -> None:
    with _proxy() as proxy:
        body = b"x" * (_MAX + 1)
        client = proxy.send(ask("POST", path, _KEY, body=body, close=False) + get("/mocked", _KEY, close=False))
        answer = _sent(client)
        assert status_of(answer) == 413
        # The request was read whole, so the next one is answered.
        assert answer.endswith(b'"mocked"')
    assert [each.status for each in proxy.exchanges] == [413, 200]
    assert proxy.exchanges[0].request_body is not None
    assert proxy.exchanges[0].request_body.content == body


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize("sizes", [(_MAX + 1,), (5, 6), (_MAX, 1), (1,) * 11])
@pytest.mark.parametrize("end", [b"", b"0\r\n\r\n"], ids=["under way", "ended"])
@pytest.mark.parametrize("piece", [1, 10_000], ids=["bytes", "whole"])
@pytest.mark.parametrize("together", [True, False], ids=["with the head", "after the head"])
def test_chunked_body_over_the_limit_is_413_as_soon_as_it_is(
    path: str, sizes: tuple[int, ...], end: bytes, piece: int, together: bool
) -> None:
    with _proxy() as proxy:
        head, rest = ask("POST", path, _KEY, _CHUNKED, close=False), _chunks(*sizes) + end
        if together:
            head, rest = head + rest, b""
        client = proxy.send(head)
        for at in range(0, len(rest), piece):
            proxy.say(client, rest[at : at + piece])
        answer = _sent(client)
        assert (status_of(answer), _code(answer)) == (413, "body_too_large")
        assert answer.count(b"HTTP/1.1") == 1
    assert [(each.status, each.session_id) for each in proxy.exchanges] == [(413, "ses_ci-42")]
    assert not any(b"0\r\n\r\n" in each for wire in proxy.upstreams for each in wire.sent)


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("parts", [True, False], ids=["in parts", "whole"])
def test_body_of_just_the_limit_is_taken(path: str, framing: str, parts: bool) -> None:
    with _proxy() as proxy:
        head = _announcing(path, _MAX) if framing == "length" else ask("POST", path, _KEY, _CHUNKED, close=False)
        rest = b"x" * _MAX if framing == "length" else _chunks(4, 6) + b"0\r\n\r\n"
        client = proxy.send(head if parts else head + rest)
        if parts:
            for byte in rest:
                proxy.say(client, bytes([byte]))
        if path != "/mocked":
            proxy.say(proxy.upstreams[0], OK)
        assert status_of(_sent(client)) == 200


@pytest.mark.parametrize("path", _PATHS)
def test_body_that_came_while_the_view_was_brought_up_to_date_counts(path: str) -> None:
    source = _source(_row())
    with VirtualProxy(source) as proxy:
        source.alone, source.gate = False, asyncio.Event()
        client = proxy.send(ask("POST", path, _KEY, _CHUNKED, close=False) + _chunks(1))
        proxy.say(client, _chunks(_MAX) + b"0\r\n\r\n")
        assert client.sent == []
        source.gate.set()
        proxy.settle()
        assert status_of(_sent(client)) == 413
    assert [each.status for each in proxy.exchanges] == [413]


def test_upload_that_is_too_long_after_its_answer_has_begun_is_cut() -> None:
    with _proxy() as proxy:
        client = proxy.send(ask("POST", "/passed", _KEY, _CHUNKED, close=False) + _chunks(1))
        (upstream,) = proxy.upstreams
        proxy.say(upstream, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")
        proxy.say(client, _chunks(_MAX))
        assert (client.lost, upstream.lost) == (True, True)
    assert [(each.status, each.findings) for each in proxy.exchanges] == [(200, ("request_broke_off",))]


def test_refusal_by_length_comes_before_one_for_want_of_a_key() -> None:
    with _proxy(_row(strict=True)) as proxy:
        client = proxy.send(ask("POST", "/passed", body=b"x" * (_MAX + 1), close=False))
        assert status_of(_sent(client)) == 413
        client = proxy.send(ask("POST", "/passed", body=b"x", close=False))
        assert status_of(_sent(client)) == 400


def test_limit_of_the_server_holds_where_it_is_lower() -> None:
    with _proxy(_row(request_body_bytes_max=1000), ProxySettings(request_body_bytes_max=_MAX)) as proxy:
        client = proxy.send(_announcing("/mocked", _MAX + 1))
        assert status_of(_sent(client)) == 413
    assert proxy.exchanges == []


def test_limit_holds_from_the_next_request_on() -> None:
    source = _source(_row(request_body_bytes_max=None))
    with VirtualProxy(source) as proxy:
        long = ask("POST", "/mocked", _KEY, body=b"x" * (_MAX + 1), close=False)
        client = proxy.send(long)
        source.commit(environments={ENVIRONMENT_ID: _row()})
        proxy.say(client, long)
        source.commit(environments={ENVIRONMENT_ID: _row(request_body_bytes_max=None)})
        proxy.say(client, long)
    assert [each.status for each in proxy.exchanges] == [200, 413, 200]


# What is recorded.


@pytest.mark.parametrize(
    ("row_max", "server_max", "kept"), [(3, 100, 3), (0, 100, 0), (None, 4, 4), (100, 4, 4), (100, 100, 6)]
)
@pytest.mark.parametrize("path", ["/mocked", "/passed"])
def test_so_much_of_each_body_is_recorded(path: str, row_max: int | None, server_max: int, kept: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nanswered"
    row = _row(captured_bytes_max=row_max)
    with _proxy(row, ProxySettings(captured_bytes_max=server_max)) as proxy:
        for whole in (True, False):
            data = ask("POST", path, _KEY, body=b"asking", close=False)
            client = proxy.send(data if whole else data[:-3])
            if not whole:
                proxy.say(client, data[-3:])
            if path == "/passed":
                proxy.say(proxy.upstreams[0], answer[:-4])
                proxy.say(proxy.upstreams[0], answer[-4:])
    for exchange in proxy.exchanges:
        assert exchange.request_body is not None
        assert (exchange.request_body.content, exchange.request_body.size_bytes) == (b"asking"[:kept], 6)
        assert exchange.response_body is not None
        told = b'"mocked"' if path == "/mocked" else b"answered"
        assert exchange.response_body.size_bytes == 8
        assert exchange.response_body.content == told[: min(server_max, 100 if row_max is None else row_max)]
    assert len(proxy.exchanges) == 2


# The upstream.


@pytest.mark.parametrize(
    ("row_ms", "server_seconds", "wait_ms"), [(400, 30.0, 400), (None, 3.0, 3000), (60_000, 3.0, 3000)]
)
def test_upstream_has_so_long_to_begin_its_answer(row_ms: int | None, server_seconds: float, wait_ms: int) -> None:
    settings = ProxySettings(first_byte_seconds=server_seconds)
    with _proxy(_row(first_byte_ms=row_ms), settings) as proxy:
        client = proxy.send(ask("POST", "/passed", body=b"x", close=False))
        proxy.pass_ms(wait_ms)
        assert client.sent == []
        # It is noticed two ticks late at most.
        proxy.pass_ms(2 * round(settings.tick_seconds * 1000))
        answer = _sent(client)
        assert (status_of(answer), _code(answer)) == (504, "upstream_timeout")
    assert [each.status for each in proxy.exchanges] == [504]


def test_upstream_that_has_begun_may_take_its_time() -> None:
    with _proxy(_row(first_byte_ms=100)) as proxy:
        client = proxy.send(get("/passed", close=False))
        proxy.say(proxy.upstreams[0], OK[:-1])
        proxy.pass_seconds(20)
        proxy.say(proxy.upstreams[0], OK[-1:])
        assert status_of(_sent(client)) == 200


def test_connection_that_is_used_again_goes_by_the_limit_of_its_new_request() -> None:
    source = _source(_row(first_byte_ms=100))
    with VirtualProxy(source) as proxy:
        client = proxy.send(get("/passed", close=False))
        proxy.say(proxy.upstreams[0], OK)
        source.commit(environments={ENVIRONMENT_ID: _row()})
        proxy.say(client, get("/passed", close=False))
        proxy.pass_seconds(20)
        proxy.say(proxy.upstreams[0], OK)
        assert len(proxy.upstreams) == 1
    assert [each.status for each in proxy.exchanges] == [200, 200]
