"""How many verifications have to go: by a plain search for the fewest, and without a look at those that stay."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.journal import verifications
from understudy_server.journal.verifications import surplus


def plainly(sizes: Sequence[int]) -> int:
    """The fewest of the oldest without which the others are within the limits, but never the last one."""
    for going in range(len(sizes)):
        kept = sizes[going:]
        if len(kept) == 1 or (len(kept) <= verifications.KEPT_MAX and sum(kept) <= verifications.BYTES_MAX):
            return going
    return 0


@pytest.fixture(autouse=True, scope="module")
def low_limits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifications, "KEPT_MAX", 5)
        patch.setattr(verifications, "BYTES_MAX", 100)
        yield


@given(st.lists(st.integers(0, 120), max_size=9))
def test_surplus_is_the_fewest_that_a_plain_search_finds(sizes: list[int]) -> None:
    assert surplus(sizes, len(sizes), sum(sizes)) == plainly(sizes)


def test_those_that_stay_are_not_looked_at() -> None:
    sizes = iter([50, 50, 10, 10, 10, 10, 10])

    assert surplus(sizes, 7, 150) == 2

    assert list(sizes) == [10, 10, 10, 10], "one more is looked at than goes, and no other"
