"""How a refusal is told: the one table from code to gRPC status."""

from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem

from understudy_server.core.errors import LimitReached, Refusal

GRPC_CODES: dict[str, int] = {
    "unauthorized": Code.UNAUTHENTICATED,
    "rate_limited": Code.RESOURCE_EXHAUSTED,
    "plan_required": Code.PERMISSION_DENIED,
    "role_required": Code.PERMISSION_DENIED,
    "scope_mismatch": Code.PERMISSION_DENIED,
    "project_required": Code.INVALID_ARGUMENT,
    "environment_required": Code.INVALID_ARGUMENT,
    "invalid_field": Code.INVALID_ARGUMENT,
    "invalid_request": Code.INVALID_ARGUMENT,
    "invalid_override": Code.INVALID_ARGUMENT,
    "invalid_mode": Code.INVALID_ARGUMENT,
    "invalid_side": Code.INVALID_ARGUMENT,
    "not_found": Code.NOT_FOUND,
    "already_exists": Code.ALREADY_EXISTS,
    "not_empty": Code.FAILED_PRECONDITION,
    "managed_by_file": Code.FAILED_PRECONDITION,
    "source_followed": Code.FAILED_PRECONDITION,
    "other_projects": Code.FAILED_PRECONDITION,
    "body_not_kept": Code.FAILED_PRECONDITION,
    "revision_mismatch": Code.ABORTED,
    "key_limit": Code.RESOURCE_EXHAUSTED,
    "not_a_number": Code.FAILED_PRECONDITION,
    "state_full": Code.RESOURCE_EXHAUSTED,
    "files_full": Code.RESOURCE_EXHAUSTED,
    "file_in_use": Code.FAILED_PRECONDITION,
    "session_mocks_full": Code.RESOURCE_EXHAUSTED,
    "flags_full": Code.RESOURCE_EXHAUSTED,
    "project_sessions_full": Code.RESOURCE_EXHAUSTED,
    "storage_unavailable": Code.UNAVAILABLE,
    "internal_error": Code.INTERNAL,
}


def status_of(refusal: Refusal) -> Status:
    """Write a refusal as a status, and what else the call would be refused for. The cause stays here."""
    return status.write(GRPC_CODES[refusal.code], _problem(refusal))


def _problem(refusal: Refusal) -> Problem:
    fault = refusal.fault
    return Problem(
        reason=refusal.code,
        message=refusal.message,
        field=fault.field,
        rule=fault.rule,
        limit=fault.limit,
        given=fault.given,
        retry_after_seconds=refusal.retry_after_seconds if isinstance(refusal, LimitReached) else 0,
        others=tuple(_problem(each) for each in refusal.more),
        untold=refusal.untold,
    )


def internal(request_id: str) -> Status:
    """The status of an unexpected failure: an id to look up in the log, and no text of ours."""
    problem = Problem("internal_error", "the server failed; its log has the request id", request_id=request_id)
    return status.write(Code.INTERNAL, problem)


def unknown_method() -> Status:
    """The status of a method that does not exist: an error of the transport, without a code of ours."""
    return Status(code=Code.UNIMPLEMENTED, message="there is no such method")
