"""FlagBridge's management of projects, environments, flags, states and rules."""

from collections.abc import Callable
from typing import Any

import pytest
from support.flagbridge import ENVIRONMENTS, FlagBridge

RULE = {"name": "Beta", "conditions": [{"attribute": "plan", "operator": "equals", "value": "beta"}], "variant": "v2"}
SHOWN_RULE = {
    "name": "Beta",
    "priority": 0,
    "operator": "AND",
    "conditions": [{"attribute": "plan", "operator": "equals", "value": "beta"}],
    "enabled": True,
    "variant": "v2",
    "value": None,
}


def without_ids(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "id"} for each in rules]


@pytest.fixture
def wide(bridge: FlagBridge, make_scoped_key: Callable[..., str]) -> FlagBridge:
    """One whose key to manage is for all projects."""
    bridge.keys["mgmt"] = make_scoped_key("mgmt")
    return bridge


def test_a_project_comes_with_three_environments(wide: FlagBridge) -> None:
    slug = f"{wide.project}-made"
    answer = wide.ask("mgmt", "POST", "/projects", {"name": "Made", "slug": slug, "description": "for a test"})
    made = answer.json()

    assert answer.status_code == 201
    assert list(made) == ["id", "name", "slug", "environments", "createdAt"]
    assert (made["name"], made["slug"], made["environments"]) == ("Made", slug, list(ENVIRONMENTS))
    assert wide.done("mgmt", "GET", f"/projects/{made['id']}") == made
    assert made in wide.done("mgmt", "GET", "/projects")["projects"]
    assert wide.done("mgmt", "PATCH", f"/projects/{slug}", {"name": "Other"})["name"] == "Other"
    assert [wide.ask("mgmt", "DELETE", f"/projects/{slug}").status_code for _ in range(2)] == [204, 404]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a"}, 400),
        ({"slug": "a"}, 400),
        ({"name": "a", "slug": "No Slug"}, 400),
        ({"name": "a", "slug": 5}, 400),
    ],
)
def test_a_project_needs_a_name_and_a_slug(wide: FlagBridge, body: Any, status: int) -> None:
    assert wide.ask("mgmt", "POST", "/projects", body).status_code == status


def test_a_slug_that_is_taken_is_a_conflict(wide: FlagBridge) -> None:
    answer = wide.ask("mgmt", "POST", "/projects", {"name": "a", "slug": wide.project})
    assert (answer.status_code, answer.json()["error"]) == (409, "CONFLICT")


def test_a_key_of_one_project_makes_no_other(bridge: FlagBridge) -> None:
    answer = bridge.ask("mgmt", "POST", "/projects", {"name": "a", "slug": f"{bridge.project}-b"})
    assert (answer.status_code, answer.json()["error"]) == (403, "FORBIDDEN")


def test_an_environment_is_made_and_listed_after_the_others(
    bridge: FlagBridge, make_scoped_key: Callable[..., str]
) -> None:
    bridge.keys["mgmt"] = make_scoped_key("mgmt", bridge.project)
    place = f"/projects/{bridge.project}/environments"
    made = bridge.done("mgmt", "POST", place, {"name": "QA", "slug": "qa"})
    listed = bridge.done("mgmt", "GET", place)["environments"]

    assert list(made) == ["id", "project_id", "name", "slug", "color", "sort_order", "created_at"]
    assert [each["slug"] for each in listed] == [*ENVIRONMENTS, "qa"]
    assert listed[-1] == made
    assert [each["sort_order"] for each in listed] == [0, 1, 2, 3]


def test_a_flag_is_made_as_documented(bridge: FlagBridge) -> None:
    variants = [{"key": "v1", "weight": 50}, {"key": "v2", "value": "two"}]
    made = bridge.flag("checkout", name="Checkout", description="one page", variants=variants, tags=["a"])

    assert made["id"].startswith("flag_")
    assert {"id", "key", "name", "description", "variants", "rules", "createdAt", "updatedAt"} <= set(made)
    assert (made["key"], made["name"], made["description"]) == ("checkout", "Checkout", "one page")
    assert (made["variants"], made["rules"], made["type"], made["tags"]) == (variants, [], "boolean", ["a"])
    assert bridge.done("mgmt", "GET", f"/projects/{bridge.project}/flags/checkout") == made


@pytest.mark.parametrize(
    "body",
    [
        {"key": "a"},
        {"name": "a"},
        {"key": "Not A Key", "name": "a"},
        {"key": "a--b", "name": "a"},
        {"key": "a", "name": "a", "type": "date"},
        {"key": "a", "name": "a", "enabled": "yes"},
        {"key": "a", "name": "a", "variants": "v"},
        {"key": "a", "name": "a", "type": "number", "default_value": "five"},
    ],
)
def test_a_flag_that_cannot_be_is_refused_and_not_made(bridge: FlagBridge, body: Any) -> None:
    answer = bridge.ask("mgmt", "POST", f"/projects/{bridge.project}/flags", body)

    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
    assert bridge.done("mgmt", "GET", f"/projects/{bridge.project}/flags")["total"] == 0


