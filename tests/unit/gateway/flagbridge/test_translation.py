"""The pure parts of the dialect: what is read, what is told, and what holds for any text."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from understudy import status
from understudy.status import Problem
from understudy_gateway.dialects.flagbridge import plain, tokens
from understudy_gateway.dialects.flagbridge.asking import (
    environment_id,
    environment_slug,
    project_id,
    project_slug,
)
from understudy_gateway.dialects.flagbridge.evaluating import flattened, speaks_sdk
from understudy_gateway.dialects.flagbridge.rates import Rates
from understudy_gateway.dialects.flagbridge.refusals import Refusal, of_status
from understudy_gateway.dialects.flagbridge.routes import compile_routes
from understudy_gateway.dialects.flagbridge.rules import rules_of, shown_rule
from understudy_gateway.dialects.flagbridge.settings import RequestsAMinute
from understudy_gateway.dialects.flagbridge.texts import written
from understudy_gateway.transcoding import json_text

SLUGS = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)
VALUES = st.one_of(st.booleans(), st.integers(), st.text(), st.lists(st.text()))
OPERATORS = (
    "equals eq not_equals neq in not_in contains not_contains starts_with startsWith ends_with endsWith "
    "greater_than gt gte less_than lt lte is_true is_false exists not_exists"
)
CONDITIONS = st.fixed_dictionaries(
    {
        "attribute": st.text(min_size=1),
        "operator": st.sampled_from(["equals", "neq", "in", "startsWith", "gte", "exists", "made-up", "unknown:gte"]),
        "value": VALUES,
    }
)


@given(key=st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_key_in_a_path_is_the_key_that_was_meant(key: str) -> None:
    path = f"/v1/testing/sessions/sess_a/overrides/{quote(key, safe='')}".encode()
    assert compile_routes().find("DELETE", path).values == ("sess_a", key)


@given(project=SLUGS, environment=SLUGS)
def test_ids_stand_for_their_slugs_and_slugs_for_themselves(project: str, environment: str) -> None:
    assert project_slug(project_id(project)) == project_slug(project) == project
    assert environment_slug(project, environment_id(project, environment)) == environment
    assert environment_slug(project, environment) == environment_slug("", environment) == environment


@pytest.mark.parametrize("name", ["proj_", "_", "nowhere_"])
def test_what_names_no_project_is_never_cut_down_to_nothing(name: str) -> None:
    assert project_slug(name) == name


@pytest.mark.parametrize(
    ("project", "name"),
    [
        ("checkout", "env_checkout_"),
        ("checkout", "env_other_staging"),
        ("checkout", "env_staging"),
        ("checkout", "nowhere_staging"),
        ("checkout", "staging_"),
        ("checkout", "_"),
        ("", "env_checkout_staging"),
        ("", "env__staging"),
    ],
)
def test_the_id_of_another_projects_environment_is_none_of_this_one(project: str, name: str) -> None:
    assert environment_slug(project, name) == name


@given(conditions=st.lists(CONDITIONS, max_size=3), value=st.none() | VALUES, enabled=st.booleans())
def test_a_rule_that_is_told_is_the_rule_that_was_sent(conditions: list[Any], value: Any, enabled: bool) -> None:
    for each in conditions:
        if each["operator"] == "in":
            each["value"] = ["a"]
    sent = {"name": "r", "priority": 3, "operator": "OR", "enabled": enabled, "conditions": conditions, "value": value}
    sent = json_text.parse(json.dumps(sent).encode())
    (rule,) = rules_of({"rules": [sent]})
    told = json_text.parse(written(shown_rule(rule)))
    assert {name: told[name] for name in sent} == sent


@pytest.mark.parametrize("operator", OPERATORS.split())
def test_every_operator_that_is_documented_is_one_of_the_contracts(operator: str) -> None:
    condition = {"attribute": "plan", "operator": operator, "value": ["a"]}
    (rule,) = rules_of({"rules": [{"conditions": [condition]}]})
    assert rule.conditions[0].operator == operator


@given(email=st.text(st.characters(codec="utf-8"), min_size=1), seconds=st.integers(0, 2**32))
def test_a_token_is_read_until_it_ends(email: str, seconds: int) -> None:
    token, ends = tokens.make(email, b"secret", seconds * 1000)
    assert tokens.looks_like_one(token)
    assert tokens.read(token, b"secret", ends * 1000 - 1) == email
    with pytest.raises(Refusal):
        tokens.read(token, b"secret", ends * 1000)


@pytest.mark.parametrize("token", ["..", "a.b.c", "é.b.c", ""])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Refusal):
        tokens.read(token, b"secret", 0)


def test_a_token_of_another_secret_is_refused() -> None:
    token, _ = tokens.make("a@example.com", b"other", 0)
    with pytest.raises(Refusal):
        tokens.read(token, b"secret", 0)


@pytest.mark.parametrize(
    ("sent", "is_sdk"),
    [
        ({"flagKey": "a"}, False),
        ({"flags": ["a"]}, False),
        ({"flag_key": "a"}, True),
        ({"flag_keys": []}, True),
        ({"flagKey": "a", "flag_key": "b"}, False),
        ({}, False),
    ],
)
def test_the_spelling_says_which_dialect_is_spoken(sent: dict[str, Any], is_sdk: bool) -> None:
    assert speaks_sdk(sent) is is_sdk


def test_attributes_stand_beside_the_rest_which_goes_before_them() -> None:
    context = {"userId": "u", "attributes": {"userId": "other", "plan": "beta"}}
    assert flattened(context) == {"userId": "u", "plan": "beta"}


@pytest.mark.parametrize(
    ("kind", "reason", "expected"),
    [
        (code_pb2.UNAUTHENTICATED, "unauthorized", (401, "UNAUTHORIZED")),
        (code_pb2.PERMISSION_DENIED, "scope_mismatch", (403, "FORBIDDEN")),
        (code_pb2.INVALID_ARGUMENT, "invalid_field", (400, "VALIDATION_ERROR")),
        (code_pb2.INVALID_ARGUMENT, "project_required", (400, "VALIDATION_ERROR")),
        (code_pb2.NOT_FOUND, "not_found", (404, "NOT_FOUND")),
        (code_pb2.ALREADY_EXISTS, "already_exists", (409, "CONFLICT")),
        (code_pb2.RESOURCE_EXHAUSTED, "flags_full", (400, "VALIDATION_ERROR")),
        (code_pb2.RESOURCE_EXHAUSTED, "rate_limited", (429, "RATE_LIMITED")),
        (code_pb2.RESOURCE_EXHAUSTED, "key_limit", (409, "CONFLICT")),
        (code_pb2.UNAVAILABLE, "storage_unavailable", (503, "SERVICE_UNAVAILABLE")),
        (code_pb2.INTERNAL, "internal_error", (500, "INTERNAL_ERROR")),
        (code_pb2.UNKNOWN, "from_the_future", (500, "INTERNAL_ERROR")),
    ],
)
def test_each_refusal_of_the_server_has_its_words(kind: int, reason: str, expected: tuple[int, str]) -> None:
    refusal = of_status(status.write(kind, Problem(reason, "why")))
    assert (refusal.http_status, refusal.code) == expected
    assert refusal.body() == {"error": expected[1], "message": "why"}
    assert refusal.body(nested=True) == {"error": {"code": expected[1].lower(), "message": "why"}}


@pytest.mark.parametrize(("kind", "http_status"), [(code_pb2.UNAVAILABLE, 502), (code_pb2.DEADLINE_EXCEEDED, 504)])
def test_the_way_to_the_server_has_its_own(kind: int, http_status: int) -> None:
    assert of_status(Status(code=kind, message="connection refused at 10.0.0.1")).http_status == http_status


def test_rates_are_counted_by_key() -> None:
    rates = Rates(RequestsAMinute())
    used = [rates.count("a", "mgmt", 1000).remaining for _ in range(500)]

    assert used == list(range(499, -1, -1))
    assert rates.count("a", "mgmt", 60_999).is_over
    assert [rates.count("a", "mgmt", now).seconds_left(now) for now in (1000, 1001, 1999, 60_999)] == [60, 60, 60, 1]
    assert not rates.count("b", "mgmt", 60_999).is_over
    assert rates.count("a", "mgmt", 61_000).remaining == 499


BODIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"flagKey": st.sampled_from(["a", "a:b", "", 'a"b', "ä"])},
    optional={
        "project": st.sampled_from(["p", "", None, 1]),
        "environment": st.sampled_from(["staging", "a:b", None]),
        "context": st.none()
        | st.just([])
        | st.dictionaries(st.sampled_from(["userId", "a:b", ""]), VALUES, max_size=3),
        "more": st.just(1),
    },
)


@given(BODIES, st.booleans())
def test_what_is_read_quickly_says_what_it_says_when_it_is_read_in_full(body: dict[str, Any], is_twice: bool) -> None:
    text = json.dumps(body).encode()
    if is_twice:
        text = text[:-1] + b', "flagKey": "b"}'
    found = plain.read(text)
    if found is None:
        return
    assert not is_twice
    in_full = {"project": "", "environment": "", "context": {}, **body}
    context = json.loads(found.context or "{}")
    assert (found.flag_key, found.project, found.environment, context) == (
        in_full["flagKey"],
        in_full["project"],
        in_full["environment"],
        in_full["context"],
    )
    assert "more" not in body


def test_the_documented_request_is_read_quickly() -> None:
    text = b'{"flagKey": "a", "project": "p", "environment": "staging", "context": {"userId": "u:1", "age": 1.50}}'
    assert plain.read(text) == ("a", "p", "staging", '{"userId": "u:1", "age": 1.50}')
