"""Several things done to mocks at once, whole or not at all."""

from typing import Any, Final

from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.mock_service_pb2 import Mock

from understudy_server.app import mocks
from understudy_server.app.batches import UseCase, run_all
from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction

_USE_CASES: Final[dict[str, UseCase]] = {
    "create": mocks.create_mock,
    "update": mocks.update_mock,
    "delete": mocks.delete_mock,
    "publish": mocks.publish_mock,
    "unpublish": mocks.unpublish_mock,
    "activate": mocks.activate_mock,
    "deactivate": mocks.deactivate_mock,
}


async def batch_mocks(tx: Transaction, call: Call, request: pb.BatchMocksRequest) -> pb.BatchMocksResponse:
    """Do several things, whole or not at all. Raises what one of them raises, its field named within the batch."""
    done = await run_all(tx, call, request.operations, _USE_CASES)
    return pb.BatchMocksResponse(mocks=[_mock(asked, answer) for asked, answer in done])


def _mock(asked: Any, answer: Any) -> Mock:
    return Mock(id=asked.mock_id) if isinstance(answer, pb.DeleteMockResponse) else answer.mock
