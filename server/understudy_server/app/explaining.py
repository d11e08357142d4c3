"""Why a request was, or would be, answered as it is."""

from understudy.v1 import explain_service_pb2 as pb

from understudy_server.app.call import Call


async def explain(call: Call, request: pb.ExplainRequest) -> pb.ExplainResponse:
    """Stub."""
    raise NotImplementedError
