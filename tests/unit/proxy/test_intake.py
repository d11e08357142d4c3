"""What was decided about a request stays for those like it."""

from support.live_source import environment
from understudy_server.core.matching.request import Request
from understudy_server.proxy.intake import _KEPT, Intake
from understudy_server.proxy.messages import ClientRequest


def _request(target: str) -> ClientRequest:
    request = ClientRequest()
    request.method, request.target, request.headers = "GET", target, [(b"host", b"app")]
    return request


def test_all_that_stays_for_the_next_request_is_there_by_its_name() -> None:
    intake = Intake(_request("/a?b=1"), environment(), "/a?b=1", b"")
    known = {*vars(intake), *Intake.__annotations__, *Request.__annotations__}
    assert known >= _KEPT


def test_next_one_has_what_was_decided_and_an_answer_of_its_own() -> None:
    intake = Intake(_request("/a?b=1"), environment(), "/a?b=1", b"")
    intake.session_key, intake.findings, intake.delay_ms, intake.occurrence = "ci-42", ("odd",), 30, 7
    request = _request("/a?b=1")
    again = intake.again(request)
    assert (again.session_key, again.findings, again.path, again.query) == ("ci-42", ("odd",), "/a", "b=1")
    assert (again.request, again.delay_ms, again.occurrence, again.plan) == (request, 0, 0, None)
