"""Paths of stubs: what their patterns fit. The environment's profile has slashes at both ends not count."""

import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.dialects.assertive import paths
from understudy_server.core.matching.paths import PathPattern

_PARAMETER = re.compile(r"\{[^{}]+\}")


def segments(decoded: str) -> tuple[str, ...]:
    """As a path is split in the profile of Assertive: when it was decoded, and without slashes at both ends."""
    inner = decoded.strip("/")
    return tuple(inner.split("/")) if inner else ()


def fits(stub: str, decoded: str) -> bool:
    return PathPattern.parse(paths.pattern(stub)).matches(segments(decoded))


def fits_plainly(stub: str, decoded: str) -> bool:
    wanted, found = segments(stub), segments(decoded)
    return len(wanted) == len(found) and all(
        bool(other) if _PARAMETER.fullmatch(each) else other == each for each, other in zip(wanted, found, strict=True)
    )


@pytest.mark.parametrize(
    ("stub", "pattern"),
    [
        ("/hello", "/hello"),
        ("hello", "/hello"),
        ("/", "/"),
        ("", "/"),
        ("//users/{id}//", "/users/{id}"),
        ("/a//b", "/a//b"),
        ("/:x", "/%3Ax"),
        ("/pre-{id}", "/pre-%7Bid%7D"),
        ("/{}", "/%7B%7D"),
        ("/{a}{b}", "/%7Ba%7D%7Bb%7D"),
        ("/a%20b", "/a%2520b"),
        ("/a b", "/a%20b"),
        ("/x?y=1#z", "/x%3Fy=1%23z"),
        ("/{user id}", "/{user%20id}"),
        ("/é", "/%C3%A9"),
    ],
)
def test_all_but_whole_parameters_is_literal(stub: str, pattern: str) -> None:
    assert paths.pattern(stub) == pattern


@pytest.mark.parametrize(
    ("stub", "path", "expected"),
    [
        ("/users/{id}", "/users/42", True),
        ("/users/{id}", "/users/42/", True),
        ("/users/{id}", "//users/42", True),
        ("/users/{id}", "/users/", False),
        ("/users/{id}", "/users/42/x", False),
        ("/users/{id}", "/users/a%2Fb", False),
        ("/a b", "/a%20b", True),
        ("/a%20b", "/a%20b", False),
        ("/a?b", "/a%3Fb", True),
        ("/Hello", "/hello", False),
        ("/x?y=1", "/x", False),
    ],
)
def test_a_path_fits_as_the_product_says(stub: str, path: str, expected: bool) -> None:
    assert fits(stub, unquote(path)) is expected


def test_a_parameter_is_told_by_the_name_that_it_has_in_the_stub() -> None:
    assert PathPattern.parse(paths.pattern("/{user id}/{:x}/{é%}")).names == ("user id", ":x", "é%")


_ODD = st.sampled_from(
    ["a", "b", ":a", "{a}", "{a", "a}", "{}", "%41", "%2F", "", "a b", "?", "#", "é", "{a b}", "{:%}"]
)
_PATHS = st.lists(_ODD | st.text(max_size=3), max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(_PATHS, st.data())
def test_a_path_fits_when_told_plainly(stub: str, data: st.DataObject) -> None:
    decoded = data.draw(_PATHS | st.just(stub) | st.just(stub.replace("{a}", "x").replace("{a b}", "y")))
    assert fits(stub, decoded) is fits_plainly(stub, decoded)


@given(_PATHS)
def test_a_pattern_has_nothing_in_it_that_a_pattern_may_not_have(stub: str) -> None:
    pattern = paths.pattern(stub)
    assert re.fullmatch(r"/[^?#]*", pattern)
    assert quote(pattern, safe="/%{}!$&'()*+,;=@-._~") == pattern
