"""One flag over the protocol: values, reasons and errors."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from support.server import MadePlace
from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy_server.core.flags.buckets import bucket_of

Ask = Callable[..., httpx.Response]
pytestmark = pytest.mark.usefixtures("flagged")


@pytest.mark.parametrize(
    ("key", "context", "told"),
    [
        ("checkout", {}, (True, "DEFAULT", "", "FLAG_ENABLED")),
        ("off", {"plan": "beta"}, ("old", "DISABLED", "", "FLAG_DISABLED")),
        ("color", {"plan": "beta"}, ("green", "TARGETING_MATCH", "green", "TARGETING_RULE_MATCH")),
        ("color", {"plan": "free"}, ("blue", "DEFAULT", "blue", "FLAG_ENABLED")),
        ("some", {"targetingKey": "user-1"}, (True, "SPLIT", "", "PERCENTAGE_ROLLOUT")),
        ("nobody", {}, (False, "SPLIT", "", "PERCENTAGE_ROLLOUT_EXCLUDED")),
        ("limits", {}, ({"max": [1, None]}, "DEFAULT", "", "FLAG_ENABLED")),
    ],
)
def test_a_flag_is_what_it_is_over_any_door(ask: Ask, key: str, context: Any, told: tuple[Any, ...]) -> None:
    answer = ask(key, context=context)
    found = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (found["value"], found["reason"], found["variant"], found["metadata"]["reason"]) == told
    assert found["key"] == key


def test_the_rule_that_decided_is_named(ask: Ask) -> None:
    assert ask("color", context={"plan": "beta"}).json()["metadata"]["ruleId"] == "rule_beta"


@pytest.mark.parametrize(
    ("key", "more", "http_status", "code"),
    [
        ("nothing", {}, 404, "FLAG_NOT_FOUND"),
        ("checkout", {"content": b"{"}, 400, "PARSE_ERROR"),
        ("checkout", {"content": b"[]"}, 400, "PARSE_ERROR"),
        ("checkout", {"content": b'{"context":{"a":1,"a":2}}'}, 400, "PARSE_ERROR"),
        ("checkout", {"content": b'{"context":{"a":1},"context":{"b":2}}'}, 400, "PARSE_ERROR"),
        ("checkout", {"context": "text"}, 400, "INVALID_CONTEXT"),
        ("checkout", {"context": [1]}, 400, "INVALID_CONTEXT"),
        ("some", {"context": {"plan": "beta"}}, 400, "TARGETING_KEY_MISSING"),
    ],
)
def test_what_is_wrong_has_a_code(ask: Ask, key: str, more: Any, http_status: int, code: str) -> None:
    answer = ask(key, **more)
    told = answer.json()
    assert (answer.status_code, told["key"], told["errorCode"]) == (http_status, key, code)
    assert told["errorDetails"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"context":null}'])
def test_nobody_in_particular_is_no_error(ask: Ask, content: bytes) -> None:
    assert ask("checkout", content=content).json()["value"] is True


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer fmk_none"}, {"x-api-key": "none"}])
def test_without_a_good_key_nothing_is_told(ask: Ask, headers: dict[str, str]) -> None:
    assert ask("checkout", headers=headers).status_code == 401


def test_a_key_may_be_in_its_own_header(ask: Ask, auth: str) -> None:
    assert ask("checkout", headers={"x-api-key": auth.removeprefix("Bearer ")}).json()["value"] is True


def test_a_key_for_everything_needs_the_place_in_headers(
    ask: Ask, place: MadePlace, make_key: Callable[..., str]
) -> None:
    wide = {"authorization": make_key(ROLE_ADMIN)}
    named = {"x-understudy-project": place.project, "x-understudy-environment": "staging"}
    nowhere = ask("checkout", headers=wide)
    assert (nowhere.status_code, nowhere.json()["errorCode"]) == (400, "GENERAL")
    assert "x-understudy-project" in nowhere.json()["errorDetails"]
    assert ask("checkout", headers={**wide, **named}).json()["value"] is True
    assert ask("checkout", headers=wide, params={"project": place.project}).json()["value"] is True
    assert ask("checkout", headers={**wide, "x-understudy-project": "none"}).status_code == 400


def test_a_key_of_another_project_is_refused(ask: Ask, auth: str) -> None:
    assert ask("checkout", headers={"authorization": auth, "x-understudy-project": "another"}).status_code == 403


@pytest.mark.parametrize("key", ["some", "nobody"])
def test_a_context_that_only_the_server_can_read_is_read_by_nobody_else(ask: Ask, key: str) -> None:
    context = b'{"context":{"targetingKey":"user-1","x":0.' + b"1" * 5000 + b"}}"
    assert ask(key, content=context).json()["reason"] == "SPLIT"


def test_the_user_is_who_the_targeting_key_says(ask: Ask) -> None:
    inside = next(f"user-{number}" for number in range(100) if bucket_of(f"user-{number}", "some") < 80)
    outside = next(f"user-{number}" for number in range(100) if bucket_of(f"user-{number}", "some") >= 80)
    found = ask("some", context={"userId": outside, "targetingKey": inside}).json()
    assert (found["value"], found["metadata"]["reason"]) == (True, "PERCENTAGE_ROLLOUT")
    assert ask("some", context={"userId": inside, "targetingKey": outside}).json()["value"] is False
