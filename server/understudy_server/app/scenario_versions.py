"""What a scenario was, and the way back."""

from understudy.v1 import scenario_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def list_scenario_versions(
    tx: Transaction, call: Call, request: pb.ListScenarioVersionsRequest
) -> pb.ListScenarioVersionsResponse:
    """Stub."""
    raise NotImplementedError


async def restore_scenario_version(
    tx: Transaction, call: Call, request: pb.RestoreScenarioVersionRequest
) -> pb.RestoreScenarioVersionResponse:
    """Stub."""
    raise NotImplementedError
