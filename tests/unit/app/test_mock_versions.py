"""What a mock was, and the way back: who may see it, what a version brings back and what it leaves."""

from functools import partial

import pytest
from google.api.httpbody_pb2 import HttpBody
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_EDITOR
from understudy.v1 import file_service_pb2 as files
from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock
from understudy.v1.project_service_pb2 import DeleteEnvironmentRequest, DeleteEnvironmentResponse
from understudy.v1.state_pb2 import Lifetime
from understudy_server.app.ports import Transaction
from understudy_server.app.times import milliseconds
from understudy_server.core.state import Claim, Owner, Scope

LIST, RESTORE = "MockService.ListMockVersions", "MockService.RestoreMockVersion"


async def versions(desk: Desk, mock_id: str = "ovr_a") -> list[Mock]:
    found = await desk.call(LIST, pb.ListMockVersionsRequest(mock_id=mock_id), pb.ListMockVersionsResponse)
    return list(found.versions)


async def restored(desk: Desk, version: int, mock_id: str = "ovr_a") -> Mock:
    request = pb.RestoreMockVersionRequest(mock_id=mock_id, version=version)
    return (await desk.call(RESTORE, request, pb.RestoreMockVersionResponse)).mock


async def refused(desk: Desk, version: int, mock_id: str = "ovr_a", expected: int = 0) -> str:
    request = pb.RestoreMockVersionRequest(mock_id=mock_id, version=version, expected_revision=expected)
    return await desk.code(RESTORE, request)


def says(text: str, **fields: object) -> Mock:
    return Mock(id="ovr_a", name=text, action=Action(respond=Respond(text=text)), **fields)  # type: ignore[arg-type]


async def test_each_change_is_a_version(desk: Desk) -> None:
    await desk.create(says("one"))
    await desk.publish("ovr_a")
    await desk.activate("ovr_a")
    await desk.deactivate("ovr_a")
    await desk.update("ovr_a", says("two"))
    await desk.update("ovr_a", says("two"))
    await desk.unpublish("ovr_a")

    found = await versions(desk)

    assert [(each.revision, each.name, each.state) for each in found] == [
        (6, "two", MOCK_STATE_DRAFT), (5, "two", MOCK_STATE_PUBLISHED), (4, "one", MOCK_STATE_PUBLISHED),
        (3, "one", MOCK_STATE_PUBLISHED), (2, "one", MOCK_STATE_PUBLISHED), (1, "one", MOCK_STATE_DRAFT),
    ]  # fmt: skip


async def test_a_restored_mock_says_what_it_said_and_is_as_published_and_on_as_it_is(desk: Desk) -> None:
    await desk.create(says("one", priority=5, tags=["x"], chain="c"))
    await desk.publish("ovr_a")
    await desk.activate("ovr_a")
    await desk.update("ovr_a", Mock(name="two"), "name", "action", "priority", "tags", "chain")

    mock = await restored(desk, 1)

    assert (mock.revision, mock.state, mock.active) == (5, MOCK_STATE_PUBLISHED, True)
    assert (mock.name, mock.action.respond.text, mock.priority, list(mock.tags), mock.chain) == (
        "one",
        "one",
        5,
        ["x"],
        "c",
    )
    assert await desk.mock("ovr_a") == mock
    assert [each.revision for each in await versions(desk)] == [5, 4, 3, 2, 1]


async def test_to_restore_what_is_so_already_changes_nothing(desk: Desk) -> None:
    made = await desk.create(says("one"))
    assert await restored(desk, 1) == made


async def test_a_time_to_live_that_is_restored_begins_anew(desk: Desk) -> None:
    await desk.create(says("one", lifetime=Lifetime(ttl_ms=1000)))
    await desk.update("ovr_a", Mock(), "lifetime")
    desk.world.clock.advance(60)

    mock = await restored(desk, 1)

    assert milliseconds(mock.expires_at) == desk.world.clock.now_ms + 1000
    assert not (await restored(desk, 2)).HasField("expires_at")


async def test_what_was_removed_is_made_again_as_a_draft_of_whoever_does_it(desk: Desk) -> None:
    await desk.create(says("one"))
    await desk.publish("ovr_a")
    await desk.activate("ovr_a")
    await desk.delete_mock("ovr_a")
    assert [each.revision for each in await versions(desk)] == [3, 2, 1]
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR))

    mock = await restored(editor, 2)

    assert (mock.state, mock.active, mock.revision, mock.name) == (MOCK_STATE_DRAFT, False, 4, "one")
    assert mock.created_by.startswith("key_")
    assert await editor.mock("ovr_a") == mock
    assert [each.revision for each in await versions(desk)] == [4, 3, 2, 1]


async def environment_ids(desk: Desk) -> list[str]:
    return sorted(await desk.world.store.read(lambda tx: tx.environment_ids()))


