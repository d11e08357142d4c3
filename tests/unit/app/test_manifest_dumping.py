"""Writing what is kept as a manifest: everything, one project, one source, and as far as a key reaches."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.desk import Desk
from support.dispatching import World, world
from support.manifesting import Operator, answering, manifest, staging
from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.v1 import manifest_service_pb2 as pb
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, Mock

A, B = answering("a", "/a"), answering("b", "/b")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    """checkout/staging and checkout/qa by the API, with ovr_api in the first; shop/staging by understudy.yaml."""
    async with world(tmp_path / "data") as made:
        await made.make_project("checkout", "staging", "qa")
        await made.make_mock("checkout", "staging", "ovr_api")
        await Operator(made).apply(staging(mocks={"ovr_a": A}, name="Staging"))
        yield made


@pytest.fixture
def operator(here: World) -> Operator:
    return Operator(here)


async def test_everything_is_written_whoever_made_it(operator: Operator) -> None:
    expected = manifest(
        {
            "checkout": {"environments": {"qa": {}, "staging": {"mocks": {"ovr_api": {}}}}},
            "shop": {"environments": {"staging": {"name": "Staging", "mocks": {"ovr_a": A}}}},
        },
        organisation={"plan": "PLAN_BUSINESS"},
    )
    expected.projects["shop"].environments["staging"].mocks["ovr_a"].action.respond.status = 200
    assert await operator.dump() == expected


async def test_names_that_are_given_and_drafts_are_written(operator: Operator) -> None:
    desk = Desk(operator.world)
    await desk.create(Mock(id="ovr_draft", name="A draft", matcher=RequestMatcher()))
    await desk.scenario("Declined", "ovr_api", scenario_id="scn_declined")
    await desk.create(Mock(id="ovr_local", name="ovr_local", scenario="scn_declined"))
    found = (await operator.dump()).projects["checkout"].environments["staging"]
    assert found.mocks["ovr_draft"] == pb.ManifestMock(name="A draft", state=MOCK_STATE_DRAFT)
    scenario = pb.ManifestScenario(name="Declined", url_id="declined", mocks=["ovr_api"])
    scenario.local_mocks["ovr_local"].state = MOCK_STATE_DRAFT
    assert found.scenarios["scn_declined"] == scenario


async def test_one_project_is_written_alone_and_without_the_organisation(operator: Operator) -> None:
    found = await operator.dump("checkout")
    assert (list(found.projects), found.HasField("organisation")) == (["checkout"], False)


async def test_an_unknown_project_is_told(operator: Operator) -> None:
    request = pb.DumpManifestRequest(project="none")
    problem = await operator.world.refused("ManifestService.DumpManifest", request)
    assert (problem.reason, problem.field) == ("not_found", "project")


async def test_one_source_is_written_with_what_it_is_in_as_existing(operator: Operator) -> None:
    declared = manifest({"checkout": {"existing": True, "environments": {"staging": {"existing": True}}}}, "team")
    declared.projects["checkout"].environments["staging"].mocks["ovr_b"].name = "B"
    await operator.apply(declared)
    assert await operator.dump(source="team") == declared
    assert list((await operator.dump(source="understudy.yaml")).projects) == ["shop"]


async def test_a_source_that_declares_the_organisation_is_written_with_it(operator: Operator) -> None:
    declared = manifest(source="team", organisation={"name": "Example", "plan": "PLAN_TEAM"})
    await operator.apply(declared)
    assert await operator.dump(source="team") == declared
    assert not (await operator.dump(source="understudy.yaml")).HasField("organisation")


async def test_a_source_that_declares_nothing_is_empty(operator: Operator) -> None:
    await operator.apply(manifest(source="team"))
    assert await operator.dump(source="team") == manifest(source="team")


async def test_a_mock_whose_scenario_another_source_took_is_left_out(operator: Operator) -> None:
    await operator.apply(staging(mocks={"ovr_a": A}, scenarios={"scn_a": {"localMocks": {"ovr_local": B}}}))
    await operator.apply(staging("team", existing=True, scenarios={"scn_a": {}}), adopt=True)
    found = (await operator.dump(source="understudy.yaml")).projects["shop"].environments["staging"]
    assert (sorted(found.mocks), sorted(found.scenarios)) == (["ovr_a"], [])


async def test_a_key_writes_what_it_reaches(operator: Operator) -> None:
    of_project = Operator(operator.world, await operator.world.make_key(ROLE_ADMIN, "checkout"))
    of_environment = Operator(operator.world, await operator.world.make_key(ROLE_ADMIN, "checkout", "qa"))
    wide = await of_project.dump()
    assert (list(wide.projects), wide.HasField("organisation")) == (["checkout"], False)
    assert sorted(wide.projects["checkout"].environments) == ["qa", "staging"]
    assert sorted((await of_environment.dump()).projects["checkout"].environments) == ["qa"]


@pytest.mark.parametrize("project", ["shop", "none"])
async def test_a_key_learns_nothing_of_other_projects(operator: Operator, project: str) -> None:
    key = await operator.world.make_key(ROLE_ADMIN, "checkout")
    request = pb.DumpManifestRequest(project=project)
    assert await operator.world.code("ManifestService.DumpManifest", request, key) == "scope_mismatch"


@pytest.mark.parametrize("environment", ["", "qa"], ids=["project", "environment"])
async def test_a_key_learns_not_which_sources_there_are(operator: Operator, environment: str) -> None:
    key = await operator.world.make_key(ROLE_ADMIN, "checkout", environment)
    for source in ("understudy.yaml", "none"):
        found = await Operator(operator.world, key).dump(source=source)
        assert found == pb.Manifest(source=source)


async def test_writing_changes_nothing(operator: Operator) -> None:
    version = operator.world.store.known_version
    await operator.dump()
    assert operator.world.store.known_version == version
