"""Several things done to mocks at once, whole or not at all."""

from understudy.v1 import mock_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def batch_mocks(tx: Transaction, call: Call, request: pb.BatchMocksRequest) -> pb.BatchMocksResponse:
    """Stub."""
    raise NotImplementedError