async def test_what_was_removed_and_made_again_was_never_used_here(desk: Desk) -> None:
    await desk.library("ovr_a")
    owners = [Owner(each, Scope.ENVIRONMENT) for each in await environment_ids(desk)]
    for owner in owners:
        desk.world.state.claim(Claim("ovr_a", owner))
    await desk.delete_mock("ovr_a")

    await restored(desk, 2)

    assert sorted(desk.world.state.uses_of(owner, "ovr_a") for owner in owners) == [0, *[1] * (len(owners) - 1)]


async def test_what_is_made_anew_under_an_id_has_no_other_past(desk: Desk) -> None:
    await desk.create(says("one"))
    await desk.publish("ovr_a")
    await desk.delete_mock("ovr_a")

    await desk.create(says("new"))

    assert [(each.revision, each.name) for each in await versions(desk)] == [(1, "new")]
    assert await refused(desk, 2) == "not_found"


async def test_a_scenarios_own_mock_comes_back_into_it_as_long_as_it_is_there(desk: Desk) -> None:
    await desk.scenario("S", scenario_id="scn_a")
    await desk.create(Mock(id="ovr_a", name="a", scenario="scn_a"))
    await desk.delete_mock("ovr_a")

    assert (await restored(desk, 1)).scenario == "scn_a"
    await desk.delete_scenario("scn_a")
    assert await refused(desk, 1) == "not_found"


async def test_a_version_or_a_mock_that_is_not_there_is_not_found(desk: Desk) -> None:
    await desk.create(says("one"))
    assert [await refused(desk, each) for each in (2, -1)] == ["not_found"] * 2
    assert await refused(desk, 1, "ovr_none") == "not_found"
    assert await desk.code(LIST, pb.ListMockVersionsRequest(mock_id="ovr_none")) == "not_found"


async def test_a_revision_that_was_seen_counts(desk: Desk) -> None:
    await desk.create(says("one"))
    await desk.update("ovr_a", says("two"))
    assert await refused(desk, 1, expected=1) == "revision_mismatch"
    assert await refused(desk, 1, expected=2) == ""
    await desk.delete_mock("ovr_a")
    assert await refused(desk, 1, expected=2) == "revision_mismatch"
    assert await refused(desk, 1, expected=3) == ""


async def test_somebody_elses_draft_has_no_past_for_others(desk: Desk) -> None:
    world = desk.world
    mine, yours = desk.of(await world.make_key(ROLE_EDITOR)), desk.of(await world.make_key(ROLE_EDITOR))
    await mine.create(says("secret"))
    for _ in range(2):
        assert await yours.code(LIST, pb.ListMockVersionsRequest(mock_id="ovr_a")) == "not_found"
        assert await refused(yours, 1) == "not_found"
        assert len(await versions(desk.of(await world.make_key(ROLE_ADMIN)))) == 1
        if await mine.code("MockService.GetMock", pb.GetMockRequest(mock_id="ovr_a")) == "":
            await mine.delete_mock("ovr_a")


async def test_of_what_was_published_others_do_not_see_the_draft_before(desk: Desk) -> None:
    mine, yours = [desk.of(await desk.world.make_key(ROLE_EDITOR)) for _ in range(2)]
    await mine.create(says("secret"))
    await mine.update("ovr_a", says("open"))
    await mine.publish("ovr_a")

    assert [each.name for each in await versions(yours)] == ["open"]
    assert [await refused(yours, each) for each in (1, 2, 3)] == ["not_found", "not_found", ""]
    assert len(await versions(mine)) == 3
    await yours.unpublish("ovr_a")
    assert await mine.code(LIST, pb.ListMockVersionsRequest(mock_id="ovr_a")) == "not_found"


async def test_what_cannot_be_any_more_is_refused(desk: Desk) -> None:
    put = files.PutFileRequest(name="a.txt", content=HttpBody(data=b"x"))
    await desk.call("FileService.PutFile", put, files.PutFileResponse)
    await desk.create(Mock(id="ovr_a", name="a", action=Action(respond=Respond(file="a.txt"))))
    await desk.update("ovr_a", Mock(), "action")
    await desk.call("FileService.DeleteFile", files.DeleteFileRequest(name="a.txt"), files.DeleteFileResponse)

    problem = await desk.refused(RESTORE, pb.RestoreMockVersionRequest(mock_id="ovr_a", version=1))

    assert (problem.reason, problem.field) == ("invalid_field", "mock.action.respond.file")


async def test_the_past_goes_with_the_environment(desk: Desk) -> None:
    await desk.create(says("one"))
    places = await environment_ids(desk)
    request = DeleteEnvironmentRequest(force=True)
    await desk.call("ProjectService.DeleteEnvironment", request, DeleteEnvironmentResponse)

    for place in places:
        assert await desk.world.store.read(partial(_past, place)) == []


async def _past(place: str, tx: Transaction) -> list[Mock]:
    return list(await tx.mock_versions(place, "ovr_a"))


@pytest.mark.parametrize("mock_id", ["", "ovr_'; DROP TABLE past; --", "scn_a"])
async def test_an_id_that_is_none_has_no_past(desk: Desk, mock_id: str) -> None:
    assert await desk.code(LIST, pb.ListMockVersionsRequest(mock_id=mock_id)) in ("not_found", "invalid_field")
