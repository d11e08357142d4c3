"""Evaluation: what is set holds from the very next one, alone or in a batch, and is explained."""

import json
from threading import get_ident

import pytest
from support.desk import Desk
from support.dispatching import World
from support.evaluating import DISABLED, ENABLED, NOT_FOUND, OVERRIDE, batch, evaluate, put, set_flag
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1 import flags_pb2 as flags
from understudy.v1.flag_service_pb2 import DeleteFlagRequest, DeleteFlagResponse
from understudy.v1.flags_pb2 import FlagCondition, FlagRule, FlagState
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.flags.model import Context


async def test_a_flag_that_does_not_exist_is_no_error(desk: Desk) -> None:
    found = await evaluate(desk)

    assert (found.reason, found.enabled, found.HasField("value"), found.kind) == (NOT_FOUND, False, False, 0)


async def test_a_flag_that_was_never_set_is_off(desk: Desk) -> None:
    await set_flag(desk)

    found = await evaluate(desk)

    assert (found.reason, found.enabled, found.value) == (DISABLED, False, "false")


async def test_what_is_set_holds_from_the_next_evaluation_on(desk: Desk) -> None:
    for enabled in (True, False) * 5:
        await set_flag(desk, state=FlagState(enabled=enabled))
        found = await evaluate(desk)
        assert (found.enabled, found.value) == (enabled, json.dumps(enabled))


async def test_a_flag_that_is_made_or_removed_after_it_was_asked_for_is_seen(desk: Desk) -> None:
    assert (await evaluate(desk)).reason == NOT_FOUND
    await set_flag(desk, state=FlagState(enabled=True))
    assert (await evaluate(desk)).reason == ENABLED
    await desk.call("FlagService.DeleteFlag", DeleteFlagRequest(flag_key="new-checkout"), DeleteFlagResponse)

    assert (await evaluate(desk)).reason == NOT_FOUND


async def test_environments_and_projects_do_not_see_each_others_states(desk: Desk, here: World) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await evaluate(desk)

    assert (await evaluate(Desk(here, environment="qa"))).reason == DISABLED
    assert (await evaluate(Desk(here, "other"))).reason == NOT_FOUND


async def test_rules_see_the_context(desk: Desk) -> None:
    condition = FlagCondition(attribute="plan", operator="eq", value='"beta"')
    rule = FlagRule(id="rule_beta", conditions=[condition], value='"green"')
    await set_flag(desk, kind=flags.FLAG_KIND_STRING, state=FlagState(enabled=True, value='"red"', rules=[rule]))

    beta = await evaluate(desk, context='{"userId": "u", "plan": "beta"}')
    other = await evaluate(desk, context='{"plan": "free"}')

    assert (beta.value, beta.rule_id, beta.variant) == ('"green"', "rule_beta", "green")
    assert (other.value, other.HasField("rule_id")) == ('"red"', False)


@pytest.mark.parametrize("context", ["[]", "1", '"u"'])
async def test_a_context_that_is_no_object_is_refused(desk: Desk, context: str) -> None:
    request = pb.EvaluateRequest(flag_key="a", context=context)

    assert (await desk.refused("EvaluationService.Evaluate", request)).field == "context"


async def test_a_context_may_be_long(desk: Desk) -> None:
    rule = FlagRule(id="rule_u", conditions=[FlagCondition(attribute="userId", operator="eq", value='"u"')])
    await set_flag(desk, state=FlagState(enabled=True, rules=[rule]))
    context = json.dumps({"userId": "u", "more": [[1]] * 30_000})

    single = await evaluate(desk, context=context)
    (one,) = (await batch(desk, flag_keys=["new-checkout"], context=context)).evaluations
    request = pb.ExplainFlagRequest(flag_key="new-checkout", context=context)
    explained = (await desk.call("EvaluationService.ExplainFlag", request, pb.ExplainFlagResponse)).evaluation

    assert [single.rule_id, one.rule_id, explained.rule_id] == ["rule_u"] * 3


async def test_a_long_context_is_compared_beside_the_event_loop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    threads: dict[str, set[int]] = {"short": set(), "long": set()}
    original = CompiledFlag.evaluate

    def noted(flag: CompiledFlag, context: Context) -> object:
        threads["long" if "more" in context.attributes else "short"].add(get_ident())
        return original(flag, context)

    monkeypatch.setattr(CompiledFlag, "evaluate", noted)
    for context in ('{"userId": "u"}', json.dumps({"more": "x" * 20_000})):
        assert (await evaluate(desk, context=context)).enabled
        assert (await batch(desk, flag_keys=["new-checkout", "none"], context=context)).evaluations[0].enabled
        assert (await batch(desk, all=True, context=context)).evaluations[0].enabled

    assert threads["short"] == {get_ident()}
    assert get_ident() not in threads["long"]