def test_enabled_at_birth_holds_everywhere_and_is_changed_by_environment(bridge: FlagBridge) -> None:
    made = bridge.flag("a", enabled=True)
    place = f"/projects/{bridge.project}/flags/a"
    later = bridge.done("mgmt", "PATCH", place, {"environments": {"development": {"enabled": False}}})

    assert {name: each["enabled"] for name, each in made["environments"].items()} == dict.fromkeys(ENVIRONMENTS, True)
    assert [each["enabled"] for _, each in sorted(later["environments"].items())] == [False, True, True]
    assert bridge.evaluate("a")["reason"] == "FLAG_ENABLED"


def test_rules_of_a_patch_hold_everywhere_and_those_of_an_environment_there(bridge: FlagBridge) -> None:
    bridge.flag("a", type="string")
    place = f"/projects/{bridge.project}/flags/a"
    patched = bridge.done("mgmt", "PATCH", place, {"name": "A", "description": "d", "rules": [RULE]})
    own = bridge.done("mgmt", "PUT", f"{place}/rules/staging", {"rules": []})

    assert (patched["name"], patched["description"]) == ("A", "d")
    assert without_ids(patched["rules"]) == [SHOWN_RULE]
    assert own == {"rules": []}
    for environment in ("production", "development"):
        assert without_ids(bridge.done("mgmt", "GET", f"{place}/rules/{environment}")["rules"]) == [SHOWN_RULE]


def test_a_rule_is_told_by_the_same_id_in_every_environment(bridge: FlagBridge) -> None:
    rule = {"name": "Everybody", "conditions": []}
    made = bridge.flag("a", enabled=True, rules=[rule])
    bridge.flag("b", enabled=True)
    place = f"/projects/{bridge.project}/flags"
    changed = bridge.done("mgmt", "PATCH", f"{place}/b", {"rules": [rule]})
    bridge.keys["full"] = bridge.make_key("full", bridge.project)

    for flag in (made, changed):
        told = flag["rules"][0]["id"]
        for environment in ENVIRONMENTS:
            (kept,) = bridge.done("mgmt", "GET", f"{place}/{flag['key']}/rules/{environment}")["rules"]
            asked = {"flagKey": flag["key"], "environment": environment}
            assert kept["id"] == bridge.done("full", "POST", "/evaluate", asked)["ruleId"] == told


def test_a_rule_keeps_the_id_that_it_was_given(bridge: FlagBridge) -> None:
    bridge.flag("a", enabled=True)
    rule = {"id": "7b1c0f0e-1111-4222-8333-123456789abc", "conditions": []}
    told = bridge.done("mgmt", "PATCH", f"/projects/{bridge.project}/flags/a", {"rules": [rule]})

    assert told["rules"][0]["id"] == rule["id"] == bridge.evaluate("a")["ruleId"]


def test_an_operator_that_nobody_knows_is_kept_and_never_holds(bridge: FlagBridge) -> None:
    bridge.flag("a", enabled=True)
    condition = {"attribute": "plan", "operator": "sounds_like", "value": "beta"}
    place = f"/projects/{bridge.project}/flags/a/rules/production"
    told = bridge.done("mgmt", "PUT", place, {"rules": [{"name": "r", "conditions": [condition], "value": False}]})

    assert told["rules"][0]["conditions"] == [condition]
    assert bridge.evaluate("a", plan="beta")["reason"] == "FLAG_ENABLED"


def test_the_rules_of_a_flag_share_two_thousand_conditions(bridge: FlagBridge) -> None:
    place = f"/projects/{bridge.project}/flags"
    rule = {"name": "r", "conditions": [{"attribute": "plan", "operator": "exists", "value": None}] * 100}
    bridge.flag("a", enabled=True, rules=[rule] * 20)
    many = [rule] * 20 + [{**rule, "conditions": rule["conditions"][:1]}]

    made = bridge.ask("mgmt", "POST", place, {"key": "b", "name": "b", "rules": many})
    patched = bridge.ask("mgmt", "PATCH", f"{place}/a", {"name": "other", "rules": many})
    put = bridge.ask("mgmt", "PUT", f"{place}/a/rules/staging", {"rules": many})

    for answer in (made, patched, put):
        assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
        assert answer.json()["message"] == "rules[20].conditions brings the state to more than 2000 conditions"
    assert bridge.ask("mgmt", "GET", f"{place}/b").status_code == 404
    kept = bridge.done("mgmt", "GET", f"{place}/a")
    assert (kept["name"], len(kept["rules"])) == ("a", 20)


