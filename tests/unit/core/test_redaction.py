"""What never reaches the journal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.redaction import MARKER, redact

SECRET = ["Authorization", "proxy-authorization", "COOKIE", "Set-Cookie", "X-Api-Key"]


@pytest.mark.parametrize("name", SECRET)
def test_credentials_are_masked_whatever_their_case(name: str) -> None:
    assert redact([(name.encode(), b"secret")]) == ((name.encode(), MARKER),)


def test_every_one_of_several_credentials_is_masked_and_the_order_stays() -> None:
    headers = ((b"a", b"1"), (b"Set-Cookie", b"x=1"), (b"b", b"2"), (b"set-cookie", b"y=2"))
    assert redact(headers) == ((b"a", b"1"), (b"Set-Cookie", MARKER), (b"b", b"2"), (b"set-cookie", MARKER))


def test_headers_without_credentials_are_the_same_object() -> None:
    headers = ((b"b", b"1"), (b"Accept", b"2"), (b"x-cookie", b"3"))
    assert redact(headers) is headers


@given(
    st.lists(st.tuples(st.sampled_from([*SECRET, "Accept", "cookies", ""]).map(str.encode), st.binary()), max_size=8)
)
def test_masking_again_changes_nothing(headers: list[tuple[bytes, bytes]]) -> None:
    once = redact(headers)
    assert [name for name, _ in once] == [name for name, _ in headers]
    assert list(redact(once)) == list(once)
