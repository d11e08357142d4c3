"""Requests in environments of Assertive's profile: what they are, which stub answers, what is said when none does."""

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.stubbed import answered, get, head_and_body, request, respond, stub, stubbed
from support.virtual_proxy import VirtualProxy
from understudy_server.core.record import ExchangeOutcome

_NO_MATCH = b"HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n\r\nNO_STUB_MATCH_FOUND"


def _winner(proxy: VirtualProxy, data: bytes) -> bytes:
    """The body of the answer."""
    return head_and_body(answered(proxy, data))[1]


# Paths.


@pytest.mark.parametrize(
    ("pattern", "target", "matches"),
    [
        ("/users/{id}", "/users/42", True),
        ("/users/{id}", "/users/42/", True),
        ("/users/{id}", "//users/42", True),
        ("/users/{id}", "//users/42//", True),
        ("users/{id}/", "/users/42", True),
        ("/users/{id}", "/users/", False),
        ("/users/{id}", "/users/1/2", False),
        ("/users/{id}", "/users/a%2Fb", False),
        ("/users/{id}/{x}", "/users/a%2Fb", True),
        ("/a b", "/a%20b", True),
        ("/a%20b", "/a%20b", False),
        ("/a%20b", "/a%2520b", True),
        ("/a", "/A", False),
        ("/pre-{id}", "/pre-1", False),
        ("/pre-{id}", "/pre-%7Bid%7D", True),
        ("/:id", "/x", False),
        ("/:id", "/:id", True),
        ("/a//b", "/a//b", True),
        ("/a//b", "/a/b", False),
        ("/a/{x}/b", "/a//b", True),
        ("/", "/", True),
        ("", "//", True),
        ("/", "/x", False),
        ("/a?b", "/a?b", False),
        ("/a?b", "/a%3Fb", True),
        ("/a#b", "/a%23b", True),
    ],
)
def test_path_is_decoded_and_then_split(pattern: str, target: str, matches: bool) -> None:
    with VirtualProxy(stubbed(stub({"path": pattern}, "yes"))) as proxy:
        assert (_winner(proxy, get(target)) == b"yes") is matches


def test_path_on_record_is_as_it_was_sent() -> None:
    with VirtualProxy(stubbed(stub({"path": "/a b"}))) as proxy:
        answered(proxy, get("//a%20b/?x=1"))
        assert [(each.path, each.query) for each in proxy.exchanges] == [("//a%20b/", "x=1")]


def test_captures_are_decoded_and_of_a_name_given_twice_the_last_counts() -> None:
    source = "{{ request.path_params.a }}|{{ request.path_params.b }}|{{ request.path }}"
    action = {"response": {"status_code": 200, "headers": {}, "template_body": source}}
    with VirtualProxy(stubbed(stub({"path": "/{a}/{a}/{b}"}, action=action))) as proxy:
        assert _winner(proxy, get("/1/%C3%A9/2%3F")) == "é|2?|/1/é/2?".encode()


def test_empty_capture_is_an_empty_text() -> None:
    source = "{% if request.path_params.x %}full{% else %}empty{% endif %}"
    action = {"response": {"status_code": 200, "headers": {}, "template_body": source}}
    with VirtualProxy(stubbed(stub({"path": "/a/{x}/b"}, action=action))) as proxy:
        assert _winner(proxy, get("/a//b")) == b"empty"


# Ranking: the examples of the product's table.


@pytest.mark.parametrize(
    ("data", "one", "other"),
    [
        (
            get("/r?a=1", "x-q: 1"),
            {"path": "/r", "query": {"a": "1"}, "headers": {"x-q": "1"}},
            {"path": "/r", "method": "GET"},
        ),
        (
            get("/r?a=1", "x-q: 1"),
            {"path": "/r", "query": {"a": "1"}},
            {"path": "/r", "headers": {"x-q": "1"}},
        ),
        (
            request("GET", "/r?a=1", "x-q: 1", body=b"b", host="shop.example"),
            {"path": "/r", "host": "shop.example"},
            {"method": "GET", "body": "b"},
        ),
        (get("/users/me"), {"path": "/users/me"}, {"path": "/users/{id}"}),
        (get("/r3/lit"), {"path": "/r3/{x}"}, {"path": {"$regex": {"pattern": "/r3/.*"}}}),
        (get("/any"), {"headers": {"host": "mocks.example:8910"}}, {}),
    ],
)
def test_stub_with_more_and_weightier_fields_wins(
    data: bytes, one: dict[str, object], other: dict[str, object]
) -> None:
    with VirtualProxy(stubbed(stub(other, "other"), stub(one, "one"))) as proxy:
        assert _winner(proxy, data) == b"one"
    with VirtualProxy(stubbed(stub(one, "one"), stub(other, "other"))) as proxy:
        assert _winner(proxy, data) == b"one"


