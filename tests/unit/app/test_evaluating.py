"""Evaluation: which session counts, and that what is set holds from the very next one."""

import json
from collections.abc import Sequence
from threading import get_ident

import pytest
from support.desk import Desk
from support.dispatching import World
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1 import flags_pb2 as flags
from understudy.v1.flag_service_pb2 import (
    CreateFlagRequest,
    DeleteFlagRequest,
    DeleteFlagResponse,
    PutFlagStateRequest,
    PutFlagStateResponse,
)
from understudy.v1.flags_pb2 import Evaluation, Flag, FlagCondition, FlagRule, FlagState, FlagVariant
from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest
from understudy.v1.project_session_service_pb2 import (
    CreateProjectSessionRequest,
    CreateProjectSessionResponse,
    DeleteProjectSessionRequest,
    ProjectSession,
)
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DELETE_MODE_RESET,
    FOUND_BY_HEADER_NAME,
    FreezeSessionRequest,
    FreezeSessionResponse,
    PutSessionRequest,
    Session,
    UnfreezeSessionRequest,
)
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.flags.model import Context

OVERRIDE = flags.EVALUATION_REASON_TEST_OVERRIDE
DISABLED = flags.EVALUATION_REASON_FLAG_DISABLED
ENABLED = flags.EVALUATION_REASON_FLAG_ENABLED
NOT_FOUND = flags.EVALUATION_REASON_FLAG_NOT_FOUND


async def set_flag(desk: Desk, key: str = "new-checkout", state: FlagState | None = None, **flag: object) -> None:
    made = CreateFlagRequest(flag=Flag(key=key, **flag))  # type: ignore[arg-type]
    if await desk.code("FlagService.CreateFlag", made) not in ("", "already_exists"):
        raise AssertionError(key)
    if state is not None:
        request = PutFlagStateRequest(flag_key=key, state=state)
        await desk.call("FlagService.PutFlagState", request, PutFlagStateResponse)


async def evaluate(desk: Desk, key: str = "new-checkout", **asked: object) -> Evaluation:
    return (await answer(desk, key, **asked)).evaluation


async def answer(desk: Desk, key: str = "new-checkout", **asked: object) -> pb.EvaluateResponse:
    request = pb.EvaluateRequest(flag_key=key, **asked)  # type: ignore[arg-type]
    return await desk.call("EvaluationService.Evaluate", request, pb.EvaluateResponse)


async def put(desk: Desk, values: dict[str, object], key: str = "ci-42") -> Session:
    return await desk.put(PutSessionRequest(session_key=key, flags=json.dumps(values)))


async def project_session(desk: Desk, **asked: object) -> ProjectSession:
    request = CreateProjectSessionRequest(**asked)  # type: ignore[arg-type]
    found = await desk.call("ProjectSessionService.CreateProjectSession", request, CreateProjectSessionResponse)
    return found.session


async def carriers(here: World, *baggage: str) -> None:
    request = UpdateEnvironmentRequest(project="checkout", environment="staging")
    for each in baggage:
        request.changes.carriers.add().baggage = each
    await here.call("ProjectService.UpdateEnvironment", request)


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


async def test_a_session_goes_before_everything(desk: Desk) -> None:
    await put(desk, {"new-checkout": True, "made-up": "x"})

    known = await answer(desk, session_key="ci-42")
    unknown = await evaluate(desk, "made-up", session_key="ci-42")

    assert (known.evaluation.reason, known.evaluation.value, known.session_key) == (OVERRIDE, "true", "ci-42")
    assert (unknown.reason, unknown.value, unknown.variant, unknown.enabled) == (OVERRIDE, '"x"', "x", True)


async def test_sessions_do_not_see_each_others_flags_and_others_see_none(desk: Desk) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await put(desk, {"new-checkout": False}, "a")
    await put(desk, {"new-checkout": "x"}, "b")

    values = [(await evaluate(desk, session_key=key)).value for key in ("a", "b", "", "c")]

    assert values == ["false", '"x"', "true", "true"]


async def test_a_put_sets_exactly_the_flags_and_holds_at_once(desk: Desk) -> None:
    await put(desk, {"a": 1, "b": 2})
    await put(desk, {"b": 3})

    found = [(await evaluate(desk, key, session_key="ci-42")).value for key in ("a", "b")]

    assert found == ["", "3"]


