"""Batches of mocks and of scenarios: in order, whole or not at all, with the error of the one that failed."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_EDITOR
from understudy.v1 import mock_service_pb2 as pb
from understudy.v1 import scenario_service_pb2 as scenarios
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock, MockOperation
from understudy.v1.scenario_service_pb2 import Scenario, ScenarioOperation

RPC = "MockService.BatchMocks"


def create(mock_id: str) -> MockOperation:
    return MockOperation(create=pb.CreateMockRequest(mock=Mock(id=mock_id, name=mock_id)))


def update(mock_id: str, mock: Mock, *paths: str, revision: int = 0) -> MockOperation:
    mask = FieldMask(paths=paths)
    return MockOperation(
        update=pb.UpdateMockRequest(mock_id=mock_id, mock=mock, update_mask=mask, expected_revision=revision)
    )


def delete(mock_id: str) -> MockOperation:
    return MockOperation(delete=pb.DeleteMockRequest(mock_id=mock_id))


async def done(desk: Desk, *operations: MockOperation) -> list[Mock]:
    return list((await desk.call(RPC, pb.BatchMocksRequest(operations=operations), pb.BatchMocksResponse)).mocks)


async def refused(desk: Desk, *operations: MockOperation) -> tuple[str, str]:
    problem = await desk.refused(RPC, pb.BatchMocksRequest(operations=operations))
    return problem.reason, problem.field


async def test_a_mock_is_made_published_and_switched_on_in_one(desk: Desk) -> None:
    found = await done(
        desk, create("ovr_a"), MockOperation(publish=pb.PublishMockRequest(mock_id="ovr_a")),
        MockOperation(activate=pb.ActivateMockRequest(mock_id="ovr_a")), update("ovr_a", Mock(priority=3)),
    )  # fmt: skip

    assert [(each.state, each.active, each.revision) for each in found] == [
        (MOCK_STATE_DRAFT, False, 1), (MOCK_STATE_PUBLISHED, False, 2), (MOCK_STATE_PUBLISHED, True, 3),
        (MOCK_STATE_PUBLISHED, True, 4),
    ]  # fmt: skip
    assert await desk.mock("ovr_a") == found[-1]


async def test_one_that_was_removed_is_told_by_its_id_alone(desk: Desk) -> None:
    await desk.library("ovr_a")
    assert await done(desk, delete("ovr_a"), create("ovr_b")) == [Mock(id="ovr_a"), await desk.mock("ovr_b")]


async def test_an_id_passes_from_one_mock_to_the_next(desk: Desk) -> None:
    await desk.library("ovr_a")
    (_, made) = await done(desk, delete("ovr_a"), create("ovr_a"))
    assert (made.state, made.revision) == (MOCK_STATE_DRAFT, 1)


async def test_when_one_fails_nothing_is_done(desk: Desk) -> None:
    await desk.library("ovr_a")
    before = await desk.mock("ovr_a")

    assert await refused(desk, create("ovr_new"), update("ovr_a", Mock(priority=3)), delete("ovr_none")) == (
        "not_found", "operations[2].delete",
    )  # fmt: skip

    assert (await desk.mock_ids(), await desk.mock("ovr_a")) == (["ovr_a"], before)


async def test_the_mask_of_an_operation_counts_for_that_one(desk: Desk) -> None:
    await desk.library("ovr_a", "ovr_b")

    found = await done(desk, update("ovr_a", Mock(priority=3)), update("ovr_b", Mock(tags=["x"]), "priority", "tags"))

    assert [(each.name, each.priority, list(each.tags)) for each in found] == [("ovr_a", 3, []), ("ovr_b", 0, ["x"])]
    assert await refused(desk, update("ovr_a", Mock(), "name")) == ("invalid_field", "operations[0].update.mock.name")
    assert await refused(desk, update("ovr_a", Mock(), "id")) == ("invalid_field", "operations[0].update.update_mask")


async def test_a_new_mock_in_a_batch_needs_what_a_new_mock_needs(desk: Desk) -> None:
    nameless = MockOperation(create=pb.CreateMockRequest(mock=Mock(priority=3)))
    assert await refused(desk, create("ovr_a"), nameless) == ("invalid_field", "operations[1].create.mock.name")
    empty = MockOperation(create=pb.CreateMockRequest())
    assert await refused(desk, empty) == ("invalid_field", "operations[0].create.mock")


async def test_what_cannot_be_compiled_is_named_within_the_batch(desk: Desk) -> None:
    bad = Mock(name="a")
    bad.matcher.body.pattern = "("
    operation = MockOperation(create=pb.CreateMockRequest(mock=bad))
    assert await refused(desk, operation) == ("invalid_field", "operations[0].create.mock.matcher.body.pattern")


async def test_a_revision_is_that_within_the_batch(desk: Desk) -> None:
    await desk.create(Mock(id="ovr_a", name="a"))
    await done(desk, update("ovr_a", Mock(priority=1), revision=1), update("ovr_a", Mock(priority=2), revision=2))
    assert await refused(desk, update("ovr_a", Mock(priority=3), revision=1)) == (
        "revision_mismatch", "operations[0].update.expected_revision",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["project", "environment"])
async def test_another_place_within_is_refused_and_the_same_is_not(desk: Desk, name: str) -> None:
    request = {"project": "checkout", "environment": "staging"}
    await done(desk, MockOperation(create=pb.CreateMockRequest(mock=Mock(id="ovr_a", name="a"), **request)))
    elsewhere = pb.CreateMockRequest(mock=Mock(name="b"), **{**request, name: "qa"})
    assert await refused(desk, MockOperation(create=elsewhere)) == ("invalid_field", f"operations[0].create.{name}")


async def test_a_batch_of_nothing_and_an_operation_of_nothing_are_refused(desk: Desk) -> None:
    assert await refused(desk) == ("invalid_field", "operations")
    assert await refused(desk, create("ovr_a"), MockOperation()) == ("invalid_field", "operations[1]")
    assert await desk.mock_ids() == []


async def test_a_thousand_operations_are_the_most(desk: Desk) -> None:
    assert len(await done(desk, *[create(f"ovr_{number}") for number in range(1000)])) == 1000
    assert await refused(desk, *[delete("ovr_1")] * 1001) == ("invalid_field", "operations")


async def test_somebody_elses_draft_is_not_found(desk: Desk) -> None:
    await desk.create(Mock(id="ovr_a", name="a"))
    editor = desk.of(await desk.world.make_key(ROLE_EDITOR))
    assert await refused(editor, delete("ovr_a")) == ("not_found", "operations[0].delete")


async def test_scenarios_are_made_changed_and_removed_in_one(desk: Desk) -> None:
    await desk.library("ovr_a")
    await desk.scenario("Old", scenario_id="scn_old", url_id="one")
    made = Scenario(id="scn_new", name="New", url_id="one", mocks=["ovr_a"], tags=["x", "x"])
    operations = [
        ScenarioOperation(delete=scenarios.DeleteScenarioRequest(scenario_id="scn_old")),
        ScenarioOperation(create=scenarios.CreateScenarioRequest(scenario=made)),
        ScenarioOperation(
            update=scenarios.UpdateScenarioRequest(
                scenario_id="scn_new", scenario=Scenario(), update_mask=FieldMask(paths=["mocks"])
            )
        ),
    ]
    request = scenarios.BatchScenariosRequest(operations=operations)

    found = await desk.call("ScenarioService.BatchScenarios", request, scenarios.BatchScenariosResponse)

    assert found.scenarios[0] == Scenario(id="scn_old")
    assert [(each.revision, list(each.mocks), list(each.tags)) for each in found.scenarios[1:]] == [
        (1, ["ovr_a"], ["x"]), (2, [], ["x"]),
    ]  # fmt: skip
    problem = await desk.refused("ScenarioService.BatchScenarios", request)
    assert (problem.reason, problem.field) == ("not_found", "operations[0].delete")
