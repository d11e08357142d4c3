"""From messages of the contract to the core's own structures: done once, when a mock or an environment changes."""

from collections.abc import Iterable

from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.matching_pb2 import Criterion as CriterionMessage
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import Mock as MockMessage
from understudy.v1.project_service_pb2 import Carrier as CarrierMessage
from understudy.v1.project_service_pb2 import Redaction as RedactionMessage

from understudy_server.core import json_paths
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.matching.criteria import Criterion, Equals, json_subset
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Mock
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.redaction import Redaction
from understudy_server.core.responding.response import BodyKind, Response, with_default_type

STATUS_DEFAULT = 200


def compile_mock(message: MockMessage) -> Mock:
    """Compile a mock that the control plane has accepted: limits and JSON are not checked again."""
    return Mock(
        id=message.id,
        matcher=_matcher(message.matcher),
        response=_response(message.action),
        delay_ms=message.action.delay.fixed_ms,
    )


def compile_carriers(messages: Iterable[CarrierMessage]) -> tuple[Carrier, ...]:
    """Compile carriers that the control plane has accepted, in their order."""
    return tuple([_carrier(message) for message in messages])


def compile_redaction(message: RedactionMessage) -> Redaction | None:
    """Compile what the control plane has accepted; ``None`` when it masks nothing more than always is."""
    if not (message.headers or message.query or message.json_paths):
        return None
    paths = tuple([json_paths.parse(path) for path in message.json_paths])
    return Redaction(
        header_names=frozenset([name.lower().encode() for name in message.headers]),
        query_names=frozenset(message.query),
        bodies=JsonMask(paths) if paths else None,
    )


def _carrier(message: CarrierMessage) -> Carrier:
    match message.WhichOneof("source"):
        case "header":
            return Carrier(CarrierKind.HEADER, message.header)
        case "cookie":
            return Carrier(CarrierKind.COOKIE, message.cookie)
        case "query":
            return Carrier(CarrierKind.QUERY, message.query)
        case "jwt_claim":
            return Carrier(CarrierKind.JWT_CLAIM, message.jwt_claim)
        case _:
            return Carrier(CarrierKind.BAGGAGE, message.baggage)


def _matcher(message: RequestMatcher) -> Matcher:
    return Matcher(
        method=message.method,
        path=PathPattern.parse(message.path) if message.path else None,
        # In order of names, because a map has none and a match must not depend on one.
        query=tuple([(name, _criterion(message.query[name])) for name in sorted(message.query)]),
        body=_criterion(message.body) if message.HasField("body") else None,
    )


def _criterion(message: CriterionMessage) -> Criterion:
    return json_subset(message.json_subset) if message.HasField("json_subset") else Equals(message.equals)


def _response(action: Action) -> Response:
    respond = action.respond
    body, kind = _body(respond)
    headers = tuple([(header.name, header.value) for header in respond.headers])
    return with_default_type(respond.status or STATUS_DEFAULT, headers, body, kind)


def _body(respond: Respond) -> tuple[bytes, BodyKind]:
    match respond.WhichOneof("body"):
        case "json":
            return respond.json.encode(), BodyKind.JSON
        case "text":
            return respond.text.encode(), BodyKind.TEXT
        case "binary":
            return respond.binary, BodyKind.BINARY
        case _:
            return b"", BodyKind.NONE
