"""JSON text with values masked: what is selected, what is left as it was, what cannot be read."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath import JSONPathEnvironment, JSONPathMatch
from understudy_server.core import json_masking
from understudy_server.core.json_masking import DEPTH_MAX, JsonMask
from understudy_server.core.json_paths import parse

_MARKER = "[redacted]"


def _mask(*paths: str) -> JsonMask:
    return JsonMask(tuple([parse(path) for path in paths]))


@pytest.mark.parametrize(
    ("paths", "text", "masked"),
    [
        (["$.card.number"], '{"card":{"number":"4111","exp":1}}', '{"card":{"number":"[redacted]","exp":1}}'),
        (["$.a"], '{"a":{"b":[1,2]},"c":0}', '{"a":"[redacted]","c":0}'),
        (["$.a"], '{"a":null,"b":null}', '{"a":"[redacted]","b":null}'),
        (["$.a", "$.b"], '{"b":1,"a":2}', '{"b":"[redacted]","a":"[redacted]"}'),
        (["$..a"], '[{"a":1},{"b":{"a":[{"a":2}]}}]', '[{"a":"[redacted]"},{"b":{"a":"[redacted]"}}]'),
        (["$..a.b"], '{"a":{"a":{"b":1},"b":2}}', '{"a":{"a":{"b":"[redacted]"},"b":"[redacted]"}}'),
        (["$[0]"], "[1,2]", '["[redacted]",2]'),
        (["$[-1]"], "[[1],[2]]", '[[1],"[redacted]"]'),
        (["$[1:3]"], "[0,1,2,3]", '[0,"[redacted]","[redacted]",3]'),
        (["$[::-2]"], "[0,1,2]", '["[redacted]",1,"[redacted]"]'),
        (["$[5]", "$[-5]", "$[9:]"], "[0,1]", "[0,1]"),
        (["$[*].id"], '[{"id":1},2,{"id":3}]', '[{"id":"[redacted]"},2,{"id":"[redacted]"}]'),
        (["$.*"], '{"a":1,"b":[2]}', '{"a":"[redacted]","b":"[redacted]"}'),
        (["$..[0]"], '{"a":[[1,2],3]}', '{"a":["[redacted]",3]}'),
        (["$.a", "$.a.b"], '{"a":{"b":1}}', '{"a":"[redacted]"}'),
        (["$"], " [1] ", ' "[redacted]" '),
        (["$"], "7", '"[redacted]"'),
        (["$['']"], '{"":1}', '{"":"[redacted]"}'),
    ],
)
def test_selected_values_give_way_to_the_marker(paths: list[str], text: str, masked: str) -> None:
    assert _mask(*paths).apply(text.encode()) == masked.encode()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            '\t{ "x" : 1.10 ,\n "a" : [ 1 , 2 ] , "y": 1E400, "z": -0 }\r\n',
            '\t{ "x" : 1.10 ,\n "a" : "[redacted]" , "y": 1E400, "z": -0 }\r\n',
        ),
        ('{"a":1,"big":' + "9" * 5000 + "}", '{"a":"[redacted]","big":' + "9" * 5000 + "}"),
        ('{"s":"\\u00e9 \\ud800 ü \\" a","a":1}', '{"s":"\\u00e9 \\ud800 ü \\" a","a":"[redacted]"}'),
        ('\ufeff{"a":1}', '\ufeff{"a":"[redacted]"}'),
        ('{"\\u0061":1,"b":2}', '{"\\u0061":"[redacted]","b":2}'),
        ('{"a":1,"a":2}', '{"a":"[redacted]","a":"[redacted]"}'),
        ('{"s":"}],{[","a":"]\\\\"}', '{"s":"}],{[","a":"[redacted]"}'),
    ],
    ids=["blanks and digits", "long number", "escapes", "mark", "written by number", "twice", "brackets in text"],
)
def test_all_else_stays_byte_for_byte(text: str, masked: str) -> None:
    assert _mask("$.a").apply(text.encode()) == masked.encode()


def test_names_that_must_be_escaped_are_found() -> None:
    name = 'a/"\\\n'
    mask = _mask("$['a/\"\\\\\\n']")
    for text in (json.dumps({name: 1}), '{"a\\/\\"\\\\\\u000a":1}'):
        assert mask.apply(text.encode()) == text.replace("1}", '"[redacted]"}').encode()


@pytest.mark.parametrize("paths", [["$.b"], ["$..b"], ["$.a[1]"], ["$.a.a"], ["$.a.*.*"]])
def test_text_in_which_nothing_is_selected_is_the_same_object(paths: list[str]) -> None:
    text = b'{"a": [ "b" ]}'
    assert _mask(*paths).apply(text) is text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1',
        b'{"a":1}x',
        b'{"a":1}{}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":01}',
        b'{"a":1,}',
        b'{"a":"\x01"}',
        b'{"a":"\xff"}',
        '{"a":1}'.encode("utf-16"),
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":"secret" "b":1}',
    ],
)
def test_what_is_no_json_cannot_be_read(text: bytes) -> None:
    assert _mask("$.a").apply(text) is None
    assert _mask("$.nothing.of.it").apply(text) is None


def test_paths_are_followed_so_deep_and_no_deeper() -> None:
    mask = _mask("$..a")
    deep = b"[" * (DEPTH_MAX - 1) + b'{"a":1}' + b"]" * (DEPTH_MAX - 1)
    assert mask.apply(deep) == deep.replace(b"1", b'"[redacted]"')
    assert mask.apply(b"[" + deep + b"]") is None
    # What no path leads into may be deeper.
    assert _mask("$.a").apply(b'{"a":1,"b":[' + deep + b"]}") is not None


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        (["$[*]"], "[" + "1," * 200_000 + "1]"),
        (["$..a"], '{"a":1,"b":{' + ",".join(['"":0'] * 100_000) + "}}"),
        (["$..[-1].a"], "[" * 150 + '"' + "x" * 200_000 + '",{"a":1}' + "]" * 150),
        (["$" + "..*" * 64] * 32, '{"a":' * 150 + "1" + "}" * 150),
        (["$[" + ",".join(["0:"] * 100) + "]"] * 32, "[" + "1," * 10_000 + "1]"),
    ],
    ids=["elements", "members", "again and again", "steps", "slices"],
)
def test_too_much_work_is_not_done(monkeypatch: pytest.MonkeyPatch, paths: list[str], text: str) -> None:
    done = 0

    def counting(walk: Any, amount: int) -> None:
        nonlocal done
        done += amount
        work(walk, amount)

    work = json_masking._Walk._work
    monkeypatch.setattr(json_masking._Walk, "_work", counting)
    assert _mask(*paths).apply(text.encode()) is None
    # Each step of it is bounded, too: by the elements of one list and the paths.
    assert done <= json_masking.WORK_MAX + 3 * 200_000


def test_paths_that_branch_at_every_step_cost_no_more_than_their_sum() -> None:
    """A slow plain reader needs billions of steps for this."""
    text = '{"a":' * 60 + "1" + "}" * 60
    masked = _mask("$" + "..a" * 20 + "..b", "$" + "..a" * 30).apply(text.encode())
    assert masked == ('{"a":' * 30 + '"[redacted]"' + "}" * 30).encode()


_NAMES = ["a", "b", "", "ü", "a b", 'q"', "0"]
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=20,
)
_INDEXES = st.integers(-4, 4).map(str)
_BOUNDS = st.just("") | _INDEXES
_SELECTORS = st.one_of(
    st.sampled_from(_NAMES).map(json.dumps),
    st.just("*"),
    _INDEXES,
    st.tuples(_INDEXES, _BOUNDS).map(":".join),
)
# The reader takes a slice without a beginning only where it stands alone.
_SLICES = st.tuples(_BOUNDS, _BOUNDS, _INDEXES).map(":".join)
_STEPS = st.tuples(
    st.sampled_from(["", ".."]), st.lists(_SELECTORS, min_size=1, max_size=3) | _SLICES.map(lambda each: [each])
).map(lambda parts: f"{parts[0]}[{','.join(parts[1])}]")
_PATHS = st.lists(_STEPS, max_size=4).map(lambda steps: "$" + "".join(steps))


def _is_there(parent: JSONPathMatch | None) -> bool:
    """Whether what holds a match is no text: that reader takes slices of texts, too."""
    return parent is None or not isinstance(parent.obj, str)


def _masked_plainly(document: Any, paths: list[str]) -> Any:
    """What another reader of JSONPath selects, put in place in a copy."""
    reader = JSONPathEnvironment(strict=True)
    places = {match.parts for path in paths for match in reader.finditer(path, document) if _is_there(match.parent)}
    made = [copy.deepcopy(document)]
    # The inner ones first: an outer one replaces them.
    for place in sorted(places, key=len, reverse=True):
        target: Any = made
        for part in (0, *place[:-1]) if place else ():
            target = target[part]
        target[place[-1] if place else 0] = _MARKER
    return made[0]


@given(_VALUES, st.lists(_PATHS, min_size=1, max_size=3), st.booleans())
def test_masks_what_another_reader_selects(document: Any, paths: list[str], spaced: bool) -> None:
    text = json.dumps(document, indent=1 if spaced else None, ensure_ascii=spaced)
    masked = _mask(*paths).apply(text.encode())
    assert masked is not None
    assert json.loads(masked) == _masked_plainly(document, paths)


@given(st.binary(max_size=60) | _VALUES.map(lambda value: json.dumps(value)[:-1].encode()), _PATHS)
def test_any_bytes_are_masked_or_refused(content: bytes, path: str) -> None:
    masked = _mask(path).apply(content)
    if masked is not None:
        json.loads(masked.decode("utf-8-sig"))
