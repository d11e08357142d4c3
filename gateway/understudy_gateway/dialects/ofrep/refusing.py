"""Why an evaluation failed, as the protocol says it: it knows few statuses and few codes."""

from typing import Final

import orjson
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.ofrep.answering import JSON, failure
from understudy_gateway.dialects.ofrep.carried import ENVIRONMENT, PROJECT

_UNAUTHORIZED, _TOO_MANY, _OURS = 401, 429, 500
_STATUS: Final = {
    "unauthorized": _UNAUTHORIZED,
    "scope_mismatch": 403,
    "role_required": 403,
    "plan_required": 403,
    "rate_limited": _TOO_MANY,
    "internal_error": _OURS,
    "storage_unavailable": _OURS,
}
_HEADER_OF: Final = {"project_required": PROJECT.decode(), "environment_required": ENVIRONMENT.decode()}
_BAD: Final = 400


def refuse(refusal: Status, key: str | None) -> Answer:
    """Write an error. ``key`` is the flag's when it was about one.

    ``refusal`` has a stable code; one without it is of the way to the server.
    """
    problem = status.read(refusal)
    http_status = _STATUS.get(problem.reason, _BAD) if problem.reason else _OURS
    headers = [JSON]
    if http_status == _UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    if problem.retry_after_seconds or http_status == _TOO_MANY:
        headers.append((b"retry-after", b"%d" % max(1, problem.retry_after_seconds)))
    return Answer(http_status, headers, orjson.dumps(failure(_code(problem), _details(problem), key)))


def _code(problem: Problem) -> str:
    if problem.reason == "invalid_json":
        return "PARSE_ERROR"
    if problem.field == "context":
        return "PARSE_ERROR" if problem.rule == "json" else "INVALID_CONTEXT"
    return "GENERAL"


def _details(problem: Problem) -> str:
    if not problem.reason:
        return "The Understudy server cannot be reached."
    header = _HEADER_OF.get(problem.reason)
    said = f"{problem.summary} (in the header {header})" if header else problem.summary
    return f"{said} (request {problem.request_id})" if problem.request_id else said
