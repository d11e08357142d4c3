"""Each operator by its names, on texts, numbers, booleans, lists, and on attributes that are not there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.flags.conditions import compile_condition
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.model import ABSENT, Condition, Operator
from understudy_server.core.flags.operators import POSITIVE, operator_of

# More digits than Python writes.
HUGE = 10**5000
HOLDING = [
    ("equals", "pt-BR", "pt-BR"),
    ("equals", "", ""),
    ("equals", "10", 10),
    ("equals", 10.0, "10"),
    ("equals", 10**21, 1e21),
    ("equals", "true", True),
    ("equals", [1, {"a": 2.0}], [1, {"a": 2}]),
    ("in", "BR", ["BR", "US"]),
    ("in", "BR", '["BR", "US"]'),
    ("in", 7, ["7"]),
    ("in", ["x", "BR"], ["BR"]),
    ("contains", "hello world", "o w"),
    ("contains", ["beta", "staff"], "staff"),
    ("contains", 1234, 23),
    ("starts_with", "pt-BR", "pt"),
    ("ends_with", "pt-BR", "BR"),
    ("gt", "10", "5"),
    ("gt", 10.5, "10.1"),
    ("gt", "b", "a"),
    ("gt", "1.10.0", "1.1"),
    ("gte", 5, 5.0),
    ("lt", "-1e3", 0),
    ("lt", "10", "9a"),
    ("lte", ".5", "0.50"),
    ("is_true", True, ABSENT),
    ("is_true", "true", ABSENT),
    ("is_false", False, ABSENT),
    ("exists", "", ABSENT),
    ("exists", [], ABSENT),
]
NOT_HOLDING = [
    ("equals", "1", "1.0"),
    ("equals", 1, True),
    ("equals", [True], [1]),
    ("equals", ["a"], "a"),
    ("equals", "null", None),
    ("equals", float("nan"), float("nan")),
    ("in", "FR", ["BR", "US"]),
    ("in", "BR", "not json"),
    ("in", "BR", "BR"),
    ("in", "BR", []),
    ("in", "B", "BR"),
    ("contains", "hello", "world"),
    ("contains", ["beta"], "bet"),
    ("contains", {"beta": 1}, "beta"),
    ("starts_with", ["pt"], "pt"),
    ("gt", 5, 5),
    ("gt", True, "x"),
    ("lt", True, 2),
    ("gt", float("nan"), 1),
    ("gt", [2], 1),
    ("gte", "9", "10"),
    ("lt", "٣", "4"),
    ("is_true", 1, ABSENT),
    ("is_true", "TRUE", ABSENT),
    ("is_false", 0, ABSENT),
    ("matches", "a", "a"),
    ("", "a", "a"),
]
NAMES = {
    "eq": Operator.EQUALS,
    "neq": Operator.NOT_EQUALS,
    "startsWith": Operator.STARTS_WITH,
    "endsWith": Operator.ENDS_WITH,
    "greater_than": Operator.GREATER_THAN,
    "less_than": Operator.LESS_THAN,
    **{str(each): each for each in Operator},
}


@pytest.mark.parametrize(("operator", "found", "wanted"), HOLDING)
def test_an_operator_holds(operator: str, found: Any, wanted: Any) -> None:
    assert holds(operator, found, wanted)


@pytest.mark.parametrize(("operator", "found", "wanted"), NOT_HOLDING)
def test_an_operator_does_not_hold(operator: str, found: Any, wanted: Any) -> None:
    assert not holds(operator, found, wanted)


def test_numbers_of_any_length_are_compared() -> None:
    assert holds("equals", HUGE, HUGE)
    assert not holds("equals", HUGE, HUGE + 1)
    assert holds("gt", HUGE, 1e300)
    assert holds("gt", "9" * 5000, 1e300)


@pytest.mark.parametrize(("name", "operator"), NAMES.items())
def test_an_operator_has_its_names(name: str, operator: Operator) -> None:
    assert operator_of(name) is operator


@pytest.mark.parametrize("name", ["", "EQUALS", "starts-with", "regex", "__eq__"])
def test_no_other_name_is_that_of_an_operator(name: str) -> None:
    assert operator_of(name) is None


@pytest.mark.parametrize("operator", Operator)
@pytest.mark.parametrize("attributes", [{}, {"plan": None}], ids=["missing", "null"])
def test_of_an_attribute_that_is_not_there_only_negative_operators_hold(
    operator: Operator, attributes: dict[str, Any]
) -> None:
    holding = compile_condition(Condition("plan", operator, ["beta"])).probe.holds(attributes)
    assert holding is (operator in POSITIVE)


@given(st.sampled_from(sorted(POSITIVE)), st.text() | st.integers() | st.booleans(), st.text() | st.lists(st.text()))
def test_a_negative_operator_holds_when_its_positive_one_does_not(operator: Operator, found: Any, wanted: Any) -> None:
    assert holds(operator, found, wanted) is not holds(POSITIVE[operator], found, wanted)


@pytest.mark.parametrize(
    ("attribute", "attributes", "found"),
    [
        ("geo.country", {"geo": {"country": "BR"}}, True),
        ("geo.country", {"geo.country": "BR", "geo": {"country": "FR"}}, True),
        ("geo.country", {"geo.country": "FR", "geo": {"country": "BR"}}, False),
        ("geo.country", {"geo": "BR"}, False),
        ("geo.country", {"geo": ["BR"]}, False),
        ("geo.country", {}, False),
        (".", {"": {"": "BR"}}, True),
        ("__proto__", {"__proto__": "BR"}, True),
        ("__class__", {}, False),
    ],
)
def test_an_attribute_is_found_by_its_name_and_then_as_a_path(
    attribute: str, attributes: dict[str, Any], found: bool
) -> None:
    assert compile_condition(Condition(attribute, "equals", "BR")).probe.holds(attributes) is found


@pytest.mark.parametrize("name", ["userId", "user_id", "targetingKey"])
@pytest.mark.parametrize("sent", ["userId", "user_id", "targetingKey"])
def test_a_rule_finds_the_user_by_any_name_that_was_sent(name: str, sent: str) -> None:
    context = context_of({name: None, sent: "user-1"})
    assert compile_condition(Condition(name, "equals", "user-1")).probe.holds(context.attributes)


@pytest.mark.parametrize(
    ("attributes", "user_id"),
    [
        ({"userId": "user-1", "user_id": "user-2", "targetingKey": "user-3"}, "user-3"),
        ({"userId": "user-1", "user_id": "user-2"}, "user-1"),
        ({"userId": None, "user_id": "user-2"}, "user-2"),
        ({"userId": "", "targetingKey": "user-3"}, "user-3"),
        ({"userId": 42}, "42"),
        ({"userId": 42.0}, "42"),
        ({"userId": 0}, "0"),
        ({"userId": True}, ""),
        ({"userId": ["user-1"]}, ""),
        ({"userId": float("nan")}, ""),
        ({"userid": "user-1"}, ""),
    ],
)
def test_the_user_is_the_first_name_that_is_a_text_or_a_number(attributes: dict[str, Any], user_id: str) -> None:
    assert context_of(attributes).user_id == user_id


def test_a_context_is_not_touched_by_what_becomes_of_what_it_was_made_of() -> None:
    attributes = {"userId": "user-1"}
    context = context_of(attributes)
    attributes["plan"] = "beta"
    assert "plan" not in context.attributes
    assert attributes == {"userId": "user-1", "plan": "beta"}


def holds(operator: str, found: Any, wanted: Any) -> bool:
    return compile_condition(Condition("attribute", operator, wanted)).probe.holds({"attribute": found})
