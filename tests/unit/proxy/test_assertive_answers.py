"""What stubs answer in environments of Assertive's profile: templates, chaos, streams and what is passed on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.manual_loop import Wire
from support.stubbed import (
    answered,
    drop,
    get,
    head_and_body,
    proxy_to,
    request,
    respond,
    said,
    sse,
    stub,
    stubbed,
    template,
    without_date,
)
from support.virtual_proxy import VirtualProxy
from understudy_server.core.allow_list import AllowList
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import ExchangeOutcome
from understudy_server.proxy.settings import ProxySettings

_JSON = "content-type: application/json"
_TARGET = "http://127.0.0.1:1/target"


def _rendered(source: str, data: bytes) -> tuple[int, bytes]:
    """The status and the body of an answer that a template makes."""
    with VirtualProxy(stubbed(stub({"path": "/{name}"}, action=template(source)), scopes={"s": []})) as proxy:
        lines, body = head_and_body(answered(proxy, data))
    return int(lines[0].split()[1]), body


# Templates.


@pytest.mark.parametrize(
    ("source", "data", "text"),
    [
        ("{{ request.path }}", get("/a%20b?x=1"), "/a b"),
        ("{{ request.method }} {{ request.host }}", get("/x"), "GET mocks.example"),
        ("{{ request.query.a }}{{ request.query['b'] }}", get("/x?a=1&a=2&b=3"), "23"),
        ("{{ request.query }}", get("/x?a=1&b="), "{'a': '1', 'b': ''}"),
        ("{{ request.headers['x-a'] }}", get("/x", "X-A: 1", "x-a: 2"), "1"),
        ("{{ request.path_params.name }}", get("/Ada"), "Ada"),
        ("{{ request.scope }}", get("/x", "S: 1"), "s"),
        ("{{ request.scope is none }}", get("/x", "x-flowmock-session: s"), "True"),
        ("{{ request.body }}", request("POST", "/x", body=b'{"a":1}'), '{"a":1}'),
        ("{{ request.body.a }}", request("POST", "/x", _JSON, body=b'{"a":1}'), "1"),
        ("{{ request.body.items }}", request("POST", "/x", _JSON, body=b'{"items":[1]}'), "[1]"),
        ("{{ request.body[1] }}", request("POST", "/x", "content-type: a/b+JSON; x=y", body=b"[1,2]"), "2"),
        ("{% for a in request.body %}{{ a }};{% endfor %}", request("POST", "/x", _JSON, body=b"[1,2]"), "1;2;"),
        ("<{{ request.query.a | upper }}>", get("/x?a=%3Cb%3E"), "<<B>>"),
        ("{{ request.query.nope | default('none') }}", get("/x"), "none"),
        ("{% if request.query.nope is defined %}yes{% else %}no{% endif %}", get("/x"), "no"),
        ("one newline\n", get("/x"), "one newline"),
        ("two newlines\n\n", get("/x"), "two newlines\n"),
        ("", get("/x"), ""),
    ],
)
def test_template_speaks_of_the_request(source: str, data: bytes, text: str) -> None:
    assert _rendered(source, data) == (200, text.encode())


@pytest.mark.parametrize(
    ("source", "data", "detail"),
    [
        ("{{ request.query.name }}", get("/x"), "'dict object' has no attribute 'name'"),
        ("{{ request.query['name'].first }}", get("/x"), "'dict object' has no attribute 'name'"),
        (
            "{{ request.body.user.name }}",
            request("POST", "/x", _JSON, body=b'{"user":{}}'),
            "'dict object' has no attribute 'name'",
        ),
        ("{{ request.path.name }}", get("/x"), "'str object' has no attribute 'name'"),
        ("{{ request.body[4] }}", request("POST", "/x", _JSON, body=b"[1]"), "list object has no element 4"),
        ("{{ request.headers['X-A'] }}", get("/x", "X-A: 1"), "'dict object' has no attribute 'X-A'"),
        ("{{ request.nope }}", get("/x"), "'dict object' has no attribute 'nope'"),
        ("{{ nope }}", get("/x"), "'nope' is undefined"),
        ("{{ nope.a.b }}", get("/x"), "'nope' is undefined"),
        ("{{ nope() }}", get("/x"), "'nope' is undefined"),
        ("{{ state.session.x }}{{ uuid() }}", get("/x"), "'state' is undefined"),
        ("{{ uuid() }}", get("/x"), "'uuid' is undefined"),
        ("{% bad %}", get("/x"), "Encountered unknown tag 'bad'."),
        ("{% endif %}", get("/x"), "Encountered unknown tag 'endif'."),
        ("{% do 1 %}", get("/x"), "Encountered unknown tag 'do'."),
        (
            "{% if 1 %}{% bad %}",
            get("/x"),
            "Encountered unknown tag 'bad'. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. "
            "The innermost block that needs to be closed is 'if'.",
        ),
        (
            "{% for a in [1] %}{% break %}{% endfor %}",
            get("/x"),
            "Encountered unknown tag 'break'. Jinja was looking for the following tags: 'endfor' or 'else'. "
            "The innermost block that needs to be closed is 'for'.",
        ),
        (
            "{% if 1 %}{% for a in [1] %}{% endif %}",
            get("/x"),
            "Encountered unknown tag 'endif'. You probably made a nesting mistake. Jinja is expecting this tag, but "
            "currently looking for 'endfor' or 'else'. The innermost block that needs to be closed is 'for'.",
        ),
        (
            "{% if 1 %}{% else %}",
            get("/x"),
            "Unexpected end of template. Jinja was looking for the following tags: 'endif'. "
            "The innermost block that needs to be closed is 'if'.",
        ),
        ("{{ 'a'|base64 }}", get("/x"), "No filter named 'base64'."),
        ("{{ ['a']|map('hex')|join }}", get("/x"), "No filter named 'hex'."),
        ("{{ 1 | bad }}", get("/x"), "No filter named 'bad'."),
        ("{{ 1 is bad }}", get("/x"), "No test named 'bad'."),
        ("{{ 1 / 0 }}", get("/x"), "nothing can be divided by 0"),
        ("static", get("/x", _JSON), "Invalid JSON request body for JSON content-type"),
        ("{% bad %}", request("POST", "/x", _JSON, body=b"{"), "Invalid JSON request body for JSON content-type"),
    ],
)
def test_template_that_fails_is_500_in_the_words_of_the_product(source: str, data: bytes, detail: str) -> None:
    with VirtualProxy(stubbed(stub({}, action=template(source)))) as proxy:
        lines, body = head_and_body(answered(proxy, data))
        (exchange,) = proxy.exchanges
    assert lines[0] == b"HTTP/1.1 500 Internal Server Error"
    assert b"content-type: application/json" in lines
    assert json.loads(body) == {"error": "TEMPLATE_RENDER_ERROR", "detail": detail}
    assert (exchange.outcome, exchange.mock_id) == (ExchangeOutcome.MOCK_FAILED, "stub_0")


def test_static_body_needs_no_valid_json() -> None:
    with VirtualProxy(stubbed(stub({}, "{{ x }}"))) as proxy:
        assert answered(proxy, request("POST", "/", _JSON, body=b"{")).endswith(b"\r\n\r\n{{ x }}")


# Latency.


def _times(exchange: Exchange) -> tuple[int, int, int]:
    """The whole time in milliseconds, and the delay and the whole time in microseconds."""
    return exchange.duration_ms, exchange.phases.delay_us, exchange.phases.total_us


def _in_ms(proxy: VirtualProxy, client: Wire, milliseconds: int) -> bytes:
    proxy.pass_ms(milliseconds)
    return said(client)


def test_request_is_on_record_before_its_delay_and_answered_after_it() -> None:
    slow = stub({"path": "/x"}, "late", chaos={"latency": {"base_ms": 100}})
    with VirtualProxy(stubbed(slow)) as proxy:
        client = proxy.send(request("POST", "/x", body=b"hello"))
        (exchange,) = proxy.exchanges
        assert _in_ms(proxy, client, 99) == b""
        assert _in_ms(proxy, client, 1).endswith(b"\r\n\r\nlate")
        assert len(proxy.exchanges) == 1
        assert (exchange.mock_id, exchange.status, exchange.outcome) == ("stub_0", 200, ExchangeOutcome.MOCKED)
        assert exchange.request_body is not None
        assert exchange.request_body.content == b"hello"
        assert exchange.response_body is not None
        assert exchange.response_body.content == b"late"
        assert _times(exchange) == (100, 100_000, 100_000)


def test_record_of_a_stream_has_the_time_that_its_events_will_take() -> None:
    with VirtualProxy(stubbed(stub({}, action=_EVENTS, chaos={"latency": {"base_ms": 5}}))) as proxy:
        proxy.send(get("/x"))
        (exchange,) = proxy.exchanges
    # Before it 5 ms, and before its events 10, 20 and 10.
    assert _times(exchange) == (45, 5_000, 45_000)


def test_record_of_a_stream_that_is_dropped_has_the_time_until_then() -> None:
    dropped = stub({}, action=_EVENTS, chaos={"latency": {"base_ms": 5}, **drop()})
    with VirtualProxy(stubbed(dropped)) as proxy:
        proxy.send(get("/x"))
        (exchange,) = proxy.exchanges
    assert _times(exchange) == (15, 5_000, 15_000)


def test_record_of_a_template_that_fails_has_its_delay() -> None:
    slow = stub({}, action=template("{{ nope }}"), chaos={"latency": {"base_ms": 50}})
    with VirtualProxy(stubbed(slow)) as proxy:
        proxy.send(get("/x"))
        (exchange,) = proxy.exchanges
    assert _times(exchange) == (50, 50_000, 50_000)


def test_delay_is_that_of_the_request_alone_and_of_each_one_drawn_within_its_bounds() -> None:
    slow = stub({"path": "/x"}, "late", chaos={"latency": {"base_ms": 10, "jitter_ms": 5}})
    with VirtualProxy(stubbed(slow, stub({"path": "/y"}, "now"))) as proxy:
        clients = [proxy.send(get("/x")) for _ in range(40)]
        assert answered(proxy, get("/y")).endswith(b"now")
        assert not any(_in_ms(proxy, each, 0) for each in clients)
        proxy.pass_ms(9)
        counts = []
        for _ in range(8):
            counts.append(sum(bool(each.sent) for each in clients))
            proxy.pass_ms(1)
        assert (counts[0], counts[-1]) == (0, 40)
        assert 0 < counts[1] < 40


def test_client_that_goes_during_the_delay_is_on_record_once() -> None:
    slow = stub({"path": "/x"}, "late", chaos={"latency": {"base_ms": 100}})
    with VirtualProxy(stubbed(slow)) as proxy:
        proxy.send(get("/x")).lose()
        proxy.settle()
        assert [each.mock_id for each in proxy.exchanges] == ["stub_0"]
        assert proxy.timers == 0 or proxy.open_connections == (0, 0)


def test_template_that_fails_is_told_after_the_delay_and_never_dropped() -> None:
    slow = stub({}, action=template("{{ nope }}"), chaos={"latency": {"base_ms": 50}, **drop()})
    with VirtualProxy(stubbed(slow)) as proxy:
        client = proxy.send(get("/x"))
        assert _in_ms(proxy, client, 49) == b""
        lines, body = head_and_body(_in_ms(proxy, client, 1))
        assert [(each.outcome, each.status) for each in proxy.exchanges] == [(ExchangeOutcome.MOCK_FAILED, 500)]
    assert lines[0] == b"HTTP/1.1 500 Internal Server Error"
    assert json.loads(body)["detail"] == "'nope' is undefined"


# Drops.


@pytest.mark.parametrize(
    ("body", "sent"),
    [("", b""), ("a", b"1\r\na\r\n"), ("abc", b"1\r\na\r\n"), ("abcdef", b"3\r\nabc\r\n"), ("éa", b"1\r\n\xc3\r\n")],
)
def test_dropped_answer_is_half_of_it_in_a_chunk_and_no_end(body: str, sent: bytes) -> None:
    with VirtualProxy(stubbed(stub({}, action=respond(body, 201, headers={"X-A": "b"}), chaos=drop()))) as proxy:
        client = proxy.send(get("/x"))
        (exchange,) = proxy.exchanges
    head = b"HTTP/1.1 201 Created\r\nX-A: b\r\ntransfer-encoding: chunked\r\n\r\n"
    assert without_date(said(client)) == head + sent
    assert client.closing
    assert (exchange.outcome, exchange.status, exchange.mock_id) == (ExchangeOutcome.FAULT_INJECTED, 201, "stub_0")


def test_old_client_is_sent_no_chunks_and_cannot_tell() -> None:
    with VirtualProxy(stubbed(stub({}, "abcd", chaos=drop()))) as proxy:
        client = proxy.send(get("/x", version="1.0"))
    assert without_date(said(client)) == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nab"
    assert client.closing


def test_answer_without_a_body_is_dropped_behind_its_head() -> None:
    with VirtualProxy(stubbed(stub({}, action=respond("x", 204), chaos=drop()))) as proxy:
        client = proxy.send(get("/x"))
        head = proxy.send(request("HEAD", "/x"))
    assert without_date(said(client)) == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert without_date(said(head)) == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert client.closing


def test_drop_waits_for_its_delay_and_is_on_record_before_it() -> None:
    slow = stub({}, "abcd", chaos={"latency": {"base_ms": 30}, **drop()})
    with VirtualProxy(stubbed(slow)) as proxy:
        client = proxy.send(get("/x"))
        (exchange,) = proxy.exchanges
        assert _in_ms(proxy, client, 29) == b""
        assert _in_ms(proxy, client, 1).endswith(b"\r\n\r\n2\r\nab\r\n")
        assert len(proxy.exchanges) == 1
    assert (exchange.outcome, exchange.findings) == (ExchangeOutcome.FAULT_INJECTED, ("fault_injected",))
    assert exchange.response_body is not None
    assert exchange.response_body.content == b"ab"


def test_drop_comes_as_often_as_it_is_likely() -> None:
    with VirtualProxy(
        stubbed(stub({}, "abcd", chaos=drop(0.5)), stub({"path": "/no"}, "abcd", chaos=drop(0)))
    ) as proxy:
        dropped = sum(b"chunked" in answered(proxy, get("/x")) for _ in range(100))
        assert 20 < dropped < 80
        assert not any(b"chunked" in answered(proxy, get("/no")) for _ in range(20))


# Streams.

_EVENTS = sse(
    {"data": "first", "id": "1", "event": "message", "retry": 5},
    {"data": "a\nb\n", "delay_ms": 20},
    {"data": "", "id": ""},
    default_delay_ms=10,
)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n"
)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_stream_waits_before_each_event_and_ends_behind_the_last() -> None:
    first, second = b"id: 1\nevent: message\nretry: 5\ndata: first\n\n", b"data: a\ndata: b\n\n"
    with VirtualProxy(stubbed(stub({}, action=_EVENTS))) as proxy:
        client = proxy.send(get("/x"))
        (exchange,) = proxy.exchanges
        assert without_date(_in_ms(proxy, client, 9)) == _STREAM_HEAD
        assert said(client) != _in_ms(proxy, client, 1)
        assert said(client).endswith(b"\r\n\r\n" + _chunk(first))
        assert _in_ms(proxy, client, 19).endswith(_chunk(first))
        assert _in_ms(proxy, client, 1).endswith(_chunk(first) + _chunk(second))
        assert _in_ms(proxy, client, 10).endswith(_chunk(second) + _chunk(b"id: \ndata: \n\n") + b"0\r\n\r\n")
        assert not client.closing
        assert len(proxy.exchanges) == 1
    assert (exchange.outcome, exchange.status, exchange.mock_id) == (ExchangeOutcome.MOCKED, 200, "stub_0")
    assert exchange.response_body is not None
    assert exchange.response_body.content == first + second + b"id: \ndata: \n\n"


def test_client_that_wants_to_end_the_connection_is_not_told_that_it_stays() -> None:
    with VirtualProxy(stubbed(stub({}, action=sse({"data": "x"})))) as proxy:
        client = proxy.send(get("/x", "Connection: close"))
    assert b"connection: close\r\n" in said(client)
    assert b"keep-alive" not in said(client)


def test_stream_is_dropped_within_its_first_event_when_that_is_due() -> None:
    with VirtualProxy(stubbed(stub({}, action=sse({"data": "abc", "delay_ms": 10}), chaos=drop()))) as proxy:
        client = proxy.send(get("/x"))
        (exchange,) = proxy.exchanges
        assert without_date(_in_ms(proxy, client, 9)) == _STREAM_HEAD
        assert _in_ms(proxy, client, 1).endswith(b"\r\n\r\n" + _chunk(b"data:"))
        assert client.closing
        assert len(proxy.exchanges) == 1
    assert exchange.outcome is ExchangeOutcome.FAULT_INJECTED
    assert exchange.response_body is not None
    assert exchange.response_body.content == b"data:"


def test_dropped_stream_ends_behind_its_head_where_only_that_is_asked_for() -> None:
    with VirtualProxy(stubbed(stub({}, action=sse({"data": "abc", "delay_ms": 10}), chaos=drop()))) as proxy:
        client = proxy.send(request("HEAD", "/x"))
        (exchange,) = proxy.exchanges
    assert without_date(said(client)) == _STREAM_HEAD
    assert client.closing
    assert (exchange.outcome, exchange.response_body) == (ExchangeOutcome.FAULT_INJECTED, None)
    assert _times(exchange) == (0, 0, 0)


def test_all_events_are_made_before_the_stream_begins() -> None:
    events = sse({"data": "fine"}, {"data": "{{ request.query.nope }}"})
    with VirtualProxy(stubbed(stub({}, action=events))) as proxy:
        lines, body = head_and_body(answered(proxy, get("/x")))
    assert lines[0] == b"HTTP/1.1 500 Internal Server Error"
    assert json.loads(body)["detail"] == "'dict object' has no attribute 'nope'"


_SEPARATORS = st.sampled_from(["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "a", "é", ""])


@given(st.lists(_SEPARATORS).map("".join))
def test_each_line_of_data_is_a_line_of_its_own(data: str) -> None:
    expected = "".join([f"data: {line}\n" for line in data.splitlines() or [""]]) + "\n"
    with VirtualProxy(stubbed(stub({}, action=sse({"data": "{{ request.body }}"})))) as proxy:
        asked = request("POST", "/x", body=data.encode())
        # One newline at the end of a template is no part of it, and of what it prints it is.
        assert said(proxy.send(asked)).partition(b"\r\n\r\n")[2] == _chunk(expected.encode()) + b"0\r\n\r\n"


# What is passed on.


def _upstream(proxy: VirtualProxy) -> Wire:
    (wire,) = proxy.upstreams
    return wire


def test_request_goes_to_exactly_the_url_with_its_host_and_the_stubs_headers() -> None:
    with VirtualProxy(stubbed(stub({}, action=proxy_to(f"{_TARGET}?k=1", headers={"x-b": "new"})))) as proxy:
        proxy.send(request("POST", "/a/b", "X-A: 1", "X-B: old", body=b"hello"))
        (sent,) = _upstream(proxy).sent
    assert sent == (
        b"POST /target?k=1 HTTP/1.1\r\nHost: mocks.example:8910\r\nX-A: 1\r\nContent-Length: 5\r\nx-b: new\r\n\r\nhello"
    )


def test_query_of_the_call_takes_the_place_of_that_of_the_url() -> None:
    with VirtualProxy(stubbed(stub({}, action=proxy_to(f"{_TARGET}?k=1")))) as proxy:
        proxy.send(get("/a?l=2"))
        assert _upstream(proxy).sent[0].startswith(b"GET /target?l=2 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("upstream", "head", "body"),
    [
        (
            b"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nok",
            [b"HTTP/1.1 302 Found", b"Location: /else", b"Content-Type: text/x", b"Content-Length: 2"],
            b"ok",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            [b"HTTP/1.1 200 OK", b"Content-Length: 2", b"content-type: application/octet-stream"],
            b"ok",
        ),
        (
            b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            [b"HTTP/1.1 500 Oops", b"content-type: application/octet-stream", b"transfer-encoding: chunked"],
            b"2\r\nok\r\n0\r\n\r\n",
        ),
    ],
)
def test_answer_is_passed_on_with_a_content_type(upstream: bytes, head: list[bytes], body: bytes) -> None:
    with VirtualProxy(stubbed(stub({}, action=proxy_to(_TARGET)))) as proxy:
        for _ in range(3):
            # What is remembered of an upstream's answer is as it was sent.
            client = proxy.send(get("/x"))
            proxy.say(_upstream(proxy), upstream)
            assert head_and_body(said(client)) == (head, body)
        assert [each.status for each in proxy.exchanges] == [int(upstream.split()[1])] * 3


def test_call_is_delayed_before_it_goes_on() -> None:
    slow = stub({}, action=proxy_to(_TARGET), chaos={"latency": {"base_ms": 20}})
    with VirtualProxy(stubbed(slow)) as proxy:
        client = proxy.send(request("POST", "/x", body=b"hello")[:-2])
        proxy.pass_ms(19)
        assert proxy.upstreams == []
        proxy.pass_ms(1)
        proxy.say(client, b"lo")
        assert b"".join(_upstream(proxy).sent).endswith(b"\r\n\r\nhello")
        proxy.say(_upstream(proxy), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert said(client).endswith(b"\r\n\r\nok")
        assert [(each.mock_id, each.outcome) for each in proxy.exchanges] == [("stub_0", ExchangeOutcome.FORWARDED)]


def test_client_that_goes_before_its_call_goes_on_is_on_record() -> None:
    slow = stub({}, action=proxy_to(_TARGET), chaos={"latency": {"base_ms": 20}})
    with VirtualProxy(stubbed(slow)) as proxy:
        proxy.send(get("/x")).lose()
        proxy.pass_ms(50)
        assert proxy.upstreams == []
        assert [(each.mock_id, each.outcome) for each in proxy.exchanges] == [("stub_0", ExchangeOutcome.CLIENT_GONE)]


_FAILED = (
    [
        b"HTTP/1.1 500 Internal Server Error",
        b"content-type: text/plain; charset=utf-8",
        b"content-length: 21",
    ],
    b"Internal Server Error",
)


def test_target_that_refuses_is_500() -> None:
    with VirtualProxy(stubbed(stub({}, action=proxy_to(_TARGET), chaos=drop()))) as proxy:
        proxy.upstreams_are(refusing=True)
        assert head_and_body(answered(proxy, get("/x"))) == _FAILED
        assert [(e.mock_id, e.outcome, e.status) for e in proxy.exchanges] == [
            ("stub_0", ExchangeOutcome.UPSTREAM_FAILED, 500)
        ]


def test_target_that_is_late_is_500() -> None:
    with VirtualProxy(stubbed(stub({}, action=proxy_to(_TARGET, timeout=1)))) as proxy:
        client = proxy.send(get("/x"))
        proxy.pass_ms(900)
        assert said(client) == b""
        proxy.pass_ms(700)
        assert head_and_body(said(client)) == _FAILED


def test_target_that_is_not_allowed_says_so() -> None:
    settings = ProxySettings(upstream_allow=AllowList.parse("10.0.0.0/8"))
    with VirtualProxy(stubbed(stub({}, action=proxy_to(_TARGET))), settings) as proxy:
        lines, body = head_and_body(answered(proxy, get("/x")))
    assert (lines[0], json.loads(body)["code"]) == (b"HTTP/1.1 403 Forbidden", "target_not_allowed")


@pytest.mark.parametrize(
    ("upstream", "sent"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 6\r\n\r\nabcdef", b"3\r\nabc\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\na", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n", b""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n",
            b"3\r\nabc\r\n",
        ),
    ],
)
def test_proxied_answer_is_dropped_after_half_of_it(upstream: bytes, sent: bytes) -> None:
    with VirtualProxy(stubbed(stub({}, action=proxy_to(_TARGET), chaos=drop()))) as proxy:
        client = proxy.send(get("/x"))
        proxy.say(_upstream(proxy), upstream)
        (exchange,) = proxy.exchanges
    head = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\ntransfer-encoding: chunked\r\n\r\n"
    assert without_date(said(client)) == head + sent
    assert client.closing
    assert exchange.outcome is ExchangeOutcome.FAULT_INJECTED
