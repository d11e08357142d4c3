import json
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.transcoding import json_text
from understudy_gateway.transcoding.json_text import (
    DEPTH_MAX_LEVELS,
    NUMBER_MAX_CHARACTERS,
    InvalidJson,
    Literal,
    integral,
    parse,
    parse_object,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)

MALFORMED = {
    "nothing": b"",
    "blank": b"  ",
    "open object": b'{"a":1',
    "open string": b'"a',
    "key without quotes": b"{a:1}",
    "single quotes": b"{'a':1}",
    "trailing comma": b'{"a":1,}',
    "trailing text": b'{"a":1} x',
    "two values": b"{}{}",
    "comment": b"{/* */}",
    "duplicate key": b'{"a":1,"a":1}',
    "duplicate key by escape": b'{"a":1,"\\u0061":1}',
    "duplicate key within": b'{"x":[{"a":1,"a":2}]}',
    "nan": b"NaN",
    "infinity": b'{"a":Infinity}',
    "negative infinity": b"[-Infinity]",
    "leading zero": b"01",
    "plus": b"+1",
    "bare point": b"1.",
    "hexadecimal": b"0x1",
    "control character": b'"a\nb"',
    "bad escape": b'"\\x"',
    "high surrogate alone": b'"\\ud800"',
    "low surrogate alone": b'"\\udc00"',
    "surrogates swapped": b'"\\udc00\\ud800"',
    "surrogate in a key": b'{"\\uD800":1}',
    "surrogate encoded as bytes": b'"\xed\xa0\x80"',
    "latin-1": b'"\xe9"',
    "overlong": b'"\xc0\xaf"',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "long integer": b"1" * (NUMBER_MAX_CHARACTERS + 1),
    "long fraction": b"0." + b"1" * NUMBER_MAX_CHARACTERS,
    "97 levels": b"[" * 97 + b"]" * 97,
    "97 levels of objects": b'{"a":' * 97 + b"1" + b"}" * 97,
    "a hundred thousand levels": b"[" * 100_000,
    "a hundred thousand objects": b'{"a":' * 100_000,
    "utf-16 nul": b"\x00",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_json_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidJson):
        parse(text)


@given(st.binary() | st.text().map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode()[:-1]))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with suppress(InvalidJson):
        parse(text)


@given(VALUES)
def test_what_was_written_is_read_back_with_its_order(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert json.loads(json_text.write(parse(text))) == value
    assert list(json.loads(json_text.write(parse(text)))) == list(value) if isinstance(value, dict) else True


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "1.0", "1.50", "1e2", "1E+2", "-0.0", "1e400", "123456789012345678901234567890", "9007199254740993"],
)
def test_numbers_keep_their_digits(number: str) -> None:
    assert json_text.write(parse(f'{{"n":[{number}]}}')) == f'{{"n":[{number}]}}'


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "😀"


def test_96_levels_are_read() -> None:
    value = parse(b"[" * DEPTH_MAX_LEVELS + b"]" * DEPTH_MAX_LEVELS)
    assert json_text.write(value) == "[" * DEPTH_MAX_LEVELS + "]" * DEPTH_MAX_LEVELS


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(parse(b"[" + b"[]," * 200 + b"[]]")) == 201


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"a"'])
def test_an_object_is_told_from_other_values(text: bytes) -> None:
    with pytest.raises(InvalidJson, match="object"):
        parse_object(text)


@pytest.mark.parametrize(
    ("number", "whole"),
    [
        ("1.0", 1),
        ("-1.0", -1),
        ("1e2", 100),
        ("1.5e1", 15),
        ("100e-2", 1),
        ("0e999999999", 0),
        ("0.000", 0),
        ("-0", 0),
        ("18446744073709551615", 2**64 - 1),
        ("9007199254740993.0", 9007199254740993),
        ("1.5", None),
        ("1e-1", None),
        ("1.00000000000000000001", None),
        ("1e400", None),
        ("1e99999999999999999999", None),
        ("1e-99999999999999999999", None),
        ("1" * 40, None),
    ],
)
def test_a_number_is_whole_when_nothing_but_zeros_follows_the_point(number: str, whole: int | None) -> None:
    assert integral(Literal(number)) == whole


@pytest.mark.parametrize("value", [True, "1", None, [], 1.0])
def test_other_values_are_no_whole_numbers(value: object) -> None:
    assert integral(value) is None


@given(st.integers(-(2**63), 2**64 - 1))
def test_every_integer_of_64_bits_is_whole(number: int) -> None:
    assert integral(parse(str(number))) == number


@given(VALUES)
def test_the_strict_reader_agrees_with_another_reader(value: Any) -> None:
    text = json.dumps(value)
    assert orjson.loads(json_text.write(parse(text))) == orjson.loads(text)


KEYS = st.sampled_from(["a", "b", ":", '":"', "-0", "0", "{", "ä"])
PAIRS = st.recursive(
    st.none() | st.sampled_from([0, 1, 10**17, 10**18, 1.5, True, "a:b", "-0"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(tuple),
    max_leaves=8,
)


def _text_of(value: Any) -> str:
    """JSON text of a value, whose tuples are the members of objects, and may have a name twice."""
    if isinstance(value, tuple):
        return "{" + ",".join(f"{json.dumps(name)}:{_text_of(each)}" for name, each in value) + "}"
    return "[" + ", ".join(map(_text_of, value)) + "]" if isinstance(value, list) else json.dumps(value)


def _has_a_name_twice(value: Any) -> bool:
    children = [each for _, each in value] if isinstance(value, tuple) else value if isinstance(value, list) else ()
    is_it = isinstance(value, tuple) and len({name for name, _ in value}) < len(value)
    return is_it or any(map(_has_a_name_twice, children))


@given(PAIRS, st.booleans())
def test_a_name_that_is_there_twice_is_seen_however_the_text_is_read(value: Any, is_bytes: bool) -> None:
    text = _text_of(value)
    given_text: str | bytes = text.encode() if is_bytes else text
    if _has_a_name_twice(value):
        with pytest.raises(InvalidJson, match="twice"):
            parse(given_text)
    else:
        assert json_text.write(parse(given_text)) == text.replace(", ", ",").replace("\\u00e4", "ä")


@pytest.mark.parametrize("text", ["-0", "[-0]", '{"a": -0}', "1000000000000000000", "0.0", "1e3"])
def test_a_number_that_python_would_change_stays_as_it_is_in_a_short_text(text: str) -> None:
    assert json_text.write(parse(text)) == text.replace(" ", "")
