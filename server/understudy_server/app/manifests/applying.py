"""Applying a manifest: whole or not at all."""

from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction


async def apply_manifest(tx: Transaction, call: Call, request: ApplyManifestRequest) -> ApplyManifestResponse:
    """Make what is declared, and tell what changed."""
    raise NotImplementedError(tx, call, request)
