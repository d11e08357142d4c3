"""What each operator becomes. Source: the product's documentation of its criteria, and its library."""

import json
from typing import Any

import pytest
from assertive.core import ensure_criteria
from assertive.serialize import deserialize
from hypothesis import given
from hypothesis import strategies as st
from support import plain_assertive
from support.assertive_payloads import JSON, NUMBERS, WORDS, criteria, describing, json_values
from understudy.v1.matching_pb2 import RequestMatcher
from understudy_gateway.dialects.assertive.criteria import Subject, criterion, never, subset
from understudy_gateway.dialects.assertive.wire import parse
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.values import MISSING, Json, Text
from understudy_server.core.steps import Steps
from understudy_server.definitions.criteria import compile_criterion
from understudy_server.definitions.matchers import compile_matcher


def for_json(wire: Any, value: Any) -> bool:
    return compile_criterion(criterion(parse(wire), Subject.JSON), "body").holds(Json(value), Steps())


def for_text(wire: Any, text: str) -> bool:
    return compile_criterion(criterion(parse(wire), Subject.HEAD), "path").holds(Text(text), Steps())


def for_body(wire: Any, body: bytes) -> bool:
    matcher = RequestMatcher(body=criterion(parse(wire), Subject.BODY))
    return compile_matcher(matcher, "matcher").matches(Request("POST", "/", "", body))


def for_query(wire: Any, query: str) -> bool:
    return compile_matcher(RequestMatcher(all_query=subset(parse(wire))), "matcher").matches(Request("GET", "/", query))


def for_headers(wire: Any, *headers: tuple[bytes, bytes]) -> bool:
    matcher = RequestMatcher(all_headers=subset(parse(wire)))
    return compile_matcher(matcher, "matcher").matches(Request("GET", "/", headers=headers))


def op(operator: str, **arguments: Any) -> dict[str, Any]:
    return {operator: arguments}


GT_1 = op("$gt", value=1)

HELD_WITHIN_JSON: list[tuple[Any, list[Any], list[Any]]] = [
    (op("$eq", value={"a": [1, "x"]}), [{"a": [1, "x"]}, {"a": [1.0, "x"]}], [{"a": [1]}, {"a": [1, "x"], "b": 0}]),
    (op("$eq", value={"a": GT_1}), [{"a": 2}], [{"a": 1}, {"a": 2, "b": 3}, {}]),
    (op("$eq", value=[GT_1, "x"]), [[2, "x"]], [[1, "x"], [2], [2, "x", 0], "x"]),
    (op("$eq", value=GT_1), [2], [1, "2"]),
    (op("$eq", value=[]), [[]], [{}, "", None, [1]]),
    (op("$neq", value=1), [2, "1", None, [1]], [1, 1.0]),
    (op("$neq", value={"a": GT_1}), [{"a": 1}, {}], [{"a": 2}]),
    (GT_1, [2, 1.5], [1, "2", None, True, [2]]),
    (op("$gt", value="b"), ["ba", "c"], ["b", "B", 7]),
    (op("$gte", value=5), [5, 6], [4.9, "5"]),
    (op("$lt", value=5), [4], [5, "4"]),
    (op("$lte", value=5), [5], [5.1]),
    (op("$between", lower=1, upper=3), [1, 2, 3], [0, 4, "2"]),
    (op("$between", lower=1, upper=3, is_inclusive=False), [2], [1, 3]),
    (op("$between", lower=3, upper=1), [], [1, 2, 3]),
    (op("$between", lower="a", upper="c"), ["b", "c"], ["d", 2]),
    (op("$and", items=[GT_1, op("$lt", value=9)]), [5], [1, 9]),
    (op("$and", items=[]), [None, 1, "x", {}], []),
    (op("$or", items=[GT_1, op("$eq", value=-2)]), [2, -2], [1]),
    (op("$or", items=[]), [], [None, 1, "x", {}]),
    (op("$xor", left=GT_1, right=op("$gt", value=5)), [2, 5], [1, 6]),
    (op("$not", value=GT_1), [1, "x"], [2]),
    (op("$json", inner_criteria={"a": GT_1}), ['{"a": 2}'], ['{"a": 1}', "{", "", "[]", {"a": 2}]),
    (op("$json", inner_criteria=5), ["5"], [5]),
    (op("$contains", items=[1, op("$regex", pattern="a")]), [[1, "ab"], ["a", 2, 1]], [[1], ["a"], [], {"a": 1}, 1]),
    (op("$contains", items=["a", "b"]), ["ab", "xbya", ["b", "a"]], ["a", "", "AB"]),
    (op("$contains", items=[]), ["", "a", [], {}], [1, None, True]),
    (op("$contains_exactly", items=[1, GT_1]), [[1, 2]], [[2, 1], [1], [1, 2, 3], "12", []]),
    (op("$contains_exactly", items=["a", "b"]), [["a", "b"], "ab"], ["ba", "abc", ["b", "a"]]),
    (op("$contains_exactly", items=[op("$eq", value="a"), "b"]), [["a", "b"], "ab"], ["ba"]),
    (op("$contains_exactly", items=[]), [[], "", {}], [[1], "a", None, 0]),
    (op("$regex", pattern="[0-9]+"), ["7abc", "7"], ["abc7", "", 7, None, ["7"]]),
    (op("$length", value=2), ["ab", "éé", [1, 2], {"a": 1, "b": 2}], ["a", [1], {}, 2, None, True]),
    (op("$length", value=GT_1), ["ab", [1, 2]], ["a", []]),
    (op("$key_values", key_values={"a": GT_1}), [{"a": 2}, {"a": 2, "b": 1}], [{"a": 1}, {"b": 2}, {}, [], 2]),
    (op("$key_values", key_values={"a": op("$neq", value=1)}), [{"a": 2}], [{"a": 1}, {}, {"b": 2}]),
    (op("$key_values", key_values={"a": op("$and", items=[])}), [{"a": None}], [{}]),
    (op("$key_values", key_values={}), [{}, {"a": 1}], [[], "", None]),
    (op("$exact_key_values", key_values={"a": GT_1}), [{"a": 2}], [{"a": 2, "b": 1}, {}]),
    (op("$exact_key_values", key_values={}), [{}], [{"a": 1}, []]),
    (op("$even"), [0, 4, -2, 2.0], [1, 1.5, "2", None, True]),
    (op("$odd"), [1, -1, 3.0], [2, 0.5, True]),
    (op("$ignore_case", value="True"), ["true", "TRUE"], [True, "truth"]),
    # What is no operator is a plain object, and what stands beside one does not count.
    ({"$foo": 1}, [{"$foo": 1}], [{"$foo": 2}, 1]),
    ({"$foo": GT_1}, [{"$foo": 2}], [{"$foo": 1}]),
    ({"a": 1, "$gt": {"value": 1}, "$eq": {"value": 0}}, [2], [1, {"a": 1}]),
    ({"a": [GT_1]}, [{"a": [2]}], [{"a": [1]}, {"a": 2}]),
]


