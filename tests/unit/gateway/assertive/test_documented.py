"""The stubs and the assertion of the product's own document, as they stand there."""

import json
from typing import Any

import pytest
from support.accepted_stubs import accept
from understudy_gateway.dialects.assertive import asserting, payloads, reading, stubs
from understudy_gateway.dialects.assertive.times import verdict
from understudy_server.core.matching.request import Request
from understudy_server.definitions.matchers import compile_matcher

STUBS = {
    "hello": """{
"request": {"path": "/hello", "method": "GET"},
"action": {"response": {"status_code": 200, "headers": {"Content-Type": "text/plain"}, "body": "hello"}}
}""",
    "scoped": """{
"request": {"path": "/scoped"},
"action": {"response": {"status_code": 200, "headers": {}, "body": "scoped"}}
}""",
    "chaos": """{
"request": {"path": "/chaos", "method": "GET"},
"action": {"response": {"status_code": 200, "headers": {}, "body": "slow"}},
"chaos": {"latency": {"base_ms": 100, "jitter_ms": 50}}
}""",
    "chaos-drop": """{
"request": {"path": "/chaos-drop", "method": "GET"},
"action": {
"response": {
"status_code": 200, "headers": {"Content-Type": "text/plain"}, "body": "this response may be interrupted"
}
},
"chaos": {"faults": {"connection_drop": {"probability": 0.35}}}
}""",
    "query in a template": """{
"request": {"path": "/hello"},
"action": {
"response": {
"status_code": 200, "headers": {"Content-Type": "text/plain"}, "template_body": "Hello {{ request.query.name }}"
}
}
}""",
    "parameter in a template": """{
"request": {"path": "/users/{id}", "method": "GET"},
"action": {
"response": {
"status_code": 200,
"headers": {"Content-Type": "text/plain"},
"template_body": "user id: {{ request.path_params.id }}"
}
}
}""",
    "body in a template": """{
"request": {"path": "/user"},
"action": {
"response": {
"status_code": 200,
"headers": {"Content-Type": "text/plain"},
"template_body": "user id: {{ request.body.user.id }}"
}
}
}""",
    "events": """{
"request": {"path": "/events", "method": "GET"},
"action": {
"sse": {
"default_delay_ms": 100,
"events": [
{"id": "1", "event": "message", "data": "first"},
{"id": "2", "event": "message", "data": "second", "delay_ms": 250}
]
}
}
}""",
    "templates of events": """{
"request": {"path": "/events-template"},
"action": {
"sse": {
"events": [
{"id": "{{ request.query.id }}", "event": "room", "data": "room={{ request.query.room }}"}
]
}
}
}""",
}


@pytest.mark.parametrize("name", list(STUBS))
def test_a_stub_of_the_document_is_taken(name: str) -> None:
    made = stubs.translate(reading.read(STUBS[name].encode(), "application/json"))
    accept(made)
    wanted: dict[str, Any] = json.loads(STUBS[name])["request"]
    shown = {part: value for part, value in made.view["request"].items() if value is not None}
    assert shown == wanted
    path = wanted["path"].replace("{id}", "u_123")
    assert compile_matcher(made.matcher, "matcher").matches(Request(wanted.get("method", "POST"), path))


def test_the_assertion_of_the_document_is_taken() -> None:
    assertion = asserting.translate({"path": "/hello", "method": "GET"})
    matcher = compile_matcher(assertion.matcher, "matcher")
    assert matcher.matches(Request("GET", "/hello"))
    assert not matcher.matches(Request("POST", "/hello"))
    assert verdict(assertion.times, 1, 1) is True


def test_the_scope_of_the_document_is_taken() -> None:
    assert payloads.scope_name({"name": "team-a"}) == "team-a"
