"""Flags, their evaluation and the sessions that set them, over three doors."""

import json
from collections.abc import Callable

import httpx
import pytest
from support.doors import Json, RestDoor
from support.management import Operator
from support.plain_http import NO_TLS
from support.server import MadePlace, Server
from understudy.options.v1.options_pb2 import ROLE_CI

RULE = {"id": "rule_beta", "conditions": [{"attribute": "plan", "operator": "eq", "value": "beta"}], "value": True}


def evaluated(operator: Operator, key: str, **asked: Json) -> dict[str, Json]:
    found: dict[str, Json] = operator.do("Evaluate", flagKey=key, **asked)["evaluation"]
    return found


def test_a_flag_is_made_set_evaluated_and_removed(operator: Operator) -> None:
    made = operator.do("CreateFlag", flag={"key": "checkout", "kind": "string", "defaultValue": "old", "tags": ["a"]})
    operator.do("PutFlagState", flagKey="checkout", state={"enabled": True, "value": "new"})

    assert (made["key"], made["kind"], made["defaultValue"], made["states"]) == ("checkout", "string", "old", [])
    assert [each["value"] for each in operator.do("GetFlag", flagKey="checkout")["states"]] == ["new"]
    assert evaluated(operator, "checkout") == {
        "flagKey": "checkout",
        "enabled": True,
        "value": "new",
        "variant": "new",
        "reason": "flag_enabled",
        "ruleId": None,
        "kind": "string",
        "userMissing": False,
    }
    assert operator.do("DeleteFlag", flagKey="checkout") == {}
    assert evaluated(operator, "checkout")["reason"] == "flag_not_found"


@pytest.mark.parametrize("key", ["feature/login", "__proto__", "a:evaluate", "Größe🎭", "100%"])
def test_any_key_is_found_again(operator: Operator, key: str) -> None:
    operator.do("CreateFlag", flag={"key": key})
    operator.do("PutFlagState", flagKey=key, state={"enabled": True})

    assert operator.do("GetFlag", flagKey=key)["key"] == key
    assert operator.do("GetFlagState", flagKey=key)["enabled"] is True
    assert evaluated(operator, key)["reason"] == "flag_enabled"


def test_null_clears_what_is_set_and_what_is_absent_stays(operator: Operator) -> None:
    operator.do("CreateFlag", flag={"key": "a"})
    operator.do("PutFlagState", flagKey="a", state={"enabled": True, "rolloutPercentage": 0, "rules": [RULE]})

    later = operator.do("PutFlagState", flagKey="a", state={"rolloutPercentage": None})

    assert (later["enabled"], later["rolloutPercentage"], len(later["rules"])) == (True, None, 1)


def test_rules_and_rollouts_decide_by_the_context(operator: Operator) -> None:
    operator.do("CreateFlag", flag={"key": "new-checkout-flow"})
    state = {"enabled": True, "rolloutPercentage": 80, "rules": [RULE]}
    operator.do("PutFlagState", flagKey="new-checkout-flow", state=state)

    def reason(**context: Json) -> Json:
        return evaluated(operator, "new-checkout-flow", context=context)["reason"]

    # The bucket of user-123 is 80.
    assert reason(userId="user-123", plan="beta") == "targeting_rule_match"
    assert reason(userId="user-123", plan="free") == "percentage_rollout_excluded"
    operator.do("PutFlagState", flagKey="new-checkout-flow", state={"rolloutPercentage": 81})
    assert reason(userId="user-123") == "percentage_rollout"
    assert reason() == "percentage_rollout_excluded"


def conditions(count: int) -> list[Json]:
    return [{"attribute": "plan", "operator": "exists"}] * count


def test_the_rules_of_a_state_share_two_thousand_conditions(operator: Operator) -> None:
    operator.do("CreateFlag", flag={"key": "a"})
    most = [{"id": f"rule_{number}", "conditions": conditions(100)} for number in range(20)]
    kept = operator.do("PutFlagState", flagKey="a", state={"enabled": True, "rules": most})
    more = {"enabled": False, "rules": [*most, {"conditions": []}, {"conditions": conditions(1)}]}

    refused = operator.ask("PutFlagState", flagKey="a", state=more)
    batch = operator.ask("BatchFlags", operations=[{"putState": {"flagKey": "a", "state": more}}])

    assert (refused.code, batch.code) == ("invalid_body", "invalid_body")
    assert "rules[21].conditions brings the state to more than 2000 conditions" in json.dumps(refused.value)
    assert operator.do("GetFlagState", flagKey="a") == kept


def test_one_put_sets_scenario_and_flags_and_one_delete_clears_both(operator: Operator) -> None:
    operator.do("CreateFlag", flag={"key": "checkout"})

    session = operator.do("PutSession", sessionKey="ci-42", scenario="scn_declined", flags={"checkout": True, "odd": 1})

    assert (session["scenario"], session["flags"]) == ("scn_declined", {"checkout": True, "odd": 1})
    assert [each["code"] for each in session["warnings"]] == ["unknown_flag"]
    assert evaluated(operator, "checkout", sessionKey="ci-42")["reason"] == "test_override"
    assert evaluated(operator, "checkout")["reason"] == "flag_disabled"
    operator.do("DeleteSession", sessionKey="ci-42")
    after = operator.do("GetSession", sessionKey="ci-42")
    assert after["scenario"] is None
    assert "flags" not in after
    assert evaluated(operator, "checkout", sessionKey="ci-42")["reason"] == "flag_disabled"


def test_a_header_finds_the_session_that_its_name_is_for(operator: Operator) -> None:
    operator.do("PutSession", sessionKey="team-a", foundBy="header_name", flags={"checkout": True})

    assert evaluated(operator, "checkout", headers=[{"name": "Team-A"}])["reason"] == "test_override"
    assert evaluated(operator, "checkout", headers=[{"name": "Team-B"}])["reason"] == "flag_not_found"