@pytest.mark.parametrize(("wire", "holding", "failing"), HELD_WITHIN_JSON, ids=lambda value: json.dumps(value)[:60])
def test_an_operator_holds_for_the_values_within_json_that_the_product_says(
    wire: Any, holding: list[Any], failing: list[Any]
) -> None:
    assert [value for value in holding if not for_json(wire, value)] == []
    assert [value for value in failing if for_json(wire, value)] == []


@pytest.mark.parametrize(
    ("wire", "text", "expected"),
    [
        ("2", "2", True),
        (2, "2", False),
        (None, "null", False),
        ([1], "[1]", False),
        ({"a": 1}, '{"a": 1}', False),
        (op("$eq", value=op("$regex", pattern="a")), "ab", True),
        (op("$neq", value=2), "2", True),
        (GT_1, "2", False),
        (op("$gt", value="1"), "2", True),
        (op("$length", value=3), "[1]", True),
        (op("$contains", items=["[", "1"]), "[1]", True),
        (op("$contains", items=[1]), "[1]", False),
        (op("$contains_exactly", items=[1]), "[1]", False),
        (op("$contains_exactly", items=["[", "1", "]"]), "[1]", True),
        (op("$key_values", key_values={"a": 1}), '{"a": 1}', False),
        (op("$even"), "2", False),
        (op("$json", inner_criteria=op("$even")), "2", True),
        (op("$json", inner_criteria=op("$length", value=1)), "[1]", True),
        (op("$json", inner_criteria=op("$json", inner_criteria=1)), '"1"', True),
        (op("$ignore_case", value="ABC"), "abc", True),
        (op("$and", items=[]), "", True),
    ],
)
def test_a_text_is_read_as_json_where_json_is_asked_for_and_nowhere_else(wire: Any, text: str, expected: bool) -> None:
    assert for_text(wire, text) is expected
    assert for_body(wire, text.encode()) is expected


@pytest.mark.parametrize("wire", [{"a": 1}, [1], 5, True, {"$foo": "x"}])
@pytest.mark.parametrize("body", [b'{"a": 1}', b"[1]", b"5", b"true", b'{"$foo": "x"}', b""])
def test_what_is_plain_and_no_text_fits_no_body(wire: Any, body: bytes) -> None:
    assert not for_body(wire, body)


def test_a_body_that_is_no_text_is_equal_to_none_and_only_what_is_negated_holds_for_it() -> None:
    body = b"a\xff"
    for wire in ("a", op("$regex", pattern="a"), op("$length", value=2), op("$gt", value="")):
        assert not for_body(wire, body)
        assert for_body(op("$not", value=op("$eq", value=wire)), body)


