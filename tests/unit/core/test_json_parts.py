"""JSON read in parts: the same as in one go, whatever the text, and no part of it long."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cpu_time import cpu_seconds
from support.hostile import BODIES
from understudy_server.core import json_reading
from understudy_server.core.json_parts import NotInParts, read_in_parts

_SIZE = 4096
# Bytes, at least: a part may end 16 KiB further than it should.
_LONG = 80_000


def _read(text: bytes, size: int = _SIZE) -> tuple[Any, list[int]]:
    """The value, and how many bytes were read at once each time."""
    lengths: list[int] = []

    def read(piece: bytes) -> Any:
        lengths.append(len(piece))
        return json.loads(piece)

    reading = read_in_parts(text, size, read)
    while True:
        try:
            next(reading)
        except StopIteration as done:
            return done.value, lengths


_LIST = json.dumps([{"id": number, "tags": ["a],", "b"]} for number in range(_LONG // 30)], separators=(",", ":"))
_OBJECT = json.dumps({f"k{number}": {"a": [number]} for number in range(_LONG // 20)})


@pytest.mark.parametrize(
    "text",
    [
        _LIST,
        _OBJECT,
        f'{{"items": {_LIST}}}',
        f'{{"page": {{"at": 1}}, "items": {_LIST}, "next": null}}',
        f'{{"a": {{"b": {{"c": {_LIST}}}}}}}',
        f'[{{"items": {_LIST}}}]',
        f'{{"items": {_LIST}, "others": {_LIST}}}',
        f'{{"by name": {_OBJECT}, "items": {_LIST}, "more": {_OBJECT}}}',
        f'{{"\\u0069tems": {_LIST}, "x\\"[": 1}}',
        f'{{"items": {_LIST}, "n": 1000000007}}',
        "[" + "0.5," * (_LONG // 4) + "1]",
        "[" + "[[1,2],[3]]," * (_LONG // 8) + "1]",
        "[" + '"a,b],[{c}",' * (_LONG // 8) + "1]",
        "[ " + " 1 ,\n" * (_LONG // 5) + " 2 ]",
    ],
)
def test_long_list_is_read_a_part_at_a_time(text: str) -> None:
    value, lengths = _read(text.encode())
    assert value == json.loads(text)
    assert list(map(str, _keys(value))) == list(map(str, _keys(json.loads(text))))
    assert max(lengths) < len(text) / 2
    assert len(lengths) > 3


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else []


@pytest.mark.parametrize("later", ["[]", "[1]", "1", "{}", "null", "[1000000007]", "[1000000007.0]", "[1000000008]"])
def test_later_value_for_the_same_name_counts(later: str) -> None:
    text = f'{{"items": {_LIST}, "items": {later}}}'
    assert len(text) > 64 * 1024
    assert json_reading.read(text.encode()) == {"items": json.loads(later)}


@pytest.mark.parametrize(
    "text",
    [
        _LIST[:-1],
        _LIST[:-1] + ",]",
        "[," + _LIST[1:],
        _LIST + "]",
        _LIST + ",1",
        "[1," + " " * _LONG + ",2]",
        _LIST.replace("},{", "},,{", 1),
        _LIST.replace('"]},{"', '"]},{', 1),
        f'{{"items": {_LIST}',
        f'{{"items": {_LIST[:-1]}}}',
        f'{{"items" {_LIST}}}',
        f'{{"items": {_LIST}}}}}',
        f'{{"items": {_LIST} "next": 1}}',
        f"{{items: {_LIST}}}",
        '"' + "a" * _LONG + '"',
        "1" * _LONG,
        "[" * _LONG,
        "",
    ],
)
def test_what_is_no_json_is_not_read_in_parts(text: str) -> None:
    with pytest.raises(NotInParts):
        _read(text.encode())


def test_body_that_lists_the_numbers_that_could_be_marks_is_read_as_soon_as_another() -> None:
    text = BODIES["all marks"]
    found: list[tuple[Any, list[int]]] = []
    assert cpu_seconds(lambda: found.append(_read(text))) < 1
    assert found[0][0] == json.loads(text)


def test_mark_that_is_in_the_text_by_chance_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 5)
    with pytest.raises(NotInParts):
        _read(f'{{"items": {_LIST}, "n": {10**17 + 5}}}'.encode())
    assert _read(f'{{"items": {_LIST}, "n": {10**17 + 6}}}'.encode())[0]["n"] == 10**17 + 6


@pytest.mark.parametrize("name", ["long lists in long lists", "nearly long lists"])
def test_what_is_tried_for_one_text_has_an_end(name: str) -> None:
    lengths: list[int] = []

    def read(piece: bytes) -> Any:
        lengths.append(len(piece))
        return json.loads(piece)

    with pytest.raises(NotInParts):
        list(read_in_parts(BODIES[name], 48 * 1024, read))
    assert sum(lengths) <= 5 * len(BODIES[name])


def test_when_the_rest_is_no_json_no_other_list_is_tried() -> None:
    tries: list[int] = []

    def read(piece: bytes) -> Any:
        tries.append(len(piece))
        return json.loads(piece)

    # Of both lists that are open at its beginning, and of the object, the inner list is the long one.
    with pytest.raises(NotInParts):
        list(read_in_parts(f'{{"a": [{{"b": {_LIST}}}], "end": !}}'.encode(), _SIZE, read))
    assert tries[-1] < 60, "what is around the list is read last"


_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(['"', "\\", "],[", "},{", ",", "]", "}", "é", ""])
)
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["a", "b", '"', "],", ""]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_values, st.integers(1, 12), st.sampled_from(["", '{"a":', "[", '{"a":1,"b":[{"c":', '{"a":[1],"a":']))
def test_whatever_is_repeated_and_stands_in_whatever_is_read_as_in_one_go(value: Any, size: int, before: str) -> None:
    written = json.dumps(value, ensure_ascii=False)
    closings = {"{": "}", "[": "]"}
    after = "".join([closings[sign] for sign in reversed(before) if sign in closings]).replace(
        "]}", "}", "[1]" in before
    )
    text = f"{before}[{','.join([written] * (_LONG // (1 + len(written)))) or 1}]{after}"
    try:
        found, _ = _read(text.encode(), 1024 * size)
    except NotInParts:
        return
    assert found == json.loads(text)


@given(st.binary(max_size=8), st.integers(0, len(_LIST)), st.integers(1, 12))
def test_text_with_something_else_in_it_is_read_as_in_one_go_or_not_at_all(other: bytes, at: int, size: int) -> None:
    text = _LIST.encode()[:at] + other + _LIST.encode()[at + len(other) :]
    try:
        found, _ = _read(text, 1024 * size)
    except NotInParts:
        return
    assert found == json.loads(text)
