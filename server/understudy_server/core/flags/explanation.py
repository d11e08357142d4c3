"""Why a flag says what it says: which rule decided, and why each of the others did not. Values alone."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from understudy_server.core.flags.buckets import bucket_of, is_in_rollout
from understudy_server.core.flags.compiled import CompiledFlag, CompiledRule
from understudy_server.core.flags.conditions import CompiledCondition, found_of, matches
from understudy_server.core.flags.evaluation import NO_OVERRIDES, evaluate
from understudy_server.core.flags.model import (
    ABSENT,
    Condition,
    Context,
    Evaluation,
    JsonValue,
    MaybeJson,
    Reason,
    Rule,
)


class Decision(StrEnum):
    """What became of a rule. The values are codes of the contract."""

    DECIDED = "decided"
    """It matches, and says what is served."""
    DIFFERS = "differs"
    """Its conditions do not hold."""
    INACTIVE = "inactive"
    """It is switched off, and would not be asked."""
    EARLIER_RULE = "earlier_rule"
    """It matches; one before it decided."""
    FLAG_DISABLED = "flag_disabled"
    """It matches; the flag is disabled, and no rule is asked."""
    OVERRIDDEN = "overridden"
    """It matches and would have decided; the session has a value of its own."""


class Failure(StrEnum):
    """Why a condition does not hold. The values are codes of the contract."""

    DIFFERS = "differs"
    ABSENT = "absent"
    """The attribute is not there, or null."""
    UNKNOWN_OPERATOR = "unknown_operator"
    NOT_COMPARABLE = "not_comparable"
    """What it compares with is nothing for its operator, such as a number for ``in``."""


class ConditionVerdict(NamedTuple):
    """A condition and what was found; ``failure`` is ``None`` when it holds."""

    condition: Condition
    found: MaybeJson
    failure: Failure | None

    @property
    def holds(self) -> bool:
        """Whether it holds."""
        return self.failure is None


class RuleVerdict(NamedTuple):
    """A rule, what became of it, and each of its conditions, also those that nobody needed to look at."""

    rule: Rule
    decision: Decision
    conditions: Sequence[ConditionVerdict]


class RolloutVerdict(NamedTuple):
    """A rollout and where the user stands. ``bucket`` is ``None`` when the context has no user.

    It was asked only when ``is_decisive``: otherwise something before it decided.
    """

    percentage: int
    bucket: int | None
    includes: bool
    is_decisive: bool


class FlagExplanation(NamedTuple):
    """What a flag says, and why. ``rules`` are in the order in which they are asked; ``rollout`` if there is one."""

    evaluation: Evaluation
    rules: Sequence[RuleVerdict] = ()
    rollout: RolloutVerdict | None = None


def explain(
    flags: Mapping[str, CompiledFlag],
    flag_key: str,
    context: Context,
    overrides: Mapping[str, JsonValue] = NO_OVERRIDES,
) -> FlagExplanation:
    """Evaluate a flag as `evaluation.evaluate` does, and tell why. Never fails."""
    evaluation = evaluate(flags, flag_key, context, overrides)
    flag = flags.get(flag_key)
    if flag is None:
        return FlagExplanation(evaluation)
    return FlagExplanation(evaluation, _rules(flag, context, evaluation), _rollout(flag, context, evaluation))


def _rules(flag: CompiledFlag, context: Context, evaluation: Evaluation) -> Sequence[RuleVerdict]:
    verdicts: list[RuleVerdict] = []
    has_decided = False
    for each in flag.rules:
        does_match = matches(each.ways, context.attributes)
        if not each.rule.active:
            decision = Decision.INACTIVE
        elif not does_match:
            decision = Decision.DIFFERS
        elif not flag.state.enabled:
            decision = Decision.FLAG_DISABLED
        elif has_decided:
            decision = Decision.EARLIER_RULE
        else:
            has_decided = True
            is_overridden = evaluation.reason is Reason.TEST_OVERRIDE
            decision = Decision.OVERRIDDEN if is_overridden else Decision.DECIDED
        verdicts.append(RuleVerdict(each.rule, decision, _conditions(each, context)))
    return verdicts


def _conditions(rule: CompiledRule, context: Context) -> Sequence[ConditionVerdict]:
    return [_condition(each, context) for each in rule.conditions]


def _condition(compiled: CompiledCondition, context: Context) -> ConditionVerdict:
    found = found_of(compiled, context.attributes)
    return ConditionVerdict(compiled.condition, found, _failure(compiled, found, context))


def _failure(compiled: CompiledCondition, found: MaybeJson, context: Context) -> Failure | None:
    if compiled.probe.holds(context.attributes):
        return None
    if compiled.operator is None:
        return Failure.UNKNOWN_OPERATOR
    if not compiled.comparable:
        return Failure.NOT_COMPARABLE
    return Failure.ABSENT if found is ABSENT else Failure.DIFFERS


def _rollout(flag: CompiledFlag, context: Context, evaluation: Evaluation) -> RolloutVerdict | None:
    percentage = flag.state.rollout_percentage
    if percentage is None:
        return None
    user_id, key = context.user_id, flag.flag.key
    return RolloutVerdict(
        percentage,
        bucket_of(user_id, key) if user_id else None,
        includes=is_in_rollout(user_id, key, percentage),
        is_decisive=evaluation.reason in (Reason.PERCENTAGE_ROLLOUT, Reason.PERCENTAGE_ROLLOUT_EXCLUDED),
    )
