"""How the server is."""

from understudy.v1.server_service_pb2 import GetStatusRequest, GetStatusResponse

from understudy_server.app.call import Call


async def get_status(call: Call, request: GetStatusRequest) -> GetStatusResponse:
    """Read the status."""
    raise NotImplementedError(call, request)
