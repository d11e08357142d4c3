import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.strict_json import DEPTH_MAX, MalformedJson, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


NOT_STRICT = ["", "{", "nul", "NaN", "[Infinity]", '{"a":1,"a":2}', '"\\ud800"', '{"\\udc00":1}', "1e999", "1" * 5000]
NOT_JSON = ["[" * 100_000, "'a'", "[1,]", b"\xff\xfe"]


@pytest.mark.parametrize("text", [*NOT_STRICT, *NOT_JSON])
def test_what_is_not_strict_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedJson):
        parse(text)


def test_depth_is_bounded() -> None:
    assert parse("[" * DEPTH_MAX + "]" * DEPTH_MAX)
    with pytest.raises(MalformedJson, match="deeper"):
        parse("[" * (DEPTH_MAX + 2) + "]" * (DEPTH_MAX + 2))


@given(JSON)
def test_any_json_value_reads_back(value: object) -> None:
    assert parse(json.dumps(value)) == value


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_nothing_but_malformed_json_is_ever_raised(text: str | bytes) -> None:
    with contextlib.suppress(MalformedJson):
        parse(text)
