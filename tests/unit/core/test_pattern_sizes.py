"""How patterns are read to tell how large their automata grow, and what is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core import pattern_sizes, pattern_tree, patterns
from understudy_server.core.pattern_sizes import Measured
from understudy_server.core.pattern_tree import Choice, Node, One, Repeat, Sequence


def _written(node: Node) -> str:
    """The pattern of Python's re that reads the same."""
    match node:
        case One(ranges):
            if not ranges:
                return "(?!)"
            return "[" + "".join([f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges]) + "]"
        case Sequence(parts):
            return "".join([f"(?:{_written(part)})" for part in parts])
        case Choice(parts):
            return "|".join([f"(?:{_written(part)})" for part in parts])
        case Repeat(part, least, most, greedy):
            return f"(?:{_written(part)}){{{least},{'' if most is None else most}}}{'' if greedy else '?'}"


_atoms = st.sampled_from(
    [
        *[
            "a",
            "Z",
            "-",
            "é",
            ".",
            r"\.",
            r"\d",
            r"\W",
            r"\s",
            r"\x41",
            r"\x{e9}",
            r"\101",
            r"\t",
            r"\n",
            r"\Q.*\E",
        ],
        *[
            "[a-c]",
            "[^a-c]",
            "[]a]",
            "[^]a]",
            "[a-]",
            "[-a]",
            r"[\d.]",
            r"[^\w]",
            "[[:alpha:]]",
            "[[:^digit:]x]",
            r"[\]\\-a]",
        ],
    ]
)
_quantifiers = st.sampled_from(["", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "??", "{,2}", "{x"])
_patterns = st.recursive(
    st.tuples(_atoms, _quantifiers).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
        st.tuples(
            st.sampled_from(["(", "(?:", "(?i:", "(?s:", "(?P<n>"]), inner, st.sampled_from([")", ")?", ")*"])
        ).map("".join),
        inner.map(lambda each: f"(?is){each}"),
        inner.map(lambda each: f"(?U){each}"),
    ),
    max_leaves=5,
)
_texts = st.text(alphabet="aAbBzZ-é É.*\n\t1]\\[{,x2}", max_size=6)


@given(_patterns, _texts, st.booleans())
def test_pattern_is_read_as_re2_reads_it(pattern: str, text: str, ignore_case: bool) -> None:
    try:
        engine = patterns.compile(pattern, ignore_case=ignore_case)
    except patterns.BadPattern:
        # A name that is given twice.
        return
    tree = pattern_tree.read(pattern, ignore_case=ignore_case)
    assert (re.compile(_written(tree)).fullmatch(text) is not None) == engine.whole(text)


@pytest.mark.parametrize(
    ("name", "reads", "does_not"),
    [
        (r"\pL", "aéΩЖ", "1 _"),
        (r"\p{Lu}", "AΩ", "aω1"),
        (r"\PL", "1 ", "aΩ"),
        (r"\p{^L}", "1 ", "aΩ"),
        (r"\P{^L}", "aΩ", "1 "),
        (r"[\p{Greek}1]", "Ω1", "aж"),
        (r"\pN", "1٤", "a"),
        (r"\p{Any}", "aΩ1😀", ""),
        (r"\p{Braille}", "", "aΩ1"),
    ],
)
def test_class_of_unicode_is_known_for_some_characters(name: str, reads: str, does_not: str) -> None:
    written = re.compile(_written(pattern_tree.read(name)))
    assert all(written.fullmatch(character) for character in reads)
    assert not any(written.fullmatch(character) for character in does_not)


@pytest.mark.parametrize(
    ("pattern", "mode", "positions"),
    [
        ("card_(declined|expired)", "within", 0),
        (r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", "within", 0),
        (r"\w+\s+\w+c", "within", 0),
        ("(x+x+)+y", "within", 0),
        ("(?s).*foo.*bar", "whole", 0),
        (".{0,255}", "whole", 0),
        ("|".join(f"word{number}" for number in range(300)), "within", 0),
        ("[ab]*a[ab]{20}c", "whole", 23),
        ("a[ab]{20}c", "whole", 0),
        ("a[ab]{20}c", "within", 23),
        (r"\pL[\pN\pL]{20}1", "within", 24),
    ],
)
def test_positions_are_told_of_large_automata(pattern: str, mode: pattern_sizes.Mode, positions: int) -> None:
    told = pattern_sizes.positions(pattern, mode, ignore_case=False)
    assert (told > 0) == (positions > 0)
    assert told <= positions


def test_what_cannot_be_read_counts_as_large() -> None:
    for pattern in ("(" * 2000 + ")" * 2000, "[a", "\\", "(a{900}){900}"):
        assert Measured(pattern).steps(1_000_000, "within") > 100_000


def test_steps_grow_with_the_text() -> None:
    quick, slow = Measured("a+b"), Measured("a[ab]{40}c")
    assert quick.steps(10, "within") < 10
    assert quick.steps(1_000_000, "within") < 30_000
    assert slow.steps(10, "within") < 50
    assert slow.steps(1_000_000, "within") > 1_000_000
    assert slow.steps(1_000_000, "whole") < 30_000
    assert quick.steps_slowly(1_000_000) > 100_000
