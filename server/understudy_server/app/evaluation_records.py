"""Evaluations on record: an exchange of the session like any other, with what each value would have been without it.

Its method is ``EVALUATE``, which no HTTP request has in our record by that outcome; its bodies are what was asked and
what was said, as JSON, masked as the environment says. It is no call: nothing counts or matches it as one.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from understudy_server.app.call import Call
from understudy_server.app.evaluation_sessions import EvaluationSession
from understudy_server.app.ports import Transaction
from understudy_server.core.exchange import MASKED, Captured, Exchange
from understudy_server.core.flags.model import ABSENT, Evaluation
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.record import ExchangeOutcome
from understudy_server.definitions.environments import compile_redaction
from understudy_server.definitions.flags import written

_METHOD: Final = "EVALUATE"
_PATH: Final = "/flags"
_JSON: Final = "application/json"
_BODY_BYTES_MAX: Final = 262_144


class Keeping(NamedTuple):
    """What is kept of a body: so many bytes, with values masked."""

    bytes_max: int = _BODY_BYTES_MAX
    mask: JsonMask | None = None


async def keeping(tx: Transaction, call: Call) -> Keeping:
    """What the environment of a call keeps of bodies."""
    environment_id = call.place.environment_id

    async def look_up() -> Keeping:
        record = await tx.environment_by_id(environment_id)
        if record is None:
            return Keeping()
        limits, redaction = record.message.limits, compile_redaction(record.message.redaction)
        most = limits.captured_bytes_max if limits.HasField("captured_bytes_max") else _BODY_BYTES_MAX
        return Keeping(min(most, _BODY_BYTES_MAX), redaction.bodies if redaction else None)

    return await tx.recall(("kept of evaluations", environment_id), look_up)


def put_on_record(
    call: Call, session: EvaluationSession, context: str, said: str, kept: Keeping, key: str = ""
) -> None:
    """Append what a session was told, as JSON. ``key`` is that of the one flag asked for, empty for several."""
    place = call.place
    exchange = Exchange(
        id=call.world.new_id("log_"),
        project_id=place.project_id,
        environment_id=place.environment_id,
        session_key=session.key,
        session_id=session.id,
        method=_METHOD,
        path=f"{_PATH}/{quote(key, safe='')}" if key else _PATH,
        query="",
        status=200,
        started_at_ms=call.now_ms,
        duration_ms=0,
        mock_id="",
        request_headers=(),
        response_headers=(),
        request_body=_captured(context.encode(), kept),
        response_body=_captured(said.encode(), kept),
        outcome=ExchangeOutcome.EVALUATED,
        session_revision=session.revision,
    )
    call.world.journal.record(exchange)
    if session.id != session.key:
        # A session of the project has a life of its own, which nothing lengthens.
        call.world.presence.touch(session.id, call.now_ms)


def one_said(evaluation: Evaluation) -> str:
    """What was said of one flag, as JSON."""
    return written(_said(evaluation))


def all_said(each: Iterable[str]) -> str:
    """What was said of several flags, as JSON, of what was said of each."""
    return f'{{"evaluations":[{",".join(each)}]}}'


def _said(evaluation: Evaluation) -> dict[str, Any]:
    said: dict[str, Any] = {"flagKey": evaluation.flag_key, "enabled": evaluation.enabled}
    if evaluation.value is not ABSENT:
        said["value"] = evaluation.value
    said |= {"variant": evaluation.variant, "reason": evaluation.reason.lower(), "ruleId": evaluation.rule_id}
    if evaluation.would_have_been is not None:
        said["wouldHaveBeen"] = _said(evaluation.would_have_been)
    return said


def _captured(body: bytes, kept: Keeping) -> Captured | None:
    if not body:
        return None
    if kept.mask is None or not kept.bytes_max:
        return Captured(body[: kept.bytes_max], len(body), _JSON)
    masked = kept.mask.apply(body) if len(body) <= kept.bytes_max else None
    if masked is None:
        return Captured(b"", len(body), _JSON, hashlib.sha256(body).hexdigest())
    return Captured(masked, len(body), _JSON, MASKED if masked is not body else "")
