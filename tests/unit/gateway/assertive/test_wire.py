"""Which criteria are refused, and how those that are not are shown."""

import json
from typing import Any

import pytest
from assertive.serialize import deserialize, serialize
from hypothesis import given
from support.assertive_payloads import JSON, criteria
from understudy_gateway.dialects.assertive.criteria_view import shown, shown_subset
from understudy_gateway.dialects.assertive.wire import OPERATORS, Operation, WrongCriterion, has_operations, parse

GT_1 = {"$gt": {"value": 1}}


@pytest.mark.parametrize(
    ("wire", "loc"),
    [
        ({"$gt": 5}, ("$gt",)),
        ({"$gt": None}, ("$gt",)),
        ({"$eq": {"val": 5}}, ("$eq",)),
        ({"$eq": {"value": 5, "more": 1}}, ("$eq",)),
        ({"$gt": {"value": True}}, ("$gt",)),
        ({"$gt": {"value": [1]}}, ("$gt",)),
        ({"$gt": {"value": GT_1}}, ("$gt",)),
        ({"$between": {"lower": 1}}, ("$between",)),
        ({"$between": {"lower": 1, "upper": "2"}}, ("$between",)),
        ({"$between": {"lower": 1, "upper": 2, "is_inclusive": 1}}, ("$between",)),
        ({"$and": {"items": GT_1}}, ("$and",)),
        ({"$and": {"items": [1]}}, ("$and",)),
        ({"$or": {"items": [GT_1, "x"]}}, ("$or",)),
        ({"$xor": {"left": GT_1}}, ("$xor",)),
        ({"$xor": {"left": GT_1, "right": 2}}, ("$xor",)),
        ({"$not": GT_1}, ("$not",)),
        ({"$not": {"value": 1}}, ("$not",)),
        ({"$json": {"value": 1}}, ("$json",)),
        ({"$contains": {"items": 1}}, ("$contains",)),
        ({"$contains": {}}, ("$contains",)),
        ({"$regex": {"pattern": 1}}, ("$regex",)),
        ({"$key_values": {"key_values": [1]}}, ("$key_values",)),
        ({"$key_values": {"key_values": GT_1}}, ("$key_values",)),
        ({"$even": None}, ("$even",)),
        ({"$even": {"value": 1}}, ("$even",)),
        ({"$ignore_case": {"value": 1}}, ("$ignore_case",)),
        ({"a": [{"$not": {"value": {"$gt": 1}}}]}, ("a", 0, "$not", "value", "$gt")),
    ],
    ids=json.dumps,
)
def test_a_criterion_with_wrong_arguments_is_refused_where_it_stands(wire: Any, loc: tuple[str | int, ...]) -> None:
    with pytest.raises(WrongCriterion) as refused:
        parse(wire)
    assert refused.value.loc == loc


def test_a_refusal_names_the_arguments_that_are_taken() -> None:
    with pytest.raises(WrongCriterion, match=r'^\$between needs upper: it takes \{"lower": ..., "upper": ..., "is_i'):
        parse({"$between": {"lower": 1}})


@pytest.mark.parametrize("plain", [None, 1, "x", [], {}, {"$foo": {"value": 1}}, [{"a": ["$gt"]}], {"value": "$gt"}])
def test_what_has_no_operator_is_plain(plain: Any) -> None:
    assert parse(plain) == plain
    assert not has_operations(parse(plain))


def test_the_first_operator_of_an_object_counts_and_nothing_beside_it() -> None:
    assert parse({"a": 1, "$even": {}, "$gt": 5}) == Operation("$even", {})


@pytest.mark.parametrize(
    ("wire", "view"),
    [
        ("/a", "/a"),
        (GT_1, GT_1),
        ({**GT_1, "more": 1}, GT_1),
        ({"$length": {"value": 2}}, {"$length": {"value": {"$eq": {"value": 2}}}}),
        (
            {"$between": {"lower": 1, "upper": 3}},
            {"$between": {"lower": 1, "upper": 3, "is_inclusive": True}},
        ),
        (
            {"$json": {"inner_criteria": {"a": GT_1}}},
            {"$json": {"inner_criteria": {"$eq": {"value": {"a": GT_1}}}}},
        ),
        (
            {"$contains": {"items": [1, GT_1]}},
            {"$contains": {"items": [{"$eq": {"value": 1}}, GT_1]}},
        ),
    ],
    ids=json.dumps,
)
def test_a_criterion_is_shown_in_the_form_of_the_product(wire: Any, view: Any) -> None:
    assert shown(parse(wire)) == view


def test_plain_headers_are_shown_as_the_criterion_that_they_stand_for() -> None:
    assert shown_subset(parse({"x-a": "1"})) == {"$key_values": {"key_values": {"x-a": {"$eq": {"value": "1"}}}}}
    assert shown_subset(parse({"$exact_key_values": {"key_values": {}}})) == {"$exact_key_values": {"key_values": {}}}


@given(criteria() | JSON)
def test_criteria_are_shown_as_the_products_own_library_writes_them(wire: Any) -> None:
    assert shown(parse(wire)) == serialize(deserialize(wire))


@given(criteria() | JSON)
def test_what_is_shown_is_read_as_the_same(wire: Any) -> None:
    node = parse(wire)
    assert shown(parse(shown(node))) == shown(node)


def test_the_operators_are_those_of_the_products_own_library() -> None:
    from assertive.serialize import SERIALIZABLE_CRITERIA

    assert set(OPERATORS) == set(SERIALIZABLE_CRITERIA)
