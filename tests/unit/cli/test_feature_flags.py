"""``understudy flag``, and flags of sessions, as typed."""

import json

from support.shell import Shell

RULES = """\
rules:
  - id: rule_beta
    conditions: [{attribute: plan, operator: equals, value: beta}]
    value: true
"""


def values(shell: Shell, *arguments: str) -> dict[str, object]:
    found = shell.json("flag", "evaluate", *arguments)["evaluations"]
    return {each["flagKey"]: each.get("value") for each in found}


def test_a_flag_is_made_off_and_set_here(shell: Shell) -> None:
    made = shell.json("flag", "create", "new-checkout", "--name", "New checkout", "--tag", "a")
    state = shell.json("flag", "set", "new-checkout", "--on", "--rollout", "25")

    assert (made["kind"], made["name"], made["tags"], made["states"]) == ("boolean", "New checkout", ["a"], [])
    assert (state["environment"], state["enabled"], state["rolloutPercentage"]) == ("staging", True, 25)


def test_a_flag_is_made_on_everywhere_with_its_variants(shell: Shell) -> None:
    made = shell.json(
        "flag", "create", "colour", "--kind", "string", "--default", "red", "--variant", "red",
        "--variant", 'green={"hex": 1}', "--enabled",
    )  # fmt: skip

    assert (made["defaultValue"], [each.get("value") for each in made["variants"]]) == ("red", [None, {"hex": 1}])
    assert [(each["environment"], each["enabled"]) for each in made["states"]] == [("staging", True)]


def test_edit_changes_what_is_named_and_nothing_else(shell: Shell) -> None:
    shell.ok("flag", "create", "a", "--kind", "number", "--default", "3", "--description", "x")

    after = shell.json("flag", "edit", "a", "--description", "y")
    gone = shell.json("flag", "edit", "a", "--default", "")

    assert (after["description"], after["defaultValue"]) == ("y", 3)
    assert gone["defaultValue"] is None
    assert shell.run("flag", "edit", "a").exit_code == 2


def test_set_leaves_what_it_does_not_name_and_clears_what_it_is_told_to(shell: Shell) -> None:
    shell.ok("flag", "create", "a", "--kind", "string")
    shell.ok("flag", "set", "a", "--on", "--value", "green", "--rollout", "0")

    after = shell.json("flag", "set", "a", "--no-rollout")

    assert (after["enabled"], after["value"], after["rolloutPercentage"]) == (True, "green", None)
    assert shell.json("flag", "set", "a", "--no-value", "--off")["value"] is None


def test_set_takes_rules_from_a_file_and_says_where_one_is_wrong(shell: Shell) -> None:
    shell.ok("flag", "create", "a")

    state = shell.json("flag", "set", "a", "--on", "--rules", "-", typed=RULES)
    wrong = shell.run("flag", "set", "a", "--rules", "-", typed=RULES.replace("equals", "equal"))

    assert [each["id"] for each in state["rules"]] == ["rule_beta"]
    assert wrong.exit_code == 1
    assert "the standard input:3:" in wrong.stderr


def test_set_without_anything_or_both_ways_is_a_mistake(shell: Shell) -> None:
    assert shell.run("flag", "set", "a").exit_code == 2
    assert shell.run("flag", "set", "a", "--on", "--off").exit_code == 2


def test_everywhere_is_every_environment(shell: Shell) -> None:
    shell.ok("flag", "create", "a")
    shell.ok("environment", "create", "qa", place=("--project", "checkout"))

    flag = shell.json("flag", "set", "a", "--on", "--everywhere", place=("--project", "checkout"))

    assert [each["environment"] for each in flag["states"]] == ["qa", "staging"]


def test_lists_and_pages_are_for_people_too(shell: Shell) -> None:
    assert "No flags." in shell.ok("flag", "list")
    shell.ok("flag", "create", "a", "--enabled")

    assert "staging on" in shell.ok("flag", "list")
    assert "No such flags." in shell.ok("flag", "list", "--search", "zzz")
    assert "in staging" in shell.ok("flag", "get", "a")


