"""What browsers hear about other origins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.cors import answer_headers, is_preflight, preflight_headers
from understudy_server.core.exchange import RawHeaders
from understudy_server.core.headers import first

ORIGIN = b"https://shop.example.com:8443"
ASKING = ((b"Origin", ORIGIN), (b"Access-Control-Request-Method", b"PUT"))


def words(headers: RawHeaders, name: bytes) -> list[bytes]:
    return (first(headers, name) or b"").split(b", ")


def test_options_with_an_origin_and_a_method_is_a_preflight() -> None:
    assert is_preflight("OPTIONS", ASKING)


@pytest.mark.parametrize("method", ["GET", "options", "POST"])
def test_another_method_is_no_preflight(method: str) -> None:
    assert not is_preflight(method, ASKING)


@pytest.mark.parametrize("missing", [0, 1])
def test_options_that_asks_for_nothing_is_an_ordinary_request(missing: int) -> None:
    assert not is_preflight("OPTIONS", ASKING[:missing] + ASKING[missing + 1 :])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Origin", b""),
        (b"Origin", b"https://a.example, https://b.example"),
        (b"Origin", b"https://a\r\nx: y"),
        (b"Origin", b"https://\xc3\xb8.example"),
        (b"Access-Control-Request-Method", b""),
        (b"Access-Control-Request-Method", b"PUT, GET"),
        (b"Access-Control-Request-Method", b"PUT\r\nx: y"),
    ],
)
def test_a_question_of_a_bad_form_is_an_ordinary_request(name: bytes, value: bytes) -> None:
    assert not is_preflight("OPTIONS", [(each, value if each == name else given) for each, given in ASKING])


def test_a_preflight_is_answered_with_what_it_asks_for() -> None:
    asked = (*ASKING, (b"access-control-request-headers", b"content-type,x-a"))
    assert preflight_headers(asked) == (
        (b"access-control-allow-origin", ORIGIN),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-methods", b"PUT"),
        (b"access-control-allow-headers", b"content-type, x-a, x-flowmock-session"),
        (b"access-control-max-age", b"600"),
        (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    )


def test_the_session_header_is_allowed_unasked() -> None:
    assert words(preflight_headers(ASKING), b"access-control-allow-headers") == [b"x-flowmock-session"]
    assert words(preflight_headers(ASKING, b"x-run"), b"access-control-allow-headers") == [b"x-run"]


def test_the_session_header_that_is_asked_for_is_not_named_twice() -> None:
    asked = (*ASKING, (b"Access-Control-Request-Headers", b"X-Flowmock-Session, x-a"))
    assert words(preflight_headers(asked), b"access-control-allow-headers") == [b"X-Flowmock-Session", b"x-a"]


def test_a_page_that_asks_for_a_private_address_may_reach_it() -> None:
    asked = (*ASKING, (b"Access-Control-Request-Private-Network", b"true"))
    assert first(preflight_headers(asked), b"access-control-allow-private-network") == b"true"
    assert first(preflight_headers(ASKING), b"access-control-allow-private-network") is None


@given(st.lists(st.binary(max_size=20) | st.just(b"x-a,\r\nSet-Cookie: a=b"), max_size=4))
def test_nothing_but_names_of_headers_is_repeated(asked: list[bytes]) -> None:
    headers = (*ASKING, *((b"access-control-request-headers", value) for value in asked))
    allowed = words(preflight_headers(headers), b"access-control-allow-headers")
    assert not set(b"".join(allowed)) & set(b'\r\n\0 \t,:;"()')
    assert b"x-flowmock-session" in [name.lower() for name in allowed]


@given(st.binary(max_size=40), st.binary(max_size=20))
def test_what_is_no_line_of_a_header_is_never_repeated(origin: bytes, method: bytes) -> None:
    headers = ((b"origin", origin), (b"access-control-request-method", method))
    lines = [*answer_headers(origin, ()), *(preflight_headers(headers) if is_preflight("OPTIONS", headers) else ())]
    assert all(0x20 <= byte < 0x7F for _, value in lines for byte in value)


def test_a_mocked_answer_may_be_read_by_the_origin_that_asked() -> None:
    assert answer_headers(ORIGIN, ((b"content-type", b"text/plain"),)) == (
        (b"access-control-allow-origin", ORIGIN),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    )


def test_a_sandboxed_page_is_an_origin_too() -> None:
    assert first(answer_headers(b"null", ()), b"access-control-allow-origin") == b"null"


def test_a_mock_that_decides_itself_is_left_alone() -> None:
    assert answer_headers(ORIGIN, ((b"Access-Control-Allow-Origin", b"*"),)) == ()


@pytest.mark.parametrize("origin", [b"", b"a b", b"https://a\r\nx: y"])
def test_without_an_origin_nothing_is_added(origin: bytes) -> None:
    assert answer_headers(origin, ()) == ()
