"""Section 4: criteria as they are sent."""

from typing import Any

import pytest
from support.assertive_server import NO_MATCH, AssertiveUser


def same(value: Any) -> dict[str, Any]:
    return {"$eq": {"value": value}}


def above(value: Any) -> dict[str, Any]:
    return {"$gt": {"value": value}}


def both(*items: Any) -> dict[str, Any]:
    return {"$and": {"items": list(items)}}


def either(*items: Any) -> dict[str, Any]:
    return {"$or": {"items": list(items)}}


def negated(value: Any) -> dict[str, Any]:
    return {"$not": {"value": value}}


def between(lower: Any, upper: Any, **more: Any) -> dict[str, Any]:
    return {"$between": {"lower": lower, "upper": upper, **more}}


def pairs(**values: Any) -> dict[str, Any]:
    return {"$key_values": {"key_values": values}}


def exactly(**values: Any) -> dict[str, Any]:
    return {"$exact_key_values": {"key_values": values}}


def contains(*items: Any) -> dict[str, Any]:
    return {"$contains": {"items": list(items)}}


def in_order(*items: Any) -> dict[str, Any]:
    return {"$contains_exactly": {"items": list(items)}}


def pattern(text: str) -> dict[str, Any]:
    return {"$regex": {"pattern": text}}


def length(value: Any) -> dict[str, Any]:
    return {"$length": {"value": value}}


