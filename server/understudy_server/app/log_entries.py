"""Exchanges as the contract shows them."""

import json
from collections.abc import Sequence
from typing import Final

from understudy.v1 import log_service_pb2 as pb
from understudy.v1.actions_pb2 import Header
from understudy.v1.explain_service_pb2 import LAYER_ENVIRONMENT, LAYER_SCENARIO, LAYER_SESSION, LAYER_UNSPECIFIED

from understudy_server.app.times import stamp
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.headers import text_of
from understudy_server.core.record import ExchangeOutcome, Stream

PREVIEW_CHARACTERS = 512
# The most bytes that 512 characters of UTF-8 can take.
_PREVIEW_BYTES = 4 * PREVIEW_CHARACTERS

OUTCOMES: Final = {
    ExchangeOutcome.UNKNOWN: pb.EXCHANGE_OUTCOME_UNSPECIFIED,
    ExchangeOutcome.MOCKED: pb.EXCHANGE_OUTCOME_MOCKED,
    ExchangeOutcome.FAULT_INJECTED: pb.EXCHANGE_OUTCOME_FAULT_INJECTED,
    ExchangeOutcome.FORWARDED: pb.EXCHANGE_OUTCOME_FORWARDED,
    ExchangeOutcome.UPSTREAM_FAILED: pb.EXCHANGE_OUTCOME_UPSTREAM_FAILED,
    ExchangeOutcome.UNMATCHED: pb.EXCHANGE_OUTCOME_UNMATCHED,
    ExchangeOutcome.REFUSED: pb.EXCHANGE_OUTCOME_REFUSED,
    ExchangeOutcome.PREFLIGHT: pb.EXCHANGE_OUTCOME_PREFLIGHT,
    ExchangeOutcome.CLIENT_GONE: pb.EXCHANGE_OUTCOME_CLIENT_GONE,
    ExchangeOutcome.MOCK_FAILED: pb.EXCHANGE_OUTCOME_MOCK_FAILED,
    ExchangeOutcome.EVALUATED: pb.EXCHANGE_OUTCOME_EVALUATED,
}
_LAYERS: Final = {"session": LAYER_SESSION, "scenario": LAYER_SCENARIO, "environment": LAYER_ENVIRONMENT}


def entry(exchange: Exchange, lost_before: int = 0, *, with_details: bool = False) -> pb.LogEntry:
    """A row. ``lost_before``: how many exchanges of its stream directly before it are not on record."""
    phases = exchange.phases
    made = pb.LogEntry(
        id=exchange.id,
        method=exchange.method,
        path=exchange.path,
        query=exchange.query,
        status=exchange.status,
        duration_ms=exchange.duration_ms,
        override_applied=bool(exchange.mock_id),
        created_at=stamp(exchange.started_at_ms),
        findings=exchange.findings,
        draws=[pb.Draw(name=name, value=value) for name, value in exchange.draws],
        occurrence=exchange.occurrence,
        number=exchange.number,
        outcome=OUTCOMES[exchange.outcome],
        layer=_LAYERS.get(exchange.layer, LAYER_UNSPECIFIED),
        session_revision=exchange.session_revision,
        phases=pb.Phases(**phases._asdict()),
        lost_before=lost_before,
        session_id=exchange.session_id,
    )
    if exchange.mock_id:
        made.override_id = exchange.mock_id
    if exchange.request_body:
        made.request_preview = _preview(exchange.request_body)
    if exchange.response_body:
        made.response_preview = _preview(exchange.response_body)
    if with_details:
        made.details.CopyFrom(_details(exchange))
    return made


def check_is_call(exchange: Exchange) -> None:
    """Raise InvalidInput for what is no request that a mock could answer."""
    if not exchange.is_call:
        message = f"log {exchange.id!r} is an evaluation of flags, and no request; ExplainFlag tells of those"
        raise InvalidInput(message, Fault("log_id", "call", given=exchange.id))


def lost_between(rows: Sequence[Exchange]) -> list[int]:
    """Of rows in the order of their numbers, how many of its own stream were lost directly before each.

    The first of each stream is told nothing of: what stood before it is not known here.
    """
    lost = []
    last: dict[Stream, int] = {}
    for each in rows:
        stream = each.stream
        # What belongs to no session is numbered together, whatever key it carried: a gap there need be no loss.
        known = last.get(stream) if each.session_id else None
        lost.append(0 if known is None else max(0, each.number - known - 1))
        last[stream] = each.number
    return lost


def stand_in(body: Captured) -> bytes:
    """What is told of a body that is kept as its length and hash alone."""
    told = {"withheld": True, "sizeBytes": body.size_bytes, "sha256": body.sha256}
    return json.dumps(told, separators=(",", ":")).encode()


def _preview(body: Captured) -> str:
    # Messages take no lone surrogates; decoding with "replace" makes none.
    content = stand_in(body) if body.sha256 else body.content[:_PREVIEW_BYTES]
    return content.decode("utf-8", "replace")[:PREVIEW_CHARACTERS]


def _details(exchange: Exchange) -> pb.Details:
    details = pb.Details(
        request_headers=_headers(exchange.request_headers), response_headers=_headers(exchange.response_headers)
    )
    if exchange.request_body:
        details.request_body.CopyFrom(_body(exchange.request_body))
    if exchange.response_body:
        details.response_body.CopyFrom(_body(exchange.response_body))
    return details


def _headers(headers: RawHeaders) -> list[Header]:
    return [Header(name=name.decode("latin-1"), value=text_of(value)) for name, value in headers]


def _body(body: Captured) -> pb.Body:
    return pb.Body(
        content=body.content,
        size_bytes=body.size_bytes,
        content_type=body.content_type,
        truncated=body.truncated,
        masked=bool(body.redacted) and not body.sha256,
        sha256=body.sha256,
    )