async def test_flags_stay_when_a_put_does_not_name_them_and_go_with_null(desk: Desk) -> None:
    await put(desk, {"a": 1})
    kept = await desk.put(PutSessionRequest(label="x"))
    gone = await desk.put(PutSessionRequest(), "flags")

    assert (kept.flags, gone.HasField("flags")) == ('{"a":1}', False)


async def test_flags_keep_their_order_and_their_numbers(desk: Desk) -> None:
    session = await desk.put(PutSessionRequest(flags='{"b": 12345678901234567890123, "a": {"z": 1, "y": []}}'))

    assert session.flags == '{"b":12345678901234567890123,"a":{"z":1,"y":[]}}'


@pytest.mark.parametrize(("written", "told"), [("3", "3"), ("3.0", "3.0"), ("1e3", "1000.0"), ("-0.5", "-0.5")])
async def test_an_integer_is_told_as_one_and_any_other_number_as_a_float(desk: Desk, written: str, told: str) -> None:
    await set_flag(desk, "limit", FlagState(enabled=True, value=written), kind=flags.FLAG_KIND_NUMBER)
    session = await desk.put(PutSessionRequest(flags=f'{{"other":{written}}}'))

    assert (await evaluate(desk, "limit")).value == told
    assert (await evaluate(desk, "other", session_key="ci-42")).value == told
    assert session.flags == f'{{"other":{told}}}'


@pytest.mark.parametrize("mode", [DELETE_MODE_RESET, DELETE_MODE_DELETE])
async def test_flags_go_with_a_reset_and_with_the_session(desk: Desk, mode: int) -> None:
    await put(desk, {"new-checkout": True})

    await desk.end(mode)  # type: ignore[arg-type]

    assert (await evaluate(desk, session_key="ci-42")).reason == NOT_FOUND


async def test_what_is_odd_about_flags_is_told_and_counts(desk: Desk) -> None:
    await set_flag(desk, "colour", kind=flags.FLAG_KIND_STRING)
    await set_flag(desk, "fine")

    session = await put(desk, {"colour": True, "fine": False, "unheard": 1})

    assert [(each.flag_key, each.code) for each in session.warnings] == [
        ("colour", "wrong_type"),
        ("unheard", "unknown_flag"),
    ]
    assert not (await desk.get()).warnings
    assert (await evaluate(desk, "colour", session_key="ci-42")).value == "true"


async def test_each_warning_says_what_is_odd(desk: Desk) -> None:
    choice = [FlagVariant(key=key) for key in ("red", "green")]
    await set_flag(desk, "colour", kind=flags.FLAG_KIND_STRING, variants=choice)
    await set_flag(desk, "fine")
    await set_flag(desk, "limit", kind=flags.FLAG_KIND_NUMBER, variants=choice)

    session = await put(desk, {"colour": "purple", "fine": "yes", "limit": "blue", "unheard": 1})

    assert [(each.code, each.message) for each in session.warnings] == [
        ("unknown_variant", "the flag 'colour' has no variant \"purple\"; it has 'red', 'green'"),
        ("wrong_type", "the flag 'fine' is a boolean, and \"yes\" is none"),
        ("wrong_type", "the flag 'limit' is a number, and \"blue\" is none, nor the key of a variant ('red', 'green')"),
        ("unknown_flag", "project 'checkout' has no flag 'unheard'"),
    ]


async def test_a_put_that_leaves_flags_as_they_are_warns_too(desk: Desk) -> None:
    await put(desk, {"unheard": 1})

    session = await desk.put(PutSessionRequest(session_key="ci-42", label="later"))

    assert [each.code for each in session.warnings] == ["unknown_flag"]


@pytest.mark.parametrize("given", ["[]", "1", '{"": true}', '{"a": null}', '{"a": 1, "a": 2}', "{"])
async def test_flags_that_are_no_object_of_values_are_refused_and_change_nothing(desk: Desk, given: str) -> None:
    await put(desk, {"a": 1})

    assert await desk.code("SessionService.PutSession", PutSessionRequest(session_key="ci-42", flags=given)) == (
        "invalid_field"
    )
    assert (await desk.get()).flags == '{"a":1}'


