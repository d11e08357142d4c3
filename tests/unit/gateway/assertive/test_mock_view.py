"""Mocks that were made elsewhere, shown as stubs."""

from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from support.assertive_payloads import JSON
from understudy.v1.actions_pb2 import Action
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import Mock
from understudy_gateway.dialects.assertive import mock_view, stubs
from understudy_gateway.dialects.assertive_admin import page

NOTHING = {"method": None, "path": None, "body": None, "headers": None, "host": None, "query": None}


def request(text: str) -> dict[str, Any]:
    shown = mock_view.view(Mock(matcher=text_format.Parse(text, RequestMatcher())))["request"]
    assert shown.keys() >= NOTHING.keys()
    return {name: value for name, value in shown.items() if value is not None}


def view(text: str) -> dict[str, Any]:
    return mock_view.view(Mock(action=text_format.Parse(text, Action())))


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ("", {}),
        ('method: "GET" path: "/users/{id}"', {"method": "GET", "path": "/users/{id}"}),
        ('path: "/users/:id"', {"path": {"$mock": {"path": "/users/:id"}}}),
        ('path: "/users/"', {"path": {"$mock": {"path": "/users/"}}}),
        ('path_criterion {equals: "/a"}', {"path": {"$eq": {"value": "/a"}}}),
        (
            'path: "/a" state {key: "paid" criterion {present: true}}',
            {"$mock": {"path": "/a", "state": [{"key": "paid", "criterion": {"present": True}}]}},
        ),
        ('host {equals: "shop"}', {"host": "shop"}),
        ('path_criterion {prefix: "/a"}', {"path": {"$mock": {"prefix": "/a"}}}),
        ('body {json_subset: "{\\"a\\": 1.50}"}', {"body": {"$mock": {"jsonSubset": {"a": 1.5}}}}),
        (
            'headers {key: "x-b" value {equals: "1"}} headers {key: "x-a" value {present: true}}',
            {
                "headers": {
                    "$key_values": {"key_values": {"x-a": {"$mock": {"present": True}}, "x-b": {"$eq": {"value": "1"}}}}
                }
            },
        ),
        (
            'query {key: "a" value {equals: "1"}} all_query {present: true}',
            {"query": {"$mock": {"query": {"a": {"equals": "1"}}, "allQuery": {"present": True}}}},
        ),
        (
            'cookies {key: "a" value {equals: "1"}}',
            {"headers": {"$mock": {"cookies": {"a": {"equals": "1"}}}}},
        ),
    ],
)
def test_what_a_stub_can_ask_for_is_shown_so_and_the_rest_as_rest_has_it(matcher: str, expected: Any) -> None:
    assert request(matcher) == expected


@pytest.mark.parametrize(
    ("respond", "body", "template"),
    [
        ("", "", None),
        ('text: "a" bare: true', "a", None),
        ('json: "[1, 2.50]"', [1, 2.5], None),
        ('template: "{{ 1 }}" bare: true', None, "{{ 1 }}"),
    ],
)
def test_a_response_has_its_body(respond: str, body: Any, template: str | None) -> None:
    shown = view(f"respond {{status: 201 headers {{name: 'x-a' value: '1'}} {respond}}}")
    expected = {"status_code": 201, "headers": {"x-a": "1"}, "body": body, "template_body": template}
    assert shown == {"action": {"response": expected, "proxy": None, "sse": None}, "chaos": None, "request": NOTHING}


