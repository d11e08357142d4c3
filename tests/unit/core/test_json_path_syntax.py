"""Which texts are paths (RFC 9535), and what is said of those that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.json_path_syntax import BadPath, read
from understudy_server.core.json_path_tree import (
    All,
    Any,
    Call,
    Compare,
    Constant,
    Filter,
    Index,
    Name,
    Not,
    Path,
    Segment,
    Slice,
    Test,
    Wildcard,
)

_A = Path((Segment((Name("a"),)),), absolute=False)
_B = Path((Segment((Name("b"),)),), absolute=False)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("$", ()),
        ("$.a", (Segment((Name("a"),)),)),
        ("$.größe", (Segment((Name("größe"),)),)),
        ("$.😀1", (Segment((Name("😀1"),)),)),
        ("$.true.null", (Segment((Name("true"),)), Segment((Name("null"),)))),
        ("$..true", (Segment((Name("true"),), deep=True),)),
        ("$..[0]", (Segment((Index(0),), deep=True),)),
        ("$..*", (Segment((Wildcard(),), deep=True),)),
        ("$ .a\n['b']", (Segment((Name("a"),)), Segment((Name("b"),)))),
        ("$[ 'a' , -1 , * ]", (Segment((Name("a"), Index(-1), Wildcard())),)),
        ("$[1:2]", (Segment((Slice(1, 2, None),)),)),
        ("$[ 1 : -2 : 3 ]", (Segment((Slice(1, -2, 3),)),)),
        ("$[:]", (Segment((Slice(None, None, None),)),)),
        ("$[::-1]", (Segment((Slice(None, None, -1),)),)),
        ("$[9007199254740991]", (Segment((Index(2**53 - 1),)),)),
        (r"""$["\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00'"]""", (Segment((Name("\"\\/\b\f\n\r\té😀'"),)),)),
        (r"""$['\'"']""", (Segment((Name("'\""),)),)),
    ],
)
def test_path_is_read_as_its_segments(text: str, segments: tuple[Segment, ...]) -> None:
    assert read(text) == segments


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("@.a", _A),
        ("!@.a", Not(_A)),
        ("! ( @.a )", Not(_A)),
        ("@.a&&@.b", All((_A, _B))),
        ("@.a || @.b && @.a", Any((_A, All((_B, _A))))),
        ("(@.a || @.b) && @.a", All((Any((_A, _B)), _A))),
        ("@.a==1", Compare("==", _A, Constant(1))),
        ("@.a >= -1.5e3", Compare(">=", _A, Constant(-1500.0))),
        ("-0 != @.a", Compare("!=", Constant(0), _A)),
        ("1E2 < $", Compare("<", Constant(100.0), Path((), absolute=True))),
        (
            "'x' <= @[0]['b']",
            Compare("<=", Constant("x"), Path((Segment((Index(0),)), Segment((Name("b"),))), absolute=False)),
        ),
        ("true == null", Compare("==", Constant(value=True), Constant(None))),
        ("length( @.a ) > 2", Compare(">", Call("length", (_A,)), Constant(2))),
        ("match(@.a, 'x')", Call("match", (_A, Constant("x")))),
        ("!search('x', @.a)", Not(Call("search", (Constant("x"), _A)))),
        ("count(@..*) == length(value(@.*))", None),
    ],
)
def test_filter_is_read_as_its_test(text: str, test: Test | None) -> None:
    (segment,) = read(f"$[? {text} ]")
    (selector,) = segment.selectors
    assert isinstance(selector, Filter)
    assert test is None or selector.test == test


def test_integers_of_filters_keep_their_digits() -> None:
    (segment,) = read("$[?@ == 123456789012345678901234567890]")
    (selector,) = segment.selectors
    assert isinstance(selector, Filter)
    assert isinstance(selector.test, Compare)
    assert selector.test.right == Constant(123456789012345678901234567890)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not begin with $"),
        ("@.a", "does not begin with $"),
        (" $.a", "does not begin with $"),
        ("$ ", "blanks at its end, at character 2"),
        ("$.a\n", "blanks at its end"),
        ("$.", "it ends too soon: a name or * is expected"),
        ("$.. a", "a name or * is expected"),
        ("$...a", "a name or * is expected"),
        ("$.a-b", "this is not expected, at character 4"),
        ("$.1", "a name or * is expected; other names are written ['...'], at character 3"),
        ("$a", "this is not expected, at character 2"),
        ("$[", "it ends too soon"),
        ("$[]", "a name in quotes, an index, a slice, * or ? is expected, at character 3"),
        ("$[a]", "is expected"),
        ("$[0", "it ends too soon: a comma or ] is expected"),
        ("$[0,]", "is expected, at character 5"),
        ("$[0 1]", "a comma or ] is expected, at character 5"),
        ("$[01]", "this is no index"),
        ("$[-0]", "this is no index"),
        ("$[1.0]", "a comma or ] is expected"),
        ("$[1:2:3:4]", "a comma or ] is expected"),
        ("$[9007199254740992]", "out of range, at character 3"),
        ("$[99999999999999999999]", "out of range"),
        ("$[::99999999999999999999]", "out of range"),
        ("$['a", "not ended"),
        ("$['a\"]", "not ended"),
        ("$['\t']", "must be escaped here, at character 4"),
        ("$['\\x']", "no such escape, at character 4"),
        ("$['\\\"']", "no such escape"),
        ("$['\\u12g4']", "four hexadecimal digits"),
        ("$['\\ud800']", "half a surrogate pair"),
        ("$['\\udc00']", "half a surrogate pair"),
        ("$['\\ud800\\u0041']", "half a surrogate pair"),
        ("$['\ud800']", "must be escaped here"),
        ("$[?]", "a path, a function or a value is expected"),
        ("$[?1]", "must be compared with something, at character 4"),
        ("$[?'a']", "must be compared"),
        ("$[?@.a && true]", "must be compared"),
        ("$[?@.a == 1 == 1]", "a comma or ] is expected, at character 13"),
        ("$[?(@.a) == 1]", "is expected"),
        ("$[?!@.a == 1]", "is expected"),
        ("$[?!!@.a]", "is expected"),
        ("$[?(@.a]", "&&, || or ) is expected"),
        ("$[?@.a & @.b]", "is expected"),
        ("$[?@.* == 1]", "may select several values cannot be compared, at character 4"),
        ("$[?1 == @..a]", "may select several values cannot be compared, at character 9"),
        ("$[?@['a','b'] == 1]", "may select several values"),
        ("$[?@.a == [1]]", "is expected"),
        ("$[?@.a == 01]", "is expected"),
        ("$[?@.a == 1.]", "is expected"),
        ("$[?@.a == .5]", "is expected"),
        ("$[?@.a == TRUE]", "is expected"),
        ("$[?@.a =~ 'x']", "is expected"),
        ("$[?length(@.a)]", "the result of length() must be compared with something, at character 4"),
        ("$[?length (@.a) == 1]", "is expected"),
        ("$[?length() == 1]", "is expected"),
        ("$[?length(@.a, @.b) == 1]", "length() takes one value, and ) is expected"),
        ("$[?length(@.*) == 1]", "may select several values"),
        ("$[?length(match('a','b')) == 1]", "the result of match() cannot be compared"),
        ("$[?count('a') == 1]", "count() takes a path, at character 10"),
        ("$[?count(value(@.*)) == 1]", "count() takes a path"),
        ("$[?match(@.a)]", "match() takes 2 values"),
        ("$[?match(@.a, 'b') == true]", "the result of match() cannot be compared"),
        ("$[?nope(@)]", "no function of this name; there are count, length, match, search, value, at character 4"),
        ("$[?" + "(" * 40 + "@.a" + ")" * 40 + "]", "nested deeper than 32"),
        ("$" + "[?@" * 4000, "nested deeper than 32"),
        ("$[?" + "length(" * 4000, "nested deeper than 32"),
    ],
)
def test_what_is_no_path_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadPath) as refused:
        read(text)
    assert why in str(refused.value)


def test_name_behind_a_dot_may_have_dashes_where_that_is_asked_for() -> None:
    assert read("$.a-b..c-d", dashes=True) == (Segment((Name("a-b"),)), Segment((Name("c-d"),), deep=True))


@given(st.text(alphabet="$@.[]()?*'\"\\u0aé12-:,!&|=<> \nlengthcountmatch", max_size=40).map("$".__add__))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        segments = read(text)
    except BadPath:
        return
    assert isinstance(segments, tuple)