def test_of_equal_stubs_the_older_one_wins() -> None:
    with VirtualProxy(stubbed(stub({"path": "/x"}, "first"), stub({"path": "/x"}, "second"))) as proxy:
        assert _winner(proxy, get("/x")) == b"first"


def test_count_of_fields_goes_before_the_scope() -> None:
    scoped, everywhere = stub({"path": "/r"}, "scoped"), stub({"path": "/r", "method": "GET"}, "global")
    with VirtualProxy(stubbed(everywhere, scopes={"s": [scoped]})) as proxy:
        assert _winner(proxy, get("/r", "S: 1")) == b"global"


def test_scope_goes_before_the_literals_of_the_path_and_before_age() -> None:
    globals_ = [stub({"path": "/b/lit"}, "global"), stub({"path": "/c"}, "global")]
    scoped = [stub({"path": "/b/{x}"}, "scoped"), stub({"path": "/c"}, "scoped")]
    with VirtualProxy(stubbed(*globals_, scopes={"s": scoped})) as proxy:
        assert _winner(proxy, get("/b/lit", "s:")) == b"scoped"
        assert _winner(proxy, get("/c", "s:")) == b"scoped"
        assert _winner(proxy, get("/c")) == b"global"


def test_stub_answers_as_often_as_it_may_and_calls_that_another_one_answers_do_not_count() -> None:
    once = stub({"path": "/x"}, "once", max_calls=1)
    with VirtualProxy(stubbed(once, stub({"path": "/x", "method": "GET"}, "strong", max_calls=1))) as proxy:
        assert [_winner(proxy, get("/x")) for _ in range(3)] == [b"strong", b"once", b"NO_STUB_MATCH_FOUND"]


# What is matched.


def test_first_of_repeated_headers_and_last_of_repeated_parameters_count() -> None:
    asked = {"headers": {"x-a": "1"}, "query": {"a": "2"}}
    with VirtualProxy(stubbed(stub(asked, "yes"))) as proxy:
        assert _winner(proxy, get("/?a=1&a=2", "X-A: 1", "x-a: 2")) == b"yes"
        assert _winner(proxy, get("/?a=2&a=1", "X-A: 1", "x-a: 2")) == b"NO_STUB_MATCH_FOUND"
        assert _winner(proxy, get("/?a=1&a=2", "X-A: 2", "x-a: 1")) == b"NO_STUB_MATCH_FOUND"


@pytest.mark.parametrize("target", ["/?a", "/?a=", "/?b=1&a"])
def test_parameter_without_a_value_is_an_empty_text(target: str) -> None:
    with VirtualProxy(stubbed(stub({"query": {"a": ""}}, "yes"))) as proxy:
        assert _winner(proxy, get(target)) == b"yes"


@pytest.mark.parametrize(
    ("host", "named"),
    [("SHOP.example:8910", "shop.example"), ("[::1]:8910", "::1"), ("[::1]", "::1"), ("127.0.0.1", "127.0.0.1")],
)
def test_host_is_without_its_port_and_in_lower_case(host: str, named: str) -> None:
    with VirtualProxy(stubbed(stub({"host": named}, "yes"))) as proxy:
        assert _winner(proxy, get("/", host=host)) == b"yes"


def test_method_is_compared_as_it_is_and_head_is_no_get() -> None:
    with VirtualProxy(stubbed(stub({"method": "GET"}, "yes"))) as proxy:
        lines, body = head_and_body(answered(proxy, request("HEAD", "/")))
    assert (lines[0], body) == (b"HTTP/1.1 404 Not Found", b"")


def test_preflight_is_a_request_like_any_other() -> None:
    preflight = request("OPTIONS", "/x", "Origin: https://a.example", "Access-Control-Request-Method: PUT")
    with VirtualProxy(stubbed(stub({}, "yes"))) as proxy:
        assert answered(proxy, preflight).endswith(b"\r\n\r\nyes")
    with VirtualProxy(stubbed()) as proxy:
        assert head_and_body(answered(proxy, preflight))[0][0] == b"HTTP/1.1 404 Not Found"
        assert [each.outcome for each in proxy.exchanges] == [ExchangeOutcome.UNMATCHED]


def test_no_header_for_other_origins_is_added() -> None:
    with VirtualProxy(stubbed(stub({"path": "/x"}, "yes"))) as proxy:
        for target in ("/x", "/none"):
            assert b"access-control" not in answered(proxy, get(target, "Origin: https://a.example"))


