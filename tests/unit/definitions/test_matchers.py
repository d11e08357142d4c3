"""What a matcher looks at in a request, and what it says of one that does not match."""

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from support import plain_criteria as plain
from support.criterion_messages import CONTENTS, CRITERIA, NAMES, TEXTS
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.request import OVERLONG, BodyWanted, Request
from understudy_server.core.state import ABSENT, Scope
from understudy_server.core.steps import Steps
from understudy_server.definitions.matchers import compile_matcher

NEVER = {"all": {"criteria": [{"present": True}, {"present": False}]}}


def compiled(matcher: dict[str, Any], chain: str = "") -> Matcher:
    return compile_matcher(ParseDict(matcher, RequestMatcher()), "matcher", chain=chain)


def request(path: str = "/", query: str = "", body: bytes | None = b"", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request("GET", path, query, body, headers=raw, host="shop.example.com")


@pytest.mark.parametrize(
    ("matcher", "asked", "expected"),
    [
        # Several values, and none.
        ({"query": {"p": {"equals": "2"}}}, request(query="p=1&p=2"), True),
        ({"query": {"p": {"not": {"equals": "2"}}}}, request(query="p=1&p=2"), True),
        ({"query": {"p": {"not": {"equals": "2"}}}}, request(query="p=2&p=2"), False),
        ({"query": {"p": {"present": False}}}, request(query="q=1"), True),
        ({"query": {"p": {"present": True}}}, request(query="p"), True),
        ({"query": {"p": {"empty": True}}}, request(query="p"), True),
        ({"query": {"p": {"empty": True}}}, request(), True),
        ({"query": {"p": {"equals": ""}}}, request(), False),
        ({"query": {"p": {"any": {"criteria": [{"present": False}, {"equals": "1"}]}}}}, request(), True),
        ({"query": {"p": {"not": {"equals": "1"}}}}, request(), True),
        ({"query": {"P": {"equals": "1"}}}, request(query="p=1"), False),
        ({"query": {"p": {"json_subset": '{"a": 1}'}}}, request(query='p={}&p={"a":1,"b":2}'), True),
        ({"query": {"p": {"contains": "é"}}}, request(query="p=caf%C3%A9"), True),
        # Headers.
        ({"headers": {"X-Team": {"equals": "qa"}}}, request(x_team="qa"), True),
        ({"headers": {"x-team": {"equals": "QA"}}}, request(x_team="qa"), False),
        ({"headers": {"x-team": {"equals": "qa"}}}, request(x_team="qa, dev"), False),
        ({"headers": {"x-team": {"present": False}}}, request(x_other="1"), True),
        ({"headers": {"x-team": {"equals": "é"}}}, request(x_team="é"), True),
        ({"headers": {"x-n": {"number": {"at_least": "3"}}}}, request(x_n="10"), True),
        ({"headers": {"x-n": {"at_least": "3"}}}, request(x_n="10"), True),
        ({"headers": {"x-n": {"at_least": "3"}}}, request(x_n="many"), False),
        # Cookies.
        ({"cookies": {"theme": {"equals": "dark"}}}, request(cookie="a=1; theme=dark"), True),
        ({"cookies": {"theme": {"equals": "dark"}}}, request(cookie='theme="dark"'), True),
        ({"cookies": {"theme": {"equals": "dark"}}}, request(cookie="theme=light; theme=dark"), True),
        ({"cookies": {"Theme": {"present": True}}}, request(cookie="theme=dark"), False),
        ({"cookies": {"theme": {"present": False}}}, request(cookie="theme; =x;;"), True),
        ({"cookies": {"theme": {"equals": "a=b"}}}, request(cookie="theme=a=b"), True),
        # Host, method, path.
        ({"host": {"suffix": ".example.com"}}, request(), True),
        ({"host": {"equals": "shop"}}, request(), False),
        ({"host": {"present": False}}, Request("GET", "/"), True),
        ({"method_criterion": {"pattern": "GET|HEAD"}}, request(), True),
        ({"method_criterion": {"pattern": "PUT|PATCH"}}, request(), False),
        ({"path_criterion": {"prefix": "/a b/"}}, request("/a%20b/c"), True),
        ({"path_criterion": {"equals": "/a/b"}}, request("/a%2Fb"), True),
        ({"path_criterion": {"equals": "/a"}}, request("/a/"), False),
        ({"path_criterion": {"pattern_within": "."}}, request("/%ff"), True),
        # Together.
        ({"all_query": {"fields": {"fields": {"a": {"equals": "1"}}, "only": True}}}, request(query="a=1"), True),
        ({"all_query": {"fields": {"fields": {"a": {"equals": "1"}}, "only": True}}}, request(query="a=1&b"), False),
        ({"all_query": {"empty": True}}, request(), True),
        ({"all_query": {"json_path": {"path": "$.a", "criterion": {"equals": "2"}}}}, request(query="a=1&a=2"), True),
        ({"all_headers": {"length": {"at_most": "1"}}}, request(x_a="1"), True),
        ({"all_headers": {"length": {"at_most": "1"}}}, request(x_a="1", x_b="1"), False),
        # Body.
        ({"body": {"present": False}}, request(), True),
        ({"body": {"present": True}}, request(body=b"x"), True),
        ({"body": {"equals": ""}}, request(), True),
        ({"body": {"json_equals": '{"a": 1}'}}, request(body=b'{"a":1.0}'), True),
        ({"body": {"json_equals": '{"a": 1}'}}, request(body=b'{"a":1,"b":2}'), False),
        ({"body": {"equals_bytes": "iVBO/w=="}}, request(body=b"\x89PN\xff"), True),
        ({"body": {"form": {"fields": {"user": {"equals": "ann b"}}}}}, request(body=b"x=1&user=ann+b"), True),
        ({"body": {"form": {"fields": {"user": {"present": False}}}}}, request(body=b"x=1"), True),
        ({"body": {"contains": "b"}}, request(body=b"\xff\xfeb"), True),
        ({"body": {"pattern_within": "b"}}, request(body=b"\xff\xfeb"), True),
        ({"body": {"contains": "GOLD", "ignore_case": True}}, request(body=b"a gold ring"), True),
        ({"body": {"text": {"present": True}}}, request(body=b"\xff"), False),
        ({"body": {"json": {"json": {"json_equals": "[1]"}}}}, request(body=b'"[1]"'), True),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
def test_a_part_of_the_request_is_tested(matcher: dict[str, Any], asked: Request, expected: bool) -> None:
    found = compiled(matcher)
    assert found.matches(asked) is expected
    assert (found.distance(asked) == 0) is expected
    assert (found.mismatches(asked) == []) is expected


@given(CRITERIA, NAMES, st.lists(st.sampled_from(["1", "a", "%C3%A9", "[1]", "", "%ff"]), max_size=3))
def test_a_query_parameter_holds_when_one_of_its_values_does(message: Criterion, name: str, values: list[str]) -> None:
    asked = request(query="&".join([f"{name}={value}" for value in values]))
    told = [plain.Text(text) for text in asked.parameters().get(name, [])]
    matcher = compile_matcher(RequestMatcher(query={name: message}), "matcher")
    assert matcher.matches(asked) is plain.holds_for_values(message, told)


@given(CRITERIA, st.lists(TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")), max_size=3))
def test_a_header_holds_when_one_of_its_values_does(message: Criterion, values: list[bytes]) -> None:
    asked = Request("GET", "/", headers=[(b"X-Any", value) for value in values] + [(b"x-other", b"1")])
    told = [plain.Text(text) for text in asked.values_by_header().get(b"x-any", [])]
    matcher = compile_matcher(RequestMatcher(headers={"x-any": message}), "matcher")
    assert matcher.matches(asked) is plain.holds_for_values(message, told)


@given(CRITERIA, CONTENTS)
def test_a_body_holds_as_its_criterion_says(message: Criterion, content: bytes) -> None:
    matcher = compile_matcher(RequestMatcher(body=message), "matcher")
    assert matcher.matches(Request("POST", "/", body=content)) is plain.holds(message, plain.Content(content))


# The body comes last.


def test_the_body_is_wanted_only_when_all_else_holds() -> None:
    every: dict[str, Any] = {
        "query": {"p": {"equals": "1"}},
        "headers": {"x-a": {"equals": "1"}},
        "cookies": {"c": {"equals": "1"}},
        "host": {"prefix": "shop"},
        "body": {"not": {"equals": "x"}},
    }
    with pytest.raises(BodyWanted):
        compiled(every).matches(request(query="p=1", body=None, x_a="1", cookie="c=1"))
    assert not compiled(every).matches(request(query="p=2", body=None, x_a="1", cookie="c=1"))
    assert not compiled(every).matches(request(query="p=1", body=None, x_a="2", cookie="c=1"))
    assert not compiled(every).matches(request(query="p=1", body=None, x_a="1", cookie="c=2"))
    assert not compiled(every).matches(Request("GET", "/", "p=1", None, headers=request(x_a="1", cookie="c=1").headers))


@pytest.mark.parametrize("criterion", [{"not": {"equals": "x"}}, {"present": False}, {"empty": False}, NEVER])
def test_nothing_holds_of_a_body_that_is_too_long(criterion: dict[str, Any]) -> None:
    found, asked = compiled({"body": criterion}), Request("POST", "/", body=OVERLONG)
    assert not found.matches(asked)
    assert [(each.field, each.code) for each in found.mismatches(asked)] == [("matcher.body", "body_too_large")]


# State.


def test_a_value_that_is_kept_is_found_by_scope_key_and_chain() -> None:
    asked, seen = request(), []

    def find(scope: Scope, key: str, chain: str) -> Any:
        seen.append((scope, key, chain))
        return {"session": 5, "chain": [1]}.get(scope.value, ABSENT)

    asked.state_value = find
    matcher = compiled(
        {
            "state": [
                {"key": "total", "criterion": {"at_least": "5"}},
                {"key": "seen", "scope": "STATE_SCOPE_CHAIN", "criterion": {"some": {"equals": "1"}}},
                {"key": "flag", "scope": "STATE_SCOPE_ENVIRONMENT", "criterion": {"present": False}},
            ]
        },
        chain="order",
    )
    assert matcher.matches(asked)
    assert matcher.looks_at_state
    assert seen == [
        (Scope.SESSION, "total", "order"),
        (Scope.CHAIN, "seen", "order"),
        (Scope.ENVIRONMENT, "flag", "order"),
    ]


def test_without_anything_kept_there_is_no_value() -> None:
    assert compiled({"state": [{"key": "a", "criterion": {"present": False}}]}).matches(request())
    assert not compiled({"state": [{"key": "a", "criterion": {"equals": ""}}]}).matches(request())


# What orders of precedence ask.


@pytest.mark.parametrize(
    ("matcher", "numbers"),
    [
        ({}, (0, 0, 0, 0, 0)),
        ({"method": "GET", "path": "/a"}, (0, 0, 0, 2, 116)),
        ({"path": "/a", "query": {"a": {"present": True}}, "headers": {"b": {"present": True}}}, (0, 1, 2, 3, 84)),
        (
            {"headers": {"a": {"present": True}, "b": {"present": True}}, "cookies": {"c": {"empty": True}}},
            (0, 0, 3, 1, 2),
        ),
        ({"host": {"equals": "a"}, "path_criterion": {"prefix": "/"}}, (0, 0, 2, 2, 86)),
        ({"method_criterion": {"equals": "GET"}, "body": {"json_subset": '{"a": 1, "b": 2}'}}, (2, 0, 2, 2, 54)),
        (
            {"query": {"a": {"present": True}}, "all_query": {"empty": False}, "all_headers": {"empty": False}},
            (0, 2, 3, 2, 5),
        ),
        ({"body": {"all": {"criteria": [{"contains": "a"}, {"contains": "b"}]}}}, (2, 0, 2, 1, 17)),
        ({"body": {"any": {"criteria": [{"json_subset": "[1, 2]"}, {"equals": "b"}]}}}, (1, 0, 1, 1, 17)),
        ({"state": [{"key": "a", "criterion": {"present": True}}]}, (0, 0, 1, 0, 0)),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
def test_a_matcher_is_measured_for_precedence(matcher: dict[str, Any], numbers: tuple[int, ...]) -> None:
    found = compiled(matcher)
    measured = (found.body_leaves, found.query_count, found.criteria_count, found.fields_count, found.weight)
    assert measured == numbers


def test_criteria_in_place_of_method_and_path_are_told_apart() -> None:
    found = compiled({"method_criterion": {"equals": "GET"}, "path_criterion": {"prefix": "/"}})
    assert (found.looks_at_method, found.looks_at_path_criterion, found.has_criteria) == (True, True, True)
    plain_one = compiled({"method": "GET", "path": "/"})
    assert (plain_one.looks_at_method, plain_one.looks_at_path_criterion, plain_one.has_criteria) == (
        True,
        False,
        False,
    )


# Explanations.


@pytest.mark.parametrize(
    ("matcher", "asked", "field", "expected", "actual", "code"),
    [
        ({"method": "POST"}, request(), ".method", "is POST", "GET", "differs"),
        ({"path": "/a/:id"}, request("/b/1"), ".path", "is /a/:id", "/b/1", "differs"),
        (
            {"query": {"page": {"equals": "2"}}},
            request(query="page=3"),
            ".query.page.equals",
            'equals "2"',
            "3",
            "differs",
        ),
        ({"query": {"page": {"equals": "2"}}}, request(), ".query.page.equals", 'equals "2"', "", "absent"),
        ({"query": {"a b": {"equals": "2"}}}, request(), ".query['a b'].equals", 'equals "2"', "", "absent"),
        (
            {"headers": {"X-N": {"at_least": "3"}}},
            request(x_n="many"),
            ".headers.x-n.at_least",
            "is at least 3",
            "many",
            "unreadable",
        ),
        (
            {"body": {"json_subset": '{"card": {"last4": "0002"}}'}},
            request(body=b'{"card": {"last4": "0003"}}'),
            ".body.json_subset",
            'contains {"card":{"last4":"0002"}}',
            'at $.card.last4: "0003"',
            "differs",
        ),
        (
            {"body": {"json_subset": '{"a": {"b c": 1}}'}},
            request(body=b'{"a": {}}'),
            ".body.json_subset",
            'contains {"a":{"b c":1}}',
            "at $.a['b c']: nothing",
            "differs",
        ),
        (
            {"body": {"json_path": {"path": "$.id", "criterion": {"less_than": "3"}}}},
            request(body=b'{"id": "x"}'),
            ".body.json_path.criterion.less_than",
            "$.id: is less than 3",
            '"x"',
            "ill_typed",
        ),
        (
            {"body": {"fields": {"fields": {"a": {"equals": "1"}}, "only": True}}},
            request(body=b'{"a": 1, "b": 2}'),
            ".body.fields.only",
            "has no other members",
            "b: 2",
            "differs",
        ),
        (
            {"body": {"json": {"present": True}}},
            request(body=b"{"),
            ".body.json",
            "read as JSON, it is there",
            "{",
            "unreadable",
        ),
        (
            {"body": {"any": {"criteria": [{"equals": "aaab"}, {"equals": "zz"}]}}},
            request(body=b"aaa"),
            ".body.any",
            'equals "aaab" or equals "zz"',
            "aaa",
            "differs",
        ),
        (
            {"body": {"json_schema": '{"type": "object"}'}},
            request(body=b"[]"),
            ".body.json_schema",
            'is valid by the JSON Schema: [] is not of type "object" (at $)',
            "[]",
            "differs",
        ),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
def test_a_mismatch_says_where_what_and_why(
    matcher: dict[str, Any], asked: Request, field: str, expected: str, actual: str, code: str
) -> None:
    found = compiled(matcher).mismatches(asked)
    assert [(each.field, each.expected, each.actual, each.code) for each in found] == [
        (f"matcher{field}", expected, actual, code)
    ]


def test_mismatches_are_in_the_order_in_which_they_are_looked_at() -> None:
    matcher = compiled(
        {
            "method": "POST",
            "path": "/a",
            "query": {"p": {"equals": "1"}},
            "headers": {"x-a": {"equals": "1"}},
            "body": {"all": {"criteria": [{"equals": "a"}, {"contains": "b"}]}},
        }
    )
    assert [each.field for each in matcher.mismatches(request("/b"))] == [
        "matcher.method",
        "matcher.path",
        "matcher.query.p.equals",
        "matcher.headers.x-a.equals",
        "matcher.body.all.criteria[0].equals",
        "matcher.body.all.criteria[1].contains",
    ]


@pytest.mark.parametrize(
    ("matcher", "nearer", "farther"),
    [
        ({"path": "/users/:id/cards"}, request("/users/1/card"), request("/orders")),
        ({"query": {"name": {"equals": "gold card"}}}, request(query="name=gold+cart"), request(query="name=tin")),
        ({"body": {"greater_than": "100"}}, request(body=b"99"), request(body=b"1")),
        ({"body": {"json_subset": '{"a": 1, "b": 2}'}}, request(body=b'{"a": 1}'), request(body=b"{}")),
        ({"body": {"each": {"at_most": "5"}}}, request(body=b"[6]"), request(body=b"[600]")),
        ({"path": "/a", "headers": {"x-a": {"equals": "1"}}}, request("/a"), request("/zzz", x_a="1")),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
def test_what_is_nearer_has_the_smaller_distance(matcher: dict[str, Any], nearer: Request, farther: Request) -> None:
    found = compiled(matcher)
    assert 0 < found.distance(nearer) < found.distance(farther) <= 1


def test_at_most_twenty_mismatches_are_told() -> None:
    matcher = compiled({"query": {f"p{number}": {"equals": "1"} for number in range(60)}})
    assert len(matcher.mismatches(request())) == 20


# Steps.


def test_mocks_that_a_request_meets_share_its_steps() -> None:
    # Each of them alone is tested in time; all of them together would hold everybody up.
    content = b'["' + b'","'.join([b"x"] * 1_000) + b'"]'
    matcher = compiled({"body": {"some": {"equals": "y"}}})
    asked = Request("POST", "/", body=content)
    for _ in range(1_000):
        assert not matcher.matches(asked)
    assert asked.work.left == 0
    assert not compiled({"body": {"not": {"some": {"equals": "y"}}}}).matches(asked)
    assert compiled({"body": {"not": {"some": {"equals": "y"}}}}).matches(Request("POST", "/", body=content))


def test_what_takes_too_many_steps_is_told_so() -> None:
    asked = Request("POST", "/", body=b"[" + b"0," * 50_000 + b"0]")
    matcher = compiled({"body": {"each": {"equals": "0"}}})
    assert not matcher.matches(asked)
    assert [(each.field, each.code) for each in matcher.mismatches(asked)] == [("matcher.body", "too_many_steps")]


def test_many_mocks_that_follow_the_same_path_follow_it_once() -> None:
    asked = Request("POST", "/", body=b'{"items": [' + b'{"id": 1},' * 500 + b'{"id": 2}]}')
    for number in range(100):
        path = {"path": "$..id", "criterion": {"equals": "no"}, "select": "SELECTION_LIST"}
        assert not compiled({"body": {"json_path": path}, "query": {"n": {"not": {"equals": str(number)}}}}).matches(
            asked
        )
    assert asked.work.left > Steps().left // 2
