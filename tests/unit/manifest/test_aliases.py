"""Anchors, aliases and merges: allowed, and bounded."""

import pytest
from support.manifest_texts import environment, json_of, problems


def test_an_alias_stands_for_what_its_anchor_names() -> None:
    read = environment("mocks:\n  ovr_a: {matcher: &m GET /a}\n  ovr_b: {matcher: *m}\n")
    assert read.mocks["ovr_a"] == read.mocks["ovr_b"]


def test_a_merge_gives_what_is_not_given_itself() -> None:
    read = environment(
        "mocks:\n"
        "  ovr_a: &a\n    name: A\n    matcher: &m {method: GET, path: /a}\n"
        "  ovr_b:\n    <<: *a\n    name: B\n"
        "  ovr_c:\n    matcher: {path: /c, <<: *m}\n"
    )
    assert read.mocks["ovr_b"].name == "B"
    assert read.mocks["ovr_b"].matcher == read.mocks["ovr_a"].matcher
    assert (read.mocks["ovr_c"].matcher.method, read.mocks["ovr_c"].matcher.path) == ("GET", "/c")


def test_of_several_merged_mappings_the_first_counts() -> None:
    assert (
        json_of("[&a {x: 1}, &b {x: 2, y: 3}, {<<: [*a, *b], z: 4}]") == '[{"x":1},{"x":2,"y":3},{"x":1,"y":3,"z":4}]'
    )


def test_a_quoted_merge_sign_is_a_key() -> None:
    assert json_of('{"<<": 1}') == '{"<<":1}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mocks: {ovr_f: {<<: 3}}", "f.yaml:1:21: mocks.ovr_f['<<']: must be a mapping, not '3'; write <<: *ANCHOR"),
        ("mocks: {<<: [[a]]}", "f.yaml:1:14: mocks['<<']: must be a mapping, not a list; write <<: *ANCHOR"),
        (
            "cors: &c {}\nmocks: {<<: *c, <<: *c}",
            "f.yaml:2:17: mocks['<<']: is given twice: it stands in line 2 already; write a list behind one '<<'",
        ),
        (
            "mocks: &a {ovr_a: *a}",
            "f.yaml:1:8: an alias within what it stands for; a value cannot hold itself",
        ),
        ("mocks: &a {<<: *a}", "f.yaml:1:8: an alias within what it stands for; a value cannot hold itself"),
        (
            "name: *x",
            "f.yaml:1:7: there is no such anchor before this alias; put text that begins with '*' in quotes",
        ),
        ("name: &a x\nhosts: [&a y]", "f.yaml:2:9: two anchors have one name; give each a name of its own"),
    ],
)
def test_what_stands_for_nothing_sensible_is_refused(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_what_grows_beyond_all_bounds_when_written_out_is_refused() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (said,) = problems("\n".join(levels))
    assert said == "f.yaml:7:5: with its aliases written out, this is more than 2000000 values; use fewer aliases"


def test_merges_that_grow_beyond_all_bounds_are_refused() -> None:
    levels = ["a0: &a0 {k0: 1}"]
    levels += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}" for n in range(1, 30)]
    (said,) = problems("\n".join(levels))
    assert "with its aliases written out, this is more than 2000000 values" in said


def test_aliases_that_nest_too_deeply_are_refused() -> None:
    levels = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    (said,) = problems("\n".join(levels))
    assert "nested deeper than 96 levels" in said
