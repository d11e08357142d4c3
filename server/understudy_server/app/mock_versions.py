"""What a mock was, and the way back."""

from understudy.v1 import mock_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def list_mock_versions(
    tx: Transaction, call: Call, request: pb.ListMockVersionsRequest
) -> pb.ListMockVersionsResponse:
    """Stub."""
    raise NotImplementedError


async def restore_mock_version(
    tx: Transaction, call: Call, request: pb.RestoreMockVersionRequest
) -> pb.RestoreMockVersionResponse:
    """Stub."""
    raise NotImplementedError
