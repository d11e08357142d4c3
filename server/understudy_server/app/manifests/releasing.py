"""Handing over to the API what a source declares."""

from understudy.v1.manifest_service_pb2 import ReleaseManifestRequest, ReleaseManifestResponse

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction
from understudy_server.app.projects import check_is_wide
from understudy_server.core.errors import Conflict, Fault, NotFound


async def release_manifest(tx: Transaction, call: Call, request: ReleaseManifestRequest) -> ReleaseManifestResponse:
    """Let a source go; what it declares stays as it is.

    Raises Forbidden (scope_mismatch), NotFound and Conflict (source_followed).
    """
    check_is_wide(call)
    if await tx.manifest_source(request.source) is None:
        raise no_such_source(request.source)
    _check_is_not_followed(call, request.source)
    return ReleaseManifestResponse(released=await tx.release_source(request.source))


def _check_is_not_followed(call: Call, source: str) -> None:
    """What the server's own file declares would come back as what was made elsewhere: no start with it would do."""
    watched = call.world.host().watched
    if watched and watched.declares and watched.source == source:
        message = (
            f"the server follows the file that declares {source!r}, and with it could not start again:"
            " start the server without that file first, then release it"
        )
        raise Conflict("source_followed", message, Fault("source", "source_followed", given=source[:100]))


def no_such_source(name: str) -> NotFound:
    """What refuses a source that was never applied, or was released."""
    return NotFound(f"no manifest of the source {name!r} was applied", Fault("source", given=name[:100]))
