"""The start: an environment of the dialect's own, empty, and the stubs of a file in it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.assertive_door import ENVIRONMENT, PROJECT, Door, Trusted, open_door, stub
from support.dispatching import World, world
from understudy.v1 import file_service_pb2 as files
from understudy.v1 import manifest_service_pb2 as manifests
from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import project_service_pb2 as projects
from understudy.v1 import scenario_service_pb2 as scenarios
from understudy.v1 import session_service_pb2 as sessions
from understudy.v1 import state_service_pb2 as state
from understudy.v1.mock_service_pb2 import Mock
from understudy_gateway.dialects.assertive import preload
from understudy_gateway.dialects.assertive.loading import WrongEnvironment, ready_environment
from understudy_gateway.dialects.assertive.preload import PreloadError
from understudy_gateway.dialects.assertive.server import Refused

PLACE = (PROJECT, ENVIRONMENT)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def environment_of(here: World) -> projects.Environment:
    request = projects.GetEnvironmentRequest(project=PROJECT, environment=ENVIRONMENT)
    answer = await here.call("ProjectService.GetEnvironment", request)
    assert isinstance(answer, projects.GetEnvironmentResponse)
    return answer.environment


async def load_file(door: Door, *entries: Any) -> None:
    await ready_environment(door.backend, *PLACE, preload.read(json.dumps(entries).encode()))


async def put_file(door: Door, name: str) -> None:
    request = files.PutFileRequest(name=name)
    request.content.data = b"content"
    await door.desk.call("FileService.PutFile", request, files.PutFileResponse)


async def declare(door: Door, mock_id: str, file: str) -> None:
    """Apply a manifest that has one mock of the environment, which answers with a file."""
    manifest = manifests.Manifest(source="understudy.yaml")
    project = manifest.projects[PROJECT]
    project.existing = True
    environment = project.environments[ENVIRONMENT]
    environment.existing = True
    environment.mocks[mock_id].name = "declared"
    environment.mocks[mock_id].action.respond.file = file
    request = manifests.ApplyManifestRequest(manifest=manifest)
    await door.desk.call("ManifestService.ApplyManifest", request, manifests.ApplyManifestResponse)


async def file_names(door: Door) -> list[str]:
    found = await door.desk.call("FileService.ListFiles", files.ListFilesRequest(), files.ListFilesResponse)
    return [each.name for each in found.files]


async def test_the_environment_is_made_with_its_project(here: World) -> None:
    await ready_environment(Trusted(here.dispatcher))
    made = await environment_of(here)
    assert (made.profile, made.upstream) == (projects.PROFILE_ASSERTIVE, "")
    # Calls are asserted by whatever headers they have.
    assert made.redaction.keep_credentials


async def test_it_is_made_within_a_project_that_is_there(here: World) -> None:
    await here.make_project(PROJECT, "staging")
    await ready_environment(Trusted(here.dispatcher))
    assert (await environment_of(here)).profile == projects.PROFILE_ASSERTIVE


async def test_one_that_is_there_stays_as_it_is(door: Door) -> None:
    change = projects.UpdateEnvironmentRequest(project=PROJECT, environment=ENVIRONMENT)
    change.changes.name = "Ours"
    await door.desk.call("ProjectService.UpdateEnvironment", change, projects.UpdateEnvironmentResponse)
    await ready_environment(door.backend, *PLACE)
    assert (await environment_of(door.desk.world)).name == "Ours"


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        (projects.PROFILE_UNSPECIFIED, "flowmock"),
        (projects.PROFILE_FLOWMOCK, "flowmock"),
        (projects.PROFILE_MOCKARTY, "mockarty"),
    ],
)
async def test_one_of_another_kind_is_refused_and_left_alone(here: World, profile: Any, name: str) -> None:
    await here.make_project(PROJECT)
    request = projects.CreateEnvironmentRequest(project=PROJECT)
    request.environment.slug, request.environment.profile = ENVIRONMENT, profile
    await here.call("ProjectService.CreateEnvironment", request)
    await here.make_mock(*PLACE, "ovr_theirs")
    with pytest.raises(WrongEnvironment, match=f"assertive/default is there already.*{name}: remove it"):
        await ready_environment(Trusted(here.dispatcher))
    await here.call(
        "MockService.GetMock", mocks.GetMockRequest(project=PROJECT, environment=ENVIRONMENT, mock_id="ovr_theirs")
    )


async def test_what_was_there_before_the_start_is_gone(door: Door) -> None:
    await door.make_scope("team-a")
    await door.desk.put(sessions.PutSessionRequest(session_key="ci-42"))
    await door.make_stub()
    await door.make_stub("team-a")
    draft = mocks.CreateMockRequest(mock=Mock(id="ovr_draft", name="draft"))
    await door.desk.call("MockService.CreateMock", draft, mocks.CreateMockResponse)
    for scope in ("", "team-a", "ci-42"):
        await door.record("/called", scope)
    value = state.SetStateValueRequest(key="total", value="1")
    await door.desk.call("StateService.SetStateValue", value, state.SetStateValueResponse)
    scenario = scenarios.CreateScenarioRequest(scenario=scenarios.Scenario(id="scn_x", name="x"))
    await door.desk.call("ScenarioService.CreateScenario", scenario, scenarios.CreateScenarioResponse)
    await put_file(door, "a.txt")
    # Of a session that has ended already.
    await door.record("/called", "ci-42")
    await door.desk.end(sessions.DELETE_MODE_DELETE)

    await ready_environment(door.backend, *PLACE)

    assert await door.get("/__mock__/scopes") == {"scopes": []}
    listed = await door.desk.call(
        "SessionService.ListSessions", sessions.ListSessionsRequest(), sessions.ListSessionsResponse
    )
    assert list(listed.sessions) == []
    kept = await door.desk.call("MockService.ListMocks", mocks.ListMocksRequest(), mocks.ListMocksResponse)
    assert list(kept.mocks) == []
    assert door.desk.world.journal.exchanges == []
    found = await door.desk.call(
        "ScenarioService.ListScenarios", scenarios.ListScenariosRequest(), scenarios.ListScenariosResponse
    )
    assert (list(found.scenarios), await file_names(door)) == ([], [])
    assert await door.desk.code("StateService.GetStateValue", state.GetStateValueRequest(key="total")) == "not_found"
    assert await door.post("/__mock__/assert", {"times": 0}) == {"result": True}


async def test_more_than_a_page_of_everything_goes(door: Door) -> None:
    for start in range(0, 1500, 500):
        batch = mocks.BatchMocksRequest()
        several = scenarios.BatchScenariosRequest()
        for number in range(start, start + 500):
            batch.operations.add(create=mocks.CreateMockRequest(mock=Mock(id=f"ovr_{number}", name="x")))
        for number in range(start, start + 60):
            made = scenarios.Scenario(id=f"scn_{number}", name=f"x{number}")
            several.operations.add(create=scenarios.CreateScenarioRequest(scenario=made))
        await door.desk.call("ScenarioService.BatchScenarios", several, scenarios.BatchScenariosResponse)
        await door.desk.call("MockService.BatchMocks", batch, mocks.BatchMocksResponse)
    for number in range(1_010):
        await door.desk.put(sessions.PutSessionRequest(session_key=f"ci-{number}"))
    await ready_environment(door.backend, *PLACE)
    kept = await door.desk.call("MockService.ListMocks", mocks.ListMocksRequest(), mocks.ListMocksResponse)
    listed = await door.desk.call(
        "SessionService.ListSessions", sessions.ListSessionsRequest(), sessions.ListSessionsResponse
    )
    found = await door.desk.call(
        "ScenarioService.ListScenarios", scenarios.ListScenariosRequest(), scenarios.ListScenariosResponse
    )
    assert (len(kept.mocks), len(listed.sessions), len(found.scenarios)) == (0, 0, 0)


async def test_other_environments_are_left_alone(door: Door) -> None:
    world = door.desk.world
    await world.make_project("checkout", "staging")
    await world.make_mock("checkout", "staging", "ovr_theirs")
    await ready_environment(door.backend, *PLACE)
    await world.call(
        "MockService.GetMock", mocks.GetMockRequest(project="checkout", environment="staging", mock_id="ovr_theirs")
    )


async def test_the_stubs_of_a_file_are_global_and_in_its_order(door: Door) -> None:
    await load_file(door, {**stub("/b"), "id": "b"}, {**stub("/a"), "stub_id": "a/a"}, stub("/none"))
    first, second, third = (await door.get("/__mock__/stubs"))["stubs"]
    assert [each["stub_id"] for each in (first, second)] == ["b", "a/a"]
    assert [each["request"]["path"] for each in (first, second, third)] == ["/b", "/a", "/none"]
    assert {each["scope"] for each in (first, second, third)} == {None}
    page = await door.http.get("/__admin__/stubs/a%2Fa")
    assert (page.status_code, "Stub Detail" in page.text) == (200, True)
    assert (await door.http.delete("/__admin__/actions/stubs/a%2Fa")).status_code == 200
    assert len(await door.stub_ids()) == 2


async def test_many_stubs_are_made_in_batches(door: Door) -> None:
    await load_file(door, *[{**stub(f"/{number}"), "id": f"s{number}"} for number in range(450)])
    assert await door.stub_ids() == [f"s{number}" for number in range(450)]
    # Each is tried before.
    assert door.backend.called.count("BatchMocks") == 2 * 3


async def test_large_stubs_do_not_make_one_large_call(door: Door) -> None:
    large = {"response": {"status_code": 200, "headers": {}, "body": "b" * 1_000_000}}
    await load_file(door, *[{**stub(action=large), "id": f"s{number}"} for number in range(12)])
    assert len(await door.stub_ids()) == 12
    assert door.backend.called.count("BatchMocks") == 2 * 2


@pytest.mark.parametrize("place", [1, 2, 205])
async def test_a_stub_that_the_server_refuses_is_named_by_its_place(door: Door, place: int) -> None:
    entries = [stub(f"/{number}") for number in range(1, 210)]
    entries[place - 1] = stub(request={"path": {"$regex": {"pattern": "a(?!b)"}}})
    with pytest.raises(PreloadError, match=rf"^Stub {place}: Invalid stub payload: body\.request\.path: .*RE2"):
        await load_file(door, *entries)


async def test_a_file_that_is_refused_leaves_all_as_it_was(door: Door) -> None:
    await door.make_scope("team-a")
    made = await door.make_stub()
    await door.record("/called")
    with pytest.raises(PreloadError):
        await load_file(door, {**stub(), "id": "a"}, stub(request={"path": {"$regex": {"pattern": "a(?!b)"}}}))
    assert await door.stub_ids() == [made]
    assert (await door.get("/__mock__/scopes"), await door.called()) == ({"scopes": ["team-a"]}, ["/called"])


async def test_ids_of_the_start_before_can_be_had_again(door: Door) -> None:
    for path in ("/first", "/second"):
        await load_file(door, {**stub(path), "id": "a"})
    (shown,) = (await door.get("/__mock__/stubs"))["stubs"]
    assert (shown["stub_id"], shown["request"]["path"]) == ("a", "/second")


async def test_what_a_manifest_declares_stays_with_what_it_uses_and_its_ids_are_taken(door: Door) -> None:
    await put_file(door, "kept.txt")
    await declare(door, "ovr_declared", "kept.txt")
    other = await door.make_stub()
    with pytest.raises(
        PreloadError, match=r"^Stub 2: Invalid stub payload: a manifest declares the mock 'ovr_declared'"
    ):
        await load_file(door, stub(), {**stub(), "id": "declared"})
    assert other in await door.stub_ids()
    await load_file(door, {**stub(), "id": "a"})
    kept = await door.desk.call("MockService.ListMocks", mocks.ListMocksRequest(), mocks.ListMocksResponse)
    assert {each.id for each in kept.mocks} == {"ovr_declared", "ovr_a"}
    assert await file_names(door) == ["kept.txt"]


async def test_what_the_server_cannot_do_is_told_as_it_is(here: World) -> None:
    backend = Trusted(here.dispatcher)
    with pytest.raises(Refused):
        await ready_environment(backend, "No Slug", ENVIRONMENT)


async def test_two_starts_one_after_the_other_are_one(tmp_path: Path) -> None:
    for _ in range(2):
        async with open_door(tmp_path) as door:
            assert await door.stub_ids() == []
            await door.make_stub()
