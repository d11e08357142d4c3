"""What a scenario was, and the way back."""

from support.desk import Desk
from understudy.v1 import scenario_service_pb2 as pb
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario

LIST, RESTORE = "ScenarioService.ListScenarioVersions", "ScenarioService.RestoreScenarioVersion"


async def versions(desk: Desk) -> list[Scenario]:
    request = pb.ListScenarioVersionsRequest(scenario_id="scn_a")
    return list((await desk.call(LIST, request, pb.ListScenarioVersionsResponse)).versions)


def to(version: int, expected: int = 0) -> pb.RestoreScenarioVersionRequest:
    return pb.RestoreScenarioVersionRequest(scenario_id="scn_a", version=version, expected_revision=expected)


async def restored(desk: Desk, version: int) -> Scenario:
    return (await desk.call(RESTORE, to(version), pb.RestoreScenarioVersionResponse)).scenario


async def made(desk: Desk) -> None:
    """A scenario of three versions."""
    await desk.library("ovr_a", "ovr_b")
    await desk.scenario("One", "ovr_a", "ovr_b", scenario_id="scn_a")
    await desk.update_scenario("scn_a", Scenario(name="Two", url_id="two", tags=["x"]), "name", "url_id", "tags")
    await desk.update_scenario("scn_a", Scenario(mocks=["ovr_b"]), "mocks")


async def test_each_change_is_a_version(desk: Desk) -> None:
    await made(desk)
    assert [
        (each.revision, each.name, each.url_id, list(each.mocks), list(each.tags)) for each in await versions(desk)
    ] == [
        (3, "Two", "two", ["ovr_b"], ["x"]),
        (2, "Two", "two", ["ovr_a", "ovr_b"], ["x"]),
        (1, "One", "one", ["ovr_a", "ovr_b"], []),
    ]


async def test_a_restored_scenario_is_what_it_was_and_keeps_its_own_mocks(desk: Desk) -> None:
    await made(desk)
    await desk.create(Mock(id="ovr_own", name="a", scenario="scn_a"))

    scenario = await restored(desk, 1)

    assert (scenario.revision, scenario.name, scenario.url_id) == (4, "One", "one")
    assert (list(scenario.mocks), list(scenario.tags), list(scenario.local_mocks)) == (
        ["ovr_a", "ovr_b"],
        [],
        ["ovr_own"],
    )
    assert await desk.read_scenario("scn_a") == scenario
    assert await restored(desk, 4) == scenario


async def test_a_removed_one_is_made_again_without_mocks_of_its_own(desk: Desk) -> None:
    await made(desk)
    await desk.create(Mock(id="ovr_own", name="a", scenario="scn_a"))
    await desk.delete_scenario("scn_a")

    scenario = await restored(desk, 3)

    assert (scenario.revision, scenario.name, list(scenario.mocks), list(scenario.local_mocks)) == (
        4,
        "Two",
        ["ovr_b"],
        [],
    )
    assert [each.revision for each in await versions(desk)] == [4, 3, 2, 1]


async def test_a_mock_that_is_gone_or_a_draft_by_now_is_refused(desk: Desk) -> None:
    await made(desk)
    await desk.unpublish("ovr_a")
    problem = await desk.refused(RESTORE, to(1))
    assert (problem.reason, problem.field) == ("invalid_override", "scenario.mocks")
    await desk.delete_mock("ovr_a")
    assert await desk.code(RESTORE, to(1)) == "not_found"
    assert list((await versions(desk))[0].mocks) == ["ovr_b"]


async def test_a_name_for_urls_that_is_taken_by_now_is_refused(desk: Desk) -> None:
    await made(desk)
    await desk.scenario("Other", url_id="one")
    problem = await desk.refused(RESTORE, to(1))
    assert (problem.reason, problem.field) == ("already_exists", "scenario.url_id")


async def test_a_version_that_is_not_there_is_not_found_and_a_revision_counts(desk: Desk) -> None:
    assert await desk.code(LIST, pb.ListScenarioVersionsRequest(scenario_id="scn_a")) == "not_found"
    await made(desk)
    assert await desk.code(RESTORE, to(4)) == "not_found"
    assert await desk.code(RESTORE, to(1, expected=2)) == "revision_mismatch"
    assert await desk.code(RESTORE, to(1, expected=3)) == ""
