import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.matching.paths import PathPattern, pattern_of, split


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", ()),
        ("//", ("",)),
        ("/api", ("api",)),
        ("/api/", ("api",)),
        ("/api//", ("api", "")),
        ("/api//cart", ("api", "", "cart")),
        ("/a%20b/%C3%A9", ("a b", "é")),
        ("/a%2Fb", ("a/b",)),
        ("/a%252Fb", ("a%2Fb",)),
        ("/100%", ("100%",)),
        ("/%zz", ("%zz",)),
        ("/%ff", ("\udcff",)),
    ],
)
def test_path_is_split_before_it_is_decoded_and_one_slash_at_the_end_is_dropped(
    path: str, segments: tuple[str, ...]
) -> None:
    assert split(path) == segments


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/api/cart", "/api/cart", True),
        ("/api/cart", "/api/cart/", True),
        ("/api/cart/", "/api/cart", True),
        ("/api/cart", "/api/cart//", False),
        ("/api/cart", "/api/v2/cart", False),
        ("/api/cart", "/api/cart/1", False),
        ("/api/cart", "/api", False),
        ("/api/cart", "/API/cart", False),
        ("/api/cart", "/api/c%61rt", True),
        ("/api/users/:id", "/api/users/7", True),
        ("/api/users/:id", "/api/users/7/", True),
        ("/api/users/:id", "/api/users/", False),
        ("/api/users/:id", "/api/users//", False),
        ("/api/users/:id", "/api/users/7/orders", False),
        ("/api/users/:id", "/api/users/%2F", True),
        ("/:a/:b", "//x", False),
        ("/a//b", "/a//b", True),
        ("/a//b", "/a/b", False),
        ("/", "/", True),
        ("/", "//", False),
        ("/:any", "/", False),
        ("/a%20b", "/a%20b", True),
        ("/é", "/%C3%A9", True),
        ("/%3Aid", "/:id", True),
        ("/%3Aid", "/7", False),
        ("/:", "/:", True),
        ("/:", "/7", False),
        ("/api/users/{id}", "/api/users/7", True),
        ("/api/users/{id}", "/api/users/7/", True),
        ("/api/users/{id}", "/api/users/", False),
        ("/{a}/:b", "/x/y", True),
        ("/pre-{id}", "/pre-{id}", True),
        ("/pre-{id}", "/pre-7", False),
        ("/{id}.json", "/7.json", False),
        ("/{a}{b}", "/7", False),
        ("/{a{b}}", "/7", False),
        ("/{}", "/{}", True),
        ("/{}", "/7", False),
        ("/%7Bid}", "/{id}", True),
        ("/%7Bid}", "/%7Bid%7D", True),
        ("/%7Bid}", "/7", False),
        ("/%3A{id}", "/:{id}", True),
    ],
)
def test_pattern_matches_the_whole_decoded_path(pattern: str, path: str, expected: bool) -> None:
    assert PathPattern.parse(pattern).matches(split(path)) is expected


_PLAIN = st.lists(st.sampled_from(["a", "b", "", "a/b"]), max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(st.sampled_from(["a", "b", "", "%2F", "a%2Fb", "%25"]), max_size=4), _PLAIN)
def test_spellings_are_the_plain_texts_that_are_split_into_the_pattern(parts: list[str], path: str) -> None:
    pattern = PathPattern.parse("/" + "/".join(parts))
    assert (path in pattern.spellings) == (split(path) == pattern.literal)
    assert all(split(text) == pattern.literal for text in pattern.spellings)


def test_a_pattern_with_parameters_has_no_spellings() -> None:
    assert PathPattern.parse("/a/:b").spellings == ()


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/api/cart", "/api/cart", {}),
        ("/users/:id", "/users/7", {"id": "7"}),
        ("/users/{id}/orders/:order", "/users/7/orders/a%20b/", {"id": "7", "order": "a b"}),
        ("/:a/x/{a}", "/1/x/2", {"a": "2"}),
        ("/:a", "/x%2Fy", {"a": "x/y"}),
        ("/:a", "/%25", {"a": "%"}),
        ("/:a", "/%ff", {"a": "\udcff"}),
        ("/:na%6De", "/1", {"name": "1"}),
        ("/:{a}", "/1", {"{a}": "1"}),
    ],
)
def test_parameters_are_the_decoded_segments_by_name(pattern: str, path: str, expected: dict[str, str]) -> None:
    assert PathPattern.parse(pattern).parameters(path) == expected


_SENT = st.lists(st.sampled_from(["a", ":b", "{c}", "{}", ":", "%3Ad", "%7Be}", "", "{f", "a{g}"]), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(_SENT, _SENT)
def test_the_pattern_of_a_path_is_for_this_path_alone(path: str, other: str) -> None:
    pattern = PathPattern.parse(pattern_of(path))
    assert pattern.literal == split(path)
    assert pattern.matches(split(other)) == (split(other) == split(path))


@pytest.mark.parametrize(("pattern", "literals"), [("/", 0), ("/a//b", 2), ("/{a}/b/:c", 1), ("/{}", 1)])
def test_literal_segments_are_counted_that_have_something_in_them(pattern: str, literals: int) -> None:
    assert PathPattern.parse(pattern).literals == literals
