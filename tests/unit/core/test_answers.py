import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.delays import session_delay_ms
from understudy_server.core.responding.response import BodyKind, with_default_type


@pytest.mark.parametrize("kind", [BodyKind.JSON, BodyKind.TEXT, BodyKind.BINARY])
def test_content_type_follows_from_the_kind_of_the_body(kind: BodyKind) -> None:
    assert with_default_type(200, (), b"x", kind).headers == (("content-type", kind.value),)


def test_content_type_of_the_mock_stays_alone() -> None:
    headers = (("x-a", "1"), ("Content-Type", "text/csv"))
    assert with_default_type(200, headers, b"x", BodyKind.JSON).headers == headers


def test_an_absent_body_has_no_content_type() -> None:
    assert with_default_type(200, (), b"", BodyKind.NONE).headers == ()


@pytest.mark.parametrize(("fixed", "highest"), [(0, 0), (100, 0), (100, 100), (100, 99)])
def test_delay_is_exactly_the_fixed_one_unless_the_highest_is_above_it(fixed: int, highest: int) -> None:
    assert session_delay_ms(fixed, highest, random.Random(1)) == fixed


@given(st.integers(0, 120_000), st.integers(1, 1000), st.randoms(use_true_random=False))
def test_random_delay_lies_within_both_bounds(fixed: int, spread: int, dice: random.Random) -> None:
    assert fixed <= session_delay_ms(fixed, fixed + spread, dice) <= fixed + spread


def test_random_delay_reaches_both_bounds() -> None:
    dice = random.Random(7)
    assert {session_delay_ms(5, 7, dice) for _ in range(100)} == {5, 6, 7}
