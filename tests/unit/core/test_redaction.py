"""What never reaches the journal."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.redaction import MARKER, Redaction, redact

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


# What an environment names.

_REDACTION = Redaction(header_names=frozenset({b"x-customer-token"}), query_names=frozenset({"token", "a b", "größe"}))


def test_headers_that_an_environment_names_are_masked_beside_credentials() -> None:
    headers = [(b"Cookie", b"a=1"), (b"X-Customer-TOKEN", b"t"), (b"x-customer", b"2"), (b"x-customer-token", b"")]
    assert _REDACTION.headers(headers) == (
        (b"Cookie", MARKER),
        (b"X-Customer-TOKEN", MARKER),
        (b"x-customer", b"2"),
        (b"x-customer-token", MARKER),
    )


def test_credentials_are_kept_where_an_environment_says_so_and_does_not_name_them() -> None:
    headers = [(b"Cookie", b"a=1"), (b"Authorization", b"Bearer t")]
    assert Redaction(keeps_credentials=True).headers(headers) is headers
    named = Redaction(header_names=frozenset({b"cookie"}), keeps_credentials=True)
    assert named.headers(headers) == ((b"Cookie", MARKER), (b"Authorization", b"Bearer t"))


@pytest.mark.parametrize(
    ("query", "masked"),
    [
        ("", ""),
        ("token=1", "token=[redacted]"),
        ("a=1&token=1=2&b", "a=1&token=[redacted]&b"),
        ("token=1&token=2", "token=[redacted]&token=[redacted]"),
        ("token=", "token=[redacted]"),
        ("token", "token"),
        ("Token=1&tokens=2&to=ken", "Token=1&tokens=2&to=ken"),
        ("%74oken=%20", "%74oken=[redacted]"),
        ("a+b=1&a%20b=2&a%2Bb=3", "a+b=[redacted]&a%20b=[redacted]&a%2Bb=3"),
        ("gr%C3%B6%C3%9fe=1", "gr%C3%B6%C3%9fe=[redacted]"),
        ("größe=1".encode().decode("latin-1"), "größe=[redacted]".encode().decode("latin-1")),
        ("&&=&%zz=1&token=1?token=2", "&&=&%zz=1&token=[redacted]"),
        ("%ff=1&\xff=2", "%ff=1&\xff=2"),
    ],
)
def test_parameters_that_an_environment_names_are_masked_and_all_else_stays(query: str, masked: str) -> None:
    assert _REDACTION.query(query) == masked


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (b"/next?token=1&a=2", b"/next?token=[redacted]&a=2"),
        (b"https://shop.example.com/cb#token=1&state=2", b"https://shop.example.com/cb#token=[redacted]&state=2"),
        (b"/a?token=1#/route?token=1", b"/a?token=[redacted]#/route?token=1"),
        (b"/token=1", b"/token=1"),
        (b"/a?", b"/a?"),
        (b"\xff?\xff=1", b"\xff?\xff=1"),
    ],
)
@pytest.mark.parametrize("name", [b"Referer", b"location", b"Content-Location"])
def test_parameters_are_masked_in_the_urls_of_headers_too(name: bytes, url: bytes, masked: bytes) -> None:
    assert _REDACTION.headers([(name, url)]) == ((name, masked),)


def test_urls_are_left_alone_where_no_parameter_is_named() -> None:
    headers = ((b"referer", b"/?token=1"), (b"x-url", b"/?token=1"))
    assert Redaction().headers(headers) == headers
    assert _REDACTION.headers(headers)[1] == headers[1]


_PIECES = st.lists(st.sampled_from(["token", "%74oken", "a", "b", "+", "%20", "=", "&", "%", "%ff", "[redacted]"]))


@given(_PIECES.map("".join))
def test_masked_query_reads_as_the_same_form_with_those_values_masked(query: str) -> None:
    masked = _REDACTION.query(query)
    before, after = (parse_qsl(each, keep_blank_values=True) for each in (query, masked))
    has_value = ["=" in part for part in query.split("&") if part]
    assert after == [
        (name, MARKER.decode() if name in _REDACTION.query_names and given else value)
        for (name, value), given in zip(before, has_value, strict=True)
    ]
    assert _REDACTION.query(masked) == masked
