"""An HTTP answer as a value, and the refusals that are the gateway's own."""

import logging
from typing import NamedTuple, Protocol

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from understudy import request_ids, status
from understudy.status import Problem

from understudy_gateway.transcoding.responses import Headers

_log = logging.getLogger("understudy.gateway")

# Errors of the way to the server that a dialect shows as such. Any other error without a stable code is our fault.
_ERRORS_OF_THE_WAY = frozenset({code_pb2.UNAVAILABLE, code_pb2.DEADLINE_EXCEEDED})


class Answer(NamedTuple):
    """A whole answer. ``headers`` without the length, which follows from the body."""

    status: int
    headers: Headers
    body: bytes = b""

    def with_header(self, name: bytes, value: bytes) -> "Answer":
        """Return the same answer with one more header line."""
        return self._replace(headers=[*self.headers, (name, value)])


class Dialect(Protocol):
    """How a product says that a call failed: its statuses and its error envelope."""

    def refuse(self, refusal: Status) -> Answer:
        """Write an error. ``refusal`` has a stable code, or is ``UNAVAILABLE`` or ``DEADLINE_EXCEEDED`` without one.

        Its fields are named as over REST already.
        """


def route_not_found() -> Status:
    """Return the refusal of a path that no route has."""
    return status.write(code_pb2.NOT_FOUND, Problem("not_found", "There is no such route.", rule="route"))


def method_not_allowed(method: str) -> Status:
    """Return the refusal of a method that the path does not have."""
    problem = Problem("method_not_allowed", "This path does not have that method.", rule="method", given=method[:100])
    return status.write(code_pb2.UNIMPLEMENTED, problem)


def bad_request(message: str, rule: str) -> Status:
    """Return the refusal of a request that is malformed as HTTP."""
    return status.write(code_pb2.INVALID_ARGUMENT, Problem("invalid_request", message, rule=rule))


def body_too_large(bytes_max: int) -> Status:
    """Return the refusal of a body that is longer than the gateway takes."""
    message = f"The body is longer than {bytes_max} bytes."
    problem = Problem("body_too_large", message, rule="body_bytes_max", limit=str(bytes_max))
    return status.write(code_pb2.RESOURCE_EXHAUSTED, problem)


def internal_error(request_id: str) -> Status:
    """Return the refusal that says nothing but that we failed, and under which id the log says more."""
    problem = Problem("internal_error", "Something went wrong inside Understudy.", request_id=request_id)
    return status.write(code_pb2.INTERNAL, problem)


def unexpected(error: BaseException) -> Status:
    """Log an exception that nobody expected and return the refusal that hides it."""
    request_id = _request_id()
    _log.error("request %s failed", request_id, exc_info=error)
    return internal_error(request_id)


def presentable(refusal: Status) -> Status:
    """Return the refusal as a dialect may see it: without a stable code, unless of the way, it is logged and hidden."""
    if status.read(refusal).reason or refusal.code in _ERRORS_OF_THE_WAY:
        return refusal
    request_id = _request_id()
    _log.error("request %s failed: status %d without a reason: %s", request_id, refusal.code, refusal.message)
    return internal_error(request_id)


def _request_id() -> str:
    return request_ids.CURRENT.get() or request_ids.make()
