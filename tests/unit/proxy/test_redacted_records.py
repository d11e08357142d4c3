"""What an environment has masked is in no record, and the traffic stays as it is."""

import logging

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.proxying import ask, body_of, get, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.core.exchange import MASKED, Exchange
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.json_paths import parse
from understudy_server.core.redaction import Redaction
from understudy_server.live.source import EnvironmentRow

_KEY = "x-flowmock-session: ci-42"
_SECRET = "s3cr3t"
_REDACTION = Redaction(
    header_names=frozenset({b"x-token"}),
    query_names=frozenset({"token"}),
    bodies=JsonMask((parse("$.token"), parse("$.code"))),
)
_LINES = (_KEY, f"X-Token: {_SECRET}", f"Referer: /a?token={_SECRET}", f"Cookie: {_SECRET}")
_TARGET = f"?a=1&token={_SECRET}&b=%20"
_BODY = b'{"a": 1.0, "token": "s3cr3t"}'
_MASKED_BODY = b'{"a": 1.0, "token": "[redacted]"}'
_ANSWER = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-TOKEN: s3cr3t\r\nLocation: /a?token=s3cr3t#b\r\n"
    b"Set-Cookie: s3cr3t\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


def _row(redaction: Redaction | None = _REDACTION, *, captured_bytes_max: int | None = None) -> EnvironmentRow:
    return environment(
        upstream="http://192.0.2.1",
        redaction=redaction,
        captured_bytes_max=captured_bytes_max,
        tunnels_upgrades=True,
        request_body_bytes_max=1000,
    )


def _source(row: EnvironmentRow | None = None, *, delay_ms: int = 0) -> FakeSource:
    """`/mocked` is mocked, `/judged` if its body is right, and the rest is passed through."""
    mocked = mock("ovr_mocked", path="/mocked", json=_BODY.decode(), delay_ms=delay_ms)
    mocked.action.respond.headers.add(name="X-Token", value=_SECRET)
    by_body = mock("ovr_judged", path="/judged", json=_BODY.decode())
    by_body.matcher.body.json_subset = _BODY.decode()
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: row or _row()},
        mocks={"ovr_mocked": mocked, "ovr_judged": by_body},
        sessions={"ses_ci-42": session(overrides=("ovr_mocked", "ovr_judged"))},
    )
    return source


def _post(path: str, *lines: str, body: bytes = _BODY) -> bytes:
    return ask("POST", path + _TARGET, *_LINES, "Content-Type: application/json", *lines, body=body, close=False)


def _sent(wire: Wire) -> bytes:
    return b"".join(wire.sent)


def _check(exchange: Exchange, request_body: bytes | None = _MASKED_BODY, response_body: bytes | None = None) -> None:
    assert _SECRET not in repr(exchange)
    assert exchange.query == "a=1&token=[redacted]&b=%20"
    headers = dict(exchange.request_headers)
    assert (headers[b"X-Token"], headers[b"Referer"]) == (b"[redacted]", b"/a?token=[redacted]")
    assert (exchange.request_body and exchange.request_body.content) == request_body
    assert (exchange.response_body and exchange.response_body.content) == response_body


@pytest.mark.parametrize("path", ["/mocked", "/judged"])
@pytest.mark.parametrize("delay_ms", [0, 50])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in parts"])
def test_record_of_a_mocked_request_is_masked_and_its_answer_is_not(path: str, delay_ms: int, whole: bool) -> None:
    with VirtualProxy(_source(delay_ms=delay_ms)) as proxy:
        data = _post(path)
        client = proxy.send(data if whole else data[:-10])
        if not whole:
            proxy.say(client, data[-10:])
        proxy.pass_ms(delay_ms)
        assert body_of(_sent(client)) == _BODY
    (exchange,) = proxy.exchanges
    _check(exchange, response_body=_MASKED_BODY)
    assert exchange.response_body is not None
    assert (exchange.response_body.redacted, exchange.response_body.size_bytes) == (MASKED, len(_BODY))


@pytest.mark.parametrize("piece", [1, 30, 10_000])
def test_record_of_a_request_that_is_passed_through_is_masked_and_both_sides_get_all(piece: int) -> None:
    with VirtualProxy(_source()) as proxy:
        data = _post("/a")
        client = proxy.send(data[:-10])
        proxy.say(client, data[-10:])
        (upstream,) = proxy.upstreams
        for at in range(0, len(_ANSWER), piece):
            proxy.say(upstream, _ANSWER[at : at + piece])
        asked, answered = _sent(upstream), _sent(client)
    assert asked.count(b"s3cr3t") == data.count(b"s3cr3t")
    assert answered.count(b"s3cr3t") == _ANSWER.count(b"s3cr3t")
    (exchange,) = proxy.exchanges
    _check(exchange, response_body=_MASKED_BODY)
    assert dict(exchange.response_headers)[b"Location"] == b"/a?token=[redacted]#b"


