"""Who may change what: sources of manifests among each other, the API, and what is handed over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.message import Message
from support.desk import Desk
from support.dispatching import World, world
from support.manifesting import Operator, answering, manifest, staging
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_EDITOR
from understudy.v1 import manifest_service_pb2 as pb
from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import project_service_pb2 as projects
from understudy.v1 import scenario_service_pb2 as scenarios
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import EnvironmentChanges, ProjectChanges
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.session_service_pb2 import PutSessionRequest

A, B = answering("a", "/a"), answering("b", "/b")
DRAFT = {"state": "MOCK_STATE_DRAFT"}
PLACE = "manifest.projects['shop'].environments['staging']"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "data") as made:
        yield made


@pytest.fixture
def operator(here: World) -> Operator:
    return Operator(here)


@pytest.fixture
def desk(here: World) -> Desk:
    return Desk(here, "shop", "staging")


@pytest.fixture
async def made(operator: Operator) -> Operator:
    """With shop/staging, its mock ovr_a and its scenario scn_a with ovr_local, declared by understudy.yaml."""
    declared = staging(mocks={"ovr_a": A}, scenarios={"scn_a": {"mocks": ["ovr_a"], "localMocks": {"ovr_local": B}}})
    await operator.apply(declared)
    return operator


# The API


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("MockService.UpdateMock", mocks.UpdateMockRequest(mock_id="ovr_a", mock=Mock(name="x"))),
        ("MockService.DeleteMock", mocks.DeleteMockRequest(mock_id="ovr_a")),
        ("MockService.PublishMock", mocks.PublishMockRequest(mock_id="ovr_a")),
        ("MockService.UnpublishMock", mocks.UnpublishMockRequest(mock_id="ovr_a")),
        (
            "ScenarioService.UpdateScenario",
            scenarios.UpdateScenarioRequest(scenario_id="scn_a", scenario=Scenario(name="x")),
        ),
        ("ScenarioService.DeleteScenario", scenarios.DeleteScenarioRequest(scenario_id="scn_a")),
        (
            "ProjectService.UpdateEnvironment",
            projects.UpdateEnvironmentRequest(changes=EnvironmentChanges(name="x")),
        ),
        ("ProjectService.DeleteEnvironment", projects.DeleteEnvironmentRequest(force=True)),
        ("ProjectService.UpdateProject", projects.UpdateProjectRequest(changes=ProjectChanges(name="x"))),
        ("ProjectService.DeleteProject", projects.DeleteProjectRequest(force=True)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_the_api_changes_nothing_that_is_managed(made: Operator, desk: Desk, rpc: str, request_: Message) -> None:
    copy = type(request_)()
    copy.CopyFrom(request_)
    problem = await desk.refused(rpc, copy)
    assert (problem.reason, problem.rule, problem.given) == ("managed_by_file", "managed_by", "understudy.yaml")
    assert "release the source" in problem.message


async def test_a_place_that_holds_what_is_managed_is_not_removed(operator: Operator, desk: Desk) -> None:
    await operator.world.make_project("shop", "staging")
    await operator.apply(staging(existing=True, mocks={"ovr_a": A}))
    for rpc, request in (
        ("DeleteEnvironment", projects.DeleteEnvironmentRequest(force=True)),
        ("DeleteProject", projects.DeleteProjectRequest(force=True)),
    ):
        assert await desk.code(f"ProjectService.{rpc}", request) == "managed_by_file"


async def test_a_scenario_of_the_api_with_a_managed_mock_is_not_removed(operator: Operator, desk: Desk) -> None:
    await operator.apply(staging(scenarios={"scn_a": {"localMocks": {"ovr_local": A}}}))
    await operator.apply(staging("other", existing=True, scenarios={"scn_a": {}}), adopt=True)
    await operator.release("other")
    request = scenarios.DeleteScenarioRequest(scenario_id="scn_a")
    problem = await desk.refused("ScenarioService.DeleteScenario", request)
    assert (problem.reason, "ovr_local" in problem.message) == ("managed_by_file", True)


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("MockService.DeleteMock", mocks.DeleteMockRequest(mock_id="ovr_api")),
        ("MockService.UnpublishMock", mocks.UnpublishMockRequest(mock_id="ovr_api")),
    ],
    ids=["delete", "unpublish"],
)
async def test_a_mock_of_the_api_stays_while_a_managed_scenario_lists_it(
    made: Operator, desk: Desk, rpc: str, request_: Message
) -> None:
    await desk.library("ovr_api")
    await made.apply(staging("other", existing=True, scenarios={"scn_b": {"mocks": ["ovr_api"]}}))
    problem = await desk.refused(rpc, request_)
    assert (problem.reason, problem.given) == ("managed_by_file", "other")


async def test_a_scenario_that_is_managed_gets_no_mock_of_the_api(made: Operator, desk: Desk) -> None:
    request = mocks.CreateMockRequest(mock=Mock(id="ovr_api", name="Api", scenario="scn_a"))
    problem = await desk.refused("MockService.CreateMock", request)
    assert (problem.reason, problem.given) == ("managed_by_file", "understudy.yaml")
    assert "ovr_api" not in await desk.mock_ids()


async def test_a_scenario_of_the_api_may_list_what_is_managed(made: Operator, desk: Desk) -> None:
    await desk.scenario("Api", scenario_id="scn_api")
    found = await desk.update_scenario("scn_api", Scenario(mocks=["ovr_a"]))
    assert list(found.mocks) == ["ovr_a"]


# Sources


async def test_two_sources_share_an_environment_and_leave_each_other_alone(made: Operator, desk: Desk) -> None:
    other = staging("other", existing=True, mocks={"ovr_b": B}, scenarios={"scn_b": {"mocks": ["ovr_a", "ovr_b"]}})
    assert await made.apply(other) == ["create mock shop/staging/ovr_b", "create scenario shop/staging/scn_b"]
    assert await made.apply(staging("other", existing=True, mocks={"ovr_b": B})) == [
        "delete scenario shop/staging/scn_b"
    ]
    assert await desk.mock_ids() == ["ovr_a", "ovr_b", "ovr_local"]


@pytest.mark.parametrize(
    ("declared", "field"),
    [
        (manifest({"shop": {}}, "other"), "manifest.projects['shop']"),
        (manifest({"shop": {"existing": True, "environments": {"staging": {}}}}, "other"), PLACE),
        (staging("other", existing=True, mocks={"ovr_a": A}), f"{PLACE}.mocks['ovr_a']"),
        (staging("other", existing=True, mocks={"ovr_local": A}), f"{PLACE}.mocks['ovr_local']"),
        (staging("other", existing=True, scenarios={"scn_a": {}}), f"{PLACE}.scenarios['scn_a']"),
        (
            staging("other", existing=True, scenarios={"scn_b": {"urlId": "scn-a"}}),
            f"{PLACE}.scenarios['scn_b'].url_id",
        ),
    ],
    ids=["project", "environment", "mock", "local mock", "scenario", "url_id"],
)
async def test_what_another_source_declares_is_taken(made: Operator, declared: pb.Manifest, field: str) -> None:
    problem = await made.refused(declared)
    assert (problem.reason, problem.field) == ("already_exists", field)


async def test_a_host_of_another_source_is_taken_even_when_adopting(operator: Operator) -> None:
    await operator.apply(manifest({"shop": {"environments": {"a": {"hosts": ["x.test"]}}}}))
    taker = manifest({"other": {"environments": {"b": {"hosts": ["y.test", "x.test"]}}}}, "other")
    problem = await operator.refused(taker, adopt=True)
    field = "manifest.projects['other'].environments['b'].hosts[1]"
    assert (problem.reason, problem.field, problem.given) == ("already_exists", field, "x.test")


async def test_the_organisation_of_another_source_is_taken_unless_adopted(operator: Operator) -> None:
    await operator.apply(manifest(organisation={"name": "A"}))
    other = manifest(source="other", organisation={"name": "A"})
    problem = await operator.refused(other)
    assert (problem.reason, problem.field) == ("already_exists", "manifest.organisation")
    assert await operator.apply(other, adopt=True) == ["adopt organisation"]


async def test_a_mock_in_a_scenario_of_another_source_stays_unless_forced(made: Operator, desk: Desk) -> None:
    await made.apply(staging("other", existing=True, scenarios={"scn_b": {"mocks": ["ovr_a"]}}))
    draft = staging(mocks={"ovr_a": {**A, "state": "MOCK_STATE_DRAFT"}})
    for without in (staging(), draft):
        problem = await made.refused(without)
        assert (problem.reason, problem.given) == ("managed_by_file", "other")
    await made.apply(staging(), force=True)
    assert list((await desk.read_scenario("scn_b")).mocks) == []


# Adopting


async def test_what_the_api_made_is_adopted_and_changed_where_it_differs(operator: Operator, desk: Desk) -> None:
    await operator.world.make_project("shop", "staging")
    await desk.library("ovr_a", "ovr_same")
    await desk.scenario("Api", "ovr_a", scenario_id="scn_a", url_id="api")
    await desk.put(PutSessionRequest(overrides=["ovr_a"], scenario="scn_a"))
    declared = staging(
        mocks={"ovr_a": A, "ovr_same": {}}, scenarios={"scn_a": {"name": "Api", "mocks": ["ovr_a"]}}, strict=True
    )
    assert (await operator.refused(declared)).reason == "already_exists"
    assert await operator.apply(declared, adopt=True) == [
        "adopt project shop",
        "adopt environment shop/staging (strict)",
        "adopt mock shop/staging/ovr_a (matcher, action)",
        "adopt mock shop/staging/ovr_same",
        "adopt scenario shop/staging/scn_a",
    ]
    assert [(await desk.mock(each)).revision for each in ("ovr_a", "ovr_same")] == [3, 2]
    assert (await desk.mock("ovr_same")).managed_by == "understudy.yaml"
    session = await desk.get()
    assert (list(session.overrides), session.scenario) == (["ovr_a"], "scn_a")
    assert await operator.apply(declared) == []


async def test_a_refusal_tells_every_problem(operator: Operator, desk: Desk) -> None:
    await operator.world.make_project("shop", "staging")
    await desk.library("ovr_a")
    problem = await operator.refused(staging(mocks={"ovr_a": A}, scenarios={"scn_a": {"mocks": ["ovr_none"]}}))
    assert problem.field == "manifest.projects['shop']"
    assert problem.summary == f"{problem.message} (and 3 more problems)"
    assert [(each.reason, each.field) for each in problem.others] == [
        ("already_exists", PLACE),
        ("already_exists", f"{PLACE}.mocks['ovr_a']"),
        ("not_found", f"{PLACE}.scenarios['scn_a'].mocks[0]"),
    ]
    assert all(each.message for each in problem.others)


async def test_a_refusal_tells_every_contradiction(operator: Operator) -> None:
    problem = await operator.refused(staging(scenarios={"scn_a": {"mocks": ["ovr_d"] * 3}}, mocks={"ovr_d": DRAFT}))
    assert problem.reason == "invalid_field"
    assert len({problem.field, *(each.field for each in problem.others)}) == 1 + len(problem.others) > 1


async def test_of_very_many_problems_a_hundred_are_told_and_all_are_counted(operator: Operator) -> None:
    await operator.world.make_project("shop", "staging")
    existing = {str(number): {"existing": True} for number in range(1000, 1250)}
    problem = await operator.refused(manifest(existing))
    assert (len(problem.others), problem.untold) == (99, 150)
    assert problem.summary.endswith("(and 249 more problems)")


async def test_only_what_is_declared_is_adopted(operator: Operator, desk: Desk) -> None:
    await operator.world.make_project("shop", "staging")
    await desk.library("ovr_a", "ovr_api")
    await operator.apply(staging(mocks={"ovr_a": A}), adopt=True)
    assert (await desk.mock("ovr_api")).managed_by == ""


async def test_what_was_adopted_from_a_source_is_no_more_removed_by_it(made: Operator, desk: Desk) -> None:
    await made.apply(staging("other", existing=True, mocks={"ovr_b": B}))
    await made.apply(staging(mocks={"ovr_a": A, "ovr_b": B}, scenarios={"scn_a": {}}), adopt=True)
    # It declares nothing any more, so that nothing of it goes.
    assert await made.apply(staging("other", existing=True)) == []
    assert (await desk.mock("ovr_b")).managed_by == "understudy.yaml"


# Made elsewhere


async def test_mocks_are_declared_in_places_that_are_made_elsewhere(operator: Operator, desk: Desk) -> None:
    await operator.world.make_project("shop", "staging")
    assert await operator.apply(staging(existing=True, mocks={"ovr_a": A})) == ["create mock shop/staging/ovr_a"]
    request = projects.UpdateEnvironmentRequest(changes=EnvironmentChanges(name="Mine"))
    assert await desk.code("ProjectService.UpdateEnvironment", request) == ""


@pytest.mark.parametrize(
    ("declared", "field"),
    [
        (manifest({"none": {"existing": True}}), "manifest.projects['none']"),
        (
            manifest({"shop": {"existing": True, "environments": {"none": {"existing": True}}}}),
            "manifest.projects['shop'].environments['none']",
        ),
    ],
    ids=["project", "environment"],
)
async def test_a_place_that_is_made_elsewhere_must_be_there(
    operator: Operator, declared: pb.Manifest, field: str
) -> None:
    await operator.world.make_project("shop")
    problem = await operator.refused(declared)
    assert (problem.reason, problem.field) == ("not_found", field)


async def test_a_place_that_becomes_existing_is_handed_over_and_stays(made: Operator, desk: Desk) -> None:
    declared = staging(
        existing=True, mocks={"ovr_a": A}, scenarios={"scn_a": {"mocks": ["ovr_a"], "localMocks": {"ovr_local": B}}}
    )
    assert await made.apply(declared) == [
        "update project shop (managedBy)",
        "update environment shop/staging (managedBy)",
    ]
    request = projects.UpdateEnvironmentRequest(changes=EnvironmentChanges(name="Mine"))
    assert await desk.code("ProjectService.UpdateEnvironment", request) == ""
    assert await made.apply(declared) == []


async def test_what_was_declared_in_a_place_made_elsewhere_goes_without_it(operator: Operator, desk: Desk) -> None:
    await operator.world.make_project("shop", "staging", "qa")
    declared = staging(existing=True, mocks={"ovr_a": A})
    declared.projects["shop"].environments["qa"].CopyFrom(declared.projects["shop"].environments["staging"])
    await operator.apply(declared)
    lines = await operator.apply(manifest({"shop": {"existing": True, "environments": {"qa": {"existing": True}}}}))
    assert lines == ["delete mock shop/qa/ovr_a", "delete mock shop/staging/ovr_a"]
    assert await desk.code("ProjectService.DeleteProject", projects.DeleteProjectRequest(force=True)) == ""


@pytest.mark.parametrize(
    ("mock_id", "reason"), [("ovr_draft", "invalid_field"), ("ovr_local", "invalid_field"), ("ovr_none", "not_found")]
)
async def test_a_scenario_lists_only_published_mocks_of_the_library_that_are_there(
    made: Operator, desk: Desk, mock_id: str, reason: str
) -> None:
    await desk.library("ovr_fine")
    await desk.create(Mock(id="ovr_draft", name="Draft"))
    other = staging("other", existing=True, scenarios={"scn_b": {"mocks": ["ovr_fine", mock_id]}})
    problem = await made.refused(other)
    assert (problem.reason, problem.field) == (reason, f"{PLACE}.scenarios['scn_b'].mocks[1]")


# Releasing


async def test_a_released_source_leaves_everything_to_the_api(made: Operator, desk: Desk) -> None:
    version = made.world.store.known_version
    assert await made.release() == 5
    assert made.world.store.known_version == version + 1
    assert await desk.code("MockService.UnpublishMock", mocks.UnpublishMockRequest(mock_id="ovr_a")) == ""
    assert (await desk.read_scenario("scn_a")).revision == 2
    assert await desk.code("ProjectService.DeleteProject", projects.DeleteProjectRequest(force=True)) == ""


async def test_a_released_source_can_be_adopted_again(made: Operator) -> None:
    declared = await made.dump(source="understudy.yaml")
    await made.release()
    assert (await made.refused(declared)).reason == "already_exists"
    assert len(await made.apply(declared, adopt=True)) == 5


async def test_only_a_source_that_was_applied_is_released_or_dumped(made: Operator) -> None:
    await made.release()
    for rpc, request in (
        ("ReleaseManifest", pb.ReleaseManifestRequest(source="understudy.yaml")),
        ("DumpManifest", pb.DumpManifestRequest(source="understudy.yaml")),
    ):
        problem = await made.world.refused(f"ManifestService.{rpc}", request)
        assert (problem.reason, problem.field) == ("not_found", "source")


async def test_a_project_key_neither_applies_nor_releases(made: Operator) -> None:
    key = await made.world.make_key(ROLE_ADMIN, "shop")
    for rpc, request in (
        ("ApplyManifest", pb.ApplyManifestRequest(manifest=staging())),
        ("ReleaseManifest", pb.ReleaseManifestRequest(source="understudy.yaml")),
    ):
        assert await made.world.code(f"ManifestService.{rpc}", request, key) == "scope_mismatch"


async def test_an_editor_applies_nothing(made: Operator) -> None:
    key = await made.world.make_key(ROLE_EDITOR)
    request = pb.ApplyManifestRequest(manifest=staging())
    assert await made.world.code("ManifestService.ApplyManifest", request, key) == "role_required"
