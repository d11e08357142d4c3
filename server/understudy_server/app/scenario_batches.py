"""Several things done to scenarios at once, whole or not at all."""

from typing import Any, Final

from understudy.v1 import scenario_service_pb2 as pb
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app import scenarios
from understudy_server.app.batches import UseCase, run_all
from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction

_USE_CASES: Final[dict[str, UseCase]] = {
    "create": scenarios.create_scenario,
    "update": scenarios.update_scenario,
    "delete": scenarios.delete_scenario,
}


async def batch_scenarios(tx: Transaction, call: Call, request: pb.BatchScenariosRequest) -> pb.BatchScenariosResponse:
    """Do several things, whole or not at all. Raises what one of them raises, its field named within the batch."""
    done = await run_all(tx, call, request.operations, _USE_CASES)
    return pb.BatchScenariosResponse(scenarios=[_scenario(asked, answer) for asked, answer in done])


def _scenario(asked: Any, answer: Any) -> Scenario:
    return Scenario(id=asked.scenario_id) if isinstance(answer, pb.DeleteScenarioResponse) else answer.scenario
