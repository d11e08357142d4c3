"""Stubs, made into mocks, and what is shown of them."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from support.accepted_stubs import accept
from support.assertive_payloads import criteria
from understudy.v1.actions_pb2 import Action
from understudy.v1.state_pb2 import STATE_SCOPE_ENVIRONMENT, Lifetime
from understudy_gateway.dialects.assertive import stubs
from understudy_gateway.dialects.assertive.headers import OF_THE_PROXY
from understudy_gateway.dialects.assertive.stubs import Translated
from understudy_server.core.matching.request import Request
from understudy_server.definitions.matchers import compile_matcher
from understudy_server.definitions.proxy_headers import PROXY_HEADERS

HELLO = {"status_code": 200, "headers": {}, "body": "hello"}


def translate(request: dict[str, Any], action: dict[str, Any] | None = None, **more: Any) -> Translated:
    """Translate a stub, which the server must take as it is."""
    made = stubs.translate({"request": request, "action": action or {"response": HELLO}, **more})
    accept(made)
    return made


def action_of(action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(MessageToDict(translate({}, action, **more).action, preserving_proto_field_name=True))


def respond_of(**response: Any) -> dict[str, Any]:
    return dict(action_of({"response": {"status_code": 200, "headers": {}, **response}})["respond"])


def matches(request: dict[str, Any], received: Request, **more: Any) -> bool:
    return compile_matcher(translate(request, **more).matcher, "matcher").matches(received)


POSTED = Request(
    "POST",
    "/users/42",
    "page=2&page=3",
    b'{"amount":12}',
    headers=((b"Host", b"Shop.example.com:80"), (b"X-Team", b"qa")),
    host="shop.example.com",
)

# Parts of a request.


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, True),
        ({"path": None, "body": None}, True),
        ({"path": "/users/{id}"}, True),
        ({"path": "/users"}, False),
        ({"path": {"$regex": {"pattern": "/users/[0-9]+"}}}, True),
        ({"path": {"plain": 1}}, False),
        ({"method": "POST"}, True),
        ({"method": "post"}, False),
        ({"method": {"$ignore_case": {"value": "post"}}}, True),
        ({"host": "shop.example.com"}, True),
        ({"host": "Shop.example.com"}, False),
        ({"host": {"$regex": {"pattern": "shop"}}}, True),
        ({"headers": {"x-team": "qa"}}, True),
        ({"headers": {"X-Team": "qa"}}, False),
        ({"headers": {}}, True),
        ({"headers": {"$exact_key_values": {"key_values": {"x-team": "qa"}}}}, False),
        ({"query": {"page": "3"}}, True),
        ({"query": {"page": "2"}}, False),
        ({"query": {"page": 3}}, False),
        ({"body": '{"amount":12}'}, True),
        ({"body": {"amount": 12}}, False),
        ({"body": {"$json": {"inner_criteria": {"amount": {"$gt": {"value": 10}}}}}}, True),
        ({"path": "/users/{id}", "method": "POST", "host": "other"}, False),
    ],
    ids=json.dumps,
)
def test_a_stub_matches_as_the_product_says(request_: dict[str, Any], expected: bool) -> None:
    assert matches(request_, POSTED) is expected


def test_plain_method_and_path_are_looked_up_and_not_tried() -> None:
    matcher = translate({"path": "/users/{id}", "method": "POST"}).matcher
    assert MessageToDict(matcher) == {"method": "POST", "path": "/users/{id}"}


@pytest.mark.parametrize("part", ["path", "method", "headers", "body", "host", "query"])
def test_each_part_that_is_asked_for_counts_in_the_ranking(part: str) -> None:
    value: Any = {"a": "1"} if part in ("headers", "query") else "/a"
    assert compile_matcher(translate({part: value}).matcher, "matcher").fields_count == 1


# How often.


def test_a_stub_without_a_limit_has_no_lifetime() -> None:
    assert translate({}).lifetime() is None


def test_max_calls_are_counted_whoever_calls() -> None:
    assert translate({}, max_calls="2").lifetime() == Lifetime(uses_max=2, uses_per=STATE_SCOPE_ENVIRONMENT)
    assert translate({}, max_calls=10**30).lifetime() == Lifetime(uses_max=10**9, uses_per=STATE_SCOPE_ENVIRONMENT)


@pytest.mark.parametrize("max_calls", [0, -1])
def test_a_stub_with_no_calls_matches_nothing(max_calls: int) -> None:
    for request in ({}, {"headers": {"x-team": "qa"}}, {"path": "/users/42"}):
        assert matches(request, POSTED)
        assert not matches(request, POSTED, max_calls=max_calls)
    assert translate({}, max_calls=max_calls).lifetime() is None


# Responses.


def test_a_text_is_sent_as_it_is() -> None:
    assert respond_of(body="{{ x }}", status_code="201") == {"status": 201, "text": "{{ x }}", "bare": True}
    assert respond_of(body="") == {"status": 200, "text": "", "bare": True}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"a": [1, 2.5, None], "é": "ü"}, '{"a":[1,2.5,null],"é":"ü"}'),
        ([], "[]"),
        (5, "5"),
        (False, "false"),
        (123456789012345678901, "123456789012345678901"),
    ],
)
def test_other_bodies_are_sent_as_compact_json(body: Any, text: str) -> None:
    assert respond_of(body=body) == {"status": 200, "json": text}


def test_a_template_is_one() -> None:
    assert respond_of(template_body="hello {{ request.query.name }}") == {
        "status": 200,
        "template": "hello {{ request.query.name }}",
        "bare": True,
    }


def test_headers_are_sent_in_their_order_and_numbers_as_texts() -> None:
    found = respond_of(body="", headers={"Content-Type": "text/plain", "X-Count": 3, "x-ok": True, "X-Blank": " a "})
    assert [(each["name"], each["value"]) for each in found["headers"]] == [
        ("Content-Type", "text/plain"),
        ("X-Count", "3"),
        ("x-ok", "true"),
        ("X-Blank", "a"),
    ]


def test_headers_that_are_the_proxys_own_are_left_out() -> None:
    assert OF_THE_PROXY == PROXY_HEADERS
    found = respond_of(body="", headers={"Content-Length": "5", "Connection": "close", "Date": "now", "x-a": "1"})
    assert [each["name"] for each in found["headers"]] == ["x-a"]


# Proxies.


def test_a_request_is_passed_on_to_exactly_the_url() -> None:
    assert action_of({"proxy": {"url": "http://shop.example.com:8080/api/v1?x=1"}})["forward"] == {
        "target": "http://shop.example.com:8080",
        "path": {"replace": "/api/v1"},
        "keep_host": True,
        "first_byte_ms": 5000,
        "query": "x=1",
    }


def test_headers_and_the_timeout_of_a_proxy_are_its_own() -> None:
    found = action_of({"proxy": {"url": "https://a", "headers": {"x-a": "1"}, "timeout": "3"}})["forward"]
    assert found["set_headers"] == [{"name": "x-a", "value": "1"}]
    assert found["first_byte_ms"] == 3000
    assert action_of({"proxy": {"url": "https://a", "timeout": 10**6}})["forward"]["first_byte_ms"] == 600_000


@pytest.mark.parametrize(
    ("url", "target", "path"),
    [
        ("http://a", "http://a", "/"),
        ("HTTP://A.example/x/", "http://a.example", "/x/"),
        ("http://[::1]:81/x", "http://[::1]:81", "/x"),
        ("http://a/{id}/ü 1%zz%20", "http://a", "/%7Bid%7D/%C3%BC%201%25zz%20"),
        ("http://bücher.example/#part", "http://xn--bcher-kva.example", "/"),
    ],
)
def test_nothing_in_a_url_is_a_parameter(url: str, target: str, path: str) -> None:
    found = action_of({"proxy": {"url": url}})["forward"]
    assert (found["target"], found["path"]["replace"]) == (target, path)


def test_a_user_in_a_url_is_told_to_the_target_unless_a_header_says_otherwise() -> None:
    found = action_of({"proxy": {"url": "http://ann:s%40@a"}})["forward"]
    assert found["set_headers"] == [{"name": "authorization", "value": "Basic YW5uOnNA"}]
    given_ = {"url": "http://ann@a", "headers": {"Authorization": "Bearer x"}}
    assert action_of({"proxy": given_})["forward"]["set_headers"] == [{"name": "Authorization", "value": "Bearer x"}]


# Streams.


def test_events_have_what_was_given_and_nothing_else() -> None:
    sse = {
        "default_delay_ms": 100,
        "events": [
            {"id": "", "event": "{{ request.query.e }}", "data": "first"},
            {"data": "", "retry": 0, "delay_ms": 0},
            {"data": "a\nb", "retry": 3000, "delay_ms": "250"},
        ],
    }
    assert action_of({"sse": sse})["events"] == {
        "delay_ms": 100,
        "events": [
            {"id": "", "event": "{{ request.query.e }}", "data": "first"},
            {"retry_ms": 0, "delay_ms": 0},
            {"data": "a\nb", "retry_ms": 3000, "delay_ms": 250},
        ],
        "rounds": 1,
    }


# What goes wrong.


@pytest.mark.parametrize(
    "action", [{"response": HELLO}, {"proxy": {"url": "http://a"}}, {"sse": {"events": [{"data": ""}]}}]
)
def test_latency_and_drops_are_of_every_action(action: dict[str, Any]) -> None:
    chaos = {"latency": {"base_ms": 100, "jitter_ms": 50}, "faults": {"connection_drop": {"probability": 0.35}}}
    found = action_of(action, chaos=chaos)
    assert found["delay"] == {"uniform": {"min_ms": 100, "max_ms": 150}}
    assert found["fault"] == {"kind": "FAULT_KIND_CUT", "probability": 0.35, "fraction": 0.5}


def test_latency_without_jitter_is_a_fixed_time_and_none_is_none() -> None:
    assert action_of({"response": HELLO}, chaos={"latency": {"base_ms": 100}})["delay"] == {"fixed_ms": 100}
    assert action_of({"response": HELLO}, chaos={"latency": {"jitter_ms": 5}})["delay"] == {"uniform": {"max_ms": 5}}
    nothing: list[Any] = [None, {}, {"latency": {}}, {"faults": {}}, {"faults": {"connection_drop": None}}]
    for chaos in nothing:
        assert translate({}, chaos=chaos).action == Action(respond={"status": 200, "text": "hello", "bare": True})


# What is shown.


def test_a_stub_is_shown_with_every_key() -> None:
    view = translate({"path": "/hello", "method": "GET", "headers": {"x-a": "1"}}, max_calls=3).view
    assert view == {
        "request": {
            "method": "GET",
            "path": "/hello",
            "body": None,
            "headers": {"$key_values": {"key_values": {"x-a": {"$eq": {"value": "1"}}}}},
            "host": None,
            "query": None,
        },
        "action": {
            "response": {"status_code": 200, "headers": {}, "body": "hello", "template_body": None},
            "proxy": None,
            "sse": None,
        },
        "chaos": None,
    }
    assert list(view["request"]) == ["method", "path", "body", "headers", "host", "query"]


def test_actions_and_chaos_are_shown_with_their_defaults() -> None:
    proxy = translate({}, {"proxy": {"url": "http://a/{x}", "headers": {"x-n": 1}}}, chaos={}).view
    assert proxy["action"]["proxy"] == {"url": "http://a/{x}", "headers": {"x-n": 1}, "timeout": 5}
    assert proxy["chaos"] == {"latency": {"base_ms": 0, "jitter_ms": 0}, "faults": {"connection_drop": None}}
    sse = translate({}, {"sse": {"events": [{"data": "x"}]}}, chaos={"faults": {"connection_drop": {}}, "delay_ms": 5})
    assert sse.view["action"]["sse"] == {
        "events": [{"data": "x", "event": None, "id": None, "retry": None, "delay_ms": None}],
        "default_delay_ms": 0,
    }
    assert sse.view["chaos"] == {
        "latency": {"base_ms": 5, "jitter_ms": 0},
        "faults": {"connection_drop": {"probability": 1.0}},
    }


@given(criteria(), criteria(), criteria())
def test_a_stub_is_made_again_of_what_is_shown_of_it(body: Any, headers: Any, path: Any) -> None:
    made = translate({"body": body, "headers": headers, "path": path})
    again = translate(made.view["request"], {key: value for key, value in made.view["action"].items() if value})
    assert again.view == made.view
    assert again.matcher == made.matcher


@given(st.sampled_from([{}, {"path": "/a"}]))
def test_what_was_sent_is_not_changed(request: dict[str, Any]) -> None:
    payload = {"request": request, "action": {"response": {**HELLO}}, "chaos": {"delay_ms": 5}}
    before = json.dumps(payload)
    stubs.translate(payload)
    assert json.dumps(payload) == before