async def test_a_session_may_set_long_values(desk: Desk) -> None:
    for value in ("x", "y"):
        await put(desk, {f"f{number}": value * 1_000 for number in range(1_000)})

        for _ in range(2):
            assert (await evaluate(desk, "f7", session_key="ci-42")).value == json.dumps(value * 1_000)


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


async def test_a_session_has_room_for_a_thousand_flags(desk: Desk) -> None:
    values = {f"f{number}": True for number in range(1000)}
    await desk.put(PutSessionRequest(flags=json.dumps(values)))

    request = PutSessionRequest(session_key="ci-42", flags=json.dumps({**values, "more": 1}))

    assert await desk.code("SessionService.PutSession", request) == "invalid_field"


async def test_an_expired_session_counts_no_more_from_that_very_millisecond(desk: Desk, here: World) -> None:
    await desk.put(PutSessionRequest(flags='{"a": 1}', ttl_seconds=1))
    here.clock.advance(0.999)
    assert (await evaluate(desk, "a", session_key="ci-42")).reason == OVERRIDE
    here.clock.advance(0.001)

    assert (await evaluate(desk, "a", session_key="ci-42")).reason == NOT_FOUND


async def test_a_token_finds_a_session_of_the_project_in_every_environment(desk: Desk, here: World) -> None:
    session = await project_session(desk, flags='{"a": "green"}')

    for place in (desk, Desk(here, environment="qa")):
        found = await answer(place, "a", session_token=session.token)
        assert (found.evaluation.value, found.session_key) == ('"green"', session.id)
    assert (await evaluate(Desk(here, "other"), "a", session_token=session.token)).reason == NOT_FOUND


@pytest.mark.parametrize("wrong", ["{id}", "{token}x", "{id}_", "sess_none_x", "_", "é"])
async def test_what_is_not_the_token_finds_nothing_and_fails_nothing(desk: Desk, wrong: str) -> None:
    session = await project_session(desk, flags='{"a": 1}')

    token = wrong.format(id=session.id, token=session.token)

    assert (await evaluate(desk, "a", session_token=token)).reason == NOT_FOUND


async def test_a_session_without_a_secret_is_found_by_its_id(desk: Desk) -> None:
    session = await project_session(desk, flags='{"a": 1}', without_secret=True)

    assert session.token == session.id
    assert (await evaluate(desk, "a", session_token=session.id)).value == "1"


async def test_a_project_session_that_ended_counts_no_more(desk: Desk, here: World) -> None:
    deleted, expired = [await project_session(desk, flags='{"a": 1}', ttl_seconds=5) for _ in range(2)]
    request = DeleteProjectSessionRequest(project="checkout", session_id=deleted.id)
    await here.call("ProjectSessionService.DeleteProjectSession", request)
    here.clock.advance(5)

    found = [(await evaluate(desk, "a", session_token=each.token)).reason for each in (deleted, expired)]

    assert found == [NOT_FOUND, NOT_FOUND]


async def test_any_carrier_may_hold_a_key_or_a_token(desk: Desk, here: World) -> None:
    await carriers(here, "run")
    await put(desk, {"a": 1})
    token = (await project_session(desk, flags='{"a": 2}')).token

    def sent(name: str, value: str) -> Sequence[pb.RequestHeader]:
        return [pb.RequestHeader(name="accept", value="*/*"), pb.RequestHeader(name=name, value=value)]

    for text, value in (("ci-42", "1"), (token, "2")):
        for asked in (
            {"session_key": text},
            {"session_token": text},
            {"baggage": f"x=1,run={text}"},
            {"headers": sent("X-FlowMock-Session", text)},
            {"headers": sent("X-FlagBridge-Session", text)},
            {"headers": sent("Baggage", f"run={text}")},
        ):
            assert (await evaluate(desk, "a", **asked)).value == value, asked


async def test_the_first_session_that_lives_counts(desk: Desk) -> None:
    await put(desk, {"a": 1})
    token = (await project_session(desk, flags='{"a": 2}')).token

    both = await evaluate(desk, "a", session_key="ci-42", session_token=token)
    one = await evaluate(desk, "a", session_key="ci-42", session_token="gone")

    assert (both.value, one.value) == ("2", "1")


