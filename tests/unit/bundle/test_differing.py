import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.bundle.differing import CHANGING, Answer, Difference, differences

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def answer(body: bytes = b"", status: int = 200, **headers: str) -> Answer:
    return Answer(status, {name: [value] for name, value in headers.items()}, body)


def test_status_and_headers_are_compared() -> None:
    found = differences(answer(status=200, a="1", b="2"), answer(status=404, a="3", c="4"))
    assert found == [
        Difference("status", "200", "404"),
        Difference("headers.a", "1", "3"),
        Difference("headers.b", "2", ""),
        Difference("headers.c", "", "4"),
    ]


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_headers_that_always_change_are_not_compared(name: str) -> None:
    assert differences(Answer(200, {name: ["1"]}, b""), Answer(200, {name: ["2"]}, b"")) == []


def test_names_of_headers_that_may_differ_have_no_case() -> None:
    recorded, now = Answer(200, {"x-foo": ["1"]}, b""), Answer(200, {"x-foo": ["2"]}, b"")
    assert differences(recorded, now, ["headers.X-Foo"]) == []


def test_json_is_compared_by_value() -> None:
    recorded = b'{"id": 1, "items": [{"a": 1}, 2], "gone": null}'
    now = b'{"items":[{"a":"1"},2,3],"id":1,"new":true}'
    assert differences(answer(recorded), answer(now)) == [
        Difference("body.$.items[0].a", "1", '"1"'),
        Difference("body.$.items[2]", "", "3"),
        Difference("body.$.gone", "null", ""),
        Difference("body.$.new", "", "true"),
    ]


def test_text_is_compared_by_lines() -> None:
    assert differences(answer(b"a\nb\nc"), answer(b"a\nx\nc\nd")) == [
        Difference("body.line 2", "b", "x"),
        Difference("body.line 4", "", "d"),
    ]


def test_bytes_are_told_by_their_length() -> None:
    assert differences(answer(b"\xff\x00"), answer(b"\xff")) == [Difference("body", "2 bytes", "1 bytes, others")]


def test_lines_that_end_otherwise_are_a_difference() -> None:
    assert differences(answer(b"a\nb"), answer(b"a\r\nb")) == [Difference("body", "2 lines", "2 lines, others")]


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("body.$.a", ["body.$.ab", "body.$.b[0]"]),
        ("body.$.b", ["body.$.a", "body.$.ab"]),
        ("body", []),
        ("status", None),
    ],
)
def test_a_part_that_may_differ_is_left_out_with_all_below_it(ignored: str, left: list[str] | None) -> None:
    recorded, now = answer(b'{"a":1,"ab":1,"b":[1]}'), answer(b'{"a":2,"ab":2,"b":[2]}')
    parts = [each.part for each in differences(recorded, now, [ignored])]
    assert parts == (["body.$.a", "body.$.ab", "body.$.b[0]"] if left is None else left)


@given(VALUES, VALUES)
def test_two_values_differ_exactly_where_their_json_does(left: Any, right: Any) -> None:
    found = differences(answer(json.dumps(left).encode()), answer(json.dumps(right, indent=1).encode()))
    # True is no 1.
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (found == []) == same


def test_deep_json_is_compared() -> None:
    deep = [b"[" * 900 + each + b"]" * 900 for each in (b"1", b"2")]
    assert [each.now for each in differences(answer(deep[0]), answer(deep[1]))] == ["2"]