def test_of_a_query_the_last_value_counts_and_a_number_is_none() -> None:
    assert for_query({"a": "2"}, "a=1&a=2&b")
    assert not for_query({"a": "1"}, "a=1&a=2")
    assert for_query({"a": ""}, "a")
    assert not for_query({"a": 2}, "a=2")
    assert for_query({"a": op("$json", inner_criteria=2)}, "a=2")
    assert for_query(op("$exact_key_values", key_values={"a": "2"}), "a=2")
    assert not for_query(op("$exact_key_values", key_values={"a": "2"}), "a=2&b=1")
    assert for_query(op("$not", value=op("$key_values", key_values={"a": "2"})), "b=1")
    assert for_query(op("$length", value=op("$gte", value=2)), "a&b")
    assert for_query(op("$eq", value={"a": op("$regex", pattern="[0-9]")}), "a=2")
    assert for_query({}, "")


def test_of_headers_the_first_value_counts_and_names_are_in_lower_case() -> None:
    sent = (b"X-Team", b"qa"), (b"x-team", b"dev")
    assert for_headers({"x-team": "qa"}, *sent)
    assert not for_headers({"x-team": "dev"}, *sent)
    assert not for_headers({"X-Team": "qa"}, *sent)
    assert not for_headers({"X-Team": op("$neq", value="qa")}, *sent)
    assert for_headers({"x-team": op("$neq", value="dev")}, *sent)
    assert not for_headers({"x-other": op("$neq", value="dev")}, *sent)
    assert for_headers(op("$or", items=[op("$key_values", key_values={"x-a": "1"}), GT_1, op("$and", items=[])]), *sent)


def test_more_criteria_than_stand_side_by_side_are_joined_in_parts() -> None:
    many = {f"k{at}": at for at in range(250)}
    operators = {name: op("$gte", value=value) for name, value in many.items()}
    assert for_json(op("$key_values", key_values=operators), {**many, "more": 1})
    assert not for_json(op("$key_values", key_values=operators), {**many, "k200": 0})
    assert for_json(op("$exact_key_values", key_values=operators), many)
    assert not for_json(op("$exact_key_values", key_values=operators), {**many, "more": 1})
    either = op("$or", items=[op("$eq", value=value) for value in range(250)])
    assert for_json(either, 249)
    assert not for_json(either, 250)


def test_never_holds_for_nothing_neither() -> None:
    compiled = compile_criterion(never(), "c")
    assert not any(compiled.holds(value, Steps()) for value in (MISSING, Json(None), Json({}), Text("")))


@st.composite
def _wire_and_value(draw: st.DrawFn) -> tuple[Any, Any]:
    value = draw(JSON)
    return draw(criteria() | describing(value)), value


@given(_wire_and_value())
def test_within_json_a_criterion_holds_when_told_plainly(case: tuple[Any, Any]) -> None:
    wire, value = case
    assert for_json(wire, value) is plain_assertive.holds(wire, value)


@given(criteria() | WORDS, WORDS | JSON.map(json.dumps))
def test_for_a_text_and_a_body_a_criterion_holds_when_told_plainly(wire: Any, text: str) -> None:
    expected = plain_assertive.holds(wire, text)
    assert for_text(wire, text) is expected
    assert for_body(wire, text.encode()) is expected


@given(JSON, st.data())
def test_for_a_body_of_json_a_criterion_holds_when_told_plainly(value: Any, data: st.DataObject) -> None:
    wire = {"$json": {"inner_criteria": data.draw(criteria() | describing(value))}}
    text = json.dumps(value)
    assert for_body(wire, text.encode()) is plain_assertive.holds(wire, text)


@given(st.dictionaries(st.sampled_from(["a", "b", "A"]), WORDS, max_size=3), st.data())
def test_for_a_query_a_criterion_holds_when_told_plainly(members: dict[str, str], data: st.DataObject) -> None:
    wanted = data.draw(criteria() | describing(members).filter(lambda made: isinstance(made, dict)))
    query = "&".join([f"{name}={value.replace(' ', '+')}" for name, value in members.items()])
    is_operation = next(iter(wanted), "").startswith("$") and "$foo" not in wanted
    wire = wanted if is_operation else {"$key_values": {"key_values": wanted}}
    assert for_query(wanted, query) is plain_assertive.holds(wire, members)


# True and false are numbers to the product alone (`deviations`), and keys of objects are elements.
_PLAIN = st.none() | NUMBERS | WORDS.filter(lambda word: word != "true")
_NO_OBJECTS = json_values(_PLAIN, objects=False)
_WITH_OBJECTS = json_values(_PLAIN)


@given(
    st.tuples(_NO_OBJECTS, criteria(_NO_OBJECTS, exact_items=False))
    | st.tuples(_WITH_OBJECTS, criteria(_WITH_OBJECTS, elements=False))
)
def test_a_criterion_means_what_the_products_own_library_says(case: tuple[Any, Any]) -> None:
    value, wire = case
    try:
        expected = ensure_criteria(deserialize(wire)).run_match(value)
    except TypeError:
        # A criterion that cannot be put to the value: what it means then is ours to say.
        return
    except ValueError:
        # A text that is no JSON.
        return
    assert for_json(wire, value) is bool(expected)
