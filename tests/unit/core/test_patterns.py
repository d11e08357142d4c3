"""Patterns of users: what they match, in any text, and that none takes long."""

import contextlib
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cpu_time import cpu_seconds
from understudy_server.core import pattern_sizes, patterns
from understudy_server.core.patterns import PATTERN_MAX, BadPattern, i_regexp
from understudy_server.core.steps import Steps, TooManySteps

_MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("pattern", "subject", "whole", "at_start", "within"),
    [
        ("[0-9]{4}", "1234", True, True, True),
        ("[0-9]{4}", "12345", False, True, True),
        ("[0-9]{4}", "x1234", False, False, True),
        ("[0-9]{4}", "x123", False, False, False),
        ("a|ab", "ab", True, True, True),
        ("", "", True, True, True),
        ("", "a", False, True, True),
        ("^b$", "a\nb", False, False, False),
        ("(?m)^b$", "a\nb", False, False, True),
        (".", "é", True, True, True),
        (".", "\n", False, False, False),
        ("é+", "éé", True, True, True),
        (r"\pL", "ж", True, True, True),
        (".", "\ud800", True, True, True),
        ("a[^x]b", "a\udfffb", True, True, True),
        ("a", "\ud800a", False, False, True),
        (".", b"\xff", False, False, False),
        ("a", b"\xff\xfea\x00", False, False, True),
        ("é", "é".encode(), True, True, True),
        (r"a\Q.+", "a.+", True, True, True),
    ],
)
def test_pattern_matches_whole_or_start_or_part(
    pattern: str, subject: str | bytes, whole: bool, at_start: bool, within: bool
) -> None:
    read = patterns.compile(pattern)
    assert (read.whole(subject), read.at_start(subject), read.within(subject)) == (whole, at_start, within)


def test_case_does_not_count_where_that_is_asked_for() -> None:
    assert not patterns.compile("straße").whole("STRAßE")
    assert patterns.compile("straße", ignore_case=True).whole("STRAßE")
    assert patterns.compile("(?i)[a-c]+").whole("aBC")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing )"),
        ("[", "missing ]"),
        ("a**", "bad repetition operator"),
        ("(?=a)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("a{1001}", "invalid repetition size"),
        (r"\pL{1000}", "too large"),
        (r"\pN\pL" * 500, "too large"),
        ("[a-z]{1,1000}" * 4, "too large"),
        ("(a{900}){900}", "too large"),
        ("a" * (PATTERN_MAX + 1), f"it has {PATTERN_MAX + 1} characters; {PATTERN_MAX} are the most"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern) as refused:
        patterns.compile(pattern)
    assert why in str(refused.value)


def test_refusing_a_pattern_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadPattern):
        patterns.compile("(unseen")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("pattern", "replacement", "subject", "replaced"),
    [
        ("/v1/", "/v2/", "/v1/users/v1/", "/v2/users/v1/"),
        ("^/(a)/(b)", r"/\2/\1", "/a/b/c", "/b/a/c"),
        ("(a)|(b)", r"[\1\2]", "xb", "x[b]"),
        ("b", r"<\0>", "abc", "a<b>c"),
        ("b", r"\\0", "abc", r"a\0c"),
        ("b", "", "abc", "ac"),
        ("z", "y", "abc", "abc"),
        ("é(.)", r"\1e", "aéñb", "añeb"),
        ("b", "x", "\ud800b", "\ud800x"),
        ("$", "!", "abc", "abc!"),
    ],
)
def test_first_match_is_replaced(pattern: str, replacement: str, subject: str, replaced: str) -> None:
    assert patterns.compile(pattern).replace_first(subject, replacement) == replaced


@pytest.mark.parametrize(
    ("replacement", "why"),
    [
        (r"\2", "names group 2, and the pattern has 1"),
        ("\\", "ends with a single backslash"),
        (r"\n", "has a backslash before 'n'"),
        (r"\\\9", "names group 9"),
    ],
)
def test_replacement_that_cannot_be_made_is_refused(replacement: str, why: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(why)):
        patterns.compile("(a)b").check_replacement(replacement)


def test_replacement_that_can_be_made_is_taken() -> None:
    patterns.compile("(a)b").check_replacement(r"x\1\0\\")


def test_dot_of_a_json_path_ends_with_the_line() -> None:
    pattern = i_regexp(r"a.b[.]\.")
    assert pattern is not None
    assert pattern.whole("axb..")
    assert not pattern.whole("a\rb..")
    assert not pattern.whole("axbx.")
    assert i_regexp("(") is None


# Whatever Python's re reads in the same way.
_atoms = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\.", r"\d", r"\w", "1", "-"])
_quantifiers = st.sampled_from(["", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "??"])
_plain_patterns = st.recursive(
    st.tuples(_atoms, _quantifiers).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join).map(lambda each: f"(?:{each})"),
        st.tuples(inner, st.sampled_from(["", "?", "{2}"])).map(lambda parts: f"({parts[0]}){parts[1]}"),
    ),
    max_leaves=6,
)


@given(_plain_patterns, st.text(alphabet="abc1.-é\n", max_size=12), st.booleans())
def test_python_matches_the_same(pattern: str, text: str, encoded: bool) -> None:
    read = patterns.compile(pattern)
    subject = text.encode() if encoded else text
    expected = re.compile(pattern, re.ASCII)
    assert read.whole(subject) == (expected.fullmatch(text) is not None)
    assert read.at_start(subject) == (expected.match(text) is not None)
    assert read.within(subject) == (expected.search(text) is not None)


