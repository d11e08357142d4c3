"""Bodies of calls: what is read as JSON, and what is said of what is none."""

import json
from typing import Any

import pytest
from understudy_gateway.dialects.assertive import reading
from understudy_gateway.dialects.assertive.validation import Invalid


def detail(body: bytes, content_type: str | None = "application/json") -> dict[str, Any]:
    with pytest.raises(Invalid) as invalid:
        reading.read(body, content_type)
    [problem] = invalid.value.detail
    return problem


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "Application/JSON; charset=utf-8", "application/problem+json"]
)
def test_a_body_of_json_and_one_without_a_type_is_read(content_type: str | None) -> None:
    assert reading.read(b'{"a": 1, "a": 2.0, "b": 123456789012345678901}', content_type) == {
        "a": 2.0,
        "b": 123456789012345678901,
    }


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "text/json"])
def test_a_body_of_another_type_is_no_object(content_type: str) -> None:
    assert detail(b"{}", content_type) == {
        "type": "model_attributes_type",
        "loc": ["body"],
        "msg": "Input should be a valid dictionary or object to extract fields from",
        "input": "{}",
    }


def test_no_body_is_a_missing_one() -> None:
    assert detail(b"") == {"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}


def test_what_is_no_json_is_told_with_its_place() -> None:
    assert detail(b"{bad") == {
        "type": "json_invalid",
        "loc": ["body", 1],
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": "Expecting property name enclosed in double quotes"},
    }


@pytest.mark.parametrize(
    ("body", "place"),
    [(b"[NaN]", 1), (b'{"a": -Infinity}', 7), (b'["\\ud800"]', 2), (b"\xff{}", 0), (b"[" * 5000 + b"]" * 5000, 0)],
)
def test_what_could_not_be_kept_is_no_json(body: bytes, place: int) -> None:
    problem = detail(body)
    assert problem["type"] == "json_invalid"
    assert problem["loc"] == ["body", place]


def test_the_deepest_that_is_read_is_ninety_six_levels() -> None:
    assert reading.parse(b"[" * 96 + b"]" * 96)
    with pytest.raises(json.JSONDecodeError):
        reading.parse(b"[" * 97 + b"]" * 97)


def test_a_number_that_is_too_long_or_too_great_is_no_json() -> None:
    assert detail(b"1" * 5000)["type"] == "json_invalid"
    assert detail(b"1e999")["type"] == "json_invalid"
