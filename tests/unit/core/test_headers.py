"""Reading header lines as they came."""

from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.headers import first, text_of, values

HEADERS = ((b"Accept", b"a"), (b"x", b"1"), (b"ACCEPT", b"b"))


def test_values_come_in_order_whatever_the_case_of_the_name() -> None:
    assert list(values(HEADERS, b"accept")) == [b"a", b"b"]
    assert list(values(HEADERS, b"host")) == []


def test_the_first_value_or_none_at_all() -> None:
    assert first(HEADERS, b"accept") == b"a"
    assert first(HEADERS, b"host") is None


@given(st.text())
def test_text_is_read_as_utf_8_when_it_is(text: str) -> None:
    assert text_of(text.encode()) == text


@given(st.binary())
def test_any_bytes_are_some_text(raw: bytes) -> None:
    assert text_of(raw) in (raw.decode("latin-1"), raw.decode(errors="replace"))
