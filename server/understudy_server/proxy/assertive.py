"""What environments of Assertive's profile answer where a mock does not: in the words of the product.

Source: Assertive, mock traffic, scopes, templates and proxying.
"""

import json
from dataclasses import replace
from typing import Any, Final

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.profiles import Profile
from understudy_server.core.responding.making import TEMPLATE_FAILED
from understudy_server.core.responding.plan import Failed
from understudy_server.live.environment import LiveEnvironment
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import AnswerHead, ClientRequest, Refused
from understudy_server.proxy.named_sessions import named_by
from understudy_server.proxy.request_parser import METHOD_NOT_ALLOWED, METHOD_UNKNOWN

_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
_JSON: Final = (b"content-type", b"application/json")
_UNTYPED: Final = b"application/octet-stream"
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


def _instead(content: Any, *headers: tuple[bytes, bytes]) -> tuple[RawHeaders, bytes]:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # Half of a pair of surrogates can be in what a template failed on.
    return (_JSON, *headers), body.encode("utf-8", "replace")


NO_MATCH: Final = Refused(404, "no_match", "No mock answers this request.", ((), b"NO_STUB_MATCH_FOUND"))
_NO_SUCH_METHOD: Final = Refused(
    405,
    METHOD_NOT_ALLOWED,
    "Requests with this method are for no mock.",
    _instead({"detail": "Method Not Allowed"}, (b"allow", ", ".join(_METHODS).encode())),
)
_TWO_SCOPES: Final = Refused(
    400,
    "carriers_disagree",
    "This request has headers of two sessions.",
    _instead({"detail": "Multiple scope headers matched this request"}),
)
_NOT_PROXIED: Final[tuple[RawHeaders, bytes]] = ((_TEXT,), b"Internal Server Error")


def refused_unseen(request: ClientRequest, live: LiveEnvironment, now_ms: int) -> Refused | None:
    """Refuse a request that is none of such an environment's, and goes on no record; ``None`` for any other."""
    if request.method not in _METHODS:
        return _NO_SUCH_METHOD
    return _TWO_SCOPES if live.by_header_name and len(named_by(request, live, now_ms)) > 1 else None


def unread(refused: Refused, live: LiveEnvironment | None) -> Refused:
    """What is said of bytes that were not read as a request, where all are for one environment, if that is known."""
    is_such = live is not None and live.row.profile is Profile.ASSERTIVE
    return _NO_SUCH_METHOD if is_such and refused.code in (METHOD_NOT_ALLOWED, METHOD_UNKNOWN) else refused


def has_no_match(intake: Intake) -> bool:
    """Whether a request that no mock answers is told so: there is no real service that could."""
    environment = intake.environment
    return environment.profile is Profile.ASSERTIVE and not environment.upstream


def failed_answer(intake: Intake, failed: Failed) -> Refused:
    """What is said of an answer that could not be made, in an environment of any profile."""
    refused = Refused(500, failed.code, failed.message)
    if intake.environment.profile is Profile.ASSERTIVE and failed.code == TEMPLATE_FAILED:
        return replace(refused, instead=_instead({"error": "TEMPLATE_RENDER_ERROR", "detail": failed.message}))
    return refused


def typed(head: AnswerHead) -> AnswerHead:
    """The head of an upstream's answer as it is passed on: never without a content type."""
    if head.content_type or head.status == 101:
        return head
    headers = [*head.headers, (b"content-type", _UNTYPED)]
    return replace(head, headers=headers, content_type=_UNTYPED, repeats=False, lines=b"")


def unmeasured(head: AnswerHead) -> AnswerHead:
    """The head of an upstream's answer of which not all is passed on: without a length."""
    headers = [header for header in head.headers if header[0].lower() != b"content-length"]
    return replace(head, headers=headers, length=None, repeats=False, lines=b"")


def not_proxied(refused: Refused) -> Refused:
    """What is said of a request that could not be passed on."""
    return replace(refused, status=500, instead=_NOT_PROXIED)
