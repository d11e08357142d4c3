"""Refusals over REST name fields as the caller wrote them."""

import pytest
from google.rpc import code_pb2
from understudy import status
from understudy.status import Problem
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.operations import compile_routes
from understudy_gateway.transcoding.requests import RequestParts
from understudy_gateway.transcoding.spelling import Spelling, spelled

ROUTES = compile_routes(understudy())
ENVIRONMENT = b"/api/v1/projects/p/environments/e"
MOCK = ENVIRONMENT + b"/mocks/ovr_x"


def told(spelling: Spelling, problem: Problem) -> Problem:
    return status.read(spelled(status.write(code_pb2.INVALID_ARGUMENT, problem), spelling))


@pytest.mark.parametrize(
    ("method", "path", "field", "expected"),
    [
        ("POST", ENVIRONMENT + b"/mocks", "mock.name", "name"),
        ("POST", ENVIRONMENT + b"/mocks", "mock.action.delay.fixed_ms", "action.delay.fixedMs"),
        ("POST", ENVIRONMENT + b"/mocks", "mock.matcher.query['my_key']", "matcher.query['my_key']"),
        ("POST", ENVIRONMENT + b"/mocks", "mock", "the body"),
        ("PATCH", MOCK, "expected_revision", "If-Match"),
        ("PATCH", MOCK, "mock_id", "mockId"),
        ("PATCH", ENVIRONMENT, "changes.limits.first_byte_ms", "limits.firstByteMs"),
        ("PATCH", ENVIRONMENT, "update_mask", "updateMask"),
        ("PUT", b"/api/v1/sessions/s", "global_delay_ms", "globalDelayMs"),
        ("PUT", b"/api/v1/sessions/s", "expected_revision", "If-Match"),
        (
            "POST",
            b"/api/v1/manifest:apply",
            "manifest.projects['a'].environments['b'].mocks['ovr_myMock'].action",
            "manifest.projects['a'].environments['b'].mocks['ovr_myMock'].action",
        ),
        ("POST", b"/api/v1/manifest:apply", "manifest.local_mocks['ovr_cut_o", "manifest.localMocks['ovr_cut_o"),
        ("POST", b"/api/v1/manifest:apply", """a_b["it's_b"].c_d""", """aB["it's_b"].cD"""),
        ("POST", b"/api/v1/manifest:apply", r"a_b['x\'_y\"_z'].c_d", r"aB['x\'_y\"_z'].cD"),
    ],
)
def test_a_field_is_named_as_in_the_request(method: str, path: bytes, field: str, expected: str) -> None:
    spelling = ROUTES.find(method, path).target.request.spelling
    problem = told(spelling, Problem("invalid_field", f"{field} is wrong", field, "rule"))
    assert (problem.field, problem.message) == (expected, f"{expected} is wrong")


def test_a_word_of_the_sentence_is_no_field() -> None:
    problem = told(Spelling("mock"), Problem("not_found", "there is no such mock", "mock", "rule"))
    assert problem.message == "there is no such mock"


def test_each_of_several_problems_is_spelled() -> None:
    others = (Problem("invalid_field", "mock.url_id is odd", "mock.url_id"),)
    problem = told(Spelling("mock"), Problem("invalid_field", "mock.name is odd", "mock.name", others=others))
    assert [(each.field, each.message) for each in (problem, *problem.others)] == [
        ("name", "name is odd"),
        ("urlId", "urlId is odd"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"name":1}', "name must be a string."),
        (b'{"my_key":1}', "my_key is not a field of this request."),
        (b'{"matcher":{"my_key":1}}', "matcher.my_key is not a field of this request."),
        (b'{"matcher":{"query":{"my_key":1}}}', "matcher.query['my_key'] must be an object."),
        (b'{"action":{"delay":{"fixedMs":"x"}}}', "action.delay.fixedMs must be a whole number."),
    ],
)
def test_what_a_body_must_not_hold_is_named_as_it_stands_there(body: bytes, expected: str) -> None:
    match = ROUTES.find("PATCH", MOCK)
    _, refusal = match.target.request.decode(RequestParts(match.values, b"", {}, body))
    assert refusal is not None
    assert status.read(spelled(refusal, match.target.request.spelling)).message == expected


def test_an_error_of_the_way_stays_as_it_is() -> None:
    refusal = status.write(code_pb2.UNAVAILABLE, Problem("", "mock.name"))
    assert spelled(refusal, Spelling("mock")) is refusal
