"""What the headers of an evaluation say: whose it is, about which place, and for which session."""

from typing import Any, Final

from understudy_gateway.dialects.browsers import ORIGIN
from understudy_gateway.dialects.session_headers import SessionHeaders, Wanted
from understudy_gateway.entity_tags import IF_NONE_MATCH
from understudy_gateway.transcoding.header_text import text_of
from understudy_gateway.transcoding.operations import AUTHORIZATION, CONTENT_LENGTH, TRACE_CONTEXT
from understudy_gateway.transcoding.responses import Headers

API_KEY: Final = b"x-api-key"
PROJECT: Final = b"x-understudy-project"
ENVIRONMENT: Final = b"x-understudy-environment"

_WANTED: Final = Wanted(
    own=(API_KEY, AUTHORIZATION, PROJECT, ENVIRONMENT, CONTENT_LENGTH, IF_NONE_MATCH), also=(ORIGIN, *TRACE_CONTEXT)
)


def read(lines: Headers) -> SessionHeaders:
    """Read the headers of a request."""
    found = _WANTED.read(lines)
    if API_KEY in found.named and AUTHORIZATION in found.named:
        # It is the app's own then, and may carry a session.
        found.others.append((AUTHORIZATION, found.named[AUTHORIZATION]))
    return found


def metadata(found: SessionHeaders) -> dict[str, str]:
    """What the call carries beside its message: the caller's key, and of which trace it is a part.

    A key in ``X-API-Key`` goes before ``Authorization``.
    """
    named = found.named
    told = {}
    for name in TRACE_CONTEXT:
        if name in named:
            told[name.decode()] = text_of(named[name])
    if API_KEY in named:
        told["authorization"] = f"Bearer {text_of(named[API_KEY]).strip()}"
    elif AUTHORIZATION in named:
        told["authorization"] = text_of(named[AUTHORIZATION])
    return told


def fill(request: Any, found: SessionHeaders) -> None:
    """Put into a request of EvaluationService what names its place and its session."""
    named = found.named
    if PROJECT in named:
        request.project = text_of(named[PROJECT]).strip()
    if ENVIRONMENT in named:
        request.environment = text_of(named[ENVIRONMENT]).strip()
    found.fill(request)
