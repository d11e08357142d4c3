"""Which paths can be followed, and what they are as plain values."""

import pytest
from understudy_server.core.json_paths import STEPS_MAX, BadPath, Step, parse


def _names(*names: str, deep: bool = False) -> Step:
    return Step(names=frozenset(names), deep=deep)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("$", ()),
        ("$.card.number", (_names("card"), _names("number"))),
        ("$['card']['a b']", (_names("card"), _names("a b"))),
        ('$["it\'s"]', (_names("it's"),)),
        ("$['\\u00e9']", (_names("é"),)),
        ("$.größe", (_names("größe"),)),
        ("$.card-number", (_names("card-number"),)),
        ("$..token", (_names("token", deep=True),)),
        ("$['a','b']", (_names("a", "b"),)),
        ("$[0]", (Step(indexes=frozenset({0})),)),
        ("$[-1,2]", (Step(indexes=frozenset({-1, 2})),)),
        ("$[1:-2:2]", (Step(slices=((1, -2, 2),)),)),
        ("$[:]", (Step(slices=((None, None, None),)),)),
        ("$[::0]", (Step(),)),
        ("$.*", (Step(wildcard=True),)),
        ("$..[*]", (Step(wildcard=True, deep=True),)),
        ("$..['a',0]", (Step(names=frozenset({"a"}), indexes=frozenset({0}), deep=True),)),
    ],
)
def test_path_is_read_as_its_steps(text: str, path: tuple[Step, ...]) -> None:
    assert parse(text) == path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not begin with $"),
        ("card.number", "does not begin with $"),
        (" $.a", "does not begin with $"),
        ("/card/number", "does not begin with $"),
        ("$.a ", "blanks at its end"),
        ("$.a.", "a name or * is expected"),
        ("$.a[", "it ends too soon"),
        ("$[01]", "this is no index, at character 3"),
        ("$[99999999999999999999]", "out of range"),
        ("$.a|$.b", "this is not expected, at character 4"),
        ("$.~a", "a name or * is expected"),
        ("$['\\ud800']", "half a surrogate pair"),
        ("$[?@.type == 'card'].number", "filter"),
        ("$..a[?@]", "filter"),
        ("$" + "[?@" * 480, "nested deeper"),
        ("$" + "[0]" * (STEPS_MAX + 1), f"it has {STEPS_MAX + 1} steps"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadPath) as refused:
        parse(text)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_equal_texts_are_equal_paths() -> None:
    parse.cache_clear()
    first = parse("$..card['number'][0:2]")
    parse.cache_clear()
    assert parse("$..card['number'][0:2]") == first
    assert hash(parse("$..card['number'][0:2]")) == hash(first)