# What is said when no stub answers.


def test_request_that_none_answers_is_404_and_on_record_with_its_body() -> None:
    with VirtualProxy(stubbed(stub({"path": "/x"}))) as proxy:
        client = proxy.connect()
        whole = request("POST", "/none", body=b"hello")
        proxy.say(client, whole[:-2])
        assert client.sent == []
        proxy.say(client, whole[-2:])
        lines, body = head_and_body(b"".join(client.sent))
        (exchange,) = proxy.exchanges
    assert (lines, body) == ([b"HTTP/1.1 404 Not Found", b"content-length: 19"], b"NO_STUB_MATCH_FOUND")
    assert not client.closing
    assert (exchange.outcome, exchange.status, exchange.mock_id) == (ExchangeOutcome.UNMATCHED, 404, "")
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"hello"


def test_request_that_none_answers_comes_again_and_is_404_each_time() -> None:
    with VirtualProxy(stubbed(stub({"path": "/x"}))) as proxy:
        client = proxy.connect()
        for _ in range(4):
            proxy.say(client, get("/none"))
        assert [each.endswith(b"NO_STUB_MATCH_FOUND") for each in client.sent] == [True] * 4
        assert len(proxy.exchanges) == 4


def test_request_that_none_answers_goes_to_the_real_service_where_there_is_one() -> None:
    with VirtualProxy(stubbed(upstream="http://127.0.0.1:1")) as proxy:
        answered(proxy, get("/none"))
        assert proxy.upstreams[0].sent[0].startswith(b"GET /none HTTP/1.1\r\n")


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "MKCOL"])
def test_other_methods_are_405_and_not_on_record(method: str) -> None:
    with VirtualProxy(stubbed(stub({}))) as proxy:
        lines, body = head_and_body(answered(proxy, request(method, "/x")))
        assert proxy.exchanges == []
    assert (lines[0], body) == (b"HTTP/1.1 405 Method Not Allowed", b'{"detail":"Method Not Allowed"}')
    assert b"content-type: application/json" in lines
    assert b"allow: GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD" in lines


@pytest.mark.parametrize("lines", [("a: 1", "b: 1"), ("A: 1", "B: 1", "x-flowmock-session: ci-42")])
def test_two_scopes_in_one_request_are_400_and_not_on_record(lines: tuple[str, ...]) -> None:
    with VirtualProxy(stubbed(stub({}), scopes={"a": [], "b": []})) as proxy:
        head, body = head_and_body(answered(proxy, get("/x", *lines)))
        assert proxy.exchanges == []
    assert head[0] == b"HTTP/1.1 400 Bad Request"
    assert b"content-type: application/json" in head
    assert body == b'{"detail":"Multiple scope headers matched this request"}'


def test_one_scope_named_twice_is_one() -> None:
    with VirtualProxy(stubbed(scopes={"a": [stub({}, "yes")]})) as proxy:
        assert _winner(proxy, get("/x", "a: 1", "A: 2")) == b"yes"
        assert [each.session_key for each in proxy.exchanges] == ["a"]


# Answers.


@pytest.mark.parametrize(
    ("action", "head", "body"),
    [
        (respond("hi"), [b"HTTP/1.1 200 OK", b"content-length: 2"], b"hi"),
        (respond(""), [b"HTTP/1.1 200 OK", b"content-length: 0"], b""),
        (
            respond({"a": "é"}, 201),
            [b"HTTP/1.1 201 Created", b"content-type: application/json", b"content-length: 10"],
            '{"a":"é"}'.encode(),
        ),
        (
            respond([1], headers={"Content-Type": "application/x"}),
            [b"HTTP/1.1 200 OK", b"Content-Type: application/x", b"content-length: 3"],
            b"[1]",
        ),
        (respond("x", 204), [b"HTTP/1.1 204 No Content"], b""),
        (respond("x", 304), [b"HTTP/1.1 304 Not Modified"], b""),
    ],
)
def test_response_is_written_as_it_is(action: object, head: list[bytes], body: bytes) -> None:
    with VirtualProxy(stubbed(stub({}, action=action))) as proxy:
        assert head_and_body(answered(proxy, get("/"))) == (head, body)


def test_environment_of_another_profile_answers_as_ever() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    with VirtualProxy(source) as proxy:
        assert b'"code":"no_upstream"' in answered(proxy, get("/x"))
        assert b'"code":"no_upstream"' in answered(proxy, request("TRACE", "/x"))
