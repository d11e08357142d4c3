"""Reading JSON: the same values as Python's own parser reads, and nothing that takes long."""

import json
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.cpu_time import cpu_seconds
from understudy_server.core.json_reading import (
    DEPTH_MAX,
    PARSED_BYTES_MAX,
    UNREADABLE,
    WEIGHT_MAX,
    read,
    steps_to_read,
    takes_parts,
)
from understudy_server.core.steps import STEPS_MAX


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b" 1 ", 1),
        (b"-0", 0),
        (b"1.50", 1.5),
        (b"1E2", 100.0),
        (b"true", True),
        (b"null", None),
        (b'"\\u00e9\\ud83d\\ude00"', "é😀"),
        (b'"\\ud800x"', "\ud800x"),
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        (b"18446744073709551615", 18446744073709551615),
        (b"18446744073709551616", 18446744073709551616),
        (b"-9223372036854775809", -9223372036854775809),
        (b"[123456789012345678901234567890]", [123456789012345678901234567890]),
        (b'{"a":-12345678901234567890}', {"a": -12345678901234567890}),
        (b"[0.12345678901234567890, 1]", [0.1234567890123456789, 1]),
        (b'["12345678901234567890", 12345678901234567890123]', ["12345678901234567890", 12345678901234567890123]),
        (b"1" + b"0" * 400, 10**400),
        (b"1e999", float("inf")),
        (b"[" * DEPTH_MAX + b"]" * DEPTH_MAX, None),
        (b" " * 100_000 + b"1", 1),
    ],
)
def test_value_is_read(text: bytes, value: Any) -> None:
    found = read(text)
    if value is None and len(text) > 4:
        assert isinstance(found, list)
    else:
        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"1 2",
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"'a'",
        b'"\t"',
        b'"\\x"',
        b'"\\ud800',
        b"\xff",
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf1",
        "1".encode("utf-16"),
        b"9" * 5000,
        b"[" * 1000,
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
        b"[" * (DEPTH_MAX + 1) + b'"\\ud800"' + b"]" * (DEPTH_MAX + 1),
        b"[" * 100_000 + b"]" * 100_000,
        b"]" * 10 + b"[" * 520 + b"]" * 510,
        b"1]" + b",[" * 600 + b"]" * 600 + b",[1",
        b" " * PARSED_BYTES_MAX + b"1",
        b"[" + b"0," * WEIGHT_MAX + b"0]",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_no_value_or_too_much_is_unreadable(text: bytes) -> None:
    assert read(text) is UNREADABLE


_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.text(st.characters(categories=["Cs", "L"]), max_size=3),
    st.just("1234567890123456789012"),
)
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
)


def _plainly(text: bytes) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(text.decode(), parse_constant=refuse)
    except ValueError:
        return UNREADABLE


def _shown(value: Any) -> str:
    """So that 1, 1.0 and True differ."""
    return repr(value)


@given(_values, st.sampled_from([None, 1]), st.booleans())
def test_value_that_was_written_is_read_again(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert _shown(read(text)) == _shown(_plainly(text))


@given(st.text(alphabet='[]{},:"\\ud8e0123456789-+.Eea \n', max_size=60).map(str.encode))
@example(b"1" * 19 + b"e5")
@example(b'"\\\\ud800"')
@example(b"[" * 513 + b"]" * 513 + b"x")
def test_any_text_is_read_as_python_reads_it(text: bytes) -> None:
    assert _shown(read(text)) == _shown(_plainly(text))


_CARD = b'{"id": "cus_%d", "amount": %d, "captured": true, "card": {"brand": "visa", "last4": "0002"}}'
_USUAL = b"[" + b",".join([_CARD % (number, number) for number in range(10_000)]) + b"]"
_MIB = PARSED_BYTES_MAX


def test_usual_text_is_read_up_to_the_limit() -> None:
    assert 0.9 * _MIB < len(_USUAL) <= _MIB
    assert len(read(_USUAL)) == 10_000


@pytest.mark.parametrize("spaces", [1023, 1024, 1100, 70_000])
def test_white_space_before_a_long_text_is_read_over(spaces: int) -> None:
    text = b"\n " * (spaces // 2) + b"[" + b'"abcdef",' * 9_000 + b"1]"
    assert len(read(text)) == 9_001
    assert takes_parts(text)
    assert not takes_parts(b" " * 1000 + b"x" * 80_000)


def test_usual_text_with_a_long_integer_is_read_up_to_a_smaller_limit() -> None:
    part = b"[" + b",".join([_CARD % (number, number) for number in range(800)])
    assert read(part + b",123456789012345678901]")[-1] == 123456789012345678901
    assert read(_USUAL[:-200].rpartition(b",{")[0] + b",123456789012345678901]") is UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        _USUAL,
        b"[" * _MIB,
        b'{"a":' * (_MIB // 5),
        b"[" + b"[]," * (_MIB // 3 - 2) + b"[]]",
        b"[" + b"{}," * (_MIB // 3 - 2) + b"{}]",
        b"[" + b"1.5," * (_MIB // 4 - 2) + b"1]",
        b"[" + b"0," * (_MIB // 2 - 2) + b"0]",
        b"9" * _MIB,
        b"0." + b"9" * (_MIB - 2),
        b"[" + (b"9" * 4000 + b",") * (_MIB // 4001 - 1) + b"1]",
        b"[" + (b"9" * 390 + b",") * (_MIB // 391 - 1) + b"1]",
        b"[" + b"12345678901234567890123," * (_MIB // 24 - 1) + b"1]",
        b"[" + b'"12345678901234567890123",' * (_MIB // 26 - 1) + b"1]",
        b"[" + b'"\\ud800",' * (_MIB // 9 - 1) + b"1]",
        b'"' + b"\\u00e9" * (_MIB // 6 - 1) + b'"',
        b"{" + b",".join([b'"k%d":0' % number for number in range(_MIB // 12)]) + b"}",
        b" " * (_MIB - 1) + b"x",
        b"e" * _MIB,
        b" " * _MIB,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_no_text_holds_anybody_up(text: bytes) -> None:
    assert len(text) <= _MIB
    # It takes 20 ms at most where nothing else runs; done anyway, some take more than 150.
    assert cpu_seconds(lambda: read(text)) < 0.1


def test_unreadable_is_equal_to_nothing_that_is_read() -> None:
    assert read(b"[" + b"[" * sys.getrecursionlimit()) is UNREADABLE
    assert read(b"null") != UNREADABLE


def test_reading_takes_steps_for_what_is_long_and_is_read() -> None:
    assert steps_to_read(b"[1, 2]") == 0
    usual = steps_to_read(b"[" + b'{"id": 7, "name": "Bo"},' * 7_000 + b"1]")
    assert 0 < usual < 0.6 * STEPS_MAX
    assert usual < steps_to_read(b"[" + b"[[]]," * 16_000 + b"1]") < STEPS_MAX
    assert steps_to_read(b"[" + b"[[]]," * 200_000 + b"1]") == 0
    assert steps_to_read(b"1" * (PARSED_BYTES_MAX + 1)) == 0
