"""Applying manifests: what is declared is made, changed and removed, and nothing else is touched."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.desk import Desk
from support.dispatching import World, world
from support.manifesting import Operator, answering, manifest, staging
from understudy.v1 import project_service_pb2 as projects
from understudy.v1.manifest_service_pb2 import Manifest
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.times import stamp
from understudy_server.core.plans import Plan

A, B = answering("a", "/a"), answering("b", "/b")


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


async def environment(desk: Desk) -> projects.Environment:
    answer = await desk.call(
        "ProjectService.GetEnvironment", projects.GetEnvironmentRequest(), projects.GetEnvironmentResponse
    )
    return answer.environment


# What is declared is made


async def test_what_is_declared_is_made_and_told_in_the_order_of_places(operator: Operator) -> None:
    declared = staging(
        mocks={"ovr_b": B, "ovr_a": A},
        scenarios={"scn_z": {"mocks": ["ovr_a"], "localMocks": {"ovr_c": A}}},
        upstream="http://real",
    )
    declared.projects["shop"].environments["qa"].SetInParent()
    assert await operator.apply(declared) == [
        "create project shop",
        "create environment shop/qa",
        "create environment shop/staging",
        "create mock shop/staging/ovr_a",
        "create mock shop/staging/ovr_b",
        "create mock shop/staging/ovr_c",
        "create scenario shop/staging/scn_z",
    ]


async def test_what_is_made_is_published_and_named_by_its_id(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}, scenarios={"scn_a": {"mocks": ["ovr_a"]}}))
    mock, scenario = await desk.mock("ovr_a"), await desk.read_scenario("scn_a")
    now = stamp(desk.world.clock.now_ms)
    assert (mock.name, mock.state, mock.revision, mock.created_at) == ("ovr_a", MOCK_STATE_PUBLISHED, 1, now)
    assert (scenario.name, scenario.url_id, list(scenario.mocks)) == ("scn_a", "scn-a", ["ovr_a"])
    assert ((await environment(desk)).name, (await environment(desk)).revision) == ("staging", 1)


async def test_what_is_made_belongs_to_the_key_and_the_source(operator: Operator, desk: Desk) -> None:
    operator.key = await operator.world.make_key()
    await operator.apply(staging(source="team", mocks={"ovr_a": A}))
    mock = await desk.mock("ovr_a")
    assert mock.created_by.startswith("key_")
    assert (mock.managed_by, (await environment(desk)).managed_by) == ("team", "team")


async def test_all_settings_of_an_environment_are_taken(operator: Operator, desk: Desk) -> None:
    settings: dict[str, Any] = {
        "name": "Staging",
        "upstream": "http://real",
        "hosts": ["b.test", "a.test"],
        "carriers": [{"cookie": "sid"}],
        "strict": True,
        "cors": {"leaveAnswers": True},
        "tunnelUpgrades": True,
        "stripSessionHeader": True,
        "redaction": {"headers": ["x-secret"], "jsonPaths": ["$.card"]},
        "limits": {"capturedBytesMax": "0"},
    }
    declared = staging(**settings)
    await operator.apply(declared)
    found, wanted = await environment(desk), declared.projects["shop"].environments["staging"]
    for field in projects.EnvironmentChanges.DESCRIPTOR.fields_by_name:
        assert getattr(found, field) == getattr(wanted, field), field


# What is as declared is left alone


async def test_a_second_time_changes_nothing_and_moves_no_version(operator: Operator, desk: Desk) -> None:
    declared = staging(
        mocks={"ovr_a": A}, scenarios={"scn_a": {"name": "A", "mocks": ["ovr_a"]}}, carriers=[{"cookie": "sid"}]
    )
    await operator.apply(declared)
    version = operator.world.store.known_version
    operator.world.clock.advance(1)
    assert await operator.apply(declared) == []
    assert operator.world.store.known_version == version
    assert (await desk.mock("ovr_a")).revision == 1


async def test_what_says_the_same_in_other_words_is_no_change(operator: Operator) -> None:
    await operator.apply(staging(mocks={"ovr_a": {"action": {"respond": {"json": '{"a": [1.50, " x "]}'}}}}))
    same = {
        "name": "ovr_a",
        "matcher": {},
        "action": {"respond": {"status": 200, "json": '{"a":[1.50," x "]}'}, "delay": {}},
    }
    assert await operator.apply(staging(mocks={"ovr_a": same}, cors={}, limits={}, name="staging")) == []


@pytest.mark.parametrize("other", ['{"a":[1.5]}', '{"a":[1.50],"b":1}', '{"a":["1.50"]}', '{"a":[1.50, ""]}'])
async def test_json_that_differs_in_more_than_white_space_is_a_change(operator: Operator, other: str) -> None:
    await operator.apply(staging(mocks={"ovr_a": {"action": {"respond": {"json": '{"a":[1.50]}'}}}}))
    changed = staging(mocks={"ovr_a": {"action": {"respond": {"json": other}}}})
    assert await operator.apply(changed) == ["update mock shop/staging/ovr_a (action.respond.json)"]


# What differs is changed


async def test_a_change_moves_the_revision_of_what_differs_alone(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A, "ovr_b": B}))
    desk.world.clock.advance(5)
    changed = {**A, "action": {"respond": {"status": 402, "text": "new"}}}
    lines = await operator.apply(staging(mocks={"ovr_a": changed, "ovr_b": B}))
    assert lines == ["update mock shop/staging/ovr_a (action.respond.status, action.respond.text)"]
    mock = await desk.mock("ovr_a")
    assert (mock.revision, mock.updated_at) == (2, stamp(desk.world.clock.now_ms))
    assert (await desk.mock("ovr_b")).revision == 1


async def test_settings_that_are_left_out_are_the_defaults_again(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(upstream="http://real", hosts=["a.test"], strict=True, cors={"leaveAnswers": True}))
    lines = await operator.apply(staging())
    assert lines == ["update environment shop/staging (upstream, hosts, strict, cors)"]
    found = await environment(desk)
    assert (found.upstream, list(found.hosts), found.strict, found.HasField("cors")) == ("", [], False, False)


async def test_a_name_that_is_left_out_is_the_slug_again(operator: Operator, desk: Desk) -> None:
    named = staging(name="Staging")
    named.projects["shop"].name = "Shop"
    await operator.apply(named)
    lines = await operator.apply(staging())
    assert lines == ["update project shop (name)", "update environment shop/staging (name)"]
    assert (await environment(desk)).name == "staging"


async def test_a_mock_that_becomes_a_draft_is_switched_off_everywhere(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}))
    await desk.activate("ovr_a")
    await desk.put(PutSessionRequest(overrides=["ovr_a"]))
    await desk.scenario("Made elsewhere", "ovr_a", scenario_id="scn_api")
    lines = await operator.apply(staging(mocks={"ovr_a": {**A, "state": "MOCK_STATE_DRAFT"}}))
    assert lines == ["update mock shop/staging/ovr_a (state) [1 sessions]"]
    mock, scenario = await desk.mock("ovr_a"), await desk.read_scenario("scn_api")
    assert (mock.state, mock.active) == (MOCK_STATE_DRAFT, False)
    assert (list(scenario.mocks), scenario.revision) == ([], 2)
    assert list((await desk.get()).overrides) == []


async def test_a_mock_that_is_switched_on_stays_on_when_it_changes(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}))
    await desk.activate("ovr_a")
    await operator.apply(staging(mocks={"ovr_a": B}))
    assert (await desk.mock("ovr_a")).active


# What is not declared any more is removed


async def test_what_is_left_out_is_removed(operator: Operator, desk: Desk) -> None:
    await operator.apply(
        staging(mocks={"ovr_a": A}, scenarios={"scn_a": {"mocks": ["ovr_a"], "localMocks": {"ovr_c": B}}})
    )
    assert await operator.apply(staging()) == [
        "delete mock shop/staging/ovr_a",
        "delete mock shop/staging/ovr_c",
        "delete scenario shop/staging/scn_a",
    ]
    assert await desk.mock_ids() == []


async def test_projects_and_environments_that_are_left_out_go_with_all_that_is_in_them(operator: Operator) -> None:
    both = staging(mocks={"ovr_a": A})
    both.projects["shop"].environments["qa"].mocks["ovr_a"].SetInParent()
    both.projects["other"].environments["dev"].SetInParent()
    await operator.apply(both)
    assert await operator.apply(staging(mocks={"ovr_a": A})) == [
        "delete project other",
        "delete environment other/dev",
        "delete environment shop/qa",
        "delete mock shop/qa/ovr_a",
    ]
    assert list((await operator.dump()).projects) == ["shop"]


async def test_keys_of_what_goes_are_revoked(operator: Operator) -> None:
    both = staging()
    both.projects["shop"].environments["qa"].SetInParent()
    await operator.apply(both)
    key = await operator.world.make_key(project="shop", environment="qa")
    await operator.apply(staging(), force=True)
    request = projects.ListProjectsRequest()
    assert await operator.world.code("ProjectService.ListProjects", request, key) == "unauthorized"


async def test_a_removed_mock_leaves_the_scenarios_that_were_made_elsewhere(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A, "ovr_b": B}))
    await desk.scenario("Made elsewhere", "ovr_a", "ovr_b", scenario_id="scn_api")
    await operator.apply(staging(mocks={"ovr_b": B}))
    scenario = await desk.read_scenario("scn_api")
    assert (list(scenario.mocks), scenario.revision) == (["ovr_b"], 2)


async def test_what_the_api_made_is_left_alone(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}))
    await desk.library("ovr_api")
    await desk.scenario("Api", "ovr_a", "ovr_api", scenario_id="scn_api")
    before = [await desk.mock("ovr_api"), await desk.read_scenario("scn_api")]
    await operator.apply(staging(mocks={"ovr_a": B, "ovr_b": B}))
    assert [await desk.mock("ovr_api"), await desk.read_scenario("scn_api")] == before


# What must not clash on the way


async def test_hosts_move_between_environments(operator: Operator) -> None:
    def hosts(one: list[str], other: list[str]) -> Manifest:
        return manifest({"shop": {"environments": {"a": {"hosts": one}, "b": {"hosts": other}}}})

    await operator.apply(hosts(["x.test", "y.test"], ["z.test"]))
    await operator.apply(hosts(["z.test"], ["y.test", "x.test"]))
    environments = (await operator.dump()).projects["shop"].environments
    assert (list(environments["a"].hosts), list(environments["b"].hosts)) == (["z.test"], ["y.test", "x.test"])


async def test_a_host_passes_from_an_environment_that_goes(operator: Operator) -> None:
    await operator.apply(manifest({"shop": {"environments": {"a": {"hosts": ["x.test"]}}}}))
    await operator.apply(manifest({"shop": {"environments": {"b": {"hosts": ["x.test"]}}}}))
    assert list((await operator.dump()).projects["shop"].environments["b"].hosts) == ["x.test"]


async def test_scenarios_swap_their_names_for_urls(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(scenarios={"scn_a": {"urlId": "one"}, "scn_b": {"urlId": "two"}}))
    await operator.apply(staging(scenarios={"scn_a": {"urlId": "two"}, "scn_b": {"urlId": "one"}}))
    found = [await desk.read_scenario("scn_a"), await desk.read_scenario("scn_b")]
    assert [(each.url_id, each.revision) for each in found] == [("two", 2), ("one", 2)]


async def test_a_scenario_lists_mocks_that_come_and_loses_those_that_go(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}, scenarios={"scn_a": {"mocks": ["ovr_a"]}}))
    lines = await operator.apply(staging(mocks={"ovr_b": B}, scenarios={"scn_a": {"mocks": ["ovr_b"]}}))
    assert lines[-1] == "update scenario shop/staging/scn_a (mocks)"
    scenario = await desk.read_scenario("scn_a")
    assert (list(scenario.mocks), scenario.revision) == (["ovr_b"], 2)


async def test_a_mock_that_changes_its_home_is_removed_and_made_anew(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}, scenarios={"scn_a": {}}))
    await desk.put(PutSessionRequest(overrides=["ovr_a"]))
    moved = staging(scenarios={"scn_a": {"localMocks": {"ovr_a": A}}})
    assert await operator.apply(moved) == [
        "delete mock shop/staging/ovr_a [1 sessions]",
        "create mock shop/staging/ovr_a",
    ]
    assert ((await desk.mock("ovr_a")).scenario, (await desk.mock("ovr_a")).revision) == ("scn_a", 1)
    assert list((await desk.get()).overrides) == []
    assert await operator.apply(moved) == []


async def test_a_mock_moves_out_of_a_scenario_that_goes(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(scenarios={"scn_a": {"localMocks": {"ovr_a": A}}}))
    await operator.apply(staging(mocks={"ovr_a": A}, scenarios={"scn_b": {"mocks": ["ovr_a"]}}))
    assert list((await desk.read_scenario("scn_b")).mocks) == ["ovr_a"]


# Names for URLs


async def test_names_for_urls_are_made_from_names_and_numbered(operator: Operator, desk: Desk) -> None:
    same = {"name": "Café (2)"}
    await operator.apply(staging(scenarios={"scn_b": same, "scn_a": same, "scn_c": {"urlId": "cafe-2-2"}}))
    names = [(await desk.read_scenario(each)).url_id for each in ("scn_a", "scn_b")]
    assert names == ["cafe-2", "cafe-2-3"]


async def test_a_name_for_urls_that_was_made_stays_when_others_go(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(scenarios={"scn_a": {"name": "Pay"}, "scn_b": {"name": "Pay"}}))
    await operator.apply(staging(scenarios={"scn_b": {"name": "Pay"}}))
    assert (await desk.read_scenario("scn_b")).url_id == "pay-2"


async def test_a_name_for_urls_follows_the_name_that_made_it(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(scenarios={"scn_a": {"name": "Pay"}}))
    lines = await operator.apply(staging(scenarios={"scn_a": {"name": "Refund"}}))
    assert lines == ["update scenario shop/staging/scn_a (name, urlId)"]
    assert (await desk.read_scenario("scn_a")).url_id == "refund"


async def test_a_name_for_urls_that_is_given_goes_before_one_that_was_made(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(scenarios={"scn_a": {"name": "Pay"}}))
    await operator.apply(staging(scenarios={"scn_a": {"name": "Pay"}, "scn_b": {"urlId": "pay"}}))
    assert [(await desk.read_scenario(each)).url_id for each in ("scn_a", "scn_b")] == ["pay-2", "pay"]


# The organisation


async def test_the_organisation_takes_name_and_plan(operator: Operator) -> None:
    named = manifest(organisation={"name": "Example Ltd", "plan": "PLAN_TEAM"})
    assert await operator.apply(named) == ["adopt organisation (name, plan)"]
    found = await operator.world.store.read(lambda tx: tx.organisation())
    assert (found.name, found.plan, found.managed_by) == ("Example Ltd", Plan.TEAM, "understudy.yaml")
    assert await operator.apply(named) == []


async def test_a_plan_that_is_not_given_stays(operator: Operator) -> None:
    await operator.apply(manifest(organisation={"plan": "PLAN_DEV"}))
    assert await operator.apply(manifest(organisation={"name": "Example"})) == ["update organisation (name)"]
    assert await operator.world.store.read(lambda tx: tx.plan()) == Plan.DEV


async def test_an_organisation_that_is_left_out_stays_and_is_let_go(operator: Operator) -> None:
    await operator.apply(manifest(organisation={"name": "Example", "plan": "PLAN_DEV"}))
    assert await operator.apply(manifest()) == ["update organisation (managedBy)"]
    found = await operator.world.store.read(lambda tx: tx.organisation())
    assert (found.name, found.plan, found.managed_by) == ("Example", Plan.DEV, "")


# Only looking


async def test_looking_tells_what_applying_does_and_changes_nothing(operator: Operator) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}))
    before, version = await operator.dump(), operator.world.store.known_version
    changed = staging(mocks={"ovr_b": B}, scenarios={"scn_a": {"mocks": ["ovr_b"]}}, upstream="http://real")
    seen = await operator.changes(changed, validate_only=True)
    assert (await operator.dump(), operator.world.store.known_version) == (before, version)
    assert await operator.changes(changed) == seen


async def test_looking_is_refused_as_applying_is(operator: Operator) -> None:
    wrong = staging(scenarios={"scn_a": {"mocks": ["ovr_none"]}})
    assert await operator.refused(wrong, validate_only=True) == await operator.refused(wrong)


async def test_a_refused_manifest_leaves_everything_as_it_was(operator: Operator) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}))
    before, version = await operator.dump(), operator.world.store.known_version
    await operator.refused(staging(mocks={"ovr_b": B}, scenarios={"scn_a": {"mocks": ["ovr_none"]}}))
    assert (await operator.dump(), operator.world.store.known_version) == (before, version)


async def test_when_a_source_was_applied_is_noted(operator: Operator) -> None:
    operator.key = await operator.world.make_key()
    await operator.apply(staging(mocks={"ovr_a": A}))
    operator.world.clock.advance(9)
    await operator.apply(staging(mocks={"ovr_a": A}))
    found = await operator.world.store.read(lambda tx: tx.manifest_source("understudy.yaml"))
    assert found is not None
    assert (found.applied_at_ms, found.resources) == (operator.world.clock.now_ms, 3)
    assert found.applied_by.startswith("key_")


async def test_the_api_may_switch_on_and_list_what_is_managed(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}))
    await desk.activate("ovr_a")
    await desk.deactivate("ovr_a")
    await desk.scenario("Api", "ovr_a", scenario_id="scn_api")
    assert list((await desk.read_scenario("scn_api")).mocks) == ["ovr_a"]


async def test_an_apply_does_not_undo_what_the_api_may_change(operator: Operator, desk: Desk) -> None:
    declared = staging(mocks={"ovr_a": A})
    await operator.apply(declared)
    await desk.activate("ovr_a")
    assert await operator.apply(declared) == []
    assert (await desk.mock("ovr_a")).active
