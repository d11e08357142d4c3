"""The verifications that were asked of a session: put on record, and listed."""

import asyncio
import logging
from typing import Final

from understudy.v1.verification_service_pb2 import (
    Completeness,
    ListVerificationsRequest,
    ListVerificationsResponse,
    Outcomes,
    Verification,
)
from understudy.v1.verification_service_pb2 import Verdict as VerdictNumber

from understudy_server.app.call import Call
from understudy_server.app.record_reading import asked_key, stream_of
from understudy_server.app.times import stamp
from understudy_server.core.errors import NotFound, StorageFailure
from understudy_server.core.record import Stream

_log = logging.getLogger(__name__)

_BYTES_MAX: Final = 4_096
"""One on record is longer only where it has many expectations: first its near calls are left out, then the ids."""


class Stopwatch:
    """How long a question takes, waiting included: by the event loop's clock, which is never set back."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    @property
    def passed_ms(self) -> int:
        """Since it was made."""
        return round((self._loop.time() - self._began) * 1000)


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
        place = f"{call.place.project}/{call.place.environment}"
        advice = "what carried it belongs to no session" if await _was_carried(call, key) else "nothing carried it"
        raise NotFound(f"there is no session {key!r} in {place}, and there was none: {advice}; set the session first")
    return stream


async def put_on_record(
    call: Call,
    stream: Stream,
    watch: Stopwatch,
    verdict: VerdictNumber,
    message: str,
    outcomes: list[Outcomes],
    completeness: Completeness,
) -> None:
    """Keep a verification. The answer is right without it: where it cannot be kept, the log says so."""
    verification = Verification(
        asked_at=stamp(call.now_ms + watch.passed_ms),
        verdict=verdict,
        message=message,
        outcomes=outcomes,
        completeness=completeness,
        duration_ms=watch.passed_ms,
    )
    for field in ("near_calls", "log_ids"):
        if verification.ByteSize() > _BYTES_MAX:
            for each in verification.outcomes:
                each.ClearField(field)
    try:
        await call.world.journal.keep_verification(stream, verification.SerializeToString())
    except StorageFailure as error:
        _log.warning("a verification of session %r was answered and not put on record: %s", stream.session_key, error)


async def _was_carried(call: Call, key: str) -> bool:
    return await call.world.journal.knows(call.place.environment_id, key)
