"""How Understudy writes an error into ``google.rpc.Status``, and how to read it back.

A status carries the stable code in ``ErrorInfo.reason`` (domain ``understudy``), the fault in ``ErrorInfo.metadata``
and ``BadRequest``, the time to wait in ``RetryInfo`` and, for an unexpected failure, the request's id in
``RequestInfo``. A status without such an ``ErrorInfo`` is an error of the transport and not one of ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

DOMAIN = "understudy"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a caller meets it.

    ``reason`` is the stable code (``not_found``), empty for an error of the transport; ``field`` the dotted path of the
    field at fault in proto names, empty when there is none; ``rule``, ``limit`` and ``given`` say what was broken.
    """

    reason: str
    message: str
    field: str = ""
    rule: str = ""
    limit: str = ""
    given: str = ""
    retry_after_seconds: int = 0
    request_id: str = ""


def write(grpc_code: int, problem: Problem) -> Status:
    """Make the status of a problem; ``grpc_code`` is a number of ``google.rpc.Code``."""
    status = Status(code=grpc_code, message=problem.message)
    facts = {"field": problem.field, "rule": problem.rule, "limit": problem.limit, "given": problem.given}
    metadata = {name: text for name, text in facts.items() if text}
    info = ErrorInfo(reason=problem.reason, domain=DOMAIN, metadata=metadata)
    status.details.add().Pack(info)
    if problem.field:
        violation = BadRequest.FieldViolation(field=problem.field, description=problem.message)
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    if problem.retry_after_seconds:
        retry = RetryInfo()
        retry.retry_delay.seconds = problem.retry_after_seconds
        status.details.add().Pack(retry)
    if problem.request_id:
        status.details.add().Pack(RequestInfo(request_id=problem.request_id))
    return status


def read(status: Status) -> Problem:
    """Read a status back. Never fails: what is missing or not ours stays empty."""
    reason, facts, wait, request_id = "", {}, 0, ""
    for detail in _details(status):
        if isinstance(detail, ErrorInfo) and detail.domain == DOMAIN:
            reason, facts = detail.reason, dict(detail.metadata)
        elif isinstance(detail, RetryInfo):
            wait = detail.retry_delay.seconds
        elif isinstance(detail, RequestInfo):
            request_id = detail.request_id
    return Problem(
        reason=reason,
        message=status.message,
        field=facts.get("field", ""),
        rule=facts.get("rule", ""),
        limit=facts.get("limit", ""),
        given=facts.get("given", ""),
        retry_after_seconds=wait,
        request_id=request_id,
    )


def _details(status: Status) -> Iterator[Message]:
    for packed in status.details:
        for kind in (ErrorInfo, RetryInfo, RequestInfo):
            detail = kind()
            if packed.Is(kind.DESCRIPTOR) and packed.Unpack(detail):
                yield detail
