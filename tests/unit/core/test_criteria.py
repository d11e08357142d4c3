import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.matching import json_values
from understudy_server.core.matching.criteria import Criterion, Equals, JsonSubset, json_subset
from understudy_server.core.matching.request import Request

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12
)


def _holds(criterion: Criterion, body: bytes) -> bool:
    return criterion.holds_for_body(Request("POST", "/", body=body))


@pytest.mark.parametrize(
    ("wanted", "body", "expected"),
    [
        ('{"a": 1}', '{"a": 1, "b": 2}', True),
        ('{"a": 1}', '{"b": 2}', False),
        ('{"a": {"b": 1}}', '{"a": {"b": 1, "c": 2}, "d": 3}', True),
        ('{"a": null}', "{}", False),
        ('{"a": null}', '{"a": null}', True),
        ("[1, 2]", "[1, 2]", True),
        ("[1, 2]", "[2, 1]", False),
        ("[1]", "[1, 2]", False),
        ('[{"a": 1}]', '[{"a": 1, "b": 2}]', True),
        ("{}", '{"a": 1}', True),
        ("{}", "[]", False),
        ("[]", "[]", True),
        ("[]", "[1]", False),
        ("1", "1.0", True),
        ("100", "1e2", True),
        ("true", "1", False),
        ("1", "true", False),
        ("false", "0", False),
        ("true", "true", True),
        ("null", "null", True),
        ("null", "false", False),
        ('"1"', "1", False),
        ("9007199254740993", "9007199254740993", True),
        ("9007199254740993", "9007199254740992", False),
        ("18446744073709551617", "18446744073709551616", False),
        ('"a"', '"A"', False),
    ],
)
def test_json_subset_compares_objects_by_key_lists_by_position_and_numbers_by_value(
    wanted: str, body: str, expected: bool
) -> None:
    assert _holds(json_subset(wanted), body.encode()) is expected


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{'a': 1}", b"NaN", b"\xff", '{"a": 1}'.encode("utf-16"), b"[" * 100_000, b"1" * 5000, b"{} {}"],
)
def test_a_body_that_is_no_json_does_not_match_and_is_no_error(body: bytes) -> None:
    assert not _holds(JsonSubset({}), body)


def test_a_body_over_the_limit_is_not_parsed() -> None:
    body = b'"' + b"x" * json_values.PARSED_BYTES_MAX + b'"'
    assert not _holds(JsonSubset(body[1:-1].decode()), body)


def test_a_wanted_text_that_is_no_json_is_compared_as_text() -> None:
    assert _holds(json_subset("name=joe"), b"name=joe")


def test_equals_compares_the_exact_text() -> None:
    assert _holds(Equals("é "), "é ".encode())
    assert not _holds(Equals("é"), "é ".encode())


def test_query_value_is_read_as_json_when_the_criterion_asks() -> None:
    assert json_subset('{"a": 1}').holds_for_text('{"a": 1.0, "b": 2}')


@pytest.mark.parametrize(
    ("text", "leaves"), [("1", 1), ('{"a": 1, "b": [2, {"c": 3}]}', 3), ("{}", 1), ('{"a": {}, "b": []}', 2)]
)
def test_leaves_count_the_values_asked_for(text: str, leaves: int) -> None:
    assert json_subset(text).leaves == leaves


@given(_JSON)
def test_every_value_contains_itself(value: Any) -> None:
    assert _holds(json_subset(json.dumps(value)), json.dumps(value).encode())


@given(_JSON, _JSON)
def test_containing_each_other_means_being_equal_leaf_by_leaf(one: Any, other: Any) -> None:
    both = json_values.is_subset(one, other) and json_values.is_subset(other, one)
    assert both == (_typed(one) == _typed(other))


def _typed(value: Any) -> Any:
    """Make Python's equality JSON's: booleans differ from numbers."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, dict):
        return {name: _typed(item) for name, item in value.items()}
    return [_typed(item) for item in value] if isinstance(value, list) else value


@given(st.binary())
def test_reading_never_fails(body: bytes) -> None:
    json_values.read(body)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a=", {"a": [""]}),
        ("a", {"a": [""]}),
        ("a=b+c%20d", {"a": ["b c d"]}),
        ("%61=%C3%A9", {"a": ["é"]}),
        ("a=%ff", {"a": ["\udcff"]}),
        ("a=1;b=2", {"a": ["1;b=2"]}),
        ("&&", {}),
    ],
)
def test_query_is_read_as_a_form(query: str, values: dict[str, list[str]]) -> None:
    assert Request("GET", "/", query).parameters() == values