def test_a_session_without_flags_says_nothing_of_them(operator: Operator) -> None:
    session = operator.do("PutSession", sessionKey="ci-42", label="x")

    assert {"flags", "warnings", "frozenAt"}.isdisjoint(session)


def test_null_takes_all_flags_of_a_session_away(operator: Operator) -> None:
    operator.do("PutSession", sessionKey="ci-42", flags={"a": 1})

    assert operator.do("PutSession", sessionKey="ci-42", flags={})["sessionKey"] == "ci-42"
    assert "flags" not in operator.do("GetSession", sessionKey="ci-42")


def test_over_rest_null_clears_flags_too(rest: RestDoor, auth: str) -> None:
    rest.put(auth, "ci-42", {"flags": {"a": 1}})

    assert rest.put(auth, "ci-42", {"flags": {"b": [1.50, 10000000000000000000001]}}).served["flags"] == {
        "b": [1.5, 10000000000000000000001]
    }
    assert "flags" not in rest.put(auth, "ci-42", {"flags": None}).served


def test_a_frozen_session_stays_as_it_is(operator: Operator) -> None:
    operator.do("CreateFlag", flag={"key": "a"})
    operator.do("PutFlagState", flagKey="a", state={"enabled": True})

    assert "frozenAt" in operator.do("FreezeSession", sessionKey="ci-42")
    operator.do("PutFlagState", flagKey="a", state={"enabled": False})

    assert evaluated(operator, "a", sessionKey="ci-42")["enabled"] is True
    assert "frozenAt" not in operator.do("UnfreezeSession", sessionKey="ci-42")
    assert evaluated(operator, "a", sessionKey="ci-42")["enabled"] is False


def test_a_token_finds_its_session_in_every_environment(operator: Operator) -> None:
    session = operator.do("CreateProjectSession", label="e2e", flags={"a": "green"})
    merged = operator.do("SetProjectSessionFlags", sessionId=session["id"], flags={"b": True, "a": None})

    assert merged["flags"] == {"b": True}
    assert evaluated(operator, "b", sessionToken=session["token"])["reason"] == "test_override"
    assert evaluated(operator, "b", sessionToken=session["id"])["reason"] == "flag_not_found"
    assert operator.do("RemoveProjectSessionFlag", sessionId=session["id"], flagKey="b")["flags"] == {}
    assert [each["id"] for each in operator.do("ListProjectSessions")["sessions"]] == [session["id"]]
    operator.do("DeleteProjectSession", sessionId=session["id"])
    assert operator.ask("GetProjectSession", sessionId=session["id"]).code == "not_found"


def test_a_batch_evaluates_all_at_one_moment(operator: Operator) -> None:
    operator.do("CreateFlag", flag={"key": "a"})

    found = operator.do("EvaluateBatch", flagKeys=["none", "a"])
    everything = operator.do("EvaluateBatch", all=True)

    assert [each["reason"] for each in found["evaluations"]] == ["flag_not_found", "flag_disabled"]
    assert [each["flagKey"] for each in everything["evaluations"]] == ["a"]
    assert operator.ask("EvaluateBatch", flagKeys=[f"f{number}" for number in range(51)]).code == "invalid_body"


def test_an_explanation_is_told_in_words(operator: Operator) -> None:
    operator.do("CreateFlag", flag={"key": "a"})
    operator.do("PutFlagState", flagKey="a", state={"enabled": True, "rules": [RULE]})

    found = operator.do("ExplainFlag", flagKey="a", context={"plan": "free"})

    assert found["rules"][0]["decision"] == "differs"
    assert found["rules"][0]["conditions"][0]["code"] == "differs"
    assert found["summary"]


def test_a_flag_is_switched_on_everywhere_when_it_is_made(operator: Operator) -> None:
    operations = [
        {"create": {"flag": {"key": "a"}}},
        {"putState": {"flagKey": "a", "state": {"enabled": True}}},
    ]

    made, on = operator.do("BatchFlags", operations=operations)["flags"]

    assert (made["states"], [each["enabled"] for each in on["states"]]) == ([], [True])


def test_a_pipelines_key_evaluates_and_sets_sessions_but_no_flags(
    operator: Operator, place: MadePlace, make_key: Callable[..., str]
) -> None:
    ci = Operator(operator.door, make_key(ROLE_CI, place.project), place.project)
    operator.do("CreateFlag", flag={"key": "a"})

    assert ci.do("ListFlags")["total"] == 1
    assert ci.do("PutSession", sessionKey="ci-42", flags={"a": True})["flags"] == {"a": True}
    assert evaluated(ci, "a", sessionKey="ci-42")["enabled"] is True
    assert ci.ask("PutFlagState", flagKey="a", state={"enabled": True}).code == "role_required"
    assert ci.ask("CreateFlag", flag={"key": "b"}).code == "role_required"


def test_over_rest_the_session_is_in_the_headers_that_apps_forward(
    server: Server, operator: Operator, place: MadePlace
) -> None:
    operator.do("PutSession", sessionKey="ci-42", flags={"a": True})
    url = f"http://{server.rest}/api/v1/projects/{place.project}/environments/staging/flags/a:evaluate"

    def reason(**headers: str) -> Json:
        lines = {"authorization": operator.auth} | {name.replace("_", "-"): each for name, each in headers.items()}
        answer = httpx.post(url, json={}, headers=lines, verify=NO_TLS)
        return answer.json()["evaluation"]["reason"]

    assert reason(x_flowmock_session="ci-42") == "test_override"
    assert reason(x_flagbridge_session="ci-42") == "test_override"
    assert reason() == "flag_not_found"
