"""Mocks that belong to one session."""

from understudy.v1 import session_mock_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def put_session_mock(tx: Transaction, call: Call, request: pb.PutSessionMockRequest) -> pb.PutSessionMockResponse:
    """Stub."""
    raise NotImplementedError


async def get_session_mock(tx: Transaction, call: Call, request: pb.GetSessionMockRequest) -> pb.GetSessionMockResponse:
    """Stub."""
    raise NotImplementedError


async def list_session_mocks(
    tx: Transaction, call: Call, request: pb.ListSessionMocksRequest
) -> pb.ListSessionMocksResponse:
    """Stub."""
    raise NotImplementedError


async def delete_session_mock(
    tx: Transaction, call: Call, request: pb.DeleteSessionMockRequest
) -> pb.DeleteSessionMockResponse:
    """Stub."""
    raise NotImplementedError
