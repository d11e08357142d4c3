import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.proxy.forwarding import Upstream, parse_upstream
from understudy_server.proxy.target import Target, parse


@pytest.mark.parametrize(
    ("url", "upstream"),
    [
        ("http://api", Upstream(False, "api", 80, "api", "")),
        ("https://api.example.com/", Upstream(True, "api.example.com", 443, "api.example.com", "")),
        ("http://api:81/v1/", Upstream(False, "api", 81, "api:81", "/v1")),
        ("http://[::1]:81/a%20b", Upstream(False, "::1", 81, "[::1]:81", "/a%20b")),
        ("", None),
        ("ftp://api", None),
        ("http://", None),
        ("http://api:99999", None),
        ("http://[::1", None),
    ],
)
def test_upstream_is_read_from_its_base_url(url: str, upstream: Upstream | None) -> None:
    assert parse_upstream(url) == upstream


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("/p/e", Target("p", "e", "/", None)),
        ("/p/e/", Target("p", "e", "/", None)),
        ("/p/e?q", Target("p", "e", "/", "q")),
        ("/p/e/a//b/?q?r", Target("p", "e", "/a//b/", "q?r")),
        ("/p/e//a", Target("p", "e", "//a", None)),
        ("/p/e/http://x/y", Target("p", "e", "/http://x/y", None)),
        ("HTTP://host:1/p/e/x?", Target("p", "e", "/x", "")),
        ("http://host?q", None),
        ("http://host", None),
        ("/p", None),
        ("/", None),
        ("*", None),
        ("", None),
    ],
)
def test_target_names_project_environment_and_rest(text: str, target: Target | None) -> None:
    assert parse(text) == target


@given(st.text())
def test_any_target_is_read_or_names_nothing(text: str) -> None:
    target = parse(text)
    assert target is None or target.path.startswith("/")
