"""Short forms, and what is like one and none."""

import pytest
from support.manifest_texts import mock, problems
from understudy.v1.actions_pb2 import Header
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.matching_pb2 import Criterion, RequestMatcher


@pytest.mark.parametrize(
    ("written", "matcher"),
    [
        ("POST /api/pay", RequestMatcher(method="POST", path="/api/pay")),
        ("POST   /api/pay", RequestMatcher(method="POST", path="/api/pay")),
        ("GET /a file/:id", RequestMatcher(method="GET", path="/a file/:id")),
        ("POST", RequestMatcher(method="POST")),
        ("M-SEARCH /", RequestMatcher(method="M-SEARCH", path="/")),
        ("/api/pay", RequestMatcher(path="/api/pay")),
        ("{method: GET}", RequestMatcher(method="GET")),
        ("{}", RequestMatcher()),
    ],
)
def test_a_matcher_may_be_a_method_and_a_path(written: str, matcher: RequestMatcher) -> None:
    read = mock(f"matcher: {written}")
    assert read.HasField("matcher")
    assert read.matcher == matcher


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("post /api/pay", "write POST /api/pay"),
        ("get", "write GET"),
        ("POST/api", "write it like POST /api/pay"),
        ("GET api", "write it like POST /api/pay"),
        ("GET POST /a", "write it like POST /api/pay"),
    ],
)
def test_no_other_text_is_a_matcher(written: str, advice: str) -> None:
    said = f"f.yaml:1:10: matcher: {written!r} is not a method and a path; {advice}"
    assert problems(f"matcher: {written}", ManifestMock) == [said]


def test_a_matcher_may_come_from_a_variable() -> None:
    assert mock("matcher: GET /${V:-v1}/a").matcher.path == "/v1/a"


def test_a_criterion_may_be_a_text() -> None:
    read = mock("matcher: {query: {currency: EUR, page: 2, on: no, c: {jsonSubset: {a: 1}}}, body: done}").matcher
    assert read.query["currency"] == Criterion(equals="EUR")
    assert read.query["page"] == Criterion(equals="2")
    assert read.query["on"] == Criterion(equals="no")
    assert read.query["c"] == Criterion(json_subset='{"a":1}')
    assert read.body == Criterion(equals="done")


def test_headers_may_be_a_mapping() -> None:
    headers = mock('action: {respond: {headers: {x-n: 12, set-cookie: [a=1, b=2], x-e: ""}}}').action.respond.headers
    assert list(headers) == [
        Header(name="x-n", value="12"),
        Header(name="set-cookie", value="a=1"),
        Header(name="set-cookie", value="b=2"),
        Header(name="x-e"),
    ]


def test_headers_may_be_a_list() -> None:
    headers = mock("action: {respond: {headers: [{name: a, value: b}]}}").action.respond.headers
    assert list(headers) == [Header(name="a", value="b")]


def test_what_is_no_header_is_told_with_its_place() -> None:
    text = "action: {respond: {headers: {x-bad: , x-c: {a: b}}}}"
    assert problems(text, ManifestMock) == [
        'f.yaml:1:37: action.respond.headers.x-bad: has no value; write "" or leave the line out',
        "f.yaml:1:44: action.respond.headers.x-c: must be a single value, not a mapping; write it behind the ':'",
    ]
