"""An environment's carriers, its profile, and what it redacts, compiled."""

from collections.abc import Iterable
from typing import Final

from understudy.v1.project_service_pb2 import PROFILE_ASSERTIVE, PROFILE_MOCKARTY
from understudy.v1.project_service_pb2 import Carrier as CarrierMessage
from understudy.v1.project_service_pb2 import Profile as ProfileMessage
from understudy.v1.project_service_pb2 import Redaction as RedactionMessage

from understudy_server.core import json_paths
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.profiles import Profile
from understudy_server.core.redaction import Redaction

_PROFILES: Final = {PROFILE_ASSERTIVE: Profile.ASSERTIVE, PROFILE_MOCKARTY: Profile.MOCKARTY}


def compile_carriers(messages: Iterable[CarrierMessage]) -> tuple[Carrier, ...]:
    """Compile carriers that the control plane has accepted, in their order."""
    return tuple([_carrier(message) for message in messages])


def compile_redaction(message: RedactionMessage) -> Redaction | None:
    """Compile what the control plane has accepted; ``None`` when it masks what always is, and nothing more."""
    if not (message.headers or message.query or message.json_paths or message.keep_credentials):
        return None
    paths = tuple([json_paths.parse(path) for path in message.json_paths])
    return Redaction(
        header_names=frozenset([name.lower().encode() for name in message.headers]),
        query_names=frozenset(message.query),
        bodies=JsonMask(paths) if paths else None,
        keeps_credentials=message.keep_credentials,
    )


def compile_profile(profile: ProfileMessage) -> Profile:
    """What orders an environment's mocks; FlowMock's order unless it says otherwise."""
    return _PROFILES.get(profile, Profile.FLOWMOCK)


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