def test_a_list_may_be_written_in_a_text(bridge: FlagBridge) -> None:
    bridge.flag("a", enabled=True)
    condition = {"attribute": "plan", "operator": "in", "value": '["beta", "gold"]'}
    bridge.done("mgmt", "PATCH", f"/projects/{bridge.project}/flags/a", {"rules": [{"conditions": [condition]}]})
    assert bridge.evaluate("a", plan="gold")["reason"] == "TARGETING_RULE_MATCH"


def test_a_state_is_set_and_read(bridge: FlagBridge) -> None:
    bridge.flag("a")
    place = f"/projects/{bridge.project}/flags/a/states/staging"
    unset = bridge.done("mgmt", "GET", place)
    put = bridge.done("mgmt", "PUT", place, {"enabled": True, "rolloutPercentage": 25})
    cleared = bridge.done("mgmt", "PUT", place, {"enabled": True, "rollout": None})

    assert (unset["enabled"], unset["updatedAt"]) == (False, None)
    assert list(put) == ["flagKey", "environment", "enabled", "rolloutPercentage", "updatedAt"]
    assert (put["flagKey"], put["environment"], put["rolloutPercentage"]) == ("a", "staging", 25)
    assert bridge.done("mgmt", "GET", place) == cleared
    assert cleared["rolloutPercentage"] is None


@pytest.mark.parametrize(
    "body",
    [{}, {"enabled": None}, {"enabled": 1}, {"enabled": True, "rolloutPercentage": 101}]
    + [{"enabled": True, "rolloutPercentage": each} for each in (-1, 1.5, "25")],
)
def test_a_state_that_cannot_be_is_refused(bridge: FlagBridge, body: Any) -> None:
    bridge.flag("a")
    answer = bridge.ask("mgmt", "PUT", f"/projects/{bridge.project}/flags/a/states/staging", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("rest", ["none", "none/states/staging", "a/states/none", "none/rules/staging"])
def test_what_is_not_there_is_not_found(bridge: FlagBridge, rest: str) -> None:
    bridge.flag("a")
    answer = bridge.ask("mgmt", "GET", f"/projects/{bridge.project}/flags/{rest}")
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


def test_flags_are_told_by_the_page(bridge: FlagBridge) -> None:
    for number in range(5):
        bridge.flag(f"flag-{number}", enabled=True)
    place = f"/projects/{bridge.project}/flags"
    second = bridge.done("mgmt", "GET", f"{place}?page=2&perPage=2")
    beyond = bridge.done("mgmt", "GET", f"{place}?page=9&perPage=200")
    found = bridge.done("mgmt", "GET", f"{place}?q=flag-3&environment=staging")

    assert [each["key"] for each in second["flags"]] == ["flag-2", "flag-3"]
    assert (second["total"], second["page"], second["perPage"]) == (5, 2, 2)
    assert (beyond["flags"], beyond["perPage"]) == ([], 100)
    assert [list(each["environments"]) for each in found["flags"]] == [["staging"]]
    assert bridge.ask("mgmt", "GET", f"{place}?page=0").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "", {"key": "a", "name": "a"}, "there is a flag 'a' already"),
        ("POST", "", {"key": "b", "name": "b" * 201}, "name has 201 characters, more than 200"),
        ("PATCH", "/a", {"name": "a" * 201}, "name has 201 characters, more than 200"),
        ("PATCH", "/a", {"rules": [{"id": "r"}, {"id": "r"}]}, "rules[1].id is there twice"),
        ("PATCH", "/a", {"rules": [{"id": "r" * 70}]}, "rules[0].id has 70 characters, more than 69"),
        ("PUT", "/a/rules/staging", {"rules": [{"id": "r"}, {"id": "r"}]}, "rules[1].id is there twice"),
    ],
)
def test_a_refusal_names_members_as_they_were_sent(
    bridge: FlagBridge, method: str, path: str, body: Any, message: str
) -> None:
    bridge.flag("a")
    answer = bridge.ask("mgmt", method, f"/projects/{bridge.project}/flags{path}", body)
    assert answer.json()["message"] == message


def test_a_removed_flag_is_not_found(bridge: FlagBridge) -> None:
    bridge.flag("a", enabled=True)
    place = f"/projects/{bridge.project}/flags/a"

    assert [bridge.ask("mgmt", "DELETE", place).status_code for _ in range(2)] == [204, 404]
    assert bridge.evaluate("a")["reason"] == "FLAG_NOT_FOUND"


def test_a_key_never_changes(bridge: FlagBridge) -> None:
    bridge.flag("a")
    assert bridge.ask("mgmt", "PATCH", f"/projects/{bridge.project}/flags/a", {"key": "b"}).status_code == 400


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/none", 404), ("DELETE", "/evaluate", 405)])
def test_no_route_and_no_method(bridge: FlagBridge, method: str, path: str, status: int) -> None:
    answer = bridge.ask("eval", method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}
