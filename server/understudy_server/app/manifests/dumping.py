"""Writing what is kept as a manifest."""

from understudy.v1.manifest_service_pb2 import DumpManifestRequest, DumpManifestResponse

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def dump_manifest(tx: Transaction, call: Call, request: DumpManifestRequest) -> DumpManifestResponse:
    """Write what is kept."""
    raise NotImplementedError(tx, call, request)