# A criterion, bodies for which it holds, and bodies for which it does not: each is read as JSON first.
JSON: dict[str, tuple[Any, list[str], list[str]]] = {
    "equal number": (same(5), ["5", "5.0"], ["6", '"5"', "null", "[5]"]),
    "equal text": (same("a"), ['"a"'], ['"A"', '""', '["a"]']),
    "equal null": (same(None), ["null"], ['""', "0", "{}"]),
    "equal list": (same([1, [2]]), ["[1, [2]]"], ["[[2], 1]", "[1]", "[1, [2], 3]"]),
    "equal object": (same({"a": {"b": 1}}), ['{"a": {"b": 1}}'], ['{"a": {"b": 1, "c": 2}}', "{}"]),
    "equal with criteria in it": (
        same({"a": above(1), "b": [pattern("x"), 2]}), ['{"a": 2, "b": ["xy", 2]}'], ['{"a": 1, "b": ["xy", 2]}'],
    ),
    "a plain value": ({"a": above(1)}, ['{"a": 2}'], ['{"a": 1}', '{"a": 2, "b": 1}']),
    "not equal": ({"$neq": {"value": 5}}, ["6", '"5"'], ["5"]),
    "greater": (above(5), ["6", "5.1"], ["5", "4", '"6"', "null", "[6]"]),
    "greater text": (above("b"), ['"c"', '"ba"'], ['"b"', '"a"', "9"]),
    "greater or equal": ({"$gte": {"value": 5}}, ["5", "6"], ["4"]),
    "less": ({"$lt": {"value": 5}}, ["4", "-1"], ["5", "6", '"4"']),
    "less or equal": ({"$lte": {"value": 5}}, ["5", "4"], ["6"]),
    "between": (between(1, 3), ["1", "2", "3"], ["0", "4", '"2"']),
    "between, with its ends": (between(1, 3, is_inclusive=True), ["1", "3"], ["0"]),
    "between, without its ends": (between(1, 3, is_inclusive=False), ["2"], ["1", "3"]),
    "all": (both(above(1), {"$lt": {"value": 5}}), ["2"], ["1", "5"]),
    "any": (either(same(1), same("a")), ["1", '"a"'], ["2"]),
    "exactly one": ({"$xor": {"left": above(1), "right": above(5)}}, ["2"], ["1", "6"]),
    "none": (negated(same(1)), ["2", '"1"'], ["1"]),
    "none of none": (negated(negated(same(1))), ["1"], ["2"]),
    "contains an element": (contains(1), ["[1]", "[2, 1]"], ["[]", "[2]", "[[1]]"]),
    "contains elements": (contains(2, above(5)), ["[6, 2]", "[2, 9, 1]"], ["[2]", "[6]"]),
    "contains a character": (contains("a"), ['"cab"', '["a"]'], ['"b"', '""']),
    "contains nothing": (contains(), ["[]", "[1]"], []),
    "elements in order": (in_order(1, above(1)), ["[1, 2]"], ["[2, 1]", "[1]", "[1, 2, 3]", "[1, 1]"]),
    "pattern": (pattern("[0-9]+"), ['"7"', '"7abc"'], ['"abc7"', '""', "7"]),
    "pattern to the end": (pattern("a+$"), ['"aa"'], ['"aab"', '"baa"']),
    "pattern without case": (pattern("(?i)ab"), ['"ABC"'], ['"BA"']),
    "length of a text": (length(3), ['"abc"', '"zoë"'], ['"ab"']),
    "length of a list": (length(2), ["[1, 2]"], ["[]"]),
    "length of an object": (length(1), ['{"a": 1}'], ["{}"]),
    "length of a number": (length(1), [], ["1", "null", "true"]),
    "length by a criterion": (length(above(2)), ['"abc"', "[1, 2, 3]"], ['"ab"']),
    "pairs": (pairs(a=1, b=above(1)), ['{"a": 1, "b": 2}', '{"a": 1, "b": 3, "c": 4}'], ['{"a": 1}', "{}", "[]"]),
    "pairs in pairs": (pairs(a=pairs(b=1)), ['{"a": {"b": 1, "c": 2}}'], ['{"a": 1}', '{"b": 1}']),
    "exactly pairs": (exactly(a=1, b=above(1)), ['{"b": 2, "a": 1}'], ['{"a": 1, "b": 2, "c": 3}', '{"a": 1}']),
    "even": ({"$even": {}}, ["2", "0", "-4"], ["1"]),
    "odd": ({"$odd": {}}, ["1", "-3"], ["2", "0"]),
    "without case": ({"$ignore_case": {"value": "AbC"}}, ['"abc"', '"ABC"'], ['"ab"', "1"]),
    "an unknown operator": ({"$foo": {"value": 1}}, ['{"$foo": {"value": 1}}'], ["1", "{}"]),
    "an unknown operator with a criterion in it": ({"$foo": above(1)}, ['{"$foo": 2}'], ['{"$foo": 1}']),
    "an operator with neighbours": ({"$eq": {"value": 1}, "zzz": 2}, ["1"], ['{"zzz": 2}', "2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_a_criterion_holds_for_json(user: AssertiveUser, path: str, name: str) -> None:
    wanted, fitting, others = JSON[name]
    user.stub({"path": path, "body": {"$json": {"inner_criteria": wanted}}})
    answers = {body: user.ask("POST", path, content=body.encode()).status_code for body in [*fitting, *others]}
    assert answers == dict.fromkeys(fitting, 200) | dict.fromkeys(others, 404)


# The same for bodies as they are.
TEXTS: dict[str, tuple[Any, list[str], list[str]]] = {
    "equal": (same("5"), ["5"], ["5 ", ""]),
    "greater": (above("b"), ["c"], ["a", "b"]),
    "all": (both(length(3), pattern("a")), ["abc"], ["ab", "bca"]),
    "contains characters": (contains("a", "b"), ["ab", "xbxa"], ["a"]),
    "characters in order": (in_order("a", "b"), ["ab"], ["ba", "abc"]),
    "pattern": (pattern("(a|b)c"), ["ac", "bcd"], ["xac"]),
    "pattern over lines": (pattern("(?s)a.*b$"), ["a\n\nb"], ["a\n"]),
    "length": (length(0), [""], ["a"]),
    "without case": ({"$ignore_case": {"value": "hello"}}, ["HeLLo"], ["hell"]),
    "JSON or nothing": (either(same(""), {"$json": {"inner_criteria": same([])}}), ["", "[]"], ["{}"]),
    "nothing or JSON": (either({"$json": {"inner_criteria": same([])}}, same("")), ["", " []"], ["{}"]),
    "no JSON": ({"$json": {"inner_criteria": pairs(a=1)}}, ['{"a": 1}'], ["", "{", "a", "[1"]),
    "a number": (same(5), [], ["5"]),
    "greater than a number": (above(4), [], ["5"]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_criterion_holds_for_text(user: AssertiveUser, path: str, name: str) -> None:
    wanted, fitting, others = TEXTS[name]
    user.stub({"path": path, "body": wanted})
    answers = {body: user.ask("POST", path, content=body.encode()).status_code for body in [*fitting, *others]}
    assert answers == dict.fromkeys(fitting, 200) | dict.fromkeys(others, 404)


WRONG = {
    "an operator with a number": {"$gt": 5},
    "an operator with a text": {"$regex": "a"},
    "another argument": {"$eq": {"val": 5}},
    "an argument too few": {"$between": {"lower": 1}},
    "no list": {"$and": {"items": 5}},
    "a pattern that is none": {"$regex": {"pattern": "("}},
    "a pattern that is no text": {"$regex": {"pattern": 5}},
    "a wrong one in a right one": negated({"$gt": 5}),
}


@pytest.mark.parametrize("field", ["path", "method", "host", "body"])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_criterion_is_refused_where_it_stands(user: AssertiveUser, name: str, field: str) -> None:
    details = user.refused({"request": {field: WRONG[name]}, "action": {"response": {
        "status_code": 200, "headers": {}, "body": ""}}})  # fmt: skip
    assert details[0]["loc"][:3] == ["body", "request", field]
    assert details[0]["msg"]


@pytest.mark.parametrize("field", ["headers", "query"])
def test_a_wrong_criterion_among_pairs_is_refused(user: AssertiveUser, field: str) -> None:
    stub = {
        "request": {field: {"a": {"$gt": 5}}},
        "action": {"response": {"status_code": 200, "headers": {}, "body": ""}},
    }
    assert user.refused(stub)[0]["loc"][:3] == ["body", "request", field]


def test_a_wrong_criterion_of_an_assertion_is_refused(user: AssertiveUser) -> None:
    assert user.refused({"path": {"$gt": 5}}, "/__mock__/assert")[0]["loc"][:2] == ["body", "path"]


def test_a_stub_for_json_does_no_harm_to_other_calls(scoped: AssertiveUser) -> None:
    wants_json = {"$json": {"inner_criteria": same({"a": 1})}}
    scoped.stub({"path": "/a", "method": "POST", "body": wants_json})
    assert scoped.said("GET", "/a") == NO_MATCH
    assert scoped.said("GET", "/b") == NO_MATCH
    assert scoped.said("POST", "/a", content=b"<no json>") == NO_MATCH
    assert [each["path"] for each in scoped.requests("/a")] == ["/a", "/a"]


def test_criteria_stand_in_every_field(user: AssertiveUser, path: str) -> None:
    user.stub(
        {
            "path": pattern(path + "/[ab]$"),
            "method": negated(same("GET")),
            "host": length(above(3)),
            "headers": either(pairs(**{"x-a": "1"}), pairs(**{"x-b": pattern("1")})),
            "query": both(length(1), pairs(q=contains("z"))),
            "body": {"$json": {"inner_criteria": length(2)}},
        }
    )
    sent = {"params": {"q": "xyz"}, "headers": {"x-b": "12"}, "content": b"[1, 2]"}
    assert user.said("PUT", path + "/a", **sent) == (200, "here")
    for other in ({"params": {"q": "xyz", "r": ""}}, {"headers": {"x-b": "21"}}, {"content": b"[1]"}):
        assert user.said("PUT", path + "/a", **(sent | other)) == NO_MATCH
    assert user.said("GET", path + "/a", params={"q": "z"}, headers={"x-a": "1"}) == NO_MATCH
