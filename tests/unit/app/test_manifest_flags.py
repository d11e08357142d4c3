"""Flags that manifests declare: made, changed, removed, and left alone by the API."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.desk import Desk
from support.dispatching import World, world
from support.manifesting import SOURCE, Operator, manifest
from understudy.v1 import evaluation_service_pb2 as evaluation
from understudy.v1 import flag_service_pb2 as pb
from understudy.v1.flags_pb2 import Flag, FlagState
from understudy.v1.manifest_service_pb2 import Manifest

RULE = {"conditions": [{"attribute": "plan", "operator": "equals", "value": '"beta"'}], "value": "true"}

LONG_RULE = {"conditions": [{"attribute": "plan", "operator": "exists"}] * 100}


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "data") as made:
        yield made


@pytest.fixture
def operator(empty: World) -> Operator:
    return Operator(empty)


@pytest.fixture
def desk(empty: World) -> Desk:
    """The owner's desk at shop/staging, which a manifest makes."""
    return Desk(empty, "shop", "staging")


def declared(flags: dict[str, Any], source: str = SOURCE, *, existing: bool = False) -> Manifest:
    """The project shop with staging and qa, and some flags."""
    mark = {"existing": True} if existing else {}
    return manifest({"shop": {**mark, "environments": {"staging": mark, "qa": mark}, "flags": flags}}, source)


async def flag(desk: Desk, key: str = "a") -> Flag:
    return (await desk.call("FlagService.GetFlag", pb.GetFlagRequest(flag_key=key), pb.GetFlagResponse)).flag


async def is_on(desk: Desk, key: str = "a") -> bool:
    request = evaluation.EvaluateRequest(flag_key=key)
    answer = await desk.call("EvaluationService.Evaluate", request, evaluation.EvaluateResponse)
    return answer.evaluation.enabled


async def test_a_declared_flag_is_made_with_its_states_and_holds_at_once(operator: Operator, desk: Desk) -> None:
    lines = await operator.apply(declared({"a": {"tags": ["x"], "states": {"staging": {"enabled": True}}}}))
    made = await flag(desk)

    assert "create flag shop/a" in lines
    assert (made.managed_by, made.name, made.revision, list(made.tags)) == (SOURCE, "a", 1, ["x"])
    assert [(each.environment, each.enabled) for each in made.states] == [("staging", True)]
    assert await is_on(desk)


async def test_the_same_again_changes_nothing(operator: Operator, desk: Desk) -> None:
    told = declared({"a": {"states": {"staging": {"enabled": True, "rules": [RULE, RULE]}}}})
    await operator.apply(told)
    before = await flag(desk)

    assert await operator.apply(told) == []
    assert await flag(desk) == before
    assert [each.id for each in before.states[0].rules] == ["rule_1", "rule_2"]


async def test_what_differs_is_told_field_by_field_and_moves_its_own_revision(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({"a": {"states": {"staging": {"enabled": True}}}}))

    lines = await operator.apply(declared({"a": {"states": {"staging": {"enabled": False, "value": "1"}}}}))
    after = await flag(desk)

    assert lines == ["update flag shop/a (states.staging.enabled, states.staging.value)"]
    assert (after.revision, after.states[0].revision) == (1, 2)
    assert not await is_on(desk)


async def test_a_state_that_is_declared_no_more_is_off(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({"a": {"states": {"staging": {"enabled": True, "rolloutPercentage": 5}}}}))
    await operator.apply(declared({"a": {"description": "x"}}))

    (state,) = (await flag(desk)).states

    assert (state.enabled, state.HasField("rollout_percentage"), state.revision) == (False, False, 2)
    assert await operator.apply(declared({"a": {"description": "x"}})) == []


async def test_a_flag_that_is_declared_no_more_goes(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({"a": {}, "b": {}}))

    assert await operator.apply(declared({"b": {}})) == ["delete flag shop/a"]
    assert await desk.code("FlagService.GetFlag", pb.GetFlagRequest(flag_key="a")) == "not_found"


async def test_the_api_leaves_a_declared_flag_and_its_states_alone(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({"a": {}}))

    for rpc, request in (
        ("UpdateFlag", pb.UpdateFlagRequest(flag_key="a", changes=pb.FlagChanges(name="x"))),
        ("DeleteFlag", pb.DeleteFlagRequest(flag_key="a")),
        ("PutFlagState", pb.PutFlagStateRequest(flag_key="a", state=FlagState(enabled=True))),
    ):
        assert await desk.code(f"FlagService.{rpc}", request) == "managed_by_file", rpc