def test_evaluate_tells_all_flags_or_some_for_somebody(shell: Shell) -> None:
    shell.ok("flag", "create", "a")
    shell.ok("flag", "create", "b", "--enabled")
    shell.ok("flag", "set", "a", "--on", "--rollout", "0", "--rules", "-", typed=RULES)

    assert values(shell) == {"a": False, "b": True}
    assert values(shell, "a", "--attribute", "plan=beta") == {"a": True}
    assert values(shell, "a", "--context", '{"plan": "beta"}') == {"a": True}
    assert shell.run("flag", "evaluate", "--context", "{}", "--user", "u").exit_code == 2
    assert "targeting_rule_match" in shell.ok("flag", "evaluate", "a", "--attribute", "plan=beta")


def test_a_user_is_text_also_where_it_looks_like_a_number(shell: Shell) -> None:
    shell.ok("flag", "create", "a")
    rule = '{"rules": [{"conditions": [{"attribute": "userId", "operator": "equals", "value": "007"}]}]}'
    shell.ok("flag", "set", "a", "--on", "--rollout", "0", "--rules", "-", typed=rule)

    assert values(shell, "a", "--user", "007") == {"a": True}


def test_explain_tells_which_rule_decided(shell: Shell) -> None:
    shell.ok("flag", "create", "a")
    shell.ok("flag", "set", "a", "--on", "--rules", "-", typed=RULES)

    told = shell.ok("flag", "explain", "a", "--attribute", "plan=free", "--user", "u")

    assert 'plan equals "beta" does not hold: it is "free"' in told
    assert shell.json("flag", "explain", "a", "--attribute", "plan=beta")["rules"][0]["decision"] == "decided"


def test_a_session_sets_flags_and_is_warned(shell: Shell) -> None:
    shell.ok("flag", "create", "a")

    result = shell.run("session", "put", "ci-42", "--flag", "a=true", "--flag", "colour=green", "--flag", "n=[1]")
    session = shell.json("session", "get", "ci-42")

    assert session["flags"] == {"a": True, "colour": "green", "n": [1]}
    assert "warning: project 'checkout' has no flag 'colour'" in result.stderr
    assert values(shell, "a", "--session", "ci-42") == {"a": True}
    assert "flags" not in shell.json("session", "put", "ci-42", "--no-flags")
    assert shell.run("session", "put", "ci-42", "--flag", "a").exit_code == 2


def test_a_frozen_session_keeps_its_flags(shell: Shell) -> None:
    shell.ok("flag", "create", "a", "--enabled")
    shell.ok("session", "freeze", "ci-42")
    shell.ok("flag", "set", "a", "--off")

    assert values(shell, "a", "--session", "ci-42") == {"a": True}
    assert "frozen in session ci-42" in shell.ok("flag", "explain", "a", "--session", "ci-42")
    shell.ok("session", "unfreeze", "ci-42")
    assert values(shell, "a", "--session", "ci-42") == {"a": False}


def test_batch_does_several_things_at_once(shell: Shell) -> None:
    operations = [{"create": {"flag": {"key": "a"}}}, {"putState": {"flagKey": "a", "state": {"enabled": True}}}]

    assert "2 operations done: a a" in shell.ok("flag", "batch", "-", typed=json.dumps({"operations": operations}))
    assert values(shell) == {"a": True}


def test_a_flag_that_is_removed_is_gone(shell: Shell) -> None:
    shell.ok("flag", "create", "a")

    assert "flag a is removed" in shell.ok("flag", "delete", "a")
    assert shell.run("flag", "get", "a").exit_code == 3


MANIFEST = """\
source: team
projects:
  checkout:
    existing: true
    environments: {staging: {existing: true}}
    flags:
      colour:
        kind: string
        defaultValue: red
        variants: [{key: green, value: {hex: "#0a0"}, weight: 1}, {key: red}]
        states:
          staging:
            enabled: true
            value: green
            rules:
              - conditions: [{attribute: plan, operator: in, value: [beta, pro]}]
                variant: red
"""


def test_a_file_declares_flags_and_gives_them_back(shell: Shell) -> None:
    told = shell.ok("apply", "-", place=(), typed=MANIFEST)

    assert "+ flag checkout colour" in told
    assert values(shell) == {"colour": {"hex": "#0a0"}}
    assert values(shell, "--attribute", "plan=pro") == {"colour": "red"}
    assert "all is as declared" in shell.ok("apply", "-", place=(), typed=MANIFEST)
    written = shell.ok("dump", "--source", "team", place=())
    assert "all is as declared" in shell.ok("apply", "-", place=(), typed=written)
    assert shell.run("flag", "set", "colour", "--off").exit_code == 1