async def test_a_key_that_no_flag_can_have_is_refused(desk: Desk) -> None:
    long = "x" * 257
    requests = {
        "Evaluate": pb.EvaluateRequest(flag_key=long),
        "EvaluateBatch": pb.EvaluateBatchRequest(flag_keys=["a", long]),
        "ExplainFlag": pb.ExplainFlagRequest(flag_key=long),
    }

    found = {rpc: await desk.refused(f"EvaluationService.{rpc}", request) for rpc, request in requests.items()}

    assert {rpc: (each.reason, each.field) for rpc, each in found.items()} == {
        "Evaluate": ("invalid_field", "flag_key"),
        "EvaluateBatch": ("invalid_field", "flag_keys[1]"),
        "ExplainFlag": ("invalid_field", "flag_key"),
    }
    assert (await evaluate(desk, long[1:])).reason == NOT_FOUND


async def test_a_batch_answers_in_the_order_asked_each_key_once(desk: Desk) -> None:
    await set_flag(desk, "b", state=FlagState(enabled=True))
    await put(desk, {"a": 1})

    found = await batch(desk, flag_keys=["b", "none", "a", "b"], session_key="ci-42")

    assert [(each.flag_key, each.reason) for each in found.evaluations] == [
        ("b", ENABLED),
        ("none", NOT_FOUND),
        ("a", OVERRIDE),
    ]


async def test_all_flags_are_those_of_the_project_and_of_the_session(desk: Desk) -> None:
    await set_flag(desk, "b", state=FlagState(enabled=True))
    await set_flag(desk, "c")
    await put(desk, {"a": 1, "c": True})

    found = await batch(desk, all=True, session_key="ci-42")
    await set_flag(desk, "d")
    later = await batch(desk, all=True)

    assert [(each.flag_key, each.reason) for each in found.evaluations] == [
        ("a", OVERRIDE),
        ("b", ENABLED),
        ("c", OVERRIDE),
    ]
    assert [each.flag_key for each in later.evaluations] == ["b", "c", "d"]


@pytest.mark.parametrize("asked", [{}, {"all": True, "flag_keys": ["a"]}, {"flag_keys": [f"f{n}" for n in range(51)]}])
async def test_a_batch_of_nothing_of_too_much_or_of_both_is_refused(desk: Desk, asked: dict[str, object]) -> None:
    request = pb.EvaluateBatchRequest(**asked)  # type: ignore[arg-type]

    assert await desk.code("EvaluationService.EvaluateBatch", request) == "invalid_field"


async def test_an_explanation_tells_which_rule_decided_and_why_others_did_not(desk: Desk) -> None:
    beta, other = (
        FlagCondition(attribute="plan", operator="equals", value='"beta"'),
        FlagCondition(attribute="country", operator="in", value='["de"]'),
    )
    rules = [FlagRule(id="rule_de", name="Germany", conditions=[other]), FlagRule(id="rule_beta", conditions=[beta])]
    await set_flag(desk, state=FlagState(enabled=True, rollout_percentage=10, rules=rules))
    await put(desk, {"new-checkout": False})
    request = pb.ExplainFlagRequest(flag_key="new-checkout", context='{"userId": "user-123", "plan": "beta"}')

    found = await desk.call("EvaluationService.ExplainFlag", request, pb.ExplainFlagResponse)
    request.session_key = "ci-42"
    overridden = await desk.call("EvaluationService.ExplainFlag", request, pb.ExplainFlagResponse)

    assert [(each.rule_id, each.decision) for each in found.rules] == [("rule_de", "differs"), ("rule_beta", "decided")]
    assert [(each.holds, each.code) for each in found.rules[0].conditions] == [(False, "absent")]
    assert (found.rollout.percentage, found.rollout.decides, found.HasField("would_have_been")) == (10, False, False)
    assert "rule_beta" in found.summary
    assert overridden.evaluation.reason == OVERRIDE
    assert overridden.would_have_been.rule_id == "rule_beta"
    assert overridden.rules[1].decision == "overridden"
    assert (overridden.session_key, overridden.frozen) == ("ci-42", False)
