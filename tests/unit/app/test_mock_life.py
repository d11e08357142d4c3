"""The life of a mock: draft, published, switched on, edited, a draft again, removed."""

import pytest
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_EDITOR
from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.times import milliseconds, stamp


async def test_a_new_mock_is_a_draft_of_the_key_that_made_it(desk: Desk) -> None:
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR))
    mock = await editor.create(Mock(name="Empty cart"))
    assert (mock.state, mock.active, mock.revision) == (MOCK_STATE_DRAFT, False, 1)
    assert mock.created_by.startswith("key_")


async def test_an_id_is_made_when_none_is_given(desk: Desk) -> None:
    first, second = await desk.create(Mock(name="a")), await desk.create(Mock(name="b"))
    assert first.id.startswith("ovr_")
    assert first.id != second.id


async def test_an_id_chosen_by_the_caller_is_kept(desk: Desk) -> None:
    assert (await desk.create(Mock(id="ovr_extra-Mock_1", name="a"))).id == "ovr_extra-Mock_1"


@pytest.mark.parametrize("mock_id", ["extraMock", "ovr_", "ovr_a b", "OVR_a", "ovr_" + "a" * 65, "ovr_ä", "ovr_a\n"])
async def test_an_id_of_another_form_is_refused(desk: Desk, mock_id: str) -> None:
    problem = await desk.refused("MockService.CreateMock", pb.CreateMockRequest(mock=Mock(id=mock_id, name="a")))
    assert (problem.reason, problem.field) == ("invalid_field", "mock.id")


async def test_an_id_is_taken_once_in_an_environment(desk: Desk) -> None:
    await desk.create(Mock(id="ovr_a", name="a"))
    problem = await desk.refused("MockService.CreateMock", pb.CreateMockRequest(mock=Mock(id="ovr_a", name="b")))
    assert (problem.reason, problem.field) == ("already_exists", "mock.id")


async def test_an_id_may_stand_in_two_environments(desk: Desk) -> None:
    await desk.create(Mock(id="ovr_a", name="a"))
    assert (await Desk(desk.world, environment="qa").create(Mock(id="ovr_a", name="b"))).name == "b"


async def test_what_only_the_server_says_is_not_taken_from_a_caller(desk: Desk) -> None:
    mock = await desk.create(
        Mock(
            name="a",
            state=MOCK_STATE_PUBLISHED,
            active=True,
            created_by="key_forged",
            created_at=stamp(1),
            updated_at=stamp(1),
            revision=77,
        )
    )
    assert (mock.state, mock.active, mock.created_by, mock.revision) == (MOCK_STATE_DRAFT, False, "", 1)
    assert milliseconds(mock.created_at) == milliseconds(mock.updated_at) == desk.world.clock.now_ms


async def test_publishing_counts_as_a_change_and_only_once(desk: Desk) -> None:
    await desk.create(Mock(id="ovr_a", name="a"))
    revisions = [(await desk.publish("ovr_a")).revision, (await desk.publish("ovr_a")).revision]
    assert revisions == [2, 2]


async def test_an_edited_mock_stays_published(desk: Desk) -> None:
    await desk.library("ovr_a")
    mock = await desk.update("ovr_a", Mock(name="new"))
    assert (mock.name, mock.state, mock.revision) == ("new", MOCK_STATE_PUBLISHED, 3)


async def test_an_edit_is_dated_and_the_making_is_not_forgotten(desk: Desk) -> None:
    made = await desk.create(Mock(id="ovr_a", name="a"))
    desk.world.clock.advance(5)
    mock = await desk.update("ovr_a", Mock(name="new"))
    assert milliseconds(mock.updated_at) == milliseconds(made.created_at) + 5_000
    assert mock.created_at == made.created_at


