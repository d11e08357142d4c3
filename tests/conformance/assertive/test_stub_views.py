"""Section 3.5: how stubs are shown."""

from typing import Any

import pytest
from support.assertive_server import AssertiveUser, events, proxied, template, text

REQUEST: dict[str, Any] = dict.fromkeys(("method", "path", "body", "headers", "host", "query"))
RESPONSE = {"status_code": 200, "headers": {}, "body": None, "template_body": None}
ACTION: dict[str, Any] = dict.fromkeys(("response", "proxy", "sse"))
LONG = "words " * 20_000


def same(value: Any) -> dict[str, Any]:
    return {"$eq": {"value": value}}


def pairs(**values: Any) -> dict[str, Any]:
    return {"$key_values": {"key_values": values}}


def test_what_is_not_set_is_shown_as_null(user: AssertiveUser) -> None:
    stub = user.stub({"path": "/shown-plain-and-never-called"}, text("a"))
    assert user.view(stub) == {
        "stub_id": stub,
        "request": REQUEST | {"path": "/shown-plain-and-never-called"},
        "action": ACTION | {"response": RESPONSE | {"body": "a"}},
        "scope": None,
        "chaos": None,
    }
    assert user.delete_stub(stub) == 200


# A matcher as it is sent, and as it is shown.
MATCHERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain texts": (
        {"method": "GET", "host": "h", "body": "b"}, {"method": "GET", "host": "h", "body": "b"},
    ),
    "headers and a query": (
        {"headers": {"x-a": "1"}, "query": {"q": "2", "r": "3"}},
        {"headers": pairs(**{"x-a": same("1")}), "query": pairs(q=same("2"), r=same("3"))},
    ),
    "criteria in headers": (
        {"headers": {"x-a": {"$regex": {"pattern": "a+"}}}},
        {"headers": pairs(**{"x-a": {"$regex": {"pattern": "a+"}}})},
    ),
    "a criterion": (
        {"method": {"$or": {"items": [same("PUT"), same("GET")]}}},
        {"method": {"$or": {"items": [same("PUT"), same("GET")]}}},
    ),
    "a criterion in a criterion": (
        {"body": {"$not": {"value": {"$regex": {"pattern": "x"}}}}},
        {"body": {"$not": {"value": {"$regex": {"pattern": "x"}}}}},
    ),
    "JSON": (
        {"body": {"$json": {"inner_criteria": same({"a": {"$gt": {"value": 1}}})}}},
        {"body": {"$json": {"inner_criteria": same({"a": {"$gt": {"value": 1}}})}}},
    ),
    "nulls": ({"method": None, "headers": None}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", MATCHERS)
def test_a_matcher_is_shown(scoped: AssertiveUser, name: str) -> None:
    sent, shown = MATCHERS[name]
    stub = scoped.stub({"path": "/a", **sent})
    assert scoped.view(stub)["request"] == REQUEST | {"path": "/a"} | shown


def test_a_criterion_on_the_path_is_shown(scoped: AssertiveUser) -> None:
    stub = scoped.stub({"path": {"$regex": {"pattern": "/a"}}})
    assert scoped.view(stub)["request"]["path"] == {"$regex": {"pattern": "/a"}}


# An action as it is sent, and as it is shown.
ACTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": (
        text("a", 201, headers={"X-A": "1"}),
        {"response": RESPONSE | {"status_code": 201, "headers": {"X-A": "1"}, "body": "a"}},
    ),
    "no text": (text(""), {"response": RESPONSE | {"body": ""}}),
    "a long text": (text(LONG), {"response": RESPONSE | {"body": LONG}}),
    "an object": (
        {"response": {"status_code": 200, "headers": {}, "body": {"b": [1, None], "a": "é"}}},
        {"response": RESPONSE | {"body": {"b": [1, None], "a": "é"}}},
    ),
    "a template": (template("{{ request.path }}"), {"response": RESPONSE | {"template_body": "{{ request.path }}"}}),
    "a proxy": (
        proxied("http://127.0.0.1:9/x?y=1"),
        {"proxy": {"url": "http://127.0.0.1:9/x?y=1", "headers": {}, "timeout": 5}},
    ),
    "a proxy with everything": (
        proxied("http://127.0.0.1:9/x", headers={"x-a": "1"}, timeout=2),
        {"proxy": {"url": "http://127.0.0.1:9/x", "headers": {"x-a": "1"}, "timeout": 2}},
    ),
    "an event": (
        events("a"),
        {
            "sse": {
                "events": [{"data": "a", "event": None, "id": None, "retry": None, "delay_ms": None}],
                "default_delay_ms": 0,
            }
        },
    ),
    "an event with everything": (
        events({"data": "a", "event": "e", "id": "", "retry": 0, "delay_ms": 3}, default_delay_ms=7),
        {
            "sse": {
                "events": [{"data": "a", "event": "e", "id": "", "retry": 0, "delay_ms": 3}],
                "default_delay_ms": 7,
            }
        },
    ),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_shown(scoped: AssertiveUser, name: str) -> None:
    sent, shown = ACTIONS[name]
    assert scoped.view(scoped.stub({"path": "/a"}, sent))["action"] == ACTION | shown