async def test_a_flag_that_was_made_elsewhere_is_refused_or_adopted(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({}))
    await desk.call("FlagService.CreateFlag", pb.CreateFlagRequest(flag=Flag(key="a")), pb.CreateFlagResponse)
    told = declared({"a": {"states": {"staging": {"enabled": True}}}})

    problem = await operator.refused(told)

    assert (problem.reason, problem.field) == ("already_exists", "manifest.projects['shop'].flags['a']")
    assert await operator.apply(told, adopt=True) == ["adopt flag shop/a (states.staging)"]
    assert (await flag(desk)).managed_by == SOURCE
    assert await is_on(desk)


async def test_what_another_source_and_the_api_made_stays(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({"a": {}}))
    await operator.apply(declared({"b": {}}, "team", existing=True))
    await desk.call("FlagService.CreateFlag", pb.CreateFlagRequest(flag=Flag(key="c")), pb.CreateFlagResponse)

    await operator.apply(declared({}, "team", existing=True))

    assert [(await flag(desk, key)).managed_by for key in ("a", "c")] == [SOURCE, ""]
    assert await desk.code("FlagService.GetFlag", pb.GetFlagRequest(flag_key="b")) == "not_found"


@pytest.mark.parametrize(
    ("flags", "field"),
    [
        ({"a": {"states": {"none": {}}}}, "flags['a'].states['none']"),
        ({"a": {"defaultValue": "1"}}, "flags['a'].default_value"),
        ({"a": {"variants": [{"key": "x"}, {"key": "x"}]}}, "flags['a'].variants[1].key"),
        ({"a": {"states": {"qa": {"rules": [{"id": "rule_x"}] * 2}}}}, "flags['a'].states['qa'].rules[1].id"),
        ({"a": {"states": {"qa": {"rules": [{}, {"id": "rule_1"}]}}}}, "flags['a'].states['qa'].rules[1].id"),
        ({"a": {"states": {"qa": {"rules": [LONG_RULE] * 21}}}}, "flags['a'].states['qa'].rules[20].conditions"),
    ],
)
async def test_what_contradicts_itself_is_refused_with_its_place(
    operator: Operator, flags: dict[str, Any], field: str
) -> None:
    assert (await operator.refused(declared(flags))).field == f"manifest.projects['shop'].{field}"


async def test_a_kind_never_changes(operator: Operator) -> None:
    await operator.apply(declared({"a": {}}))

    problem = await operator.refused(declared({"a": {"kind": "FLAG_KIND_STRING"}}))

    assert (problem.reason, problem.rule, problem.field) == (
        "invalid_field",
        "fixed",
        "manifest.projects['shop'].flags['a'].kind",
    )


async def test_a_dump_says_what_was_applied(operator: Operator) -> None:
    state = {"enabled": True, "value": '"green"', "rolloutPercentage": 5, "rules": [{"id": "rule_1", **RULE}]}
    told = declared(
        {
            "a": {"kind": "FLAG_KIND_STRING", "defaultValue": '"x"', "variants": [{"key": "green", "weight": 1.5}]},
            "b": {"name": "B", "states": {"qa": state}},
        }
    )
    await operator.apply(told)

    assert (await operator.dump(source=SOURCE)).projects["shop"].flags == told.projects["shop"].flags


async def test_a_source_that_declares_flags_alone_is_released_with_them(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({}))
    await operator.apply(declared({"b": {}}, "team", existing=True))

    assert await operator.release("team") == 1
    assert (await flag(desk, "b")).managed_by == ""


async def test_a_project_that_goes_takes_its_flags_unless_others_made_some(operator: Operator, desk: Desk) -> None:
    await operator.apply(declared({"a": {}}))
    await desk.call("FlagService.CreateFlag", pb.CreateFlagRequest(flag=Flag(key="c")), pb.CreateFlagResponse)
    empty = manifest({"other": {}})

    assert (await operator.refused(empty, force=False)).reason == "other_projects"
    lines = await operator.apply(empty, force=True)

    assert {"delete flag shop/a", "delete flag shop/c", "delete project shop"} <= set(lines)
