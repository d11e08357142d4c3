"""Bodies that leave slowly, in virtual time."""

from support.manual_loop import Wire
from support.planned import KEY, Planned, forward, planned_mocks, respond, source_of
from support.proxying import ask, body_of, get, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.core.responding.plan import Plan

_SLOW = respond(bytes(1000), bytes_per_second=1000)


def _written(client: Wire) -> bytes:
    return b"".join(client.sent)


def test_head_leaves_at_once_and_the_body_at_its_pace() -> None:
    with planned_mocks({"/x": _SLOW}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        assert status_of(_written(client)) == 200
        assert body_of(_written(client)) == b""
        proxy.pass_ms(500)
        assert len(body_of(_written(client))) == 500
        proxy.pass_ms(501)
        assert len(body_of(_written(client))) == 1000


def test_slow_body_has_its_delay_first() -> None:
    plan = respond(b"x" * 10, bytes_per_second=100, delay_ms=70)
    with planned_mocks({"/x": plan}), VirtualProxy(source_of("/x", delay_ms=30)) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(99)
        assert client.sent == []
        proxy.pass_ms(2)
        assert status_of(_written(client)) == 200
        proxy.pass_ms(100)
        assert body_of(_written(client)) == b"x" * 10
    assert [each.duration_ms for each in proxy.exchanges] == [200]


def test_slow_exchange_is_on_record_once_with_the_last_piece() -> None:
    with planned_mocks({"/x": _SLOW}), VirtualProxy(source_of("/x")) as proxy:
        proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(900)
        assert proxy.exchanges == []
        proxy.pass_ms(200)
        (exchange,) = proxy.exchanges
        assert (exchange.status, exchange.findings, exchange.mock_id) == (200, (), "ovr_0")
        assert exchange.response_body is not None
        assert exchange.response_body.size_bytes == 1000


def test_connection_goes_on_after_a_slow_body() -> None:
    with planned_mocks({"/x": _SLOW, "/y": respond(b"y")}), VirtualProxy(source_of("/x", "/y")) as proxy:
        client = proxy.send(get("/x", KEY, close=False) + get("/y", KEY, close=False))
        proxy.pass_ms(1001)
        assert _written(client).endswith(b"\r\n\r\ny")
        proxy.say(client, get("/y", KEY))
        assert _written(client).count(b"HTTP/1.1 200") == 3
        assert client.closing


def test_slow_answer_without_a_body_leaves_at_once() -> None:
    with planned_mocks({"/x": _SLOW}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(ask("HEAD", "/x", KEY))
        assert b"content-length: 1000" in _written(client)
        assert body_of(_written(client)) == b""
        assert client.closing


def test_client_that_goes_within_a_slow_body_is_on_record_with_what_was_sent() -> None:
    with planned_mocks({"/x": _SLOW}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(500)
        client.lose()
        proxy.pass_ms(5000)
    (exchange,) = proxy.exchanges
    assert (exchange.status, exchange.findings) == (200, ("client_gone",))
    assert exchange.response_body is not None
    assert exchange.response_body.size_bytes == 500


def test_client_that_reads_more_slowly_than_the_pace_is_waited_for() -> None:
    with planned_mocks({"/x": _SLOW}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False), narrow=True)
        proxy.pass_ms(5000)
        assert body_of(_written(client)) == b""
        client.narrow = False
        client.widen()
        proxy.pass_ms(500)
        assert len(body_of(_written(client))) == 500
        proxy.pass_ms(501)
        assert len(body_of(_written(client))) == 1000


def test_client_that_ends_its_side_gets_its_slow_body_all_the_same() -> None:
    with planned_mocks({"/x": _SLOW}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        client.end()
        proxy.pass_ms(1001)
        assert len(body_of(_written(client))) == 1000
        assert client.closing
    assert [each.findings for each in proxy.exchanges] == [("client_half_closed",)]


# What comes from another target.

_BODY = bytes(1000)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + _BODY
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n%b\r\n0\r\n\r\n" % _BODY


def _forwarding(bytes_per_second: int = 1000) -> Planned:
    return Planned(Plan(forward("http://192.0.2.7"), bytes_per_second=bytes_per_second))


def test_answer_of_a_target_leaves_at_its_pace() -> None:
    with planned_mocks({"/x": _forwarding()}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        (target,) = proxy.upstreams
        proxy.say(target, _ANSWER)
        assert _written(client) == b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        proxy.pass_ms(500)
        assert len(body_of(_written(client))) == 500
        assert proxy.exchanges == []
        proxy.pass_ms(501)
        assert body_of(_written(client)) == _BODY
    assert [(each.status, each.mock_id, each.duration_ms) for each in proxy.exchanges] == [(200, "ovr_0", 1000)]


def test_answer_of_a_target_in_chunks_ends_as_chunks_do() -> None:
    with planned_mocks({"/x": _forwarding(100)}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        (target,) = proxy.upstreams
        proxy.say(target, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n")
        proxy.pass_ms(41)
        assert body_of(_written(client)) == b"4\r\nabcd\r\n0\r\n\r\n"


def test_target_is_made_to_wait_for_what_leaves_slowly() -> None:
    with planned_mocks({"/x": _forwarding(64 * 1024)}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        (target,) = proxy.upstreams
        piece = bytes(64 * 1024)
        proxy.say(target, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (4 * len(piece)) + piece)
        waiting = [target.paused]
        proxy.say(target, piece)
        waiting.append(target.paused)
        proxy.pass_ms(2001)
        waiting.append(target.paused)
        assert waiting == [False, True, False]
        proxy.say(target, piece)
        proxy.say(target, piece)
        proxy.pass_ms(2001)
        assert len(body_of(_written(client))) == 4 * len(piece)
    assert [each.findings for each in proxy.exchanges] == [()]


def test_client_that_goes_while_a_targets_answer_leaves_slowly_is_on_record() -> None:
    with planned_mocks({"/x": _forwarding()}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        (target,) = proxy.upstreams
        proxy.say(target, _ANSWER)
        proxy.pass_ms(200)
        client.lose()
        proxy.pass_ms(5000)
    (exchange,) = proxy.exchanges
    assert exchange.findings == ("client_gone",)
    assert exchange.response_body is not None
    assert exchange.response_body.size_bytes == 200