def test_how_a_json_body_was_ordered_is_kept(scoped: AssertiveUser) -> None:
    stub = scoped.stub({"path": "/a"}, {"response": {"status_code": 200, "headers": {}, "body": {"b": 1, "a": 2}}})
    assert list(scoped.view(stub)["action"]["response"]["body"]) == ["b", "a"]


NO_DROP = {"connection_drop": None}
CHAOS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a latency": (
        {"latency": {"base_ms": 100}}, {"latency": {"base_ms": 100, "jitter_ms": 0}, "faults": NO_DROP},
    ),
    "a jitter": ({"latency": {"jitter_ms": 5}}, {"latency": {"base_ms": 0, "jitter_ms": 5}, "faults": NO_DROP}),
    "a drop": (
        {"faults": {"connection_drop": {"probability": 0.25}}},
        {"latency": {"base_ms": 0, "jitter_ms": 0}, "faults": {"connection_drop": {"probability": 0.25}}},
    ),
    "a drop for certain": (
        {"faults": {"connection_drop": {}}},
        {"latency": {"base_ms": 0, "jitter_ms": 0}, "faults": {"connection_drop": {"probability": 1.0}}},
    ),
    "nothing": ({}, {"latency": {"base_ms": 0, "jitter_ms": 0}, "faults": NO_DROP}),
    "an older name": ({"delay": {"base_ms": 3}}, {"latency": {"base_ms": 3, "jitter_ms": 0}, "faults": NO_DROP}),
    "the oldest names": (
        {"delay_ms": 3, "jitter_ms": 4}, {"latency": {"base_ms": 3, "jitter_ms": 4}, "faults": NO_DROP},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAOS)
def test_chaos_is_shown_with_its_defaults(scoped: AssertiveUser, name: str) -> None:
    sent, shown = CHAOS[name]
    assert scoped.view(scoped.stub({"path": "/a"}, chaos=sent))["chaos"] == shown


def test_the_number_of_calls_is_not_shown(scoped: AssertiveUser) -> None:
    stub = scoped.stub({"path": "/a"}, max_calls=3)
    scoped.ask("GET", "/a")
    assert set(scoped.view(stub)) == {"stub_id", "request", "action", "scope", "chaos"}


def test_a_scope_lists_its_own_first_and_then_those_of_all(scoped: AssertiveUser) -> None:
    everybody = scoped.unscoped
    made = [each.stub({"path": "/listed"}) for each in (everybody, scoped, everybody, scoped)]
    assert [each["stub_id"] for each in scoped.stubs()][:2] == [made[1], made[3]]
    assert [each["stub_id"] for each in scoped.stubs()][-2:] == [made[0], made[2]]
    assert [each["scope"] for each in scoped.stubs()][:3] == [scoped.scope, scoped.scope, None]
    assert [each["stub_id"] for each in everybody.stubs()][-2:] == [made[0], made[2]]
    assert scoped.stubs()[2:] == everybody.stubs()
    for each in (made[0], made[2]):
        assert everybody.delete_stub(each) == 200


def test_many_are_all_listed_oldest_first(scoped: AssertiveUser) -> None:
    made = [scoped.stub({"path": f"/listed/{number}"}) for number in range(104)]
    assert [each["stub_id"] for each in scoped.stubs()][:104] == made
