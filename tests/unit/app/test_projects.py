"""Projects and environments: the walls between users, and which key may move which wall."""

from dataclasses import replace

import pytest
from google.protobuf.message import Message
from support.desk import Desk
from support.dispatching import World
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI, ROLE_EDITOR
from understudy.v1 import project_service_pb2 as pb
from understudy.v1.flag_service_pb2 import (
    CreateFlagRequest,
    CreateFlagResponse,
    PutFlagStateRequest,
    PutFlagStateResponse,
)
from understudy.v1.flags_pb2 import Flag, FlagRule, FlagState
from understudy.v1.key_service_pb2 import ListKeysRequest, ListKeysResponse
from understudy.v1.mock_service_pb2 import ListMocksRequest, Mock
from understudy.v1.project_service_pb2 import Environment, EnvironmentChanges, Project, ProjectChanges
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.times import stamp

SERVICE = "ProjectService"


async def project_slugs(desk: Desk, page_size: int = 100, page_token: str = "") -> tuple[list[str], str]:
    request = pb.ListProjectsRequest(page_size=page_size, page_token=page_token)
    found = await desk.call(f"{SERVICE}.ListProjects", request, pb.ListProjectsResponse)
    return [each.slug for each in found.projects], found.next_page_token


async def environment_slugs(desk: Desk, page_size: int = 100, page_token: str = "") -> tuple[list[str], str]:
    request = pb.ListEnvironmentsRequest(page_size=page_size, page_token=page_token)
    found = await desk.call(f"{SERVICE}.ListEnvironments", request, pb.ListEnvironmentsResponse)
    return [each.slug for each in found.environments], found.next_page_token


async def create(desk: Desk, project: Project) -> Project:
    request = pb.CreateProjectRequest(project=project)
    return (await desk.call(f"{SERVICE}.CreateProject", request, pb.CreateProjectResponse)).project


async def update(desk: Desk, changes: EnvironmentChanges, *mask: str) -> Environment:
    request = pb.UpdateEnvironmentRequest(changes=changes)
    request.update_mask.paths.extend(mask)
    found = await desk.call(f"{SERVICE}.UpdateEnvironment", request, pb.UpdateEnvironmentResponse)
    return found.environment


@pytest.mark.parametrize("slug", ["a", "a-b", "0", "a" * 64])
async def test_a_slug_is_lower_case_with_single_hyphens(desk: Desk, slug: str) -> None:
    assert (await create(desk, Project(slug=slug))).slug == slug


@pytest.mark.parametrize("slug", ["", "A", "a--b", "-a", "a-", "a_b", "a b", "ä", "a\n", "a/b", "a" * 65])
async def test_another_slug_is_refused(desk: Desk, slug: str) -> None:
    project = await desk.refused(f"{SERVICE}.CreateProject", pb.CreateProjectRequest(project=Project(slug=slug)))
    assert (project.reason, project.field) == ("invalid_field", "project.slug")
    request = pb.CreateEnvironmentRequest(environment=Environment(slug=slug))
    environment = await desk.refused(f"{SERVICE}.CreateEnvironment", request)
    assert (environment.reason, environment.field) == ("invalid_field", "environment.slug")


async def test_a_project_is_named_by_its_slug_unless_it_has_a_name(desk: Desk) -> None:
    assert (await create(desk, Project(slug="a"))).name == "a"
    assert (await create(desk, Project(slug="b", name="Shop"))).name == "Shop"


async def test_what_only_the_server_says_is_not_taken_from_a_caller(desk: Desk) -> None:
    project = await create(desk, Project(slug="a", created_at=stamp(1), updated_at=stamp(1), revision=9))
    assert (project.revision, project.created_at) == (1, stamp(desk.world.clock.now_ms))


async def test_a_projects_slug_is_taken_once(desk: Desk) -> None:
    request = pb.CreateProjectRequest(project=Project(slug="checkout"))
    problem = await desk.refused(f"{SERVICE}.CreateProject", request)
    assert (problem.reason, problem.field) == ("already_exists", "project.slug")


async def test_an_environments_slug_is_taken_once_in_its_project(desk: Desk) -> None:
    request = pb.CreateEnvironmentRequest(environment=Environment(slug="qa"))
    problem = await desk.refused(f"{SERVICE}.CreateEnvironment", request)
    assert (problem.reason, problem.field) == ("already_exists", "environment.slug")
    assert await Desk(desk.world, "other").code(f"{SERVICE}.CreateEnvironment", without_place(request)) == ""


