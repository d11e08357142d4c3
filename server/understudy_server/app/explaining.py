"""Why a request was, or would be, answered as it is."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from understudy.v1 import explain_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.drafts import visible_drafts
from understudy_server.app.explaining_words import summary
from understudy_server.app.log_entries import check_is_call
from understudy_server.app.recorded_request import is_masked, subject_of
from understudy_server.core.carriers import FoundKey
from understudy_server.core.errors import Fault, InvalidInput, NotFound
from understudy_server.core.exchange import Exchange
from understudy_server.core.explanation import Considered, Explanation, Outcome, Reason, Subject
from understudy_server.core.headers import first
from understudy_server.core.matching.mock import Layer
from understudy_server.core.session_key import normalise

_DEFAULT_METHOD: Final = "GET"
# Visible ASCII stays as it was sent; anything else is encoded as clients encode it.
_AS_SENT: Final = "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

_OUTCOMES: Final = {
    Outcome.MOCK: pb.OUTCOME_MOCK,
    Outcome.UPSTREAM: pb.OUTCOME_UPSTREAM,
    Outcome.NO_UPSTREAM: pb.OUTCOME_NO_UPSTREAM,
    Outcome.REFUSED: pb.OUTCOME_REFUSED,
    Outcome.PREFLIGHT: pb.OUTCOME_PREFLIGHT,
}
_LAYERS: Final = {
    Layer.SESSION: pb.LAYER_SESSION,
    Layer.SCENARIO: pb.LAYER_SCENARIO,
    Layer.ENVIRONMENT: pb.LAYER_ENVIRONMENT,
}


async def explain(call: Call, request: pb.ExplainRequest) -> pb.ExplainResponse:
    """Explain a request, or a recorded exchange as it would be answered now.

    Raises InvalidInput, and NotFound when the environment has no such log.
    """
    reasons: Sequence[Reason] = ()
    match request.WhichOneof("subject"):
        case "request":
            subject = _subject(call, request.request)
        case "log_id":
            exchange = await _exchange(call, request.log_id)
            subject, reasons = subject_of(call.place, exchange), [Reason.MASKED] if is_masked(exchange) else []
        case _:
            raise InvalidInput("request or log_id is required", Fault("request", "required"))
    found = await call.world.explainer.explain(subject, call.now_ms, request.candidates_max, await visible_drafts(call))
    return _response(found, (*found.reasons, *reasons))


def _subject(call: Call, request: pb.ExplainedRequest) -> Subject:
    if request.body and request.text:
        raise InvalidInput("body and text exclude each other", Fault("request.text", "exclusive", "body"))
    body = request.body or request.text.encode()
    headers = [(header.name.encode(), header.value.encode()) for header in request.headers]
    if request.host and first(headers, b"host") is None:
        headers.insert(0, (b"Host", request.host.encode()))
    return Subject(
        project=call.place.project,
        environment=call.place.environment,
        method=request.method or _DEFAULT_METHOD,
        target=quote(request.target, safe=_AS_SENT),
        headers=headers,
        body=body,
        body_bytes=len(body),
        known_key=FoundKey(normalise(request.session_key), ()) if request.session_key else None,
    )


async def _exchange(call: Call, log_id: str) -> Exchange:
    place = call.place
    exchange = await call.world.journal.exchange(log_id)
    if exchange is None or exchange.environment_id != place.environment_id:
        fault = Fault("log_id", given=log_id[:100])
        raise NotFound(f"there is no log {log_id[:100]!r} in {place.project}/{place.environment}", fault)
    check_is_call(exchange)
    return exchange


def _response(found: Explanation, reasons: Sequence[Reason]) -> pb.ExplainResponse:
    answering = found.answering
    return pb.ExplainResponse(
        outcome=_OUTCOMES[found.outcome],
        mock_id=answering.mock_id if answering else "",
        rule=found.rule,
        summary=summary(found),
        session_key=found.session_key,
        session_exists=found.session_exists,
        findings=found.findings,
        reasons=[each.value for each in reasons],
        considered=[_considered(each) for each in found.considered],
        considered_total=found.total,
        not_on=found.not_on,
        drafts=found.drafts,
        elsewhere=[pb.Elsewhere(session_key=each.session_key, mock_id=each.mock_id) for each in found.elsewhere],
    )


def _considered(found: Considered) -> pb.Considered:
    return pb.Considered(
        mock_id=found.mock_id,
        name=found.name,
        layer=_LAYERS[found.layer],
        matches=found.matches,
        distance=found.distance,
        mismatches=[
            pb.Mismatch(field=each.field, expected=each.expected, actual=each.actual, code=each.code)
            for each in found.mismatches
        ],
    )