@given(_plain_patterns, st.text(alphabet="abc1.-é\n", max_size=12), st.integers(1, 40))
def test_searching_a_long_text_is_matching_all_of_it(pattern: str, text: str, times: int) -> None:
    text = text * times + "é" * 30_000
    assert patterns.compile(pattern).within(text) == patterns.compile(f"(?s:.*)(?:{pattern})(?s:.*)").whole(text)


@given(st.text(), st.text(max_size=20))
def test_any_text_may_be_matched(pattern: str, text: str) -> None:
    try:
        read = patterns.compile(pattern)
    except BadPattern:
        return
    for subject in (text, text + "\ud800", text.encode() + b"\xff"):
        for run in (read.whole, read.at_start, read.within):
            assert run(subject) in {True, False}


_HOSTILE = [
    "[ab]*a[ab]{20}c",
    "a[ab]{100}c",
    "(?s).*a.{30}b.{30}c",
    "(a|b|ab){0,200}c",
    "(?i)(foo|bar).{0,100}baz",
    "[ab]*" * 50 + "c",
    r"(\w+\s*)+\d",
    "(x+x+)+y",
    "(a*)*b",
    "(a|aa)+$",
    ".{0,900}c",
    r"\pL+\pN\pL{20}",
    "(?:a?){100}a{100}c",
    "[ab]{20}a[ab]*b",
    "|".join(f"word{number}" for number in range(300)),
]
_chance = random.Random(5)
_TEXTS = {
    "letters": bytes(_chance.choices(b"ab", k=_MIB)),
    "one letter": b"a" * _MIB,
    "words": b" ".join(_chance.choices([b"foo", b"bar", b"word29", b"x1"], k=_MIB // 5))[:_MIB],
}


@pytest.mark.parametrize("mode", ["whole", "at_start", "within"])
@pytest.mark.parametrize("text", _TEXTS.values(), ids=_TEXTS)
@pytest.mark.parametrize("pattern", _HOSTILE, ids=[pattern[:20] for pattern in _HOSTILE])
def test_no_pattern_holds_anybody_up(pattern: str, text: bytes, mode: str) -> None:
    read = patterns.compile(pattern)

    def run() -> None:
        with contextlib.suppress(TooManySteps):
            assert getattr(read, mode)(text) in {True, False}

    # It takes 20 ms at most where nothing else runs; following all positions takes 200 and more.
    assert cpu_seconds(run) < 0.1


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:a" + "^" * 4000 + "){900}",
        "(?:" + "|" * 4000 + "a){900}",
        "((((){1000}){1000}){1000}){1000}",
        "(((" + "^{1000}" * 500 + "){1000}){1000})",
        "[a-z]{1,1000}" * 2,
        "(" * 2000 + "a" + ")" * 2000,
        r"\pL{30}",
        "a?" * 2000,
        "|".join(["a", "b"] * 1000),
        "(?i)" + "é" * 2000,
    ],
    ids=lambda pattern: pattern[:20],
)
def test_no_pattern_takes_long_to_read(pattern: str) -> None:
    def run() -> None:
        with contextlib.suppress(BadPattern, TooManySteps):
            patterns.compile(pattern).within("ab" * 2000)

    # It takes 60 ms at most where nothing else runs.
    assert cpu_seconds(run) < 0.3


@pytest.mark.parametrize("pattern", _HOSTILE[:3])
def test_pattern_with_a_large_automaton_still_runs_over_short_texts(pattern: str) -> None:
    assert not patterns.compile(pattern).within(_TEXTS["letters"][:500])
    with pytest.raises(TooManySteps):
        patterns.compile(pattern).within(_TEXTS["letters"])


def test_usual_pattern_is_searched_in_a_whole_body() -> None:
    body = b'{"id": "cus_1", "note": "hello"}, ' * (_MIB // 40) + b'"card_expired 5f0c-11"'
    for pattern in ("card_(declined|expired)", r'"id":\s*"cus_[0-9]{1,10}"', r"[0-9a-f]{4}-\d+", "(?s)hello.*expired"):
        assert patterns.compile(pattern).within(body)


def test_what_a_match_takes_is_counted() -> None:
    pattern = patterns.compile("a+b")
    steps = Steps(100)
    pattern.within("aab", steps)
    assert 90 < steps.left < 100
    with pytest.raises(TooManySteps):
        pattern.within("a" * 10_000, steps)
    assert steps.left == 0


def test_groups_are_not_looked_for_in_a_long_text() -> None:
    with pytest.raises(TooManySteps):
        patterns.compile("(a)(b)").replace_first("a" * _MIB, r"\1")


@pytest.mark.parametrize("mode", ["whole", "at_start", "within"])
def test_what_is_prepared_takes_a_long_text_without_reading_the_pattern_again(
    mode: pattern_sizes.Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = patterns.compile(f"(a|b){{1,20}}c|prepared for {mode}")
    read.prepare(mode)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the pattern is read again")

    monkeypatch.setattr(patterns, "_program", refuse)
    monkeypatch.setattr(pattern_sizes, "positions", refuse)
    run = {"whole": read.whole, "at_start": read.at_start, "within": read.within}[mode]
    assert not run("ab" * 20_000)
