"""Evaluation says what the contract says, told plainly, whatever the flag, the context and the session's value."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.made_flags import conditions, contexts, flags, maybe_values, states
from support.plain_flags import plain_evaluate, plain_holds
from understudy_server.core.flags.compiled import compile_flag
from understudy_server.core.flags.conditions import compile_condition
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.evaluation import evaluate
from understudy_server.core.flags.explanation import Decision, explain
from understudy_server.core.flags.model import ABSENT, Condition, Evaluation, Flag, FlagState, Reason, Rule


@settings(max_examples=500)
@given(flags, st.none() | states, contexts, maybe_values)
def test_an_evaluation_is_that_of_the_plain_model(
    flag: Flag, state: FlagState | None, attributes: dict[str, Any], override: Any
) -> None:
    overrides = {} if override is ABSENT else {flag.key: override}
    found = evaluate({flag.key: compile_flag(flag, state)}, flag.key, context_of(attributes), overrides)
    assert said(found) == shown(plain_evaluate(flag.key, flag, state, attributes, override))


@given(flags, states, contexts, maybe_values)
def test_a_value_of_the_session_tells_what_would_have_been(
    flag: Flag, state: FlagState, attributes: dict[str, Any], override: Any
) -> None:
    compiled, context = {flag.key: compile_flag(flag, state)}, context_of(attributes)
    without = evaluate(compiled, flag.key, context)
    overridden = evaluate(compiled, flag.key, context, {flag.key: None if override is ABSENT else override})
    assert without.would_have_been is None
    assert overridden.would_have_been == without


@settings(max_examples=500)
@given(conditions, contexts)
def test_a_condition_holds_as_in_the_plain_model(condition: Condition, attributes: dict[str, Any]) -> None:
    context = context_of(attributes)
    holds = plain_holds(condition, attributes)
    flag = compile_flag(Flag("new-checkout"), FlagState(True, rules=[Rule("rule_1", [condition])]))
    assert compile_condition(condition).probe.holds(context.attributes) is holds
    assert (flag.evaluate(context).reason is Reason.TARGETING_RULE_MATCH) is holds


@given(flags, states, contexts)
def test_the_rule_that_decides_is_the_one_that_is_explained(
    flag: Flag, state: FlagState, attributes: dict[str, Any]
) -> None:
    compiled, context = {flag.key: compile_flag(flag, state)}, context_of(attributes)
    explained = explain(compiled, flag.key, context)
    assert explained.evaluation == evaluate(compiled, flag.key, context)
    deciding = [each.rule.id for each in explained.rules if each.decision is Decision.DECIDED]
    by_rule = explained.evaluation.reason is Reason.TARGETING_RULE_MATCH
    assert deciding == ([explained.evaluation.rule_id] if by_rule else [])


def said(found: Evaluation) -> str:
    """As text, so that true is not 1, and what is no number is itself."""
    return repr((found.enabled, found.value, found.variant, str(found.reason), found.rule_id))


def shown(plain: tuple[Any, ...]) -> str:
    return repr(tuple(plain))
