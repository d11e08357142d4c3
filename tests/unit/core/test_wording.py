"""Values in words: the beginning of their JSON, however long and deep they are."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.matching.mismatch import CHARACTERS_MAX, cut
from understudy_server.core.matching.wording import shown_json

DEPTH = 100_000

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
_values = st.recursive(
    _scalars, lambda each: st.lists(each, max_size=5) | st.dictionaries(st.text(max_size=300), each, max_size=5)
)


@given(_values)
def test_a_value_is_shown_as_the_beginning_of_its_json(value: Any) -> None:
    assert shown_json(value) == cut(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def test_of_lists_in_lists_no_more_is_written_than_is_shown() -> None:
    value: Any = []
    for _ in range(DEPTH):
        value = [value]
    assert shown_json(value) == "[" * (CHARACTERS_MAX - 1) + "…"
    while value:
        # By hand: Python's own way to let go of it goes as deep.
        value = value[0]


def test_a_number_of_more_digits_than_are_written_is_left_out() -> None:
    assert shown_json([1, 10**5_000]) == "[1,…"
