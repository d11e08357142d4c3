"""What a scenario was, and the way back."""

from understudy.v1 import scenario_service_pb2 as pb
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.call import Call
from understudy_server.app.ownership import check_unmanaged
from understudy_server.app.ports import Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.scenarios import check_scenario
from understudy_server.app.times import stamp
from understudy_server.core.errors import NotFound


async def list_scenario_versions(
    tx: Transaction, call: Call, request: pb.ListScenarioVersionsRequest
) -> pb.ListScenarioVersionsResponse:
    """List what a scenario was, newest first. Raises NotFound."""
    found = await tx.scenario_versions(call.place.environment_id, request.scenario_id)
    if not found:
        place = f"{call.place.project}/{call.place.environment}"
        raise NotFound(f"there is no scenario {request.scenario_id!r} in {place}")
    return pb.ListScenarioVersionsResponse(versions=found)


async def restore_scenario_version(
    tx: Transaction, call: Call, request: pb.RestoreScenarioVersionRequest
) -> pb.RestoreScenarioVersionResponse:
    """Make a scenario what it was.

    Raises NotFound, Conflict (managed_by_file, revision_mismatch, already_exists) and InvalidInput (invalid_override).
    """
    environment_id = call.place.environment_id
    versions = await tx.scenario_versions(environment_id, request.scenario_id)
    wanted = next((each for each in versions if each.revision == request.version), None)
    if wanted is None:
        raise NotFound(f"the scenario {request.scenario_id!r} has no version {request.version}")
    present = await tx.scenario(environment_id, request.scenario_id)
    scenario = present or Scenario(
        id=wanted.id, created_at=stamp(call.now_ms), updated_at=stamp(call.now_ms), revision=versions[0].revision
    )
    check_unmanaged(scenario.managed_by, f"scenario {scenario.id!r}")
    check_revision(scenario.revision, request.expected_revision)
    before = copied(scenario)
    scenario.name, scenario.url_id = wanted.name, wanted.url_id
    scenario.mocks[:], scenario.tags[:] = wanted.mocks, wanted.tags
    await check_scenario(tx, call, scenario)
    if scenario != before or present is None:
        touched(scenario, call.now_ms)
        await tx.put_scenario(environment_id, scenario)
    return pb.RestoreScenarioVersionResponse(scenario=scenario)
