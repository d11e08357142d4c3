"""What became of a flag, its rules and conditions, in words: one sentence each, at most 200 characters of any value."""

from collections.abc import Mapping
from typing import Final

from understudy_server.core.flags.explanation import (
    ConditionVerdict,
    Decision,
    Failure,
    FlagExplanation,
    RolloutVerdict,
    RuleVerdict,
)
from understudy_server.core.flags.model import ABSENT, Join, Operator, Reason, Rule
from understudy_server.core.flags.operators import operator_of
from understudy_server.core.matching.mismatch import cut
from understudy_server.core.matching.wording import quoted, shown_json

_OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.EQUALS: "equals",
    Operator.NOT_EQUALS: "does not equal",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.GREATER_THAN: "is greater than",
    Operator.AT_LEAST: "is at least",
    Operator.LESS_THAN: "is less than",
    Operator.AT_MOST: "is at most",
    Operator.IS_TRUE: "is true",
    Operator.IS_FALSE: "is false",
    Operator.EXISTS: "is there",
    Operator.NOT_EXISTS: "is not there",
}
_ALONE: Final = frozenset((Operator.IS_TRUE, Operator.IS_FALSE, Operator.EXISTS, Operator.NOT_EXISTS))

_DECISIONS: Final[Mapping[Decision, str]] = {
    Decision.DECIDED: "matches, and decides",
    Decision.INACTIVE: "is not active",
    Decision.EARLIER_RULE: "matches, but one before it decides",
    Decision.FLAG_DISABLED: "matches, but the flag is disabled, so that no rule is asked",
    Decision.OVERRIDDEN: "matches and would decide, but the session has a value of its own",
}


def summary(explanation: FlagExplanation) -> str:
    """Why the flag says what it says, in one sentence."""
    evaluation = explanation.evaluation
    key = quoted(evaluation.flag_key)
    if evaluation.reason is Reason.TEST_OVERRIDE:
        instead = evaluation.would_have_been
        value = ABSENT if instead is None else instead.value
        without = "the flag does not exist" if value is ABSENT else f"without it the value would be {shown_json(value)}"
        return f"the session has a value of its own for {key}; {without}"
    if evaluation.reason is Reason.FLAG_NOT_FOUND:
        return f"there is no flag {key}"
    if evaluation.reason is Reason.FLAG_DISABLED:
        return f"{key} is disabled in this environment"
    if evaluation.reason is Reason.TARGETING_RULE_MATCH:
        return f"{key}: {_decisive_rule(explanation)} matches"
    if explanation.rollout is not None:
        return f"{key}: no rule matches, and {rollout_words(explanation.rollout)}"
    return f"{key} is enabled, {'and no rule matches' if explanation.rules else 'for everybody'}"


def rule_words(verdict: RuleVerdict) -> str:
    """What became of a rule, in one sentence."""
    if verdict.decision is Decision.DIFFERS:
        failed = [each for each in verdict.conditions if not each.holds]
        how = "none of its conditions holds" if verdict.rule.join is Join.ANY else condition_words(failed[0])
        return f"{_named(verdict.rule)} does not match: {how}"
    return f"{_named(verdict.rule)} {_DECISIONS[verdict.decision]}"


def condition_words(verdict: ConditionVerdict) -> str:
    """What a condition asks for and, when it does not hold, why, in one sentence."""
    asked = _asked(verdict)
    if verdict.failure is None:
        return f"{asked} holds"
    if verdict.failure is Failure.UNKNOWN_OPERATOR:
        return f"{asked} never holds: there is no operator of this name"
    if verdict.failure is Failure.NOT_COMPARABLE:
        return f"{asked} never holds: this is no value to compare with"
    found = "it is not there" if verdict.found is ABSENT else f"it is {shown_json(verdict.found)}"
    return f"{asked} does not hold: {found}"


def rollout_words(verdict: RolloutVerdict) -> str:
    """Whom a rollout is for, and where the user stands."""
    reach = f"the rollout is {verdict.percentage} %"
    if verdict.bucket is None:
        return f"{reach}, and the context has no user"
    return f"{reach}, and the user is in bucket {verdict.bucket} of 0 to 99: {'in' if verdict.includes else 'out'}"


def _decisive_rule(explanation: FlagExplanation) -> str:
    return next(_named(each.rule) for each in explanation.rules if each.decision is Decision.DECIDED)


def _named(rule: Rule) -> str:
    return f"rule {quoted(rule.name or rule.id)}"


def _asked(verdict: ConditionVerdict) -> str:
    condition = verdict.condition
    known = operator_of(condition.operator)
    words = cut(condition.operator) if known is None else _OPERATORS[known]
    alone = known in _ALONE or condition.value is ABSENT
    return f"{cut(condition.attribute)} {words}{'' if alone else f' {shown_json(condition.value)}'}"
