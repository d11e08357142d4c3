"""Ids for stubs: random to look at, and in the order of making to whoever sorts them."""

import uuid

from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.dialects.assertive import names
from understudy_gateway.dialects.assertive.ids import StubIds


@given(clock=st.lists(st.integers(0, 2**47), min_size=1, max_size=50))
def test_ids_are_uuids_of_version_4_in_the_order_of_making_whatever_the_clock_does(clock: list[int]) -> None:
    ticks = iter(clock)
    ids = StubIds(lambda: next(ticks))
    made = [ids.made(ids.order()) for _ in clock]
    assert made == sorted(set(made))
    for each in made:
        found = uuid.UUID(each)
        assert (str(found), found.version, found.variant) == (each, 4, uuid.RFC_4122)
        assert names.stub_id(names.mock_id(each)) == each


def test_two_makers_do_not_make_the_same() -> None:
    assert StubIds(lambda: 1).made(1) != StubIds(lambda: 1).made(1)