def without_place(request: pb.CreateEnvironmentRequest) -> pb.CreateEnvironmentRequest:
    return pb.CreateEnvironmentRequest(environment=request.environment)


async def test_an_environment_says_which_project_it_is_in(desk: Desk) -> None:
    given = Environment(slug="dev", project="forged")
    request = pb.CreateEnvironmentRequest(environment=given)
    made = await desk.call(f"{SERVICE}.CreateEnvironment", request, pb.CreateEnvironmentResponse)
    assert made.environment.project == "checkout"


async def test_an_update_sets_only_what_is_present(desk: Desk) -> None:
    await update(desk, EnvironmentChanges(upstream="http://real"))
    environment = await update(desk, EnvironmentChanges(name="Staging"))
    assert (environment.name, environment.upstream, environment.revision) == ("Staging", "http://real", 3)


async def test_a_masked_upstream_that_is_empty_is_cleared(desk: Desk) -> None:
    await update(desk, EnvironmentChanges(upstream="http://real"))
    assert (await update(desk, EnvironmentChanges(), "upstream")).upstream == ""


async def test_a_masked_name_that_is_empty_becomes_the_slug(desk: Desk) -> None:
    await update(desk, EnvironmentChanges(name="Staging"))
    assert (await update(desk, EnvironmentChanges(), "name")).name == "staging"


@pytest.mark.parametrize("path", ["slug", "project", "revision", "changes.name"])
async def test_a_mask_names_only_what_can_be_set(desk: Desk, path: str) -> None:
    request = pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(name="a"))
    request.update_mask.paths.append(path)
    assert (await desk.refused(f"{SERVICE}.UpdateEnvironment", request)).field == "update_mask"


async def test_a_project_takes_a_new_name(desk: Desk) -> None:
    request = pb.UpdateProjectRequest(changes=ProjectChanges(name="Shop"), expected_revision=1)
    found = await desk.call(f"{SERVICE}.UpdateProject", request, pb.UpdateProjectResponse)
    assert (found.project.name, found.project.revision) == ("Shop", 2)


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("UpdateProject", pb.UpdateProjectRequest(changes=ProjectChanges(name="a"), expected_revision=2)),
        ("DeleteProject", pb.DeleteProjectRequest(force=True, expected_revision=2)),
        ("UpdateEnvironment", pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(name="a"), expected_revision=2)),
        ("DeleteEnvironment", pb.DeleteEnvironmentRequest(force=True, expected_revision=2)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_change_expects_the_revision_that_the_caller_saw(desk: Desk, rpc: str, request_: Message) -> None:
    assert await desk.code(f"{SERVICE}.{rpc}", copy(request_)) == "revision_mismatch"


async def test_an_update_of_what_is_so_already_changes_nothing(desk: Desk) -> None:
    project, environment = await both(desk)
    desk.world.clock.now_ms += 1000
    for changes in (ProjectChanges(), ProjectChanges(name=project.name)):
        await desk.call(f"{SERVICE}.UpdateProject", pb.UpdateProjectRequest(changes=changes), pb.UpdateProjectResponse)
    await update(desk, EnvironmentChanges())
    await update(desk, EnvironmentChanges(name=environment.name), "name", "upstream", "limits")
    assert await both(desk) == (project, environment)


async def both(desk: Desk) -> tuple[Project, Environment]:
    """The project and the environment of a desk as they are."""
    project = await desk.call(f"{SERVICE}.GetProject", pb.GetProjectRequest(), pb.GetProjectResponse)
    environment = await desk.call(f"{SERVICE}.GetEnvironment", pb.GetEnvironmentRequest(), pb.GetEnvironmentResponse)
    return project.project, environment.environment


def copy(request: Message) -> Message:
    """A request of its own, because a desk fills in its place."""
    made = type(request)()
    made.CopyFrom(request)
    return made


async def test_lists_are_in_the_order_of_slugs_and_paged(desk: Desk) -> None:
    await create(desk, Project(slug="a"))
    first, token = await project_slugs(desk, 2)
    assert (first, await project_slugs(desk, 2, token)) == (["a", "checkout"], (["other"], ""))
    first, token = await environment_slugs(desk, 1)
    assert (first, await environment_slugs(desk, 1, token)) == (["qa"], (["staging"], ""))


async def test_a_project_key_sees_its_project_alone(desk: Desk) -> None:
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR, "other"))
    assert await project_slugs(editor) == (["other"], "")


