"""Handing over to the API what a source declares."""

from understudy.v1.manifest_service_pb2 import ReleaseManifestRequest, ReleaseManifestResponse

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def release_manifest(tx: Transaction, call: Call, request: ReleaseManifestRequest) -> ReleaseManifestResponse:
    """Release a source."""
    raise NotImplementedError(tx, call, request)
