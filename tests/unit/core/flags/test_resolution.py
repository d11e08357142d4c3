"""The order in which a flag is resolved, and what is said of it at each step."""

from dataclasses import replace
from typing import Any

import pytest
from understudy_server.core.flags.compiled import compile_flag
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.evaluation import evaluate
from understudy_server.core.flags.misfits import Misfit, misfit_of
from understudy_server.core.flags.model import (
    ABSENT,
    Condition,
    Evaluation,
    Flag,
    FlagKind,
    FlagState,
    Join,
    Reason,
    Rule,
    Variant,
)

KEY = "new-checkout"
FLAG = Flag(KEY)
USER = {"userId": "test-user", "plan": "beta"}
FOR_BETA = Rule("rule_beta", [Condition("plan", "equals", "beta")])
# The bucket of this user is 51.
OUT, IN = 51, 52


@pytest.mark.parametrize(
    ("state", "enabled", "reason", "rule_id"),
    [
        (None, False, Reason.FLAG_DISABLED, None),
        (FlagState(False, rollout_percentage=100, rules=[FOR_BETA]), False, Reason.FLAG_DISABLED, None),
        (FlagState(True, rollout_percentage=0, rules=[FOR_BETA]), True, Reason.TARGETING_RULE_MATCH, "rule_beta"),
        (FlagState(True, rollout_percentage=IN), True, Reason.PERCENTAGE_ROLLOUT, None),
        (FlagState(True, rollout_percentage=OUT), False, Reason.PERCENTAGE_ROLLOUT_EXCLUDED, None),
        (FlagState(True, rollout_percentage=0), False, Reason.PERCENTAGE_ROLLOUT_EXCLUDED, None),
        (FlagState(True, rollout_percentage=100), True, Reason.PERCENTAGE_ROLLOUT, None),
        (FlagState(True), True, Reason.FLAG_ENABLED, None),
    ],
)
def test_the_first_step_that_applies_decides(
    state: FlagState | None, enabled: bool, reason: Reason, rule_id: str | None
) -> None:
    found = ask(FLAG, state)
    assert found == Evaluation(KEY, enabled, enabled, reason, None, rule_id)


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("state", [None, FlagState(True), FlagState(True, rules=[FOR_BETA])])
def test_a_boolean_of_the_session_says_whether_the_flag_is_on(state: FlagState | None, value: bool) -> None:
    found = ask(FLAG, state, {KEY: value})
    assert found[:6] == (KEY, value, value, Reason.TEST_OVERRIDE, None, None)


@pytest.mark.parametrize("value", ["green", ""])
def test_a_text_of_the_session_is_a_variant(value: str) -> None:
    assert ask(FLAG, None, {KEY: value})[:5] == (KEY, True, value, Reason.TEST_OVERRIDE, value)


@pytest.mark.parametrize("value", [0, 2.5, None, [], {"a": 1}])
def test_any_other_value_of_the_session_turns_the_flag_on(value: Any) -> None:
    assert ask(FLAG, None, {KEY: value})[:5] == (KEY, True, value, Reason.TEST_OVERRIDE, None)


def test_a_text_of_the_session_stands_for_the_value_of_the_variant_with_that_name() -> None:
    flag = Flag(KEY, FlagKind.JSON, variants=[Variant("green", {"colour": "#0a0"})])
    assert ask(flag, None, {KEY: "green"})[:5] == (KEY, True, {"colour": "#0a0"}, Reason.TEST_OVERRIDE, "green")


def test_a_flag_that_does_not_exist_is_an_answer() -> None:
    expected = Evaluation("gone", False, ABSENT, Reason.FLAG_NOT_FOUND, variant=None, rule_id=None)
    assert evaluate({}, "gone", context_of({})) == expected


@pytest.mark.parametrize("key", ["gone", "__proto__", "constructor", ""])
def test_a_value_of_the_session_counts_for_a_flag_that_does_not_exist(key: str) -> None:
    found = evaluate({}, key, context_of({}), {key: True})
    assert (found.enabled, found.reason) == (True, Reason.TEST_OVERRIDE)
    assert found.would_have_been is not None
    assert found.would_have_been.reason is Reason.FLAG_NOT_FOUND


def test_a_value_of_the_session_is_for_its_flag_alone() -> None:
    assert ask(FLAG, FlagState(True), {"dark-mode": False}).reason is Reason.FLAG_ENABLED


