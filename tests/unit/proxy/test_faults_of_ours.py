"""A fault of ours, wherever it strikes, is one client's alone: it gets a 500 or its end, and nothing is left behind."""

from collections.abc import Callable

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.proxying import OK, ask, get, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.proxy.connection import Connection
from understudy_server.proxy.relay import Relay
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.tunnel import RawTunnel

_KEY = "x-flowmock-session: ci-42"
_SETTINGS = ProxySettings()
_URL = "http://192.0.2.1"


def _proxy(upstream: str = _URL) -> VirtualProxy:
    """`/mocked` is mocked; the rest is passed through, for a session after a delay of 100 ms."""
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=upstream, active_mocks=("mock_1",), tunnels_upgrades=True)},
        mocks={"mock_1": mock("mock_1", path="/mocked")},
        sessions={"ses_ci-42": session(delay_ms=100)},
    )
    return VirtualProxy(source)


class _Fault(Exception):
    """Of ours."""


def _fail(*_: object, **__: object) -> None:
    raise _Fault


def _refuse(proxy: VirtualProxy) -> None:
    proxy.upstreams_are(refusing=True)


def _upstream_ends(proxy: VirtualProxy) -> None:
    (upstream,) = proxy.upstreams
    upstream.lose()


def _upstream_answers(proxy: VirtualProxy) -> None:
    (upstream,) = proxy.upstreams
    proxy.say(upstream, OK)


def _nothing(_: VirtualProxy) -> None:
    """Nothing happens."""


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        (_refuse, (), _nothing),
        (_nothing, (), _upstream_ends),
        (_nothing, (), _upstream_answers),
        (_nothing, (_KEY,), _upstream_answers),
        (_nothing, (), lambda proxy: proxy.pass_seconds(_SETTINGS.first_byte_seconds + 1)),
    ],
    ids=["no connection", "end", "answer", "delayed answer", "no answer in time"],
)
def test_client_is_told_when_what_the_upstream_did_cannot_be_recorded(
    before: Callable[[VirtualProxy], None], lines: tuple[str, ...], after: Callable[[VirtualProxy], None]
) -> None:
    with _proxy() as proxy:
        proxy.fault = _Fault()
        before(proxy)
        client = proxy.send(get("/", *lines, close=False))
        after(proxy)
        proxy.pass_seconds(1)
        assert status_of(b"".join(client.sent)) == 500
        proxy.pass_seconds(_SETTINGS.linger_seconds + 1)
        assert client.lost


def test_client_is_told_when_its_request_cannot_be_written() -> None:
    """A base path that no request line can carry."""
    with _proxy(_URL + "/\u20ac") as proxy:
        client = proxy.send(get("/", close=False))
        assert status_of(b"".join(client.sent)) == 500
        assert proxy.open_connections == (1, 0)


def test_client_is_told_when_its_delayed_answer_cannot_be_made() -> None:
    with _proxy() as proxy:
        proxy.fault = _Fault()
        client = proxy.send(get("/mocked", _KEY, close=False))
        proxy.pass_ms(100)
        assert status_of(b"".join(client.sent)) == 500


@pytest.mark.parametrize(
    "then",
    [
        lambda proxy, client: client.end(),
        lambda proxy, client: proxy.pass_seconds(_SETTINGS.body_seconds + 1),
        lambda proxy, client: client.lose(),
    ],
    ids=["end", "silence", "loss"],
)
def test_fault_about_a_client_that_goes_leaves_nothing(then: Callable[[VirtualProxy, Wire], None]) -> None:
    with _proxy() as proxy:
        client = proxy.send(ask("POST", "/", "Content-Length: 6", close=False) + b"abc")
        proxy.fault = _Fault()
        then(proxy, client)
        proxy.pass_seconds(_SETTINGS.linger_seconds + 1)
        assert proxy.open_connections == (0, 0)


def test_deadlines_of_others_hold_after_a_fault_about_one() -> None:
    with _proxy() as proxy:
        slow = proxy.send(ask("POST", "/mocked", "Content-Length: 6", close=False) + b"abc")
        idle = proxy.send(get("/mocked", close=False))
        proxy.fault = _Fault()
        proxy.pass_seconds(_SETTINGS.body_seconds + 1)
        assert status_of(b"".join(slow.sent)) == 500
        proxy.pass_seconds(_SETTINGS.idle_seconds)
        assert idle.lost


def test_answer_that_has_begun_is_cut_when_the_request_cannot_be_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer in the middle of the first one would be read as a part of it."""
    with _proxy() as proxy:
        client = proxy.send(ask("POST", "/", "Content-Length: 6", close=False) + b"abc")
        (upstream,) = proxy.upstreams
        proxy.say(upstream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        monkeypatch.setattr(Relay, "body", _fail)
        proxy.say(client, b"d")
        assert b"".join(client.sent).endswith(b"\r\n\r\n2\r\nok\r\n")
        assert (client.lost, upstream.lost) == (True, True)


def test_answer_that_has_begun_is_cut_when_it_cannot_be_recorded() -> None:
    with _proxy() as proxy:
        client = proxy.send(get("/", close=False))
        (upstream,) = proxy.upstreams
        proxy.say(upstream, OK[:-1])
        proxy.fault = _Fault()
        proxy.say(upstream, OK[-1:])
        assert b"".join(client.sent).endswith(b"\r\n\r\no")
        assert client.lost


@pytest.mark.parametrize(
    ("kind", "step", "then"),
    [
        (RawTunnel, "from_client", lambda proxy, client, upstream: proxy.say(client, b"more")),
        (RawTunnel, "half_closed", lambda proxy, client, upstream: client.end()),
        (RawTunnel, "full", lambda proxy, client, upstream: proxy.say(upstream, b"more")),
        (RawTunnel, "ready", lambda proxy, client, upstream: (proxy.say(upstream, b"more"), client.widen())),
        (Connection, "finish_answer", lambda proxy, client, upstream: upstream.end()),
        (Connection, "write", lambda proxy, client, upstream: proxy.say(upstream, b"more")),
    ],
    ids=["client speaks", "client ends", "client is full", "client catches up", "upstream ends", "upstream speaks"],
)
def test_tunnel_is_cut_when_it_cannot_go_on(
    kind: type, step: str, then: Callable[[VirtualProxy, Wire, Wire], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with _proxy() as proxy:
        client = proxy.send(ask("GET", "/", "Connection: Upgrade", "Upgrade: x", close=False))
        (upstream,) = proxy.upstreams
        proxy.say(upstream, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        monkeypatch.setattr(kind, step, _fail)
        client.narrow = True
        then(proxy, client, upstream)
        proxy.settle()
        assert (client.lost, upstream.lost) == (True, True)
        assert b"".join(client.sent).count(b"HTTP/1.1") == 1