async def test_a_removed_mock_is_gone(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.delete_mock("ovr_a")
    assert await desk.code("MockService.GetMock", pb.GetMockRequest(mock_id="ovr_a")) == "not_found"


async def test_an_id_is_free_again_after_removal(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.delete_mock("ovr_a")
    assert (await desk.create(Mock(id="ovr_a", name="a"))).revision == 1


async def test_switching_on_for_the_environment_shows_and_is_idempotent(desk: Desk) -> None:
    await desk.library("ovr_a")
    assert (await desk.activate("ovr_a")).active
    assert (await desk.activate("ovr_a")).active
    assert (await desk.mock("ovr_a")).active


async def test_switching_off_for_the_environment_shows_and_is_idempotent(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.activate("ovr_a")
    assert not (await desk.deactivate("ovr_a")).active
    assert not (await desk.deactivate("ovr_a")).active
    assert not (await desk.mock("ovr_a")).active


async def test_switching_off_for_the_environment_leaves_sessions_alone(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.activate("ovr_a")
    await desk.put(PutSessionRequest(overrides=["ovr_a"]))
    await desk.deactivate("ovr_a")
    assert (await desk.get()).overrides == ["ovr_a"]


async def test_an_edit_leaves_a_mock_switched_on(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.activate("ovr_a")
    assert (await desk.update("ovr_a", Mock(name="new"))).active


async def test_a_draft_cannot_be_switched_on(desk: Desk) -> None:
    await desk.create(Mock(id="ovr_a", name="a"))
    problem = await desk.refused("MockService.ActivateMock", pb.ActivateMockRequest(mock_id="ovr_a"))
    assert (problem.reason, problem.field) == ("invalid_override", "mock_id")


async def test_an_unknown_mock_cannot_be_switched_on(desk: Desk) -> None:
    assert await desk.code("MockService.ActivateMock", pb.ActivateMockRequest(mock_id="ovr_none")) == "not_found"


@pytest.fixture
async def everywhere(desk: Desk) -> Desk:
    """A mock that is on for a session, by a scenario and for the environment."""
    await desk.library("ovr_a", "ovr_b")
    await desk.scenario("s", "ovr_a", "ovr_b", scenario_id="scn_s")
    await desk.put(PutSessionRequest(overrides=["ovr_a", "ovr_b"], scenario="scn_s"))
    await desk.activate("ovr_a")
    return desk


async def test_an_unpublished_mock_is_off_for_the_environment_even_when_published_again(everywhere: Desk) -> None:
    await everywhere.unpublish("ovr_a")
    assert not (await everywhere.publish("ovr_a")).active


@pytest.mark.parametrize("way", ["unpublish", "delete_mock"])
async def test_a_mock_that_goes_is_off_for_sessions(everywhere: Desk, way: str) -> None:
    await getattr(everywhere, way)("ovr_a")
    assert (await everywhere.get()).overrides == ["ovr_b"]


@pytest.mark.parametrize("way", ["unpublish", "delete_mock"])
async def test_a_mock_that_goes_is_out_of_scenarios(everywhere: Desk, way: str) -> None:
    await getattr(everywhere, way)("ovr_a")
    assert (await everywhere.read_scenario("scn_s")).mocks == ["ovr_b"]


@pytest.mark.parametrize("way", ["unpublish", "delete_mock"])
async def test_a_mock_that_goes_leaves_the_scenario_of_sessions(everywhere: Desk, way: str) -> None:
    await getattr(everywhere, way)("ovr_a")
    assert (await everywhere.get()).scenario == "scn_s"


async def test_a_removed_mock_that_is_made_again_is_on_nowhere(everywhere: Desk) -> None:
    await everywhere.delete_mock("ovr_a")
    await everywhere.library("ovr_a")
    assert not (await everywhere.mock("ovr_a")).active
    assert (await everywhere.get()).overrides == ["ovr_b"]


async def test_unpublishing_makes_it_the_draft_of_who_did_it(desk: Desk) -> None:
    await desk.library("ovr_a")
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR))
    mock = await editor.unpublish("ovr_a")
    assert mock.state == MOCK_STATE_DRAFT
    assert await editor.mock_ids() == ["ovr_a"]


async def test_unpublishing_a_draft_changes_nothing_and_not_whose_it_is(desk: Desk) -> None:
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR))
    made = await editor.create(Mock(id="ovr_a", name="a"))
    assert await desk.unpublish("ovr_a") == made


HIDDEN = {
    "GetMock": pb.GetMockRequest(mock_id="ovr_a"),
    "UpdateMock": pb.UpdateMockRequest(mock_id="ovr_a", mock=Mock(name="new")),
    "DeleteMock": pb.DeleteMockRequest(mock_id="ovr_a"),
    "PublishMock": pb.PublishMockRequest(mock_id="ovr_a"),
    "UnpublishMock": pb.UnpublishMockRequest(mock_id="ovr_a"),
    "DeactivateMock": pb.DeactivateMockRequest(mock_id="ovr_a"),
}


@pytest.mark.parametrize("rpc", HIDDEN)
async def test_a_draft_does_not_exist_for_another_editor(desk: Desk, rpc: str) -> None:
    await desk.of(await desk.world.make_key(ROLE_EDITOR)).create(Mock(id="ovr_a", name="a"))
    stranger = desk.of(await desk.world.make_key(ROLE_EDITOR))
    assert await stranger.code(f"MockService.{rpc}", HIDDEN[rpc]) == "not_found"


@pytest.mark.parametrize("rpc", HIDDEN)
async def test_a_draft_is_there_for_the_key_that_made_it(desk: Desk, rpc: str) -> None:
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR))
    await editor.create(Mock(id="ovr_a", name="a"))
    assert await editor.code(f"MockService.{rpc}", HIDDEN[rpc]) == ""