@pytest.mark.parametrize(
    ("rules", "decides"),
    [
        ([FOR_BETA, replace(FOR_BETA, id="second")], "rule_beta"),
        ([FOR_BETA, replace(FOR_BETA, id="first", priority=-1)], "first"),
        ([replace(FOR_BETA, active=False), replace(FOR_BETA, id="second")], "second"),
        ([Rule("all"), FOR_BETA], "all"),
        ([Rule("any", join=Join.ANY), FOR_BETA], "any"),
        ([Rule("one", [Condition("plan", "eq", "x"), Condition("plan", "eq", "beta")], Join.ANY)], "one"),
        ([Rule("both", [Condition("plan", "eq", "x"), Condition("plan", "eq", "beta")]), FOR_BETA], "rule_beta"),
        ([Rule("odd", [Condition("plan", "like", "beta")]), FOR_BETA], "rule_beta"),
    ],
)
def test_the_first_active_rule_that_matches_decides(rules: list[Rule], decides: str) -> None:
    assert ask(FLAG, FlagState(True, rules=rules)).rule_id == decides


@pytest.mark.parametrize(
    ("flag", "rule", "expected"),
    [
        pytest.param(FLAG, Rule("r", value=False), (False, False, None), id="off"),
        pytest.param(FLAG, Rule("r", variant="green"), (True, True, "green"), id="variant-of-boolean"),
        pytest.param(FLAG, Rule("r", value=False, variant="green"), (False, False, "green"), id="off-with-variant"),
        pytest.param(FLAG, Rule("r", value="green"), (True, "green", "green"), id="text"),
        pytest.param(Flag(KEY, default=False), Rule("r"), (True, True, None), id="on-although-default-is-false"),
        pytest.param(Flag(KEY, default=True), Rule("r", value=False), (False, False, None), id="off-although-default"),
        pytest.param(Flag(KEY, FlagKind.STRING, "red"), Rule("r"), (True, "red", "red"), id="on-for-text"),
        pytest.param(Flag(KEY, FlagKind.STRING, "red"), Rule("r", value=False), (False, "red", None), id="text-off"),
        pytest.param(Flag(KEY, FlagKind.NUMBER, 1), Rule("r", value=5), (True, 5, None), id="number"),
        pytest.param(Flag(KEY, FlagKind.JSON), Rule("r", value=None), (True, None, None), id="null"),
        pytest.param(Flag(KEY, FlagKind.STRING, "red"), Rule("r", value=""), (True, "", None), id="empty-text"),
        pytest.param(
            Flag(KEY, FlagKind.NUMBER, 1, [Variant("high", 9)]), Rule("r", value="high"), (True, 9, "high"), id="named"
        ),
        pytest.param(
            Flag(KEY, FlagKind.NUMBER, 1, [Variant("high", 9)]),
            Rule("r", value=9.0),
            (True, 9.0, "high"),
            id="by-value",
        ),
    ],
)
def test_a_rule_says_what_is_served(flag: Flag, rule: Rule, expected: tuple[bool, Any, str | None]) -> None:
    found = ask(flag, FlagState(True, rules=[rule]))
    assert (found.enabled, found.value, found.variant) == expected


@pytest.mark.parametrize(
    ("flag", "value", "expected"),
    [
        pytest.param(Flag(KEY, default=False), ABSENT, (False, None), id="default"),
        pytest.param(Flag(KEY, default=False), True, (True, None), id="environment-over-default"),
        pytest.param(Flag(KEY, FlagKind.STRING, "red"), "green", ("green", "green"), id="text"),
        pytest.param(Flag(KEY, FlagKind.STRING), ABSENT, ("", None), id="no-text"),
        pytest.param(Flag(KEY, FlagKind.NUMBER), ABSENT, (0, None), id="no-number"),
        pytest.param(Flag(KEY, FlagKind.JSON, {"a": 1}), None, (None, None), id="null-is-a-value"),
        pytest.param(Flag(KEY, variants=[Variant("a"), Variant("b")]), ABSENT, (True, "a"), id="first-variant"),
        pytest.param(Flag(KEY, FlagKind.STRING, variants=[Variant("a", "A")]), ABSENT, ("A", "a"), id="its-value"),
        pytest.param(Flag(KEY, FlagKind.STRING, "b", [Variant("a"), Variant("b")]), ABSENT, ("b", "b"), id="named"),
        pytest.param(
            Flag(KEY, FlagKind.STRING, "b", [Variant("a", weight=1), Variant("b")]), ABSENT, ("b", "b"), id="no-weights"
        ),
        pytest.param(
            Flag(KEY, variants=[Variant("on", True), Variant("off", False)]), False, (False, "off"), id="by-value"
        ),
        pytest.param(
            Flag(KEY, FlagKind.NUMBER, variants=[Variant("a", 1, weight=1)]), 7, (7, None), id="of-no-variant"
        ),
        pytest.param(
            Flag(KEY, FlagKind.NUMBER, 3, [Variant("a", 1), Variant("b", 3)]), ABSENT, (3, "b"), id="default-by-value"
        ),
        pytest.param(Flag(KEY, variants=[Variant("a"), Variant("b", weight=1)]), True, (True, "b"), id="weights"),
    ],
)
def test_what_is_on_serves_a_value_and_its_variant(flag: Flag, value: Any, expected: tuple[Any, str | None]) -> None:
    found = ask(flag, FlagState(True, value))
    assert (found.enabled, found.value, found.variant) == (True, *expected)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        (Flag(KEY), False),
        (Flag(KEY, default=True), True),
        (Flag(KEY, FlagKind.STRING, "red"), "red"),
        (Flag(KEY, FlagKind.STRING), ""),
        (Flag(KEY, FlagKind.NUMBER), 0),
        (Flag(KEY, FlagKind.JSON), None),
    ],
)
@pytest.mark.parametrize("state", [FlagState(False, "env"), FlagState(True, "env", rollout_percentage=0)])
def test_what_is_off_serves_the_default_and_no_variant(flag: Flag, value: Any, state: FlagState) -> None:
    found = ask(flag, state)
    assert (found.enabled, found.value, found.variant) == (False, value, None)


