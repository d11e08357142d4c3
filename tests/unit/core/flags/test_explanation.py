"""Why a flag says what it says: what became of each rule, and the same in words."""

from typing import Any

import pytest
from understudy_server.core.flags.compiled import compile_flag
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.explanation import Decision, Failure, FlagExplanation, RolloutVerdict, explain
from understudy_server.core.flags.explanation_words import condition_words, rollout_words, rule_words, summary
from understudy_server.core.flags.model import ABSENT, Condition, Flag, FlagState, Join, Operator, Rule

KEY = "new-checkout"
BETA = Rule("rule_beta", [Condition("plan", "equals", "beta")], name="Beta users")
OLD = Rule("rule_old", [Condition("plan", "equals", "beta"), Condition("age", "gte", 60)])
OFF = Rule("rule_off", active=False)
EVERYBODY = Rule("rule_all")
RULES = (OLD, OFF, BETA, EVERYBODY)
USER = {"userId": "test-user", "plan": "beta", "age": 33}


@pytest.mark.parametrize(
    ("state", "overrides", "decisions"),
    [
        (FlagState(True, rules=RULES), {}, ("differs", "inactive", "decided", "earlier_rule")),
        (FlagState(True, rules=RULES), {KEY: False}, ("differs", "inactive", "overridden", "earlier_rule")),
        (FlagState(False, rules=RULES), {}, ("differs", "inactive", "flag_disabled", "flag_disabled")),
    ],
)
def test_of_each_rule_is_told_what_became_of_it(
    state: FlagState, overrides: dict[str, Any], decisions: tuple[str, ...]
) -> None:
    found = explained(state, overrides)
    assert [each.rule for each in found.rules] == list(RULES)
    assert tuple(each.decision for each in found.rules) == tuple(map(Decision, decisions))


@pytest.mark.parametrize(
    ("condition", "failure", "found"),
    [
        (Condition("plan", "equals", "beta"), None, "beta"),
        (Condition("plan", "equals", "x"), Failure.DIFFERS, "beta"),
        (Condition("plan", "not_equals", "beta"), Failure.DIFFERS, "beta"),
        (Condition("country", "equals", "BR"), Failure.ABSENT, ABSENT),
        (Condition("country", "not_exists"), None, ABSENT),
        (Condition("plan", "like", "beta"), Failure.UNKNOWN_OPERATOR, "beta"),
        (Condition("plan", "in", 7), Failure.NOT_COMPARABLE, "beta"),
        (Condition("plan", "in", []), Failure.DIFFERS, "beta"),
        (Condition("plan", "starts_with", ["b"]), Failure.NOT_COMPARABLE, "beta"),
        (Condition("plan", "not_in", 7), None, "beta"),
    ],
)
def test_of_each_condition_is_told_why_it_does_not_hold(
    condition: Condition, failure: Failure | None, found: Any
) -> None:
    (verdict,) = explained(FlagState(True, rules=[Rule("r", [condition])])).rules[0].conditions
    assert verdict == (condition, found, failure)


@pytest.mark.parametrize(
    ("state", "user", "expected"),
    [
        (FlagState(True, rollout_percentage=52), USER, RolloutVerdict(52, 51, True, True)),
        (FlagState(True, rollout_percentage=51), USER, RolloutVerdict(51, 51, False, True)),
        (FlagState(True, rollout_percentage=99), {}, RolloutVerdict(99, None, False, True)),
        (FlagState(True, rollout_percentage=0, rules=[EVERYBODY]), USER, RolloutVerdict(0, 51, False, False)),
        (FlagState(True), USER, None),
    ],
)
def test_of_a_rollout_is_told_where_the_user_stands(
    state: FlagState, user: dict[str, Any], expected: RolloutVerdict | None
) -> None:
    assert explained(state, user=user).rollout == expected


def test_a_flag_that_does_not_exist_has_nothing_more_to_tell() -> None:
    found = explain({}, "gone", context_of(USER))
    assert (found.rules, found.rollout) == ((), None)
    assert summary(found) == 'there is no flag "gone"'


@pytest.mark.parametrize(
    ("state", "overrides", "words"),
    [
        (FlagState(True), {}, '"new-checkout" is enabled, for everybody'),
        (FlagState(True, rules=[OLD]), {}, '"new-checkout" is enabled, and no rule matches'),
        (FlagState(False), {}, '"new-checkout" is disabled in this environment'),
        (FlagState(True, rules=RULES), {}, '"new-checkout": rule "Beta users" matches'),
        (
            FlagState(True, rollout_percentage=51),
            {},
            '"new-checkout": no rule matches, and the rollout is 51 %, and the user is in bucket 51 of 0 to 99: out',
        ),
        (
            FlagState(True),
            {KEY: False},
            'the session has a value of its own for "new-checkout"; without it the value would be true',
        ),
    ],
)
def test_why_it_says_so_is_one_sentence(state: FlagState, overrides: dict[str, Any], words: str) -> None:
    assert summary(explained(state, overrides)) == words


def test_a_session_that_sets_what_does_not_exist_is_told_so() -> None:
    found = explain({}, "gone", context_of({}), {"gone": True})
    assert summary(found) == 'the session has a value of its own for "gone"; the flag does not exist'


def test_what_became_of_each_rule_is_one_sentence() -> None:
    assert [rule_words(each) for each in explained(FlagState(True, rules=RULES)).rules] == [
        'rule "rule_old" does not match: age is at least 60 does not hold: it is 33',
        'rule "rule_off" is not active',
        'rule "Beta users" matches, and decides',
        'rule "rule_all" matches, but one before it decides',
    ]


def test_of_a_rule_with_alternatives_is_told_that_none_holds() -> None:
    rule = Rule("r", [Condition("plan", "eq", "a"), Condition("plan", "eq", "b")], Join.ANY)
    found = explained(FlagState(True, rules=[rule])).rules[0]
    assert rule_words(found) == 'rule "r" does not match: none of its conditions holds'


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("plan", "eq", "beta"), 'plan equals "beta" holds'),
        (Condition("plan", "is_true", "ignored"), 'plan is true does not hold: it is "beta"'),
        (Condition("country", "in", ["BR"]), 'country is one of ["BR"] does not hold: it is not there'),
        (Condition("plan", "like", "b"), 'plan like "b" never holds: there is no operator of this name'),
        (Condition("plan", "in", "BR"), 'plan is one of "BR" never holds: this is no value to compare with'),
    ],
)
def test_a_condition_and_what_was_found_are_one_sentence(condition: Condition, words: str) -> None:
    (verdict,) = explained(FlagState(True, rules=[Rule("r", [condition])])).rules[0].conditions
    assert condition_words(verdict) == words


def test_without_a_user_a_rollout_says_so() -> None:
    rollout = explained(FlagState(True, rollout_percentage=5), user={}).rollout
    assert rollout is not None
    assert rollout_words(rollout) == "the rollout is 5 %, and the context has no user"


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_has_words(operator: Operator) -> None:
    (verdict,) = explained(FlagState(True, rules=[Rule("r", [Condition("x", operator, "y")])])).rules[0].conditions
    assert "_" not in condition_words(verdict)


def explained(
    state: FlagState, overrides: dict[str, Any] | None = None, user: dict[str, Any] | None = None
) -> FlagExplanation:
    flags = {KEY: compile_flag(Flag(KEY), state)}
    return explain(flags, KEY, context_of(USER if user is None else user), overrides or {})
