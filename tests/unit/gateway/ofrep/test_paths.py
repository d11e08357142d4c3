"""Which path asks for what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.dialects.ofrep.paths import ALL, Asked, find
from understudy_gateway.transcoding.routes import BadEncoding


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/new-checkout", "new-checkout"),
        ("/feature/login", "feature/login"),
        ("/feature%2Flogin", "feature/login"),
        ("/a%2520b", "a%20b"),
        ("/Gr%C3%B6%C3%9Fe", "Größe"),
        ("/Größe", "Größe"),
        ("/__proto__", "__proto__"),
        ("/a:evaluate", "a:evaluate"),
        ("/a+b", "a+b"),
    ],
)
def test_a_key_is_decoded_once(path: str, key: str) -> None:
    assert find(f"/ofrep/v1/evaluate/flags{path}".encode()) == Asked(key)


def test_no_key_is_all_flags() -> None:
    assert find(b"/ofrep/v1/evaluate/flags") is ALL


@pytest.mark.parametrize(
    "path",
    ["/ofrep/v1/evaluate/flags/", "/ofrep/v1/evaluate", "/ofrep/v1/evaluate/flagship", "/ofrep/v1/configuration"],
)
def test_anything_else_is_none_of_the_protocol(path: str) -> None:
    assert find(path.encode()) is None


@pytest.mark.parametrize("key", [b"%", b"%zz", b"%ff", b"\xff"])
def test_what_is_no_utf8_is_refused(key: bytes) -> None:
    with pytest.raises(BadEncoding):
        find(b"/ofrep/v1/evaluate/flags/" + key)


@given(st.text(min_size=1))
def test_any_key_arrives_as_it_was_encoded(key: str) -> None:
    encoded = b"".join(b"%%%02X" % byte for byte in key.encode("utf-8", "replace"))
    assert find(b"/ofrep/v1/evaluate/flags/" + encoded) == Asked(key.encode("utf-8", "replace").decode())
