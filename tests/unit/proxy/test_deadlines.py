"""Deadlines run only while somebody is waited for, and say what becomes of the request in hand."""

from dataclasses import replace

from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.manual_loop import Wire
from support.proxying import OK, ask, body_of, get, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings()
_BEGUN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
_UPLOAD_BYTES = 20


def _proxy(settings: ProxySettings = _SETTINGS) -> VirtualProxy:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(upstream="http://192.0.2.1")})
    return VirtualProxy(source, settings)


def _upload(proxy: VirtualProxy) -> tuple[Wire, Wire]:
    """The client's end and the upstream's end of an upload of which one byte was sent."""
    client = proxy.send(ask("POST", "/", f"Content-Length: {_UPLOAD_BYTES}", close=False) + b"x")
    (upstream,) = proxy.upstreams
    return client, upstream


def test_upstream_that_still_reads_the_request_is_not_late_with_its_answer() -> None:
    with _proxy() as proxy:
        proxy.upstreams_are(narrow=True)
        client = proxy.send(ask("POST", "/", body=bytes(50_000), close=False))
        (upstream,) = proxy.upstreams
        for _ in range(3):
            upstream.take(100)
            proxy.pass_seconds(_SETTINGS.first_byte_seconds + 1)
            assert client.sent == []
        upstream.widen()
        proxy.pass_seconds(_SETTINGS.first_byte_seconds - 1)
        proxy.say(upstream, OK)
        assert status_of(b"".join(client.sent)) == 200


def test_upstream_that_reads_no_more_of_the_request_is_late() -> None:
    with _proxy() as proxy:
        proxy.upstreams_are(narrow=True)
        client = proxy.send(ask("POST", "/", body=bytes(50_000), close=False))
        (upstream,) = proxy.upstreams
        upstream.take(100)
        proxy.pass_seconds(2 * _SETTINGS.first_byte_seconds + 1)
        assert status_of(b"".join(client.sent)) == 504
        assert upstream.lost


def test_upstream_that_reads_no_more_in_the_middle_of_an_upload_is_late() -> None:
    with _proxy() as proxy:
        proxy.upstreams_are(narrow=True)
        client, upstream = _upload(proxy)
        proxy.pass_seconds(_SETTINGS.first_byte_seconds + 1)
        assert status_of(b"".join(client.sent)) == 504
        assert upstream.lost


def test_upstream_is_not_given_up_while_a_slow_client_takes_what_it_has_said() -> None:
    with _proxy(replace(_SETTINGS, upstream_idle_seconds=40)) as proxy:
        client = proxy.send(get("/", close=False), narrow=True)
        (upstream,) = proxy.upstreams
        proxy.say(upstream, _BEGUN)
        for _ in range(3):
            client.take(1)
            proxy.pass_seconds(_SETTINGS.write_seconds)
        assert (client.lost, upstream.lost) == (False, False)


def test_upstream_that_answers_at_the_end_of_a_long_upload_is_not_silent_while_that_comes() -> None:
    """The head of its answer may be here long before."""
    with _proxy(replace(_SETTINGS, upstream_idle_seconds=40)) as proxy:
        client, upstream = _upload(proxy)
        proxy.say(upstream, _BEGUN)
        for _ in range(_UPLOAD_BYTES - 1):
            proxy.pass_seconds(20)
            proxy.say(client, b"x")
        proxy.say(upstream, b"0\r\n\r\n")
        assert body_of(b"".join(client.sent)) == b"2\r\nok\r\n0\r\n\r\n"
    assert [(each.status, each.findings) for each in proxy.exchanges] == [(200, ())]


def test_upstream_that_is_silent_after_a_long_upload_is_given_up() -> None:
    with _proxy(replace(_SETTINGS, upstream_idle_seconds=40)) as proxy:
        client, upstream = _upload(proxy)
        proxy.say(upstream, _BEGUN)
        proxy.say(client, b"x" * (_UPLOAD_BYTES - 1))
        proxy.pass_seconds(41)
        assert (client.lost, upstream.lost) == (True, True)
    assert [(each.status, each.findings) for each in proxy.exchanges] == [(200, ("upstream_broke_off",))]


def test_request_that_stops_coming_after_its_answer_has_begun_has_broken_off() -> None:
    with _proxy() as proxy:
        client, upstream = _upload(proxy)
        proxy.say(upstream, _BEGUN)
        proxy.pass_seconds(_SETTINGS.body_seconds + 1)
        assert (client.lost, upstream.lost) == (True, True)
        assert b"".join(client.sent).endswith(b"\r\n\r\n2\r\nok\r\n")
    assert [(each.status, each.findings) for each in proxy.exchanges] == [(200, ("request_broke_off",))]