def test_answer_that_breaks_off_is_kept_as_its_hash_alone() -> None:
    with VirtualProxy(_source()) as proxy:
        proxy.send(_post("/a"))
        (upstream,) = proxy.upstreams
        proxy.say(upstream, _ANSWER[:-1])
        upstream.lose()
        proxy.settle()
    (exchange,) = proxy.exchanges
    assert exchange.findings == ("upstream_broke_off",)
    _check(exchange, response_body=b"")
    assert exchange.response_body is not None
    assert len(exchange.response_body.sha256) == 64


@pytest.mark.parametrize("path", ["/mocked", "/judged", "/a"])
def test_record_of_a_client_that_goes_is_masked(path: str) -> None:
    with VirtualProxy(_source()) as proxy:
        client = proxy.send(_post(path)[:-1])
        client.lose()
    (exchange,) = proxy.exchanges
    assert exchange.status == 499
    _check(exchange, request_body=b"")


@pytest.mark.parametrize("lines", [("Transfer-Encoding: chunked",)])
@pytest.mark.parametrize("path", ["/mocked", "/judged", "/a"])
def test_record_of_a_refusal_is_masked(path: str, lines: tuple[str, ...]) -> None:
    with VirtualProxy(_source()) as proxy:
        client = proxy.send(_post(path, *lines, body=b"") + b"1d\r\n" + _BODY + b"\r\nzz\r\n")
        assert status_of(_sent(client)) == 400
    (exchange,) = proxy.exchanges
    # The envelope is JSON, too.
    assert exchange.response_body is not None
    assert b'"code":"[redacted]"' in exchange.response_body.content
    assert _SECRET not in repr(exchange)


def test_record_of_a_switch_of_protocols_is_masked() -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\nX-Token: s3cr3t\r\n\r\n"
    with VirtualProxy(_source()) as proxy:
        proxy.send(get("/ws" + _TARGET, *_LINES, "Connection: upgrade", "Upgrade: x", close=False))
        proxy.say(proxy.upstreams[0], switched)
    (exchange,) = proxy.exchanges
    assert exchange.status == 101
    _check(exchange, request_body=None)


def test_bodies_that_are_no_json_are_kept_as_they_are() -> None:
    with VirtualProxy(_source()) as proxy:
        proxy.send(ask("POST", "/mocked", _KEY, "Content-Type: text/plain", body=_BODY, close=False))
    assert proxy.exchanges[0].request_body is not None
    assert proxy.exchanges[0].request_body.content == _BODY


def test_answer_of_a_mock_is_kept_by_the_rules_of_now() -> None:
    """The journal's copy of a mock's answer is made once and kept, as long as the rules stay."""
    source = _source(_row(None))
    with VirtualProxy(source) as proxy:
        kept = []
        for row in (None, _row(), _row(captured_bytes_max=4), _row(None, captured_bytes_max=0), _row(None)):
            if row:
                source.commit(environments={ENVIRONMENT_ID: row})
            for _ in range(2):
                client = proxy.send(get("/mocked", _KEY, close=False))
                assert body_of(_sent(client)) == _BODY
            assert proxy.exchanges[-1].response_body == proxy.exchanges[-2].response_body
            kept.append(proxy.exchanges[-1].response_body)
    assert [each and (each.content, each.size_bytes) for each in kept] == [
        (_BODY, len(_BODY)),
        (_MASKED_BODY, len(_BODY)),
        (b"", len(_BODY)),
        (b"", len(_BODY)),
        (_BODY, len(_BODY)),
    ]


def test_request_that_is_sent_again_is_masked_again() -> None:
    with VirtualProxy(_source()) as proxy:
        request = get("/mocked" + _TARGET, *_LINES, close=False)
        client = proxy.send(request)
        for _ in range(3):
            proxy.say(client, request)
    assert len(proxy.exchanges) == 4
    for exchange in proxy.exchanges:
        _check(exchange, request_body=None, response_body=_MASKED_BODY)


def test_fault_of_ours_tells_nothing_of_the_request(caplog: pytest.LogCaptureFixture) -> None:
    with VirtualProxy(_source()) as proxy, caplog.at_level(logging.DEBUG):
        proxy.fault = RuntimeError("the disk is gone")
        client = proxy.send(_post("/mocked"))
        assert status_of(_sent(client)) == 500
    assert "could not be answered" in caplog.text
    assert _SECRET not in caplog.text


@pytest.mark.parametrize("path", ["/mocked", "/a"])
def test_credentials_of_requests_are_kept_where_the_environment_says_so(path: str) -> None:
    with VirtualProxy(_source(_row(Redaction(keeps_credentials=True)))) as proxy:
        for number in range(3):
            # They are alike but for these lines.
            lines = (_KEY, f"Cookie: sid={number}", f"Authorization: Bearer {number}", f"traceparent: {number}")
            proxy.send(ask("GET", path, *lines, close=False))
        for upstream in proxy.upstreams:
            proxy.say(upstream, _ANSWER)
    assert len(proxy.exchanges) == 3
    for exchange in proxy.exchanges:
        kept = {name.lower(): value for name, value in exchange.request_headers}
        assert kept[b"cookie"] == b"sid=" + kept[b"traceparent"]
        assert kept[b"authorization"] == b"Bearer " + kept[b"traceparent"]
        # Those of answers are masked all the same.
        assert b"s3cr3t" not in dict(exchange.response_headers).get(b"Set-Cookie", b"")
