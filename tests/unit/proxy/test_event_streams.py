"""Streams of events, in virtual time."""

from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from support.manual_loop import Wire
from support.planned import KEY, events, planned_mocks, respond, source_of
from support.proxying import DATE, ask, body_of, get
from support.virtual_proxy import VirtualProxy
from understudy_server.core.responding.plan import Events, FaultKind, Plan, PlannedFault
from understudy_server.proxy.settings import ProxySettings

_ONE, _TWO = b"data: one\n\n", b"data: two\n\n"
_END = b"0\r\n\r\n"
_BEAT = b"3\r\n:\n\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _playing(stream: Events, **plan: object) -> AbstractContextManager[None]:
    return planned_mocks({"/x": Plan(stream, **plan), "/y": respond(b"y")})  # type: ignore[arg-type]


def _written(client: Wire) -> bytes:
    return b"".join(client.sent)


def _body(client: Wire) -> bytes:
    return body_of(_written(client))


def test_head_leaves_at_once_and_says_that_chunks_follow() -> None:
    with _playing(events((_ONE, 100))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        head, mark, rest = _written(client).partition(b"\r\n\r\n")
        assert head.split(b"\r\n")[:4] == [
            b"HTTP/1.1 200 OK",
            b"content-type: text/event-stream",
            b"cache-control: no-cache",
            b"transfer-encoding: chunked",
        ]
        assert (mark, rest) == (b"\r\n\r\n", b"")


def test_each_event_leaves_when_its_time_has_come() -> None:
    with _playing(events((_ONE, 100), (_TWO, 200))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(98)
        assert _body(client) == b""
        proxy.pass_ms(3)
        assert _body(client) == _chunk(_ONE)
        proxy.pass_ms(196)
        assert _body(client) == _chunk(_ONE)
        proxy.pass_ms(4)
        assert _body(client) == _chunk(_ONE) + _chunk(_TWO) + _END


def test_events_come_in_rounds_with_a_pause_between_them() -> None:
    stream = events((_ONE, 10), (_TWO, 10), rounds=2, round_delay_ms=500)
    with _playing(stream), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        both = _chunk(_ONE) + _chunk(_TWO)
        proxy.pass_ms(520)
        assert _body(client) == both
        proxy.pass_ms(12)
        assert _body(client) == both + _chunk(_ONE)
        proxy.pass_ms(12)
        assert _body(client) == both + both + _END


def test_delay_of_mock_and_session_comes_before_the_head() -> None:
    with _playing(events((_ONE, 0)), delay_ms=70), VirtualProxy(source_of("/x", "/y", delay_ms=30)) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(99)
        assert client.sent == []
        proxy.pass_ms(2)
        assert _body(client) == _chunk(_ONE) + _END


def test_connection_goes_on_after_the_last_event() -> None:
    with _playing(events((_ONE, 0))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False) + get("/y", KEY, close=False))
        assert _written(client).endswith(b"\r\n\r\ny")
        assert not client.closing


def test_stream_to_an_old_client_ends_with_the_connection() -> None:
    with _playing(events((_ONE, 0), (_TWO, 10))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(f"GET /checkout/staging/x HTTP/1.0\r\nConnection: keep-alive\r\n{KEY}\r\n\r\n".encode())
        assert b"transfer-encoding" not in _written(client)
        assert b"connection: close" in _written(client)
        proxy.pass_ms(12)
        assert _body(client) == _ONE + _TWO
        assert client.closing


def test_answer_to_head_has_no_events() -> None:
    with _playing(events((_ONE, 0))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(ask("HEAD", "/x", KEY, close=False) + get("/y", KEY, close=False))
        assert _written(client).split(b"\r\n\r\n")[1].startswith(b"HTTP/1.1 200 OK")
        assert _written(client).endswith(b"\r\n\r\ny")
    assert [each.response_body for each in proxy.exchanges][:1] == [None]


def test_old_client_may_ask_on_after_an_answer_to_head() -> None:
    with _playing(events((_ONE, 0))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(f"HEAD /checkout/staging/x HTTP/1.0\r\nConnection: keep-alive\r\n{KEY}\r\n\r\n".encode())
        assert b"connection: keep-alive" in _written(client)
        assert not client.closing


def test_silence_is_broken_by_comments() -> None:
    with _playing(events((_ONE, 250), heartbeat_ms=100)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(99)
        assert _body(client) == b""
        proxy.pass_ms(3)
        assert _body(client) == _BEAT
        proxy.pass_ms(100)
        assert _body(client) == _BEAT * 2
        proxy.pass_ms(100)
        assert _body(client) == _BEAT * 2 + _chunk(_ONE) + _END


def test_events_that_come_sooner_than_comments_leave_none() -> None:
    with _playing(events((_ONE, 90), rounds=5, heartbeat_ms=100)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(500)
        assert _body(client) == _chunk(_ONE) * 5 + _END


def test_stream_is_on_record_once_with_its_end() -> None:
    with _playing(events((_ONE, 100), (_TWO, 100))), VirtualProxy(source_of("/x", "/y")) as proxy:
        proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(150)
        assert proxy.exchanges == []
        proxy.pass_ms(60)
        (exchange,) = proxy.exchanges
    assert (exchange.status, exchange.mock_id, exchange.findings, exchange.duration_ms) == (200, "ovr_0", (), 200)
    assert exchange.response_body is not None
    assert (exchange.response_body.content, exchange.response_body.content_type) == (_ONE + _TWO, "text/event-stream")


def test_no_more_is_kept_of_a_stream_than_of_other_bodies() -> None:
    settings = ProxySettings(captured_bytes_max=16)
    with _playing(events((_ONE, 10), rounds=1000)), VirtualProxy(source_of("/x", "/y"), settings) as proxy:
        proxy.send(get("/x", KEY, close=False))
        proxy.pass_seconds(11)
    (exchange,) = proxy.exchanges
    assert exchange.response_body is not None
    assert (len(exchange.response_body.content), exchange.response_body.size_bytes) == (16, 11_000)


def test_client_that_goes_within_a_stream_is_on_record_with_what_was_sent() -> None:
    with _playing(events((_ONE, 100), rounds=0)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(250)
        client.lose()
        proxy.pass_seconds(10)
    (exchange,) = proxy.exchanges
    assert (exchange.status, exchange.findings) == (200, ("client_gone",))
    assert exchange.response_body is not None
    assert exchange.response_body.content == _ONE * 2


def test_client_that_reads_slowly_stops_the_stream() -> None:
    with _playing(events((_ONE, 10), rounds=0, heartbeat_ms=5)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False), narrow=True)
        for _ in range(4):
            client.take(1)
            proxy.pass_seconds(10)
        assert _body(client) == b""
        client.narrow = False
        client.widen()
        proxy.pass_ms(25)
        assert _body(client).startswith(_chunk(_ONE))


def test_client_that_reads_nothing_of_a_stream_is_cut_off() -> None:
    with _playing(events((_ONE, 10), rounds=0)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False), narrow=True)
        proxy.pass_seconds(ProxySettings().write_seconds + 1)
        assert client.lost
    assert [each.findings for each in proxy.exchanges] == [("client_gone",)]


def test_client_that_ends_its_side_gets_its_events_all_the_same() -> None:
    with _playing(events((_ONE, 100))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        client.end()
        proxy.pass_ms(102)
        assert _body(client) == _chunk(_ONE) + _END
        assert client.closing
    assert [each.findings for each in proxy.exchanges] == [("client_half_closed",)]


def test_stream_without_an_end_is_ended_by_the_servers_limit() -> None:
    settings = ProxySettings(stream_seconds=60)
    with _playing(events((_ONE, 1000), rounds=0)), VirtualProxy(source_of("/x", "/y"), settings) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_seconds(59.5)
        assert not _body(client).endswith(_END)
        proxy.pass_seconds(1)
        assert _body(client).endswith(_chunk(_ONE) + _END)
        assert not client.closing
    assert [each.findings for each in proxy.exchanges] == [()]


def test_stream_that_ends_by_itself_has_no_limit() -> None:
    settings = ProxySettings(stream_seconds=60)
    with _playing(events((_ONE, 1000), rounds=90)), VirtualProxy(source_of("/x", "/y"), settings) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_seconds(91)
        assert _body(client) == _chunk(_ONE) * 90 + _END


@pytest.mark.parametrize("rounds", [0, 1_000_000])
def test_events_without_a_delay_give_way_to_others(rounds: int) -> None:
    """What is due at once leaves a little at a time, so that another client is answered in between."""
    with _playing(events((_ONE, 0), rounds=rounds)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.connect()
        client.deliver(get("/x", KEY, close=False))
        first = len(_body(client))
        assert 0 < first <= 64 * len(_chunk(_ONE))
        client.lose()


def test_events_leave_at_the_pace_of_the_body() -> None:
    stream = events((b"x" * 50, 0), (b"y" * 50, 100))
    with _playing(stream, bytes_per_second=1000), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(40)
        assert _body(client) == b""
        proxy.pass_ms(20)
        assert _body(client) == _chunk(b"x" * 50)
        proxy.pass_ms(100)
        assert _body(client) == _chunk(b"x" * 50)
        proxy.pass_ms(60)
        assert _body(client) == _chunk(b"x" * 50) + _chunk(b"y" * 50) + _END
    (exchange,) = proxy.exchanges
    assert exchange.response_body is not None
    assert exchange.response_body.size_bytes == 100


def test_client_that_goes_while_an_event_leaves_slowly_is_on_record() -> None:
    with _playing(events((bytes(1000), 0)), bytes_per_second=1000), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(500)
        client.lose()
        proxy.pass_seconds(5)
    assert [each.findings for each in proxy.exchanges] == [("client_gone",)]


def test_first_event_is_cut_when_its_time_has_come() -> None:
    stream = events((_ONE, 100), (_TWO, 0))
    with (
        _playing(stream, fault=PlannedFault(FaultKind.CUT, 0.5)),
        VirtualProxy(source_of("/x", "/y")) as proxy,
    ):
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(98)
        assert (_body(client), client.closing) == (b"", False)
        proxy.pass_ms(4)
        assert (_body(client), client.closing) == (_chunk(b"data:"), True)
    assert [each.findings for each in proxy.exchanges] == [("fault_injected",)]


def test_stream_without_an_end_is_ended_when_the_server_stops() -> None:
    with _playing(events((_ONE, 100), rounds=0)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(150)
        proxy.stop()
        assert _body(client) == _chunk(_ONE) + _END
        assert client.closing
    assert [each.findings for each in proxy.exchanges] == [()]


def test_stream_that_ends_by_itself_is_left_its_time_when_the_server_stops() -> None:
    with _playing(events((_ONE, 100), rounds=3)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(150)
        proxy.stop()
        proxy.pass_ms(200)
        assert _body(client) == _chunk(_ONE) * 3 + _END
        assert client.closing


def test_stream_that_stops_while_its_client_is_slow_ends_when_that_has_caught_up() -> None:
    with _playing(events((_ONE, 0), rounds=0)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False), narrow=True)
        proxy.stop()
        assert not client.closing
        client.narrow = False
        client.widen()
        proxy.settle()
        assert _written(client).endswith(_END)


def test_an_empty_stream_ends_at_once() -> None:
    with _playing(replace(events(), rounds=0)), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        assert _body(client) == _END


def test_answer_has_its_date() -> None:
    with _playing(events((_ONE, 0))), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        assert b"\r\ndate: " + DATE[:5] in _written(client)