@pytest.mark.parametrize("rpc", HIDDEN)
async def test_a_draft_is_there_for_any_admin(desk: Desk, rpc: str) -> None:
    await desk.of(await desk.world.make_key(ROLE_EDITOR)).create(Mock(id="ovr_a", name="a"))
    admin = desk.of(await desk.world.make_key(ROLE_ADMIN))
    assert await admin.code(f"MockService.{rpc}", HIDDEN[rpc]) == ""


async def test_a_list_shows_published_mocks_and_ones_own_drafts(desk: Desk) -> None:
    await desk.library("ovr_published")
    one, two = [desk.of(await desk.world.make_key(ROLE_EDITOR)) for _ in range(2)]
    await one.create(Mock(id="ovr_one", name="a"))
    await two.create(Mock(id="ovr_two", name="a"))
    assert await one.mock_ids() == ["ovr_one", "ovr_published"]
    assert await desk.mock_ids() == ["ovr_one", "ovr_published", "ovr_two"]


async def test_a_list_can_be_narrowed_by_state(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.create(Mock(id="ovr_b", name="b"))
    assert await desk.mock_ids(state=MOCK_STATE_PUBLISHED) == ["ovr_a"]
    assert await desk.mock_ids(state=MOCK_STATE_DRAFT) == ["ovr_b"]


async def test_a_list_is_searched_in_ids_and_names(desk: Desk) -> None:
    await desk.create(Mock(id="ovr_CART", name="x"))
    await desk.create(Mock(id="ovr_b", name="Empty Cart"))
    await desk.create(Mock(id="ovr_c", name="other"))
    assert await desk.mock_ids("cart") == ["ovr_CART", "ovr_b"]


async def test_a_list_is_paged_without_gap_or_overlap(desk: Desk) -> None:
    await desk.library(*(f"ovr_{number}" for number in range(5)))
    pages, token = [], ""
    while True:
        request = pb.ListMocksRequest(page_size=2, page_token=token)
        found = await desk.call("MockService.ListMocks", request, pb.ListMocksResponse)
        pages.append([each.id for each in found.mocks])
        if not (token := found.next_page_token):
            break
    assert pages == [["ovr_0", "ovr_1"], ["ovr_2", "ovr_3"], ["ovr_4"]]


async def test_a_mock_of_a_scenario_stands_in_it_and_cannot_be_switched_on(desk: Desk) -> None:
    await desk.scenario("s", scenario_id="scn_s")
    await desk.create(Mock(id="ovr_local", name="a", scenario="scn_s"))
    await desk.publish("ovr_local")
    assert (await desk.read_scenario("scn_s")).local_mocks == ["ovr_local"]
    request = pb.ActivateMockRequest(mock_id="ovr_local")
    assert await desk.code("MockService.ActivateMock", request) == "invalid_override"


async def test_a_mock_of_a_scenario_that_does_not_exist_is_refused(desk: Desk) -> None:
    request = pb.CreateMockRequest(mock=Mock(name="a", scenario="scn_none"))
    problem = await desk.refused("MockService.CreateMock", request)
    assert (problem.reason, problem.field) == ("not_found", "mock.scenario")


async def test_unpublishing_leaves_a_mock_with_its_own_scenario(desk: Desk) -> None:
    await desk.scenario("s", scenario_id="scn_s")
    await desk.create(Mock(id="ovr_local", name="a", scenario="scn_s"))
    await desk.publish("ovr_local")
    await desk.unpublish("ovr_local")
    assert (await desk.read_scenario("scn_s")).local_mocks == ["ovr_local"]


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("UpdateMock", pb.UpdateMockRequest(mock_id="ovr_a", mock=Mock(name="new"))),
        ("DeleteMock", pb.DeleteMockRequest(mock_id="ovr_a")),
    ],
    ids=["update", "delete"],
)
@pytest.mark.parametrize(
    ("expected", "code"),
    [(0, ""), (2, ""), (1, "revision_mismatch"), (3, "revision_mismatch"), (-1, "revision_mismatch")],
)
async def test_a_change_expects_the_revision_that_the_caller_saw(
    desk: Desk, rpc: str, request_: pb.UpdateMockRequest | pb.DeleteMockRequest, expected: int, code: str
) -> None:
    await desk.library("ovr_a")
    request = type(request_)()
    request.CopyFrom(request_)  # type: ignore[arg-type]
    request.expected_revision = expected
    assert await desk.code(f"MockService.{rpc}", request) == code


