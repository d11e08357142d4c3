"""A mock made of a recorded exchange."""

from understudy.v1.mock_service_pb2 import CreateMockFromLogRequest, CreateMockFromLogResponse

from understudy_server.app.call import Call


async def create_mock_from_log(call: Call, request: CreateMockFromLogRequest) -> CreateMockFromLogResponse:
    """Make a draft of an exchange."""
    raise NotImplementedError(call, request)