async def test_an_environment_key_sees_its_environment_alone(desk: Desk) -> None:
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR, "checkout", "qa"))
    assert await project_slugs(editor) == (["checkout"], "")
    assert await environment_slugs(editor) == (["qa"], "")


NARROW = {
    "CreateProject": (pb.CreateProjectRequest(project=Project(slug="new")), "wide"),
    "DeleteProject": (pb.DeleteProjectRequest(force=True), "wide"),
    "UpdateProject": (pb.UpdateProjectRequest(changes=ProjectChanges(name="a")), "project"),
    "CreateEnvironment": (pb.CreateEnvironmentRequest(environment=Environment(slug="new")), "project"),
    "UpdateEnvironment": (pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(name="a")), "environment"),
    "DeleteEnvironment": (pb.DeleteEnvironmentRequest(), "environment"),
}
REACH = {"wide": ("", ""), "project": ("checkout", ""), "environment": ("checkout", "staging")}


@pytest.mark.parametrize("reach", REACH)
@pytest.mark.parametrize("rpc", NARROW)
async def test_a_wall_is_moved_only_by_a_key_that_is_wide_enough(desk: Desk, rpc: str, reach: str) -> None:
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR, *REACH[reach]))
    request, needed = NARROW[rpc]
    wide_enough = list(REACH).index(reach) <= list(REACH).index(needed)
    assert await editor.code(f"{SERVICE}.{rpc}", copy(request)) == ("" if wide_enough else "scope_mismatch")


async def fill(desk: Desk, what: str) -> None:
    match what:
        case "mock":
            await desk.create(Mock(name="a"))
        case "scenario":
            await desk.scenario("a")
        case "session":
            await desk.put()
        case "flag":
            await desk.call("FlagService.CreateFlag", CreateFlagRequest(flag=Flag(key="a")), CreateFlagResponse)
            state = PutFlagStateRequest(flag_key="a", state=FlagState(rules=[FlagRule(name="Beta")]))
            await desk.call("FlagService.PutFlagState", state, PutFlagStateResponse)


@pytest.mark.parametrize("what", ["mock", "scenario", "session", "flag"])
async def test_an_environment_with_something_in_it_is_not_removed_unless_forced(desk: Desk, what: str) -> None:
    await fill(desk, what)
    assert await desk.code(f"{SERVICE}.DeleteEnvironment", pb.DeleteEnvironmentRequest()) == "not_empty"
    assert await desk.code(f"{SERVICE}.DeleteEnvironment", pb.DeleteEnvironmentRequest(force=True)) == ""
    assert (await environment_slugs(desk))[0] == ["qa"]


