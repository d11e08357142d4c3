"""Who reads slowly holds the other side back, at whatever moment that begins, and only as long as it lasts."""

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.proxying import OK, ask, get
from support.virtual_proxy import VirtualProxy
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"
_SETTINGS = ProxySettings(tunnel_idle_seconds=600)
_BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"
_OFFER = ask("GET", "/chat", "Connection: Upgrade", "Upgrade: websocket", close=False)
_SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def _proxy(*, delay_ms: int = 0) -> VirtualProxy:
    """`/mocked` is mocked, `/judged` if its body is right; the rest is passed through, for a session after a delay."""
    by_body = mock("mock_judged", path="/judged")
    by_body.matcher.body.equals = "right"
    source = FakeSource()
    source.commit(
        environments={
            ENVIRONMENT_ID: environment(
                upstream="http://192.0.2.1", active_mocks=("mock_mocked", "mock_judged"), tunnels_upgrades=True
            )
        },
        mocks={"mock_mocked": mock("mock_mocked", path="/mocked"), "mock_judged": by_body},
        sessions={"ses_ci-42": session(delay_ms=delay_ms)},
    )
    return VirtualProxy(source, _SETTINGS)


def _use_once(proxy: VirtualProxy) -> Wire:
    """Leave an unused connection to the upstream; returns it."""
    client = proxy.send(get("/", close=False))
    (upstream,) = proxy.upstreams
    proxy.say(upstream, OK)
    client.lose()
    upstream.sent.clear()
    return upstream


def _sent(wire: Wire) -> bytes:
    return b"".join(wire.sent)


# The upstream reads slowly.


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_upstream_that_is_full_with_the_beginning_of_a_body_gets_no_more_of_it(*, used: bool) -> None:
    with _proxy() as proxy:
        if used:
            _use_once(proxy).narrow = True
        proxy.upstreams_are(narrow=True)
        client = proxy.send(ask("POST", "/", "Content-Length: 6", close=False) + b"abc")
        (upstream,) = proxy.upstreams
        assert _sent(upstream).endswith(b"abc")
        assert client.paused
        proxy.say(client, b"def")
        assert _sent(upstream).endswith(b"abc")
        upstream.widen()
        proxy.settle()
        assert _sent(upstream).endswith(b"abcdef")
        assert not client.paused


def test_upstream_that_is_full_with_a_body_that_was_judged_gets_no_more_of_it() -> None:
    """A body that is too long for any criterion goes up in one long piece, and then as it comes."""
    with _proxy() as proxy:
        proxy.upstreams_are(narrow=True)
        size = ProxySettings().match_body_bytes_max + 1
        client = proxy.send(ask("POST", "/judged", "Transfer-Encoding: chunked", close=False))
        proxy.say(client, b"%x\r\n%b\r\n" % (size, bytes(size)))
        (upstream,) = proxy.upstreams
        assert client.paused
        proxy.say(client, b"3\r\nend\r\n")
        assert not _sent(upstream).endswith(b"end\r\n")
        upstream.widen()
        proxy.settle()
        assert _sent(upstream).endswith(b"end\r\n")


def test_connection_on_which_the_request_has_not_left_is_not_used_again() -> None:
    """An upstream may answer before it has read: the next request would stand behind what it never reads."""
    with _proxy() as proxy:
        proxy.upstreams_are(narrow=True)
        client = proxy.send(ask("POST", "/", body=bytes(50_000), close=False))
        (first,) = proxy.upstreams
        proxy.say(first, OK)
        assert _sent(client).endswith(b"ok")
        proxy.settle()
        assert first.lost
        proxy.say(client, get("/next", close=False))
        assert _sent(proxy.upstreams[1]).startswith(b"GET /next ")


# The client reads slowly.


def test_client_that_was_full_before_there_was_a_connection_holds_the_upstream_back() -> None:
    with _proxy() as proxy:
        client = proxy.send(get("/mocked", close=False) + get("/", close=False), narrow=True)
        (upstream,) = proxy.upstreams
        proxy.say(upstream, _BEGUN)
        assert upstream.paused
        client.widen()
        proxy.say(upstream, b"def")
        assert _sent(client).endswith(b"abcdef")


def test_client_that_is_full_when_the_delay_is_over_holds_the_upstream_back() -> None:
    with _proxy(delay_ms=100) as proxy:
        client = proxy.send(get("/mocked", close=False) + get("/", _KEY, close=False), narrow=True)
        (upstream,) = proxy.upstreams
        proxy.say(upstream, _BEGUN)
        proxy.pass_ms(200)
        assert _sent(client).endswith(b"abc")
        assert upstream.paused
        client.widen()
        assert not upstream.paused


def test_client_that_catches_up_within_the_delay_lets_the_upstream_go_on_only_after_it() -> None:
    with _proxy(delay_ms=100) as proxy:
        client = proxy.send(get("/mocked", close=False) + get("/", _KEY, close=False), narrow=True)
        (upstream,) = proxy.upstreams
        proxy.say(upstream, _BEGUN)
        client.narrow = False
        client.widen()
        assert upstream.paused
        proxy.pass_ms(200)
        assert not upstream.paused


def _tunnel(proxy: VirtualProxy, *, narrow: bool = False) -> tuple[Wire, Wire]:
    """The ends of the client and the upstream, right after the switch."""
    client = proxy.send(_OFFER, narrow=narrow)
    (upstream,) = proxy.upstreams
    proxy.say(upstream, _SWITCH)
    return client, upstream


def test_client_that_is_full_with_the_switch_of_protocols_holds_the_upstream_back() -> None:
    with _proxy() as proxy:
        client, upstream = _tunnel(proxy, narrow=True)
        assert upstream.paused
        client.widen()
        assert not upstream.paused


def test_upstream_that_reads_slowly_holds_back_the_client_of_a_tunnel() -> None:
    with _proxy() as proxy:
        client, upstream = _tunnel(proxy)
        upstream.narrow = True
        proxy.say(client, b"one ")
        assert client.paused
        proxy.say(client, b"two")
        assert _sent(upstream).endswith(b"one ")
        upstream.widen()
        proxy.settle()
        assert _sent(upstream).endswith(b"one two")


def test_client_that_takes_nothing_of_a_tunnel_is_cut() -> None:
    with _proxy() as proxy:
        client, upstream = _tunnel(proxy, narrow=True)
        proxy.pass_seconds(_SETTINGS.write_seconds + 1)
        assert (client.lost, upstream.lost) == (True, True)


# What is waited for afterwards.


def test_tunnel_may_be_silent_as_long_after_its_client_was_slow_as_before() -> None:
    with _proxy() as proxy:
        client, upstream = _tunnel(proxy)
        client.narrow = True
        proxy.say(upstream, b"more")
        client.widen()
        proxy.pass_seconds(_SETTINGS.tunnel_idle_seconds - 1)
        assert not upstream.lost
        proxy.pass_seconds(2)
        assert upstream.lost


def test_upstream_has_no_longer_to_answer_after_the_client_was_slow_than_before() -> None:
    with _proxy() as proxy:
        upstream = _use_once(proxy)
        client = proxy.send(get("/mocked", close=False) + get("/", close=False), narrow=True)
        assert upstream.paused
        client.widen()
        proxy.pass_seconds(_SETTINGS.first_byte_seconds + 1)
        assert upstream.lost
        assert [each.status for each in proxy.exchanges[1:]] == [200, 504]