def test_frozen_flags_say_what_they_said_whatever_becomes_of_them() -> None:
    rules = [FOR_BETA]
    flags = {KEY: compile_flag(FLAG, FlagState(True, rules=rules)), "gone": compile_flag(Flag("gone"), None)}
    frozen = dict(flags)
    flags |= {KEY: compile_flag(FLAG, None), "new": compile_flag(Flag("new"), FlagState(True))}
    del flags["gone"]
    found = {key: evaluate(frozen, key, context_of(USER)).reason for key in (KEY, "gone", "new")}
    assert found == {KEY: Reason.TARGETING_RULE_MATCH, "gone": Reason.FLAG_DISABLED, "new": Reason.FLAG_NOT_FOUND}
    assert evaluate(frozen, KEY, context_of({})).reason is Reason.FLAG_ENABLED


@pytest.mark.parametrize(
    ("flag", "value", "misfit"),
    [
        (None, True, Misfit.UNKNOWN_FLAG),
        (FLAG, True, None),
        (FLAG, 1, Misfit.WRONG_TYPE),
        (FLAG, "true", Misfit.WRONG_TYPE),
        (FLAG, None, Misfit.WRONG_TYPE),
        (Flag(KEY, FlagKind.STRING), "any", None),
        (Flag(KEY, FlagKind.STRING), False, Misfit.WRONG_TYPE),
        (Flag(KEY, FlagKind.NUMBER), 10**400, None),
        (Flag(KEY, FlagKind.NUMBER), 0.5, None),
        (Flag(KEY, FlagKind.NUMBER), True, Misfit.WRONG_TYPE),
        (Flag(KEY, FlagKind.NUMBER), float("inf"), Misfit.WRONG_TYPE),
        (Flag(KEY, FlagKind.JSON), [1], None),
        (Flag(KEY, FlagKind.JSON), None, None),
        (Flag(KEY, FlagKind.NUMBER, variants=[Variant("high", 9)]), "high", None),
        (Flag(KEY, FlagKind.NUMBER, variants=[Variant("high", 9)]), "low", Misfit.WRONG_TYPE),
        (Flag(KEY, FlagKind.STRING, variants=[Variant("high", "9")]), "9", None),
        (Flag(KEY, FlagKind.STRING, variants=[Variant("high", "9")]), "low", Misfit.UNKNOWN_VARIANT),
    ],
)
def test_a_value_that_does_not_fit_its_flag_is_told(flag: Flag | None, value: Any, misfit: Misfit | None) -> None:
    assert misfit_of(flag, value) is misfit


def ask(flag: Flag, state: FlagState | None, overrides: dict[str, Any] | None = None) -> Evaluation:
    return evaluate({flag.key: compile_flag(flag, state)}, flag.key, context_of(USER), overrides or {})


@pytest.mark.parametrize(
    ("percentage", "attributes", "is_missing"),
    [
        (50, {}, True),
        (1, {"userId": ""}, True),
        (0, {}, False),
        (100, {}, False),
        (None, {}, False),
        (OUT, USER, False),
        (IN, USER, False),
    ],
)
def test_a_user_is_missing_where_a_rollout_of_some_leaves_nobody_out(
    percentage: int | None, attributes: dict[str, Any], is_missing: bool
) -> None:
    flag = compile_flag(FLAG, FlagState(True, rollout_percentage=percentage))
    assert flag.evaluate(context_of(attributes)).user_missing is is_missing
