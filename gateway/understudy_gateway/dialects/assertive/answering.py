"""Answers of the control plane, as the product writes them."""

import json
from typing import Any, Final

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.assertive.server import Refused
from understudy_gateway.dialects.assertive.validation import Invalid

JSON: Final = (b"content-type", b"application/json")
_WELCOME: Final = {
    "message": "Welcome to the Assertive Mock API Server!",
    "available_endpoints": [
        "/__mock__/scopes",
        "/__mock__/scopes (GET list)",
        "/__mock__/stubs",
        "/__mock__/stubs/{stub_id}",
        "/__mock__/assert",
        "/__mock__/requests",
        "/__admin__",
    ],
}
_STATUS: Final = {"storage_unavailable": 503, "managed_by_file": 409, "body_too_large": 413}


def text_of(value: Any) -> bytes:
    """Write a JSON value as the product does: compact, in UTF-8; of what is no character U+FFFD."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return written.encode()
    except UnicodeEncodeError:
        return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def answer(value: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, [JSON], text_of(value))


def welcome() -> Answer:
    """What `/__mock__` says."""
    return answer(_WELCOME)


def failed(detail: Any, status: int) -> Answer:
    """An answer that says what went wrong."""
    return answer({"detail": detail}, status)


def ambiguous() -> Answer:
    """The answer to a call with headers of several scopes."""
    return failed("Multiple scope headers matched this request", 400)


def from_elsewhere() -> Answer:
    """The answer to a call that a browser makes for a page of another site."""
    return failed("A page of another site asks for this: only those that come from here may.", 403)


def invalid(problem: Invalid) -> Answer:
    """The answer to what was sent wrongly."""
    return failed(problem.detail, 422)


def refused(problem: Refused) -> Answer:
    """The answer to what the server cannot do."""
    if not problem.reason:
        return failed("The Understudy server cannot be reached.", 502)
    return failed(problem.problem.summary, _STATUS.get(problem.reason, 500))
