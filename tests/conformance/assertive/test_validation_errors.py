"""Section 2.1: what is wrong with what was sent, and where."""

from typing import Any

import pytest
from support.assertive_server import AssertiveUser, events, proxied, text

BOTH_OR_NEITHER = "Value error, Exactly one of body or template_body must be provided."
ONE_ACTION = "Value error, Exactly one of response, proxy, or sse must be provided."
WRONG_DROP = "Value error, Use chaos.faults.connection_drop instead of chaos.connection_drop"
RESPONSE = ["body", "action", "response"]


def stub(action: Any = None, **parts: Any) -> dict[str, Any]:
    return {"request": {}, "action": action or text(), **parts}


def response(**parts: Any) -> dict[str, Any]:
    """A stub whose response has these parts alone."""
    return stub({"response": parts})


# What is sent, and type, place and message of what is said of it. No message: only the first two are promised.
CASES: dict[str, tuple[Any, str, list[Any], str]] = {
    "a body and a template": (
        response(status_code=200, headers={}, body="a", template_body="b"), "value_error", RESPONSE, BOTH_OR_NEITHER,
    ),
    "neither a body nor a template": (
        response(status_code=200, headers={}), "value_error", RESPONSE, BOTH_OR_NEITHER,
    ),
    "a body that is null": (
        response(status_code=200, headers={}, body=None), "value_error", RESPONSE, BOTH_OR_NEITHER,
    ),
    "no action": (stub({"response": None}), "value_error", ["body", "action"], ONE_ACTION),
    "two actions": (stub(text() | proxied("http://127.0.0.1:9/")), "value_error", ["body", "action"], ONE_ACTION),
    "a drop at the wrong level": (
        stub(chaos={"connection_drop": {"probability": 1}}), "value_error", ["body", "chaos"], WRONG_DROP,
    ),
    "no request": ({"action": text()}, "missing", ["body", "request"], "Field required"),
    "no field action": ({"request": {}}, "missing", ["body", "action"], "Field required"),
    "no headers": (response(status_code=200, body=""), "missing", [*RESPONSE, "headers"], "Field required"),
    "no status": (response(headers={}, body=""), "missing", [*RESPONSE, "status_code"], "Field required"),
    "no URL": (stub({"proxy": {}}), "missing", ["body", "action", "proxy", "url"], "Field required"),
    "no data": (
        stub(events({"id": "1"})), "missing", ["body", "action", "sse", "events", 0, "data"], "Field required",
    ),
    "no events": (stub(events()), "too_short", ["body", "action", "sse", "events"], ""),
    "a negative delay": (
        stub(events({"data": "", "delay_ms": -1})), "greater_than_equal",
        ["body", "action", "sse", "events", 0, "delay_ms"], "",
    ),
    "a negative latency": (
        stub(chaos={"latency": {"base_ms": -1}}), "greater_than_equal", ["body", "chaos", "latency", "base_ms"], "",
    ),
    "a probability over one": (
        stub(chaos={"faults": {"connection_drop": {"probability": 1.5}}}), "less_than_equal",
        ["body", "chaos", "faults", "connection_drop", "probability"], "",
    ),
    "a timeout of half a second": (
        stub(proxied("http://127.0.0.1:9/", timeout=0.5)), "int_from_float", ["body", "action", "proxy", "timeout"], "",
    ),
    "a status with a fraction": (
        response(status_code=200.5, headers={}, body=""), "int_from_float", [*RESPONSE, "status_code"], "",
    ),
    "calls with a fraction": (stub(max_calls=1.5), "int_from_float", ["body", "max_calls"], ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_with_a_stub_is_said(scoped: AssertiveUser, name: str) -> None:
    payload, kind, place, message = CASES[name]
    (found,) = scoped.refused(payload)
    assert (found["type"], found["loc"]) == (kind, place)
    if message:
        assert found["msg"] == message
    assert found["msg"]
    assert scoped.unscoped.stubs() == scoped.stubs()


def test_an_error_of_values_has_no_context_but_its_name(user: AssertiveUser) -> None:
    payload = response(status_code=200, headers={})
    (found,) = user.refused(payload)
    assert (found["ctx"], found["input"]) == ({"error": {}}, payload["action"]["response"])


def test_what_is_missing_is_shown_in_what_was_sent(user: AssertiveUser) -> None:
    (found,) = user.refused({"request": {"path": "/a"}})
    assert (found["input"], "ctx" in found) == ({"request": {"path": "/a"}}, False)


def test_bounds_are_in_the_context(user: AssertiveUser) -> None:
    (low,) = user.refused(stub(chaos={"latency": {"jitter_ms": -3}}))
    assert (low["ctx"], low["input"]) == ({"ge": 0}, -3)
    (high,) = user.refused(stub(chaos={"faults": {"connection_drop": {"probability": 2}}}))
    assert (high["ctx"], high["input"]) == ({"le": 1}, 2)


def test_all_that_is_missing_is_said_at_once(user: AssertiveUser) -> None:
    assert [each["loc"] for each in user.refused({})] == [["body", "request"], ["body", "action"]]


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a/b", "é", "a\n", "a:b"])
def test_a_name_of_a_scope_keeps_to_its_pattern(user: AssertiveUser, name: str) -> None:
    (found,) = user.refused({"name": name}, "/__mock__/scopes")
    assert (found["type"], found["loc"]) == ("string_pattern_mismatch", ["body", "name"])
    assert found["ctx"] == {"pattern": "^[A-Za-z0-9_-]+$"}
    assert found["input"] == name


def test_a_scope_has_a_name(user: AssertiveUser) -> None:
    (found,) = user.refused({}, "/__mock__/scopes")
    assert (found["type"], found["loc"]) == ("missing", ["body", "name"])


@pytest.mark.parametrize("path", ["/__mock__/stubs", "/__mock__/assert", "/__mock__/scopes"])
def test_json_that_is_none_is_told_where_it_ends_to_be_one(user: AssertiveUser, path: str) -> None:
    answer = user.ask("POST", path, content=b'{"a": }', headers={"content-type": "application/json"})
    assert answer.status_code == 422
    (found,) = answer.json()["detail"]
    assert (found["type"], found["loc"], found["msg"]) == ("json_invalid", ["body", 6], "JSON decode error")
    assert found["ctx"]["error"]


@pytest.mark.parametrize("path", ["/__mock__/stubs", "/__mock__/assert", "/__mock__/scopes"])
def test_a_body_is_needed(user: AssertiveUser, path: str) -> None:
    answer = user.ask("POST", path)
    assert answer.status_code == 422
    (found,) = answer.json()["detail"]
    assert (found["type"], found["loc"], found["msg"]) == ("missing", ["body"], "Field required")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5"])
def test_a_stub_is_an_object(user: AssertiveUser, body: bytes) -> None:
    answer = user.ask("POST", "/__mock__/stubs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body"]


def test_json_under_the_name_of_text_is_none(user: AssertiveUser) -> None:
    answer = user.ask("POST", "/__mock__/scopes", content=b'{"name": "a"}', headers={"content-type": "text/plain"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "model_attributes_type"
    assert "a" not in user.scopes()


def test_json_needs_no_name(user: AssertiveUser, path: str) -> None:
    body = b'{"request": {"path": "%b"}, "action": {"sse": {"events": [{"data": "a"}]}}}' % path.encode()
    assert user.write("POST", "/__mock__/stubs", body=body).status == 200
    assert user.said("GET", path) == (200, "data: a\n\n")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/merge-patch+json"])
def test_json_may_have_any_of_its_names(user: AssertiveUser, path: str, kind: str) -> None:
    answer = user.ask("POST", "/__mock__/assert", content=b"{}", headers={"content-type": kind})
    assert (answer.status_code, set(answer.json())) == (200, {"result"})


def test_fields_that_nobody_knows_are_left_alone(user: AssertiveUser, path: str) -> None:
    action = {"response": {"status_code": 200, "headers": {}, "body": "yes", "later": 1}, "other": True}
    stub = user.stub({"path": path, "cookies": {}}, action, priority=7)
    assert user.said("GET", path) == (200, "yes")
    assert "priority" not in user.view(stub)


def test_a_whole_number_may_be_written_as_text_or_with_a_fraction_of_nothing(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path}, {"response": {"status_code": "201", "headers": {}, "body": ""}}, max_calls=1.0)
    assert [user.ask("GET", path).status_code for _ in range(2)] == [201, 404]
    assert user.view(stub)["action"]["response"]["status_code"] == 201
