"""Overrides: one published mock, switched on or off for one session."""

from understudy.v1.session_service_pb2 import (
    ActivateOverrideRequest,
    ActivateOverrideResponse,
    DeactivateOverrideRequest,
    DeactivateOverrideResponse,
    Session,
)

from understudy_server.app.call import Call
from understudy_server.app.mocks import activatable, library_mock
from understudy_server.app.ports import Transaction
from understudy_server.app.sessions import existing_session, live_session, save, session_key
from understudy_server.core.errors import Fault, InvalidInput

# As many as a PUT may name.
OVERRIDES_MAX = 1000


async def activate_override(tx: Transaction, call: Call, request: ActivateOverrideRequest) -> ActivateOverrideResponse:
    """Switch a mock on and make the session when missing. Raises NotFound and InvalidInput (invalid_override)."""
    key = session_key(request.session_key)
    await activatable(tx, call, request.override_id, field="override_id")
    before = await live_session(tx, call, key)
    after = Session()
    if before:
        after.CopyFrom(before.message)
    if request.override_id not in after.overrides:
        if len(after.overrides) >= OVERRIDES_MAX:
            fault = Fault("override_id", "max_items", str(OVERRIDES_MAX), request.override_id)
            raise InvalidInput(f"the session has {OVERRIDES_MAX} overrides already", fault, code="invalid_override")
        after.overrides.append(request.override_id)
    await save(tx, call, key, before, after)
    return ActivateOverrideResponse(override_id=request.override_id, active=True)


async def deactivate_override(
    tx: Transaction, call: Call, request: DeactivateOverrideRequest
) -> DeactivateOverrideResponse:
    """Switch a mock off. Raises NotFound for an unknown session or mock, InvalidInput (invalid_override)."""
    key = session_key(request.session_key)
    record = await existing_session(tx, call, key)
    await library_mock(tx, call, request.override_id, field="override_id")
    after = Session()
    after.CopyFrom(record.message)
    if request.override_id in after.overrides:
        after.overrides.remove(request.override_id)
    await save(tx, call, key, record, after)
    return DeactivateOverrideResponse(override_id=request.override_id, active=False)
