"""The FlowMock contract's way to say that a call failed: ``{"error": "text", "code": "snake_case"}``."""

from collections.abc import Mapping
from typing import Any

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem

from understudy_gateway.answers import Answer
from understudy_gateway.transcoding.json_encode import dump
from understudy_gateway.transcoding.responses import JSON_TYPE, Headers

# Stable code → HTTP status and the code in the envelope. The contract's own codes first, then its extensions.
TABLE: dict[str, tuple[int, str]] = {
    "unauthorized": (401, "unauthorized"),
    "plan_required": (403, "plan_required"),
    "scope_mismatch": (403, "scope_mismatch"),
    "rate_limited": (429, "rate_limited"),
    "not_found": (404, "not_found"),
    "project_required": (422, "project_required"),
    "environment_required": (422, "environment_required"),
    "invalid_override": (422, "invalid_override"),
    "invalid_mode": (422, "invalid_mode"),
    "invalid_side": (422, "invalid_side"),
    "invalid_field": (422, "invalid_body"),
    "invalid_json": (400, "invalid_json"),
    "invalid_request": (400, "invalid_request"),
    "method_not_allowed": (405, "method_not_allowed"),
    "body_too_large": (413, "body_too_large"),
    "role_required": (403, "role_required"),
    "already_exists": (409, "already_exists"),
    "not_empty": (409, "not_empty"),
    "managed_by_file": (409, "managed_by_file"),
    "source_followed": (409, "source_followed"),
    "other_projects": (409, "other_projects"),
    "body_not_kept": (409, "body_not_kept"),
    "key_limit": (409, "key_limit"),
    "not_a_number": (409, "not_a_number"),
    "state_full": (409, "state_full"),
    "files_full": (409, "files_full"),
    "file_in_use": (409, "file_in_use"),
    "session_mocks_full": (409, "session_mocks_full"),
    "flags_full": (409, "flags_full"),
    "project_sessions_full": (409, "project_sessions_full"),
    "revision_mismatch": (412, "revision_mismatch"),
    "storage_unavailable": (503, "storage_unavailable"),
    "internal_error": (500, "internal_error"),
}

# A server newer than this gateway may have codes that are not in the table: they pass, under the status of their kind.
_STATUS_OF_KIND: dict[int, int] = {
    code_pb2.INVALID_ARGUMENT: 422,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.FAILED_PRECONDITION: 409,
    code_pb2.ABORTED: 409,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.UNAVAILABLE: 503,
}

# What the way to the server can do, when the server itself has not spoken.
_WAY: dict[int, tuple[int, str, str]] = {
    code_pb2.UNAVAILABLE: (502, "server_unreachable", "The Understudy server cannot be reached."),
    code_pb2.RESOURCE_EXHAUSTED: (413, "body_too_large", "The request is too large for the Understudy server."),
    code_pb2.DEADLINE_EXCEEDED: (504, "server_timeout", "The Understudy server did not answer in time."),
}


class FlowMock:
    """The dialect of ``/api/v1``."""

    def refuse(self, refusal: Status) -> Answer:
        """Write an error of a call or of the gateway itself."""
        problem = status.read(refusal)
        http_status, code, text = _classify(refusal, problem)
        envelope: dict[str, Any] = {"error": text, "code": code}
        if problem.others:
            envelope["problems"] = [_told(each) for each in (problem, *problem.others)]
        if problem.request_id:
            envelope["requestId"] = problem.request_id
        return Answer(http_status, _headers(http_status, problem), dump(envelope))


def _classify(refusal: Status, problem: Problem) -> tuple[int, str, str]:
    if not problem.reason:
        return _WAY.get(refusal.code, (500, "internal_error", "Something went wrong inside Understudy."))
    kind = _STATUS_OF_KIND.get(refusal.code, 500)
    http_status, code = TABLE.get(problem.reason, (kind, problem.reason))
    return http_status, code, problem.summary or code


def _told(problem: Problem) -> Mapping[str, str]:
    """One of several problems: its field and what is wrong there."""
    return {"field": problem.field, "message": problem.message}


def _headers(http_status: int, problem: Problem) -> Headers:
    headers = [(b"content-type", JSON_TYPE)]
    if http_status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if problem.retry_after_seconds or http_status == 429:
        headers.append((b"retry-after", b"%d" % max(1, problem.retry_after_seconds)))
    return headers
