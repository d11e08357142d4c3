"""How Understudy writes an error into ``google.rpc.Status``, and how to read it back.

A status carries the stable code in ``ErrorInfo.reason`` (domain ``understudy``), the fault in ``ErrorInfo.metadata``
and ``BadRequest``, the time to wait in ``RetryInfo`` and, for an unexpected failure, the request's id in
``RequestInfo``. A status without such an ``ErrorInfo`` is an error of the transport and not one of ours.

A call that is refused for several problems at once has one violation in ``BadRequest`` for each, the first being the
one that the rest of the status is about, and how many there are beside it in ``ErrorInfo.metadata`` (``more``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

DOMAIN = "understudy"
_COUNT_DIGITS_MAX = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a caller meets it.

    ``reason`` is the stable code (``not_found``), empty for an error of the transport; ``field`` the dotted path of the
    field at fault in proto names, empty when there is none; ``rule``, ``limit`` and ``given`` say what was broken.
    ``others`` are what else the call was refused for, each with reason, message and field alone, and ``untold`` is how
    many there are beside these.
    """

    reason: str
    message: str
    field: str = ""
    rule: str = ""
    limit: str = ""
    given: str = ""
    retry_after_seconds: int = 0
    request_id: str = ""
    others: "tuple[Problem, ...]" = ()
    untold: int = 0

    @property
    def summary(self) -> str:
        """The message, and how many more problems there are."""
        more = len(self.others) + self.untold
        return f"{self.message} (and {more} more {'problem' if more == 1 else 'problems'})" if more else self.message


def write(grpc_code: int, problem: Problem) -> Status:
    """Make the status of a problem; ``grpc_code`` is a number of ``google.rpc.Code``."""
    status = Status(code=grpc_code, message=problem.summary)
    more = len(problem.others) + problem.untold
    facts = {"field": problem.field, "rule": problem.rule, "limit": problem.limit, "given": problem.given}
    metadata = {name: text for name, text in facts.items() if text}
    if more:
        metadata["more"] = str(more)
    info = ErrorInfo(reason=problem.reason, domain=DOMAIN, metadata=metadata)
    status.details.add().Pack(info)
    if problem.field or more:
        violations = [_violation(each) for each in (problem, *problem.others)]
        status.details.add().Pack(BadRequest(field_violations=violations))
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
    violations: list[BadRequest.FieldViolation] = []
    for detail in _details(status):
        if isinstance(detail, ErrorInfo) and detail.domain == DOMAIN:
            reason, facts = detail.reason, dict(detail.metadata)
        elif isinstance(detail, RetryInfo):
            wait = detail.retry_delay.seconds
        elif isinstance(detail, RequestInfo):
            request_id = detail.request_id
        elif isinstance(detail, BadRequest):
            violations = list(detail.field_violations)
    problem = Problem(
        reason=reason,
        message=status.message,
        field=facts.get("field", ""),
        rule=facts.get("rule", ""),
        limit=facts.get("limit", ""),
        given=facts.get("given", ""),
        retry_after_seconds=wait,
        request_id=request_id,
    )
    more = facts.get("more", "")
    if not (violations and more.isdecimal() and len(more) < _COUNT_DIGITS_MAX):
        return problem
    first, *others = violations
    told = tuple(Problem(each.reason, each.description, each.field) for each in others)
    return replace(problem, message=first.description, others=told, untold=max(0, int(more) - len(told)))


def within(status: Status, bytes_max: int) -> Status:
    """The status with as many of its further problems as leave it within a size; the first problem always stays."""
    size = status.ByteSize()
    if size <= bytes_max:
        return status
    shorter = Status()
    shorter.CopyFrom(status)
    for packed in shorter.details:
        request = BadRequest()
        if packed.Is(BadRequest.DESCRIPTOR) and packed.Unpack(request):
            while size > bytes_max and len(request.field_violations) > 1:
                # With its tag and length, which are a few bytes that we leave to spare.
                size -= request.field_violations.pop().ByteSize()
            packed.Pack(request)
    return shorter


def _violation(problem: Problem) -> BadRequest.FieldViolation:
    return BadRequest.FieldViolation(field=problem.field, description=problem.message, reason=problem.reason)


def _details(status: Status) -> Iterator[Message]:
    for packed in status.details:
        for kind in (ErrorInfo, RetryInfo, RequestInfo, BadRequest):
            detail = kind()
            if packed.Is(kind.DESCRIPTOR) and packed.Unpack(detail):
                yield detail
