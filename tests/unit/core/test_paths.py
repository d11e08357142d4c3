import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.matching.paths import PathPattern, split


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
