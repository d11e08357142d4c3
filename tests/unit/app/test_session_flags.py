"""What a session sets its flags to goes first, and what is odd about it is told."""

import json

import pytest
from support.desk import Desk
from support.evaluating import NOT_FOUND, OVERRIDE, answer, evaluate, put, set_flag
from understudy.v1 import flags_pb2 as flags
from understudy.v1.flags_pb2 import FlagState, FlagVariant
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE, DELETE_MODE_RESET, PutSessionRequest


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


async def test_a_session_has_room_for_a_thousand_flags(desk: Desk) -> None:
    values = {f"f{number}": True for number in range(1000)}
    await desk.put(PutSessionRequest(flags=json.dumps(values)))

    request = PutSessionRequest(session_key="ci-42", flags=json.dumps({**values, "more": 1}))

    assert await desk.code("SessionService.PutSession", request) == "invalid_field"
