"""The product's own page about its server: each line of curl as it stands there, with only the address put in.

The page has lost four of its commands (to delete and list scopes, to delete a stub, to read a stream); they are written
here as its words ask for. It has no example in Python.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from support.assertive_server import AssertiveServer, AssertiveUser

HELLO = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
"request": {"path": "/hello", "method": "GET"},
"action": {
"response": {
"status_code": 200,
"headers": {"Content-Type": "text/plain"},
"body": "hello"
}
}
}'
"""
CONFIRM = """
curl -X POST http://localhost:8910/__mock__/assert \\
-H "Content-Type: application/json" \\
-d '{"path": "/hello", "method": "GET"}'
"""
MAKE_SCOPE = """
curl -X POST http://localhost:8910/__mock__/scopes \\
-H "Content-Type: application/json" \\
-d '{"name": "team-a"}'
"""
SCOPED = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-H "team-a: 1" \\
-d '{
"request": {"path": "/scoped"},
"action": {"response": {"status_code": 200, "headers": {}, "body": "scoped"}}
}'
"""
DELETE_SCOPE = "curl -X DELETE http://localhost:8910/__mock__/scopes/team-a"
LIST_SCOPES = "curl http://localhost:8910/__mock__/scopes"
DELETE_STUB = "curl -X DELETE http://localhost:8910/__mock__/stubs/<stub_id>"
LATENCY = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
"request": {"path": "/chaos", "method": "GET"},
"action": {
"response": {
"status_code": 200,
"headers": {},
"body": "slow"
}
},
"chaos": {
"latency": {
"base_ms": 100,
"jitter_ms": 50
}
}
}'
"""
DROP = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
"request": {"path": "/chaos-drop", "method": "GET"},
"action": {
"response": {
"status_code": 200,
"headers": {"Content-Type": "text/plain"},
"body": "this response may be interrupted"
}
},
"chaos": {
"faults": {
"connection_drop": {
"probability": 0.35
}
}
}
}'
"""
TEMPLATE = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
"request": {"path": "/hello"},
"action": {
"response": {
"status_code": 200,
"headers": {"Content-Type": "text/plain"},
"template_body": "Hello {{ request.query.name }}"
}
}
}'
"""
CALL_TEMPLATE = 'curl "http://localhost:8910/hello?name=Peter"'
PARAMETER = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
"request": {"path": "/users/{id}", "method": "GET"},
"action": {
"response": {
"status_code": 200,
"headers": {"Content-Type": "text/plain"},
"template_body": "user id: {{ request.path_params.id }}"
}
}
}'
"""
CALL_PARAMETER = "curl http://localhost:8910/users/u_123"
FIELD = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
"request": {"path": "/user"},
"action": {
"response": {
"status_code": 200,
"headers": {"Content-Type": "text/plain"},
"template_body": "user id: {{ request.body.user.id }}"
}
}
}'
"""
CALL_FIELD = """
curl -X POST http://localhost:8910/user \\
-H "Content-Type: application/json" \\
-d '{"user":{"id":"u_123"}}'
"""
EVENTS = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
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
}'
"""
READ_EVENTS = "curl -N http://localhost:8910/events"
EVENT_TEMPLATES = """
curl -X POST http://localhost:8910/__mock__/stubs \\
-H "Content-Type: application/json" \\
-d '{
"request": {"path": "/events-template"},
"action": {
"sse": {
"events": [
{
"id": "{{ request.query.id }}",
"event": "room",
"data": "room={{ request.query.room }}"
}
]
}
}
}'
"""
READ_EVENT_TEMPLATES = 'curl -N "http://localhost:8910/events-template?room=blue&id=evt-9"'

Curl = Callable[[str], tuple[int, str]]


@pytest.fixture
def curl(assertive: AssertiveServer, user: AssertiveUser) -> Iterator[Curl]:
    """Runs a line through a shell, as a reader would paste it; status and body. What it made goes with the test."""
    before = {each["stub_id"] for each in user.stubs()}

    def run(line: str) -> tuple[int, str]:
        command = line.strip().replace("localhost:8910", assertive.address) + " -sS -w '\\n%{http_code}'"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=30)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    yield run
    for each in user.stubs():
        if each["stub_id"] not in before:
            assert user.delete_stub(each["stub_id"]) == 200


def made(answer: tuple[int, str]) -> str:
    """The id of the stub that was made."""
    status, body = answer
    said: dict[str, Any] = json.loads(body)
    assert (status, said["success"]) == (200, True)
    stub_id: str = said["stub_id"]
    return stub_id


def test_a_stub_answers_is_confirmed_and_deleted(curl: Curl, user: AssertiveUser) -> None:
    stub = made(curl(HELLO))
    got = user.ask("GET", "/hello")
    assert (got.status_code, got.text, got.headers["content-type"]) == (200, "hello", "text/plain")
    assert json.loads(curl(CONFIRM)[1]) == {"result": True}
    status, body = curl(DELETE_STUB.replace("<stub_id>", stub))
    assert (status, json.loads(body)) == (200, {"success": True, "stub_id": stub})
    assert user.ask("GET", "/hello").status_code == 404


def test_a_scope_has_a_stub_of_its_own(curl: Curl, user: AssertiveUser) -> None:
    status, body = curl(MAKE_SCOPE)
    assert (status, json.loads(body)) == (201, {"success": True, "name": "team-a"})
    made(curl(SCOPED))
    assert user.said("GET", "/scoped", headers={"team-a": "1"}) == (200, "scoped")
    assert user.said("GET", "/scoped") == (404, "NO_STUB_MATCH_FOUND")
    assert json.loads(curl(LIST_SCOPES)[1]) == {"scopes": ["team-a"]}
    status, body = curl(DELETE_SCOPE)
    assert (status, json.loads(body)) == (200, {"success": True, "name": "team-a"})
    assert user.said("GET", "/scoped", headers={"team-a": "1"}) == (404, "NO_STUB_MATCH_FOUND")


def test_an_answer_is_slow(curl: Curl, user: AssertiveUser) -> None:
    made(curl(LATENCY))
    start = time.monotonic()
    assert user.said("GET", "/chaos") == (200, "slow")
    assert time.monotonic() - start >= 0.1


def test_a_response_may_be_interrupted(curl: Curl, user: AssertiveUser) -> None:
    made(curl(DROP))
    whole = broken = 0
    for _ in range(60):
        try:
            assert user.said("GET", "/chaos-drop") == (200, "this response may be interrupted")
            whole += 1
        except httpx.RemoteProtocolError:
            broken += 1
    assert min(whole, broken) > 0


def test_a_template_reads_the_query(curl: Curl) -> None:
    made(curl(TEMPLATE))
    assert curl(CALL_TEMPLATE) == (200, "Hello Peter")


def test_a_template_reads_what_the_path_captured(curl: Curl) -> None:
    made(curl(PARAMETER))
    assert curl(CALL_PARAMETER) == (200, "user id: u_123")


def test_a_template_reads_a_body_of_json(curl: Curl, user: AssertiveUser) -> None:
    made(curl(FIELD))
    assert curl(CALL_FIELD) == (200, "user id: u_123")
    broken = user.ask("POST", "/user", content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["error"]) == (500, "TEMPLATE_RENDER_ERROR")


def test_events_are_streamed(curl: Curl, user: AssertiveUser) -> None:
    made(curl(EVENTS))
    start = time.monotonic()
    assert curl(READ_EVENTS) == (200, "id: 1\nevent: message\ndata: first\n\nid: 2\nevent: message\ndata: second\n\n")
    assert time.monotonic() - start >= 0.35
    headers = user.ask("GET", "/events").headers
    assert [headers[each] for each in ("content-type", "cache-control", "connection")] == [
        "text/event-stream", "no-cache", "keep-alive",
    ]  # fmt: skip


def test_templates_of_events_read_the_query(curl: Curl) -> None:
    made(curl(EVENT_TEMPLATES))
    assert curl(READ_EVENT_TEMPLATES) == (200, "id: evt-9\nevent: room\ndata: room=blue\n\n")


def test_an_asserted_path_is_literal(user: AssertiveUser) -> None:
    user.ask("GET", "/users/alice")
    assert not user.asserts(path="/users/{id}")
    assert user.asserts(path="/users/alice")