@pytest.mark.parametrize("rpc", ["PublishMock", "UnpublishMock", "ActivateMock", "DeactivateMock"])
async def test_a_switch_expects_the_revision_that_the_caller_saw(desk: Desk, rpc: str) -> None:
    await desk.library("ovr_a")
    await desk.activate("ovr_a")
    before = await desk.mock("ovr_a")
    make = getattr(pb, f"{rpc}Request")
    old = make(mock_id="ovr_a", expected_revision=before.revision - 1)
    assert await desk.code(f"MockService.{rpc}", old) == "revision_mismatch"
    assert await desk.mock("ovr_a") == before
    assert await desk.code(f"MockService.{rpc}", make(mock_id="ovr_a", expected_revision=before.revision)) == ""


async def test_an_update_of_what_is_so_already_changes_nothing(desk: Desk) -> None:
    await desk.library("ovr_a")
    before = await desk.mock("ovr_a")
    desk.world.clock.now_ms += 1000
    for given, paths in ((Mock(), []), (Mock(name=before.name), []), (before, ["name", "matcher", "action"])):
        request = pb.UpdateMockRequest(mock_id="ovr_a", mock=given)
        request.update_mask.paths.extend(paths)
        found = await desk.call("MockService.UpdateMock", request, pb.UpdateMockResponse)
        assert found.mock == before


async def test_a_refused_change_tells_both_revisions(desk: Desk) -> None:
    await desk.library("ovr_a")
    request = pb.DeleteMockRequest(mock_id="ovr_a", expected_revision=1)
    problem = await desk.refused("MockService.DeleteMock", request)
    assert (problem.field, problem.limit, problem.given) == ("expected_revision", "2", "1")


async def test_what_names_a_mock_that_goes_gets_a_new_revision(desk: Desk) -> None:
    await desk.library("ovr_a", "ovr_b")
    await desk.scenario("Both", "ovr_a", "ovr_b", scenario_id="scn_a")
    before = await desk.put(PutSessionRequest(overrides=["ovr_a", "ovr_b"], scenario="scn_a"))
    await desk.call("MockService.DeleteMock", pb.DeleteMockRequest(mock_id="ovr_a"), pb.DeleteMockResponse)
    after = await desk.get()
    assert (list(after.overrides), after.revision) == (["ovr_b"], before.revision + 1)


async def test_switching_a_mock_on_for_the_environment_is_a_change_of_it(desk: Desk) -> None:
    await desk.library("ovr_a")
    request = pb.ActivateMockRequest(mock_id="ovr_a")
    first = await desk.call("MockService.ActivateMock", request, pb.ActivateMockResponse)
    again = await desk.call("MockService.ActivateMock", request, pb.ActivateMockResponse)
    assert (first.mock.active, first.mock.revision, again.mock.revision) == (True, 3, 3)
