"""What a request is refused with, in FlagBridge's words."""

import re
from collections.abc import Mapping
from typing import Any, Final

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from understudy import status

UNAUTHORIZED: Final = "UNAUTHORIZED"
FORBIDDEN: Final = "FORBIDDEN"
VALIDATION_ERROR: Final = "VALIDATION_ERROR"
NOT_FOUND: Final = "NOT_FOUND"
RATE_LIMITED: Final = "RATE_LIMITED"
INTERNAL_ERROR: Final = "INTERNAL_ERROR"
PRO_REQUIRED: Final = "PRO_REQUIRED"
CONFLICT: Final = "CONFLICT"
UNAVAILABLE: Final = "SERVICE_UNAVAILABLE"

# Stable code of ours → HTTP status and the code in the envelope.
_TABLE: Final[Mapping[str, tuple[int, str]]] = {
    "unauthorized": (401, UNAUTHORIZED),
    "plan_required": (403, FORBIDDEN),
    "role_required": (403, FORBIDDEN),
    "scope_mismatch": (403, FORBIDDEN),
    "rate_limited": (429, RATE_LIMITED),
    "not_found": (404, NOT_FOUND),
    "body_too_large": (413, VALIDATION_ERROR),
    "flags_full": (400, VALIDATION_ERROR),
    "storage_unavailable": (503, UNAVAILABLE),
    "internal_error": (500, INTERNAL_ERROR),
}
# Which operation of a batch, and which of its messages: a flag is managed here by one request with the members alone.
_BEFORE: Final = re.compile(r"(?:operations\[\d+\]\.[a-z_]+(?:: |\.))?(?:(?:flag|state|changes)\.)?")
_KINDS: Final[Mapping[int, tuple[int, str]]] = {
    code_pb2.INVALID_ARGUMENT: (400, VALIDATION_ERROR),
    code_pb2.OUT_OF_RANGE: (400, VALIDATION_ERROR),
    code_pb2.UNAUTHENTICATED: (401, UNAUTHORIZED),
    code_pb2.PERMISSION_DENIED: (403, FORBIDDEN),
    code_pb2.NOT_FOUND: (404, NOT_FOUND),
    code_pb2.ALREADY_EXISTS: (409, CONFLICT),
    code_pb2.FAILED_PRECONDITION: (409, CONFLICT),
    code_pb2.ABORTED: (409, CONFLICT),
    code_pb2.RESOURCE_EXHAUSTED: (409, CONFLICT),
    code_pb2.UNAVAILABLE: (503, UNAVAILABLE),
}


class Refusal(Exception):
    """A request that is refused. ``message`` is for the caller."""

    def __init__(self, http_status: int, code: str, message: str, retry_after_seconds: int = 0) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds

    def body(self, *, nested: bool = False) -> Mapping[str, Any]:
        """The envelope: flat as documented, or nested and in lower case as the published clients read it."""
        if nested:
            return {"error": {"code": self.code.lower(), "message": self.message}}
        return {"error": self.code, "message": self.message}


def invalid(message: str) -> Refusal:
    """What was sent is not what it must be."""
    return Refusal(400, VALIDATION_ERROR, message)


def not_found(message: str) -> Refusal:
    """There is no such thing, or the key may not know that there is."""
    return Refusal(404, NOT_FOUND, message)


def forbidden(message: str) -> Refusal:
    """The key works, and may not do this."""
    return Refusal(403, FORBIDDEN, message)


def unauthorized(message: str) -> Refusal:
    """No key, or one that does not work."""
    return Refusal(401, UNAUTHORIZED, message)


def too_large(bytes_max: int) -> Refusal:
    """The body has too many bytes."""
    return Refusal(413, VALIDATION_ERROR, f"The body is longer than {bytes_max} bytes.")


def pro_required(what: str) -> Refusal:
    """The Community Edition does not have it."""
    return Refusal(403, PRO_REQUIRED, f"{what} is part of the Pro edition.")


def of_status(refusal: Status) -> Refusal:
    """What the server refuses a call with, or the way to it. ``refusal`` is presentable."""
    problem = status.read(refusal)
    if not problem.reason:
        if refusal.code == code_pb2.DEADLINE_EXCEEDED:
            return Refusal(504, UNAVAILABLE, "The Understudy server did not answer in time.")
        return Refusal(502, UNAVAILABLE, "The Understudy server cannot be reached.")
    kind = _KINDS.get(refusal.code, (500, INTERNAL_ERROR))
    http_status, code = _TABLE.get(problem.reason, kind)
    return Refusal(http_status, code, _as_sent(problem.summary), problem.retry_after_seconds)


def _as_sent(message: str) -> str:
    """A message of the server, without what stands before a member in requests that the caller here has not made."""
    found = _BEFORE.match(message)
    return message[found.end() :] if found else message