async def test_a_session_that_is_found_by_a_header_is_found_by_no_key(desk: Desk) -> None:
    await desk.put(PutSessionRequest(session_key="accept", found_by=FOUND_BY_HEADER_NAME, flags='{"a": 1}'))

    assert (await evaluate(desk, "a", session_key="accept")).reason == NOT_FOUND


async def batch(desk: Desk, **asked: object) -> pb.EvaluateBatchResponse:
    request = pb.EvaluateBatchRequest(**asked)  # type: ignore[arg-type]
    return await desk.call("EvaluationService.EvaluateBatch", request, pb.EvaluateBatchResponse)


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


async def freeze(desk: Desk, key: str = "ci-42") -> Session:
    request = FreezeSessionRequest(session_key=key)
    return (await desk.call("SessionService.FreezeSession", request, FreezeSessionResponse)).session


async def test_a_frozen_session_sees_flags_as_they_were(desk: Desk) -> None:
    await set_flag(desk, "on", state=FlagState(enabled=True))
    await set_flag(desk, "gone", state=FlagState(enabled=True))
    session = await freeze(desk)
    await set_flag(desk, "on", state=FlagState(enabled=False))
    await set_flag(desk, "new", state=FlagState(enabled=True))
    await desk.call("FlagService.DeleteFlag", DeleteFlagRequest(flag_key="gone"), DeleteFlagResponse)

    found = {each.flag_key: each.enabled for each in (await batch(desk, all=True, session_key="ci-42")).evaluations}
    single = {key: (await evaluate(desk, key, session_key="ci-42")).enabled for key in ("on", "gone", "new")}

    assert session.HasField("frozen_at")
    assert found == {"on": True, "gone": True}
    assert single == {"on": True, "gone": True, "new": False}
    assert not (await evaluate(desk, "on")).enabled


async def test_what_a_frozen_session_sets_goes_first(desk: Desk) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await freeze(desk)

    await put(desk, {"new-checkout": False})

    assert (await evaluate(desk, session_key="ci-42")).reason == OVERRIDE
    assert (await desk.get()).HasField("frozen_at")


async def test_to_freeze_again_pins_what_is_so_then(desk: Desk) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await freeze(desk)
    await freeze(desk)
    assert (await evaluate(desk, session_key="ci-42")).enabled
    await set_flag(desk, state=FlagState(enabled=False))
    await freeze(desk)

    assert not (await evaluate(desk, session_key="ci-42")).enabled


@pytest.mark.parametrize("between", ["nothing", "reset", "unfreeze", "delete"])
async def test_a_session_that_was_evaluated_and_is_frozen_again_sees_what_is_so_then(
    desk: Desk, here: World, between: str
) -> None:
    for enabled in (True, False, True):
        await set_flag(desk, state=FlagState(enabled=enabled))
        await freeze(desk)
        await set_flag(desk, state=FlagState(enabled=not enabled))

        assert (await evaluate(desk, session_key="ci-42")).enabled is enabled
        assert [each.enabled for each in (await batch(desk, all=True, session_key="ci-42")).evaluations] == [enabled]
        if between == "unfreeze":
            request = UnfreezeSessionRequest(project="checkout", environment="staging", session_key="ci-42")
            await here.call("SessionService.UnfreezeSession", request)
        elif between != "nothing":
            await desk.end(DELETE_MODE_RESET if between == "reset" else DELETE_MODE_DELETE)
        if between != "nothing":
            assert (await evaluate(desk, session_key="ci-42")).enabled is not enabled


@pytest.mark.parametrize("how", ["unfreeze", "reset"])
async def test_flags_that_are_let_go_of_are_as_for_everybody(desk: Desk, here: World, how: str) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await freeze(desk)
    await freeze(desk, "other")
    await set_flag(desk, state=FlagState(enabled=False))

    if how == "unfreeze":
        request = UnfreezeSessionRequest(project="checkout", environment="staging", session_key="ci-42")
        await here.call("SessionService.UnfreezeSession", request)
    else:
        await desk.end(DELETE_MODE_RESET)

    assert not (await evaluate(desk, session_key="ci-42")).enabled
    assert (await evaluate(desk, session_key="other")).enabled
    assert not (await desk.get()).HasField("frozen_at")


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
