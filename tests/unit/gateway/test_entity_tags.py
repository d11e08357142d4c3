"""Entity tags: which of those that a client has is the one there is."""

import pytest
from understudy_gateway import entity_tags


@pytest.mark.parametrize("given", [b'"a"', b'W/"a"', b'"b", "a"', b'"b",W/"a"', b' "a" '])
def test_a_tag_is_found_among_several(given: bytes) -> None:
    assert entity_tags.names(given, b'"a"')


@pytest.mark.parametrize("given", [b"", b"*", b'"b"', b"a", b'"A"'])
def test_another_tag_is_another(given: bytes) -> None:
    assert not entity_tags.names(given, b'"a"')


def test_another_body_has_another_tag() -> None:
    assert entity_tags.tag_of(b"a") == entity_tags.tag_of(b"a") != entity_tags.tag_of(b"b")
