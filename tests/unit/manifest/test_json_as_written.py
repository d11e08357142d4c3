"""JSON that is written as in any other file is taken as it stands, and is what its nodes would give."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.manifest_texts import json_of, mock, problems
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy_server.manifest.json_as_written import JsonAsWritten

# Everything but what a file in YAML must not hold, or would hold behind a backslash.
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff"))
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _TEXTS),
    lambda values: st.one_of(st.lists(values, max_size=4), st.dictionaries(_TEXTS, values, max_size=4)),
    max_leaves=10,
)
_SEPARATORS = st.sampled_from(((",", ":"), (", ", ": "), (" , ", " : "), (",\n    ", ":\n    ")))


@pytest.fixture
def node_by_node() -> Iterator[None]:
    """Nothing is taken as it stands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JsonAsWritten, "of", lambda _self, _node: None)
        yield


def _written(value: Any, separators: tuple[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=separators)


@given(_VALUES, _SEPARATORS, _TEXTS)
def test_it_is_what_its_nodes_say(value: Any, separators: tuple[str, str], before: str) -> None:
    # What stands before it moves it, in characters and in bytes.
    text = f"# {before}\naction: {{respond: {{json: {_written(value, separators)}}}}}"
    taken = mock(text).action.respond.json
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JsonAsWritten, "of", lambda _self, _node: None)
        assert mock(text).action.respond.json == taken
    assert taken == _written(value, (",", ":"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_any_system_may_stand_before_it_and_in_it(end: str) -> None:
    text = end.join(('name: "é😀"', "action:", "  respond:", '    json: {"a": 1,', '      "b": [true, "x  y"]}', ""))
    assert mock(text).action.respond.json == '{"a":1,"b":[true,"x  y"]}'


def test_the_mark_of_the_encoding_does_not_move_it() -> None:
    assert mock('\ufeffaction: {respond: {json: {"a": 1}}}').action.respond.json == '{"a":1}'


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r'{"a": "\u00e9\/\"\n"}', r'{"a":"é/\"\n"}'),
        ('{"a": "folded\n    here"}', '{"a":"folded here"}'),
        ('{"a": "b", c: \'d\'}', '{"a":"b","c":"d"}'),
        ('{"a": 1, # why\n    "b": 2}', '{"a":1,"b":2}'),
        ('{"a": 1,}', '{"a":1}'),
        ('&it {"a": 1}', '{"a":1}'),
        ('{"<<": {"a": 1}}', '{"<<":{"a":1}}'),
        ('{"": {"": 1}}', '{"":{"":1}}'),
    ],
)
def test_what_is_not_both_is_read_as_yaml(written: str, text: str) -> None:
    assert json_of(written) == text


def test_what_stands_twice_is_refused_with_its_place() -> None:
    (said,) = problems('action:\n  respond:\n    json: {"a": 1, "b": {"c": 1, "c": 2}}\n', ManifestMock)
    assert said.startswith("f.yaml:3:34: action.respond.json.b.c: is given twice: it stands in line 3 already")


@pytest.mark.usefixtures("node_by_node")
def test_node_by_node_it_is_the_same() -> None:
    assert json_of('{"a": [1, {"b": null}]}') == '{"a":[1,{"b":null}]}'
