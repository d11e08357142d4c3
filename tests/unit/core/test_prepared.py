"""The bytes of a mock's answer, made once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.redaction import MARKER
from understudy_server.core.responding.reasons import reason
from understudy_server.core.responding.response import Response


@pytest.mark.parametrize(
    ("response", "head"),
    [
        (Response(), b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"),
        (
            Response(402, (("X-B", "1"), ("x-a", "é"), ("X-B", "")), b"xyz"),
            b"HTTP/1.1 402 Payment Required\r\nX-B: 1\r\nx-a: \xe9\r\nX-B: \r\ncontent-length: 3\r\n",
        ),
        (Response(204, (("a", "b"),), b"xyz"), b"HTTP/1.1 204 No Content\r\na: b\r\n"),
        (Response(304, (), b"xyz"), b"HTTP/1.1 304 Not Modified\r\n"),
        (Response(599), b"HTTP/1.1 599 \r\ncontent-length: 0\r\n"),
    ],
)
def test_head_is_the_status_line_and_the_header_lines_in_order(response: Response, head: bytes) -> None:
    assert response.prepared.head == head


@pytest.mark.parametrize(("status", "body"), [(200, b"xyz"), (204, b""), (304, b"")])
def test_body_is_empty_where_the_status_allows_none(status: int, body: bytes) -> None:
    assert Response(status, (), b"xyz").prepared.body == body


def test_the_length_is_on_record_as_it_is_sent() -> None:
    assert Response(200, (("a", "b"),), b"xyz").prepared.raw_headers == ((b"a", b"b"), (b"content-length", b"3"))


def test_only_the_stored_headers_are_redacted() -> None:
    prepared = Response(200, (("Set-Cookie", "sid=1"),)).prepared
    assert prepared.raw_headers[0] == (b"Set-Cookie", b"sid=1")
    assert prepared.stored_headers[0] == (b"Set-Cookie", MARKER)


@pytest.mark.parametrize(("name", "expected"), [("Date", True), ("x-date", False)])
def test_a_date_of_the_mock_is_noticed_in_any_case(name: str, *, expected: bool) -> None:
    assert Response(200, ((name, "now"),)).prepared.has_date is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("Access-Control-Allow-Origin", True), ("access-control-allow-methods", False)]
)
def test_permission_of_the_mock_for_other_origins_is_noticed_in_any_case(name: str, *, expected: bool) -> None:
    assert Response(200, ((name, "*"),)).prepared.sets_cors is expected


def test_an_answer_is_prepared_once() -> None:
    response = Response(200, (), b"x")
    assert response.prepared is response.prepared


def test_being_prepared_does_not_make_a_response_another() -> None:
    response = Response(200, (), b"x")
    assert response.prepared.status == 200
    assert (response == Response(200, (), b"x"), hash(response)) == (True, hash(Response(200, (), b"x")))


_TEXT = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=":"), min_size=1)


@given(st.integers(200, 599), st.lists(st.tuples(_TEXT, _TEXT)).map(tuple), st.binary(max_size=9))
def test_head_says_what_the_headers_on_record_say(
    status: int, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    prepared = Response(status, headers, body).prepared
    line, *fields, end = prepared.head.split(b"\r\n")
    assert (line, end) == (b"HTTP/1.1 %d %b" % (status, reason(status)), b"")
    assert tuple([tuple(field.split(b": ", 1)) for field in fields]) == prepared.raw_headers


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(200, b"OK"), (404, b"Not Found"), (413, b"Content Too Large"), (422, b"Unprocessable Content"), (299, b"")],
)
def test_phrases_are_those_of_the_standard(status: int, phrase: bytes) -> None:
    assert reason(status) == phrase
