"""FlagBridge's keys: what each scope may do, how often, and what is said of one that works no more."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from support.flagbridge import FlagBridge
from support.server import COMMAND

ALLOWED = {"eval": (True, False, False), "test": (True, True, False), "mgmt": (False, False, True), "full": (True,) * 3}
LIMITS = {"eval": "10000", "test": "1000", "mgmt": "500", "full": "500"}


@pytest.mark.parametrize("scope", ALLOWED)
def test_a_scope_may_do_what_it_says_and_no_more(bridge: FlagBridge, scope: str) -> None:
    answers = (
        bridge.ask(scope, "POST", "/evaluate", {"flagKey": "a"}),
        bridge.ask(scope, "POST", "/testing/sessions", {"projectId": bridge.project}),
        bridge.ask(scope, "GET", f"/projects/{bridge.project}/flags"),
    )
    assert tuple(each.is_success for each in answers) == ALLOWED[scope]
    refused = [each for each in answers if not each.is_success]
    assert all((each.status_code, each.json()["error"]) == (403, "FORBIDDEN") for each in refused)


@pytest.mark.parametrize("scope", ALLOWED)
def test_a_key_is_of_the_documented_form_and_tells_its_limit(bridge: FlagBridge, scope: str) -> None:
    assert re.fullmatch(rf"fb_sk_{scope}_[0-9a-f]{{32}}", bridge.key(scope))
    answers = [bridge.ask(scope, "POST", "/evaluate", {"flagKey": "a"}).headers for _ in range(2)]

    assert [each["x-ratelimit-limit"] for each in answers] == [LIMITS[scope]] * 2
    assert int(answers[0]["x-ratelimit-remaining"]) - int(answers[1]["x-ratelimit-remaining"]) == 1
    assert answers[0]["x-ratelimit-reset"] == answers[1]["x-ratelimit-reset"]


def test_beyond_the_limit_a_key_waits_and_no_other(bridge: FlagBridge) -> None:
    path = f"/projects/{bridge.project}/flags/none/states/production"
    for _ in range(500):
        assert bridge.ask("mgmt", "PUT", path, {}).status_code == 400
    over = bridge.ask("mgmt", "PUT", path, {})

    assert (over.status_code, over.json()["error"]) == (429, "RATE_LIMITED")
    assert over.headers["x-ratelimit-remaining"] == "0"
    assert 1 <= int(over.headers["retry-after"]) <= 60
    assert bridge.ask("full", "PUT", path, {}).status_code == 400


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Basic abc", "Bearer fb_sk_eval_" + "0" * 32, "Bearer a.b.c"]
)
def test_without_a_key_that_works_nothing_is_done(bridge: FlagBridge, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    answer = bridge.ask("", "POST", "/evaluate", {"flagKey": "a"}, headers)

    assert (answer.status_code, answer.json()["error"]) == (401, "UNAUTHORIZED")
    assert answer.headers["x-ratelimit-limit"]


def test_a_revoked_key_is_refused_from_the_next_request_on(bridge: FlagBridge) -> None:
    place = f"/projects/{bridge.project}/api-keys"
    made = bridge.done("mgmt", "POST", place, {"name": "CI", "scope": "test", "environment": "production"})
    bridge.keys["test"] = made["key"]
    bridge.session()
    deleted = bridge.ask("mgmt", "DELETE", f"/api-keys/{made['id']}")

    assert list(made) == ["id", "name", "key", "scope", "environment"]
    assert deleted.status_code == 204
    for method, path, body in [
        ("POST", "/testing/sessions", {"projectId": bridge.project}),
        ("POST", "/testing/sessions", {}),
        ("GET", f"/projects/{bridge.project}", None),
    ]:
        assert bridge.ask("test", method, path, body).status_code == 401


def test_a_rotated_key_has_another_text(bridge: FlagBridge) -> None:
    named = {"projectSlug": bridge.project, "environment_id": "production"}
    made = bridge.done("mgmt", "POST", "/api-keys", {"name": "app", **named})
    bridge.keys["eval"] = made["key"]
    bridge.evaluate("a")
    rotated = bridge.done("mgmt", "POST", f"/api-keys/{made['id']}/rotate")
    old = bridge.ask("eval", "POST", "/evaluate", {"flagKey": "a"})
    bridge.keys["eval"] = rotated["key"]

    assert (made["scope"], rotated["id"], old.status_code) == ("eval", made["id"], 401)
    assert rotated["key"] != made["key"]
    assert bridge.evaluate("a")["reason"] == "FLAG_NOT_FOUND"
    assert bridge.done("mgmt", "DELETE", f"/api-keys/{made['id']}") is None


def test_keys_are_listed_without_their_text(bridge: FlagBridge, make_scoped_key: Callable[..., str]) -> None:
    bridge.keys["mgmt"] = make_scoped_key("mgmt", bridge.project)
    made = bridge.done("mgmt", "POST", "/api-keys", {"name": "listed", "scope": "eval", "environment": "staging"})
    listed = bridge.ask("mgmt", "GET", f"/projects/{bridge.project}/api-keys")
    (found,) = (each for each in listed.json()["apiKeys"] if each["name"] == "listed")

    assert (found["id"], found["keyPrefix"], found["environment"]) == (made["id"], made["key"][:20], "staging")
    assert made["key"] not in listed.text
    bridge.done("mgmt", "DELETE", f"/api-keys/{made['id']}")


def test_a_key_of_one_environment_makes_keys_of_it_alone(bridge: FlagBridge) -> None:
    place = f"/projects/{bridge.project}/api-keys"
    made = bridge.done("mgmt", "POST", place, {"name": "own", "scope": "eval"})
    refused = bridge.ask("mgmt", "POST", place, {"name": "other", "scope": "eval", "environment": "staging"})
    bridge.done("mgmt", "DELETE", f"/api-keys/{made['id']}")

    assert made["environment"] == "production"
    assert (refused.status_code, refused.json()["error"]) == (403, "FORBIDDEN")


def test_keys_of_no_project_and_of_anothers_are_refused_alike_for_any_method(
    bridge: FlagBridge, other_project: str, make_scoped_key: Callable[..., str]
) -> None:
    bridge.keys["full"] = make_scoped_key("full")
    asked = (("mgmt", other_project), ("mgmt", "no-such-project"), ("full", "no-such-project"))
    for method, body in (("GET", None), ("POST", {"name": "a", "scope": "eval"})):
        statuses = [bridge.ask(scope, method, f"/projects/{each}/api-keys", body).status_code for scope, each in asked]
        assert statuses == [403, 403, 404]
    assert bridge.ask("full", "GET", f"/projects/{other_project}/api-keys").json() == {"apiKeys": []}


def test_the_scope_counts_at_understudys_own_doors_too(bridge: FlagBridge) -> None:
    def code(scope: str, method: str, path: str, body: Any = None) -> int:
        headers = {"authorization": f"Bearer {bridge.key(scope)}"}
        return bridge.http.request(method, f"/api/v1{path}", json=body, headers=headers).status_code

    assert code("eval", "POST", f"/projects/{bridge.project}/sessions", {}) == 403
    assert code("eval", "GET", "/sessions/some-key") == 403
    assert code("mgmt", "POST", "/keys", {"name": "wide", "role": "admin", "project": bridge.project}) == 403
    assert code("test", "POST", f"/projects/{bridge.project}/sessions", {}) == 200


def test_the_command_line_makes_a_key(bridge: FlagBridge) -> None:
    place = ("--project", bridge.project, "--environment", "staging")
    line = (*COMMAND, "key", "create", "--kind", "flagbridge", "--scope", "test", "--json")
    data = ("--data", str(bridge.server.data))
    run = subprocess.run((*line, *place, *data), capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    made = json.loads(run.stdout)
    bridge.keys["test"] = made["text"]

    assert (made["key"]["kind"], made["key"]["scope"]) == ("flagbridge", "test")
    assert bridge.session()["projectId"] == bridge.project
    bridge.keys["full"] = bridge.make_key("full", bridge.project)
    bridge.done("full", "DELETE", f"/api-keys/{made['key']['id']}")


@pytest.mark.parametrize("path", ["/evaluate", "/testing/sessions", "/no/such/route"])
def test_browsers_may_ask(bridge: FlagBridge, path: str) -> None:
    answer = bridge.http.options(f"/v1{path}", headers={"origin": "https://app.example.com"})
    allowed = {each.strip().lower() for each in answer.headers["access-control-allow-headers"].split(",")}

    assert answer.status_code == httpx.codes.NO_CONTENT
    assert allowed >= {"authorization", "content-type", "x-flagbridge-session"}
    assert answer.headers["access-control-allow-origin"] == "*"


def test_health_needs_no_key(bridge: FlagBridge) -> None:
    answer = bridge.ask("", "GET", "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_key_to_evaluate_needs_its_project(make_scoped_key: Callable[..., str]) -> None:
    with pytest.raises(Exception, match="project is required"):
        make_scoped_key("eval")
