"""Freezing a session: all flags stay for it as they are now, whatever becomes of them."""

from understudy.v1.session_service_pb2 import (
    FreezeSessionRequest,
    FreezeSessionResponse,
    Session,
    UnfreezeSessionRequest,
    UnfreezeSessionResponse,
)

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction
from understudy_server.app.revisions import check_revision, copied
from understudy_server.app.sessions import check_seen_revision, existing_session, live_session, save, session_key, show
from understudy_server.app.times import stamp


async def freeze_session(tx: Transaction, call: Call, request: FreezeSessionRequest) -> FreezeSessionResponse:
    """Pin all flags for a session, which is made when missing. Raises Conflict (revision_mismatch)."""
    key = await _key(tx, call, request.session_key)
    before = await live_session(tx, call, key)
    check_seen_revision(key, before, request.expected_revision)
    after = copied(before.message) if before else Session()
    after.frozen_at.CopyFrom(stamp(call.now_ms))
    record = await save(tx, call, key, before, after)
    await tx.freeze_session(call.place.project_id, record)
    response = FreezeSessionResponse()
    show(call, record, response.session)
    return response


async def unfreeze_session(tx: Transaction, call: Call, request: UnfreezeSessionRequest) -> UnfreezeSessionResponse:
    """Let flags be as they are for everybody. Raises NotFound and Conflict (revision_mismatch)."""
    key = await _key(tx, call, request.session_key)
    before = await existing_session(tx, call, key)
    check_revision(before.message.revision, request.expected_revision)
    after = copied(before.message)
    after.ClearField("frozen_at")
    await tx.unfreeze_session(before)
    response = UnfreezeSessionResponse()
    show(call, await save(tx, call, key, before, after), response.session)
    return response


async def _key(tx: Transaction, call: Call, raw: str) -> str:
    """The key that is meant: the name of a header in any case where a session is found by it."""
    key, environment_id = session_key(raw), call.place.environment_id
    if key.islower() or await tx.session(environment_id, key):
        return key
    return key.lower() if key.lower() in await tx.header_names(environment_id) else key
