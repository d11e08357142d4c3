"""The verifications that were asked of a session: put on record, and listed."""

import logging
from typing import Final

from understudy.v1.verification_service_pb2 import (
    ListVerificationsRequest,
    ListVerificationsResponse,
    Verification,
)

from understudy_server.app.call import Call
from understudy_server.app.record_reading import asked_key, stream_of
from understudy_server.app.stopwatch import Stopwatch
from understudy_server.app.times import stamp
from understudy_server.core.errors import NotFound, StorageFailure
from understudy_server.core.record import Stream

_log = logging.getLogger(__name__)

_BYTES_MAX: Final = 4_096
"""One on record is longer only where it has many expectations: first its near calls are left out, then the ids."""


async def list_verifications(call: Call, request: ListVerificationsRequest) -> ListVerificationsResponse:
    """List the verifications of a session. Raises NotFound when there never was one with this key."""
    stream = await existing_stream(call, request.session_key)
    found = await call.world.journal.verifications(stream)
    return ListVerificationsResponse(verifications=[Verification.FromString(each) for each in found])


async def existing_stream(call: Call, raw_key: str) -> Stream:
    """What a question is about. Raises NotFound when there is no such session, and none that left exchanges.

    Over nothing at all every "never" would hold: a key that is spelt wrongly must not pass a test.
    """
    key = asked_key(raw_key)
    stream = await stream_of(call, key, call.now_ms)
    if stream is None:
        carried = await call.world.journal.knows(call.place.environment_id, key)
        place = f"{call.place.project}/{call.place.environment}"
        advice = "what carried it belongs to no session" if carried else "nothing carried it"
        raise NotFound(f"there is no session {key!r} in {place}, and there was none: {advice}; set the session first")
    return stream


async def put_on_record(call: Call, stream: Stream, watch: Stopwatch, verification: Verification) -> None:
    """Keep a verification, to which is added when it was answered and how long it took.

    The answer is right without it: where it cannot be kept, the log says so.
    """
    verification.asked_at.CopyFrom(stamp(watch.now_ms))
    verification.duration_ms = watch.passed_ms
    for field in ("near_calls", "log_ids"):
        if verification.ByteSize() > _BYTES_MAX:
            for each in verification.outcomes:
                each.ClearField(field)
    try:
        await call.world.journal.keep_verification(stream, verification.SerializeToString())
    except StorageFailure as error:
        _log.warning("a verification of session %r was answered and not put on record: %s", stream.session_key, error)
