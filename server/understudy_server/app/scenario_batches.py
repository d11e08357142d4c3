"""Several things done to scenarios at once, whole or not at all."""

from understudy.v1 import scenario_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def batch_scenarios(tx: Transaction, call: Call, request: pb.BatchScenariosRequest) -> pb.BatchScenariosResponse:
    """Stub."""
    raise NotImplementedError
