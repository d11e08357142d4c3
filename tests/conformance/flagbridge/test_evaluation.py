"""FlagBridge's evaluation, in the documented spelling and in that of its published clients."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from support.flagbridge import FlagBridge
from support.management import Operator, RestManagement
from support.plain_http import NO_TLS
from understudy.options.v1.options_pb2 import ROLE_ADMIN

SIX = ["flagKey", "enabled", "variant", "reason", "ruleId", "evaluatedAt"]
BETA = {"id": "rule_beta", "name": "Beta", "conditions": [{"attribute": "plan", "operator": "eq", "value": "beta"}]}
KEY = "größe"


def test_an_override_goes_before_everything(bridge: FlagBridge) -> None:
    session = bridge.session()
    bridge.override(session, "no-such-flag", True)
    bridge.override(session, "colour", "green")
    found = bridge.evaluate("no-such-flag", session["token"], userId="test-user")

    assert list(found) == SIX
    assert (found["enabled"], found["variant"], found["reason"], found["ruleId"]) == (True, None, "TEST_OVERRIDE", None)
    string = bridge.evaluate("colour", session["token"])
    assert (string["enabled"], string["variant"], string["reason"]) == (True, "green", "TEST_OVERRIDE")


def test_the_order_of_resolution(bridge: FlagBridge) -> None:
    place = f"/projects/{bridge.project}/flags/new-checkout-flow"
    reasons = [bridge.evaluate("new-checkout-flow")["reason"]]
    bridge.flag("new-checkout-flow")
    reasons.append(bridge.evaluate("new-checkout-flow")["reason"])
    bridge.done("mgmt", "PUT", f"{place}/states/production", {"enabled": True})
    reasons.append(bridge.evaluate("new-checkout-flow")["reason"])
    bridge.done("mgmt", "PUT", f"{place}/states/production", {"enabled": True, "rolloutPercentage": 80})
    reasons.append(bridge.evaluate("new-checkout-flow", userId="user-123")["reason"])
    bridge.done("mgmt", "PUT", f"{place}/states/production", {"enabled": True, "rolloutPercentage": 81})
    reasons.append(bridge.evaluate("new-checkout-flow", userId="user-123")["reason"])
    bridge.done("mgmt", "PUT", f"{place}/rules/production", {"rules": [BETA]})
    matched = bridge.evaluate("new-checkout-flow", userId="user-123", plan="beta")

    assert reasons == [
        "FLAG_NOT_FOUND",
        "FLAG_DISABLED",
        "FLAG_ENABLED",
        "PERCENTAGE_ROLLOUT_EXCLUDED",
        "PERCENTAGE_ROLLOUT",
    ]
    assert (matched["reason"], matched["ruleId"], matched["enabled"]) == ("TARGETING_RULE_MATCH", "rule_beta", True)


@pytest.mark.parametrize("scope", ["eval", "test", "full"])
def test_a_token_counts_with_every_key_that_may_evaluate(bridge: FlagBridge, scope: str) -> None:
    session = bridge.session()
    bridge.override(session, "a", True)
    assert bridge.evaluate("a", session["token"], scope)["reason"] == "TEST_OVERRIDE"


def test_a_header_finds_the_session_that_its_name_is_for(bridge: FlagBridge) -> None:
    rest = RestManagement(bridge.server.rest)
    operator = Operator(rest, f"Bearer {bridge.server.make_key(project=bridge.project).text}", bridge.project)
    operator.do("PutSession", environment="production", sessionKey="team-a", foundBy="header_name", flags={"a": True})
    rest.close()

    found = bridge.ask("eval", "POST", "/evaluate", {"flagKey": "a"}, {"Team-A": ""}).json()

    assert found["reason"] == "TEST_OVERRIDE"
    assert bridge.evaluate("a")["reason"] == "FLAG_NOT_FOUND"


@pytest.mark.parametrize("token", ["", "sess_unknown_secret", "x" * 600, "sess_", "_", "%00"])
def test_a_token_of_no_session_never_fails_an_evaluation(bridge: FlagBridge, token: str) -> None:
    assert bridge.evaluate("a", token)["reason"] == "FLAG_NOT_FOUND"


def test_ids_ended_sessions_and_those_of_other_projects_are_ignored(
    bridge: FlagBridge, other_project: str, make_scoped_key: Callable[..., str]
) -> None:
    session, ended = bridge.session(), bridge.session()
    for each in (session, ended):
        bridge.override(each, "a", True)
    bridge.done("test", "DELETE", f"/testing/sessions/{ended['id']}")

    assert bridge.evaluate("a", session["id"])["reason"] == "FLAG_NOT_FOUND"
    assert bridge.evaluate("a", ended["token"])["reason"] == "FLAG_NOT_FOUND"
    bridge.keys["eval"] = make_scoped_key("eval", other_project, "staging")
    assert bridge.evaluate("a", session["token"])["reason"] == "FLAG_NOT_FOUND"


def test_of_several_tokens_the_first_counts(bridge: FlagBridge) -> None:
    first, second = bridge.session(), bridge.session()
    bridge.override(first, "a", "one")
    bridge.override(second, "a", "two")
    headers = [("Authorization", f"Bearer {bridge.key('eval')}")]
    headers += [("X-FlagBridge-Session", first["token"]), ("x-flagbridge-session", second["token"])]
    answer = bridge.http.post("/v1/evaluate", json={"flagKey": "a"}, headers=headers)
    assert answer.json()["variant"] == "one"


def test_a_context_member_is_no_token(bridge: FlagBridge) -> None:
    session = bridge.session()
    bridge.override(session, "a", True)
    context = {"_sessionId": session["token"], "sessionId": session["token"], "session_override": True}
    assert bridge.evaluate("a", **context)["reason"] == "FLAG_NOT_FOUND"


def test_an_environment_of_the_body_counts_for_a_key_without_one(
    bridge: FlagBridge, make_scoped_key: Callable[..., str]
) -> None:
    bridge.flag("a")
    bridge.done("mgmt", "PUT", f"/projects/{bridge.project}/flags/a/states/staging", {"enabled": True})
    bridge.keys["full"] = make_scoped_key("full", bridge.project)

    def reason(**named: str) -> Any:
        return bridge.done("full", "POST", "/evaluate", {"flagKey": "a", **named})["reason"]

    assert (reason(), reason(environment="staging")) == ("FLAG_DISABLED", "FLAG_ENABLED")
    answer = bridge.ask("eval", "POST", "/evaluate", {"flagKey": "a", "environment": "staging"})
    assert (answer.status_code, answer.json()["error"]) == (403, "FORBIDDEN")


def test_a_batch_answers_each_flag_once_with_the_session_for_all(bridge: FlagBridge) -> None:
    session = bridge.session()
    bridge.override(session, "a", True)
    bridge.override(session, "b", "green")
    headers = {"X-FlagBridge-Session": session["token"]}
    body = {"flags": ["a", "b", "a", "__proto__"], "context": {"userId": "u"}}
    found = bridge.ask("eval", "POST", "/evaluate/batch", body, headers).json()

    assert list(found) == ["results", "evaluatedAt"]
    assert {key: each["reason"] for key, each in found["results"].items()} == {
        "a": "TEST_OVERRIDE",
        "b": "TEST_OVERRIDE",
        "__proto__": "FLAG_NOT_FOUND",
    }
    assert list(found["results"]["a"]) == SIX


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/evaluate", {}),
        ("/evaluate", {"flagKey": ""}),
        ("/evaluate", {"flagKey": 5}),
        ("/evaluate", {"flagKey": "a", "context": []}),
        ("/evaluate", b"[]"),
        ("/evaluate", b'{"flagKey":"a","flagKey":"b"}'),
        ("/evaluate", b'{"flagKey":"\xff"}'),
        ("/evaluate", b"[" * 5000),
        ("/evaluate/batch", {}),
        ("/evaluate/batch", {"flags": []}),
        ("/evaluate/batch", {"flags": "a"}),
        ("/evaluate/batch", {"flags": [""]}),
        ("/evaluate/batch", {"flags": None, "flag_keys": []}),
        ("/evaluate/batch", {"flags": [f"flag-{number}" for number in range(51)]}),
    ],
)
def test_what_cannot_be_read_is_refused(bridge: FlagBridge, path: str, body: Any) -> None:
    answer = bridge.ask("eval", "POST", path, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")


def test_the_clients_are_given_a_value_bare_and_under_data(bridge: FlagBridge) -> None:
    bridge.flag("colour", type="string", defaultValue="blue")
    asked = {"project": bridge.project, "environment": "production", "flag_key": "colour", "context": {}}
    off = bridge.done("eval", "POST", "/evaluate", asked)
    bridge.done(
        "mgmt",
        "PUT",
        f"/projects/{bridge.project}/flags/colour/rules/production",
        {"rules": [{**BETA, "value": "green"}]},
    )
    bridge.done("mgmt", "PUT", f"/projects/{bridge.project}/flags/colour/states/production", {"enabled": True})
    asked["context"] = {"userId": "u", "attributes": {"plan": "beta"}}
    matched = bridge.done("eval", "POST", "/evaluate", asked)

    assert (off["value"], off["data"]["value"], off["reason"]) == ("blue", "blue", "FLAG_DISABLED")
    assert (matched["value"], matched["data"]["value"], matched["variant"]) == ("green", "green", "green")


def test_the_clients_are_told_of_an_unknown_flag_singly_and_not_in_a_batch(bridge: FlagBridge) -> None:
    bridge.flag("known", enabled=True)
    single = bridge.ask("eval", "POST", "/evaluate", {"flag_key": "unknown"})
    batch = bridge.done("eval", "POST", "/evaluate/batch", {"flag_keys": ["known", "unknown"]})
    everything = bridge.done("eval", "POST", "/evaluate/batch", {"flag_keys": []})

    assert (single.status_code, single.json()["error"]["code"]) == (404, "flag_not_found")
    assert {key: each["value"] for key, each in batch["flags"].items()} == {"known": True}
    assert batch["data"]["flags"] == batch["flags"]
    assert list(everything["flags"]) == ["known"]


def test_a_gateway_of_its_own_answers_the_same(bridge: FlagBridge, gateway: str) -> None:
    session = bridge.session()
    bridge.override(session, "a", "green")
    headers = {"authorization": f"Bearer {bridge.key('eval')}", "x-flagbridge-session": session["token"]}
    answer = httpx.post(f"http://{gateway}/v1/evaluate", json={"flagKey": "a"}, headers=headers, verify=NO_TLS)
    assert (answer.json()["reason"], answer.json()["variant"]) == ("TEST_OVERRIDE", "green")


@pytest.mark.parametrize("body", [{"flag_key": "a"}, {"flag_keys": None}, {"flag_keys": "a"}])
def test_all_flags_are_asked_for_by_an_empty_list_and_by_nothing_else(bridge: FlagBridge, body: Any) -> None:
    bridge.flag("a")
    answer = bridge.ask("eval", "POST", "/evaluate/batch", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


@pytest.mark.parametrize(
    ("carrier", "lines"),
    [
        ({"header": "x-request-id"}, [("x-request-id", KEY)]),
        ({"header": "x-test-run"}, [("x-test-run", KEY)]),
        ({"cookie": "run"}, [("cookie", "theme=dark"), ("cookie", f"run={KEY}")]),
        ({"baggage": "run"}, [("baggage", "user=ada"), ("baggage", f"run={KEY}")]),
    ],
    ids=str,
)
def test_a_carrier_of_the_environment_finds_the_session(bridge: FlagBridge, carrier: Any, lines: Any) -> None:
    bridge.flag("a")
    manage = RestManagement(bridge.server.rest)
    owner = Operator(manage, f"Bearer {bridge.server.make_key(ROLE_ADMIN).text}", bridge.project, "production")
    owner.do("UpdateEnvironment", environment="production", changes={"carriers": [carrier]})
    owner.do("PutSession", sessionKey=KEY, flags={"a": True})
    manage.close()

    headers = [("authorization", f"Bearer {bridge.key('eval')}"), *((name, value.encode()) for name, value in lines)]
    answer = bridge.http.post("/v1/evaluate", json={"flagKey": "a"}, headers=headers)

    assert answer.json()["reason"] == "TEST_OVERRIDE"


def test_a_page_may_send_what_names_its_session(bridge: FlagBridge) -> None:
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    asked["access-control-request-headers"] = "authorization,baggage,x-flowmock-session,x-test-run"
    answer = bridge.http.options("/v1/evaluate", headers={**asked, "access-control-request-private-network": "true"})
    allowed = answer.headers["access-control-allow-headers"].lower().split(", ")
    assert set(allowed) >= {"authorization", "content-type", "x-flagbridge-session", "baggage", "x-flowmock-session"}
    assert "x-test-run" in allowed
    assert answer.headers["access-control-allow-private-network"] == "true"