@pytest.mark.parametrize("body", ["text: 'a'", "template: '{{ 1 }}'"])
def test_a_content_type_that_a_mock_sends_of_itself_is_one_that_a_stub_names(body: str) -> None:
    assert view(f"respond {{{body}}}")["action"]["response"]["headers"] == {"content-type": "text/plain; charset=utf-8"}
    named = view(f"respond {{{body} headers {{name: 'Content-Type' value: 'text/csv'}}}}")
    assert named["action"]["response"]["headers"] == {"Content-Type": "text/csv"}


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("respond {binary: '\\377'}", "respond"),
        ("respond {file: 'may.pdf'}", "respond"),
        ("respond {json: 'null'}", "respond"),
        ("respond {json: '[1]' bare: true}", "respond"),
        ("respond {text: 'a' headers {name: 'a' value: '1'} headers {name: 'a' value: '2'}}", "respond"),
        ("respond {text: 'a' headers {name: 'a' value: '{{ 1 }}'} header_templates: true}", "respond"),
        ("sequence {steps {respond {text: 'a'}}}", "sequence"),
        ("forward {target: 'http://a'}", "forward"),
        ("forward {target: 'http://a' path {strip_prefix: '/b'} keep_host: true first_byte_ms: 7000}", "forward"),
        ("forward {target: 'http://a' path {replace: '/b'} keep_host: true first_byte_ms: 7500}", "forward"),
        ("events {events {data: 'a'}} bytes_per_second: 5", "bytesPerSecond"),
        ("extract {key: 'a'}", "extract"),
        ("fault {kind: FAULT_KIND_RESET}", "fault"),
        ("fault {kind: FAULT_KIND_CUT fraction: 0.25}", "fault"),
        ("delay {log_normal {median_ms: 5}}", "delay"),
    ],
)
def test_what_no_stub_does_is_shown_whole_as_rest_has_it(action: str, said: str) -> None:
    shown = view(action)
    assert {kind: shown["action"][kind] for kind in ("response", "proxy", "sse")} == dict.fromkeys(
        ("response", "proxy", "sse")
    )
    assert said in shown["action"]["$mock"]
    assert shown["chaos"] is None
    text = page.stub_detail({"stub_id": "a", "scope": None, **shown})
    assert "Stub Detail" in text
    assert said in text


def test_a_mock_that_says_nothing_answers_200() -> None:
    assert view("")["action"]["response"]["status_code"] == 200


def test_a_forward_is_a_proxy() -> None:
    shown = view("forward {target: 'http://a' path {replace: '/b'} query: 'c=1' first_byte_ms: 7000 keep_host: true}")
    assert shown["action"]["proxy"] == {"url": "http://a/b?c=1", "headers": {}, "timeout": 7}


def test_events_are_events() -> None:
    shown = view("events {events {data: 'a'} events {data: 'b' event: 'e' id: '' retry_ms: 0} delay_ms: 5 rounds: 1}")
    nothing = {"event": None, "id": None, "retry": None, "delay_ms": None}
    assert shown["action"]["sse"] == {
        "events": [{"data": "a", **nothing}, {**nothing, "data": "b", "event": "e", "id": "", "retry": 0}],
        "default_delay_ms": 5,
    }


@pytest.mark.parametrize(
    ("action", "latency", "drop"),
    [
        ("delay {fixed_ms: 7}", (7, 0), None),
        ("delay {uniform {min_ms: 5 max_ms: 9}}", (5, 4), None),
        ("fault {kind: FAULT_KIND_CUT}", (0, 0), {"probability": 1.0}),
        ("fault {kind: FAULT_KIND_CUT probability: 0.5}", (0, 0), {"probability": 0.5}),
    ],
)
def test_delays_and_cuts_are_chaos(action: str, latency: tuple[int, int], drop: Any) -> None:
    base, jitter = latency
    assert view(action)["chaos"] == {
        "latency": {"base_ms": base, "jitter_ms": jitter},
        "faults": {"connection_drop": drop},
    }


@given(
    body=JSON.filter(lambda value: value is not None),
    base=st.integers(0, 9),
    jitter=st.integers(0, 9),
    drop=st.none() | st.sampled_from([0, 0.5, 1]),
)
def test_a_stub_that_has_lost_its_note_is_shown_as_what_it_does(body: Any, base: int, jitter: int, drop: Any) -> None:
    response = {"status_code": 201, "headers": {"x-a": "1"}, "body": body}
    faults = {"connection_drop": None if drop is None else {"probability": drop}}
    chaos = {"latency": {"base_ms": base, "jitter_ms": jitter}, "faults": faults}
    made = stubs.translate({"request": {"path": "/{a}"}, "action": {"response": response}, "chaos": chaos})
    shown = mock_view.view(Mock(matcher=made.matcher, action=made.action))
    again = stubs.translate(shown)
    assert (again.action, again.matcher) == (made.action, made.matcher)


@pytest.mark.parametrize(
    "action",
    [
        {"proxy": {"url": "http://a.example/b%20c?d=1", "headers": {"x-a": "1"}, "timeout": 7}},
        {"sse": {"events": [{"data": "a", "event": "e", "id": "", "retry": 0, "delay_ms": 5}], "default_delay_ms": 3}},
        {"response": {"status_code": 200, "headers": {}, "template_body": "{{ 1 }}"}},
    ],
)
def test_other_actions_of_stubs_are_shown_as_what_they_do(action: Any) -> None:
    made = stubs.translate({"request": {}, "action": action})
    again = stubs.translate(mock_view.view(Mock(matcher=made.matcher, action=made.action)))
    assert again.action == made.action
