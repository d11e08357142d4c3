"""The plan of an answer: what goes over the wire, and after how long."""

from dataclasses import dataclass

from understudy_server.core.responding.response import Headers, Response

_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """Status, all header pairs that describe the content, the bytes of the body, and the time before the first byte."""

    status: int
    headers: Headers
    body: bytes
    delay_ms: int = 0


def plan(response: Response, method: str, delay_ms: int = 0) -> AnswerPlan:
    """Plan the answer to a request of this method.

    204 and 304 have no body and no length; an answer to HEAD has no body, and the length that GET would have had.
    Source: RFC 9110, sections 6.4.1 and 8.6.
    """
    if response.status in _BODILESS:
        return AnswerPlan(response.status, response.headers, b"", delay_ms)
    headers = (*response.headers, ("content-length", str(len(response.body))))
    return AnswerPlan(response.status, headers, b"" if method == "HEAD" else response.body, delay_ms)
