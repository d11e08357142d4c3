import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.delays import session_delay_ms
from understudy_server.core.redaction import MARKER, redact
from understudy_server.core.responding.plan import plan
from understudy_server.core.responding.response import BodyKind, Response, with_default_type


@pytest.mark.parametrize("kind", [BodyKind.JSON, BodyKind.TEXT, BodyKind.BINARY])
def test_content_type_follows_from_the_kind_of_the_body(kind: BodyKind) -> None:
    assert with_default_type(200, (), b"x", kind).headers == (("content-type", kind.value),)


def test_content_type_of_the_mock_stays_alone() -> None:
    headers = (("x-a", "1"), ("Content-Type", "text/csv"))
    assert with_default_type(200, headers, b"x", BodyKind.JSON).headers == headers


def test_an_absent_body_has_no_content_type() -> None:
    assert with_default_type(200, (), b"", BodyKind.NONE).headers == ()


def test_plan_has_the_length_of_the_body() -> None:
    assert plan(Response(201, (("a", "b"),), b"xyz"), "GET", 7).headers == (("a", "b"), ("content-length", "3"))


def test_answer_to_head_has_the_length_and_no_body() -> None:
    answer = plan(Response(200, (), b"xyz"), "HEAD")
    assert (answer.headers, answer.body) == ((("content-length", "3"),), b"")


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_content_has_neither_body_nor_length(status: int) -> None:
    answer = plan(Response(status, (("a", "b"),), b"xyz"), "GET")
    assert (answer.headers, answer.body) == ((("a", "b"),), b"")


@pytest.mark.parametrize(("fixed", "highest"), [(0, 0), (100, 0), (100, 100), (100, 99)])
def test_delay_is_exactly_the_fixed_one_unless_the_highest_is_above_it(fixed: int, highest: int) -> None:
    assert session_delay_ms(fixed, highest, random.Random(1)) == fixed


@given(st.integers(0, 120_000), st.integers(1, 1000), st.randoms(use_true_random=False))
def test_random_delay_lies_within_both_bounds(fixed: int, spread: int, dice: random.Random) -> None:
    assert fixed <= session_delay_ms(fixed, fixed + spread, dice) <= fixed + spread


def test_random_delay_reaches_both_bounds() -> None:
    dice = random.Random(7)
    assert {session_delay_ms(5, 7, dice) for _ in range(100)} == {5, 6, 7}


@pytest.mark.parametrize("name", ["Authorization", "proxy-authorization", "COOKIE", "Set-Cookie", "X-Api-Key"])
def test_credentials_are_masked_whatever_their_case(name: str) -> None:
    assert redact([(name, "secret")]) == ((name, MARKER),)


def test_other_headers_stay_as_they_are_and_in_order() -> None:
    headers = (("b", "1"), ("a", "2"), ("b", "3"))
    assert redact(headers) == headers
