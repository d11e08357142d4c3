"""Every example of RFC 9535, at the function that follows a path. Through a mock they run in the end-to-end tests."""

import pytest
from support.rfc9535 import (
    COMPARED,
    COMPARISONS,
    EXAMPLES,
    NOT_WELL_TYPED,
    WELL_TYPED,
    Comparison,
    Example,
)
from understudy_server.core.json_paths import BadPath, normalized, query


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.section} {example.path}")
def test_path_selects_what_the_rfc_says(example: Example) -> None:
    assert query(example.path).values(example.document) == example.values


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda comparison: comparison.text)
def test_comparison_holds_as_the_rfc_says(comparison: Comparison) -> None:
    selected = query(f"$[?{comparison.text}]").values(COMPARED)
    assert selected == ([COMPARED["obj"], COMPARED["arr"]] if comparison.holds else [])


@pytest.mark.parametrize("path", WELL_TYPED)
def test_well_typed_function_is_taken(path: str) -> None:
    assert query(path).text == path


@pytest.mark.parametrize("path", NOT_WELL_TYPED)
def test_function_that_is_not_well_typed_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        query(path)


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ([], "$"),
        (["a"], "$['a']"),
        ([1], "$[1]"),
        (["a", "b", 1], "$['a']['b'][1]"),
        (["\u000b"], "$['\\u000b']"),
        (["it's \\ \b\t\n\f\r"], "$['it\\'s \\\\ \\b\\t\\n\\f\\r']"),
    ],
)
def test_place_has_a_normal_path(place: list[str | int], path: str) -> None:
    assert normalized(place) == path
    assert query(path).singular