async def test_an_environment_that_is_made_again_is_empty(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.scenario("a", "ovr_a")
    await desk.put(PutSessionRequest(overrides=["ovr_a"]))
    await desk.call(
        f"{SERVICE}.DeleteEnvironment", pb.DeleteEnvironmentRequest(force=True), pb.DeleteEnvironmentResponse
    )
    request = pb.CreateEnvironmentRequest(environment=Environment(slug="staging"))
    await desk.call(f"{SERVICE}.CreateEnvironment", request, pb.CreateEnvironmentResponse)
    assert (await desk.mock_ids(), await desk.session_keys(), await desk.scenario_pages(9)) == ([], [], [[]])


async def test_a_project_with_environments_is_not_removed_unless_forced(desk: Desk) -> None:
    assert await desk.code(f"{SERVICE}.DeleteProject", pb.DeleteProjectRequest()) == "not_empty"
    assert (await project_slugs(desk))[0] == ["checkout", "other"]


async def test_a_forced_removal_takes_all_that_is_in_a_project(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.call(f"{SERVICE}.DeleteProject", pb.DeleteProjectRequest(force=True), pb.DeleteProjectResponse)
    assert (await project_slugs(desk))[0] == ["other"]
    await desk.world.make_project("checkout", "staging")
    assert await desk.mock_ids() == []


async def test_a_project_without_environments_is_removed_without_force(desk: Desk) -> None:
    await create(desk, Project(slug="empty"))
    assert await desk.code(f"{SERVICE}.DeleteProject", pb.DeleteProjectRequest(project="empty")) == ""


async def active_keys(here: World) -> int:
    found = await here.call("KeyService.ListKeys", ListKeysRequest())
    assert isinstance(found, ListKeysResponse)
    return sum(key.active for key in found.keys)


async def test_the_keys_of_a_removed_project_are_revoked_and_no_others(desk: Desk) -> None:
    bound = [("checkout", ""), ("checkout", "qa"), ("other", ""), ("", "")]
    texts = [await desk.world.make_key(ROLE_CI, *each) for each in bound]
    await desk.call(f"{SERVICE}.DeleteProject", pb.DeleteProjectRequest(force=True), pb.DeleteProjectResponse)
    request = ListMocksRequest(project="other", environment="staging")
    codes = [await desk.world.code("MockService.ListMocks", request, text) for text in texts]
    assert codes == ["unauthorized", "unauthorized", "role_required", "role_required"]


async def test_the_keys_of_a_removed_environment_are_revoked_and_no_others(desk: Desk) -> None:
    for each in [("checkout", "staging"), ("checkout", "qa"), ("checkout", "")]:
        await desk.world.make_key(ROLE_CI, *each)
    await desk.call(f"{SERVICE}.DeleteEnvironment", pb.DeleteEnvironmentRequest(), pb.DeleteEnvironmentResponse)
    assert await active_keys(desk.world) == 2


async def test_a_key_of_a_removed_project_does_not_work_for_one_of_the_same_name(desk: Desk) -> None:
    text = await desk.world.make_key(ROLE_ADMIN, "checkout")
    await desk.call(f"{SERVICE}.DeleteProject", pb.DeleteProjectRequest(force=True), pb.DeleteProjectResponse)
    await desk.world.make_project("checkout", "staging")
    assert await desk.of(text).code(f"{SERVICE}.GetProject", pb.GetProjectRequest()) == "unauthorized"


async def test_a_project_is_made_with_the_environments_that_are_named(desk: Desk) -> None:
    request = pb.CreateProjectRequest(project=Project(slug="till"), environments=["staging", "production"])
    made = (await desk.call(f"{SERVICE}.CreateProject", request, pb.CreateProjectResponse)).project

    assert list(made.environments) == ["production", "staging"]
    assert (await environment_slugs(replace(desk, project="till")))[0] == ["production", "staging"]
    assert await desk.code("SessionService.PutSession", PutSessionRequest(project="till", session_key="a")) == ""


@pytest.mark.parametrize(("names", "field"), [(["a", "b", "a"], "environments[2]"), (["a", "B"], "environments[1]")])
async def test_a_project_whose_environments_cannot_be_is_not_made(desk: Desk, names: list[str], field: str) -> None:
    request = pb.CreateProjectRequest(project=Project(slug="till"), environments=names)
    refused = await desk.refused(f"{SERVICE}.CreateProject", request)

    assert (refused.reason, refused.field) == ("invalid_field", field)
    assert "till" not in (await project_slugs(desk))[0]


async def test_projects_are_told_with_their_environments_when_that_is_asked_for(desk: Desk, here: World) -> None:
    await here.make_project("bare")

    async def told(key: str = "") -> dict[str, list[str]]:
        request = pb.ListProjectsRequest(with_environments=True)
        found = await desk.of(key).call(f"{SERVICE}.ListProjects", request, pb.ListProjectsResponse)
        one = pb.GetProjectRequest(project="checkout", with_environments=True)
        project = (await desk.of(key).call(f"{SERVICE}.GetProject", one, pb.GetProjectResponse)).project
        assert project in found.projects
        return {each.slug: list(each.environments) for each in found.projects}

    assert await told() == {"bare": [], "checkout": ["qa", "staging"], "other": ["staging"]}
    assert await told(await here.make_key(ROLE_EDITOR, "checkout")) == {"checkout": ["qa", "staging"]}
    assert await told(await here.make_key(ROLE_EDITOR, "checkout", "qa")) == {"checkout": ["qa"]}
    without = await desk.call(f"{SERVICE}.ListProjects", pb.ListProjectsRequest(), pb.ListProjectsResponse)
    assert not any(each.environments for each in without.projects)
