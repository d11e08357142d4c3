"""What a recorded exchange says as a mock: values in, a message out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.v1.mock_service_pb2 import CreateMockRequest, Mock
from understudy_server.app.mocks import check_definition
from understudy_server.app.recorded_mock import mock_of
from understudy_server.core.errors import Conflict, InvalidInput, Refusal
from understudy_server.core.exchange import MASKED, MASKED_AND_CUT, Captured, Exchange, RawHeaders
from understudy_server.core.matching.paths import split
from understudy_server.core.matching.request import Request
from understudy_server.definitions.mocks import compile_mock
from understudy_server.rpc import fields

JSON = b'{"cart": [1, 2]}'


def exchange(**changes: Any) -> Exchange:
    """A recorded GET, answered by the upstream."""
    made = Exchange(
        id="log_1",
        project_id="prj_1",
        environment_id="env_1",
        session_key="ci-42",
        session_id="ses_1",
        method="GET",
        path="/api/cart",
        query="",
        status=200,
        started_at_ms=0,
        duration_ms=1,
        mock_id="",
        request_headers=(),
        response_headers=(),
        request_body=None,
        response_body=None,
    )
    return made._replace(**changes)


def mock(*, cors_is_added: bool = True, **changes: Any) -> Mock:
    return mock_of(exchange(**changes), cors_is_added=cors_is_added)


def body(content: bytes, content_type: str = "", size_bytes: int | None = None) -> Captured:
    return Captured(content, len(content) if size_bytes is None else size_bytes, content_type)


def headers_of(made: Mock) -> list[tuple[str, str]]:
    return [(each.name, each.value) for each in made.action.respond.headers]


def matches(made: Mock, path: str, query: str = "", method: str = "GET") -> bool:
    return compile_mock(made).matcher.matches(Request(method, path, query))


# What it matches.


def test_it_is_named_after_method_and_path() -> None:
    assert mock(path="/api/" + "x" * 300).name == ("GET /api/" + "x" * 300)[:200]


def test_it_matches_the_request_and_no_other_method_or_path() -> None:
    made = mock(path="/api/cart")

    assert matches(made, "/api/cart")
    assert not matches(made, "/api/cart", method="POST")
    assert not matches(made, "/api/other")


@pytest.mark.parametrize(
    "path", ["/users/:id", "/:", "/a/:b:c/", "//:x", "/%3Aid/:id", "/users/{id}", "/{}", "/{a}/:b"]
)
def test_a_path_that_looks_like_a_pattern_is_matched_literally(path: str) -> None:
    made = mock(path=path)

    assert matches(made, path)
    assert not matches(made, "/".join("x" if {":", "{"} & set(each) else each for each in path.split("/")))
    assert ":id" not in made.matcher.path


@pytest.mark.parametrize(
    "path", ["/a%2Fb", "/gr%C3%B6%C3%9Fe", "/100%", "/%ff", "/a//b/", "/", "//", "/caf\u00c3\u00a9"]
)
def test_a_path_is_matched_in_its_own_encoding(path: str) -> None:
    made = mock(path=path)

    assert matches(made, path)
    assert not matches(made, "/a/b/c")


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="?#"), max_size=30))
def test_any_path_is_matched_by_the_mock_made_of_it_and_by_its_own_segments_alone(rest: str) -> None:
    path = "/" + rest
    made = compile_mock(mock(path=path))

    assert made.matcher.path is not None
    assert made.matcher.path.literal == split(path)


def test_query_parameters_are_asked_for_by_name_and_decoded_value() -> None:
    made = mock(query="currency=EUR&name=Zo%C3%AB+B&flag&empty=")

    asked = {name: criterion.equals for name, criterion in made.matcher.query.items()}
    assert asked == {"currency": "EUR", "name": "Zoë B", "flag": "", "empty": ""}
    assert matches(made, "/api/cart", "empty=&flag=&x=1&name=Zo%C3%AB%20B&currency=EUR")
    assert not matches(made, "/api/cart", "currency=USD&name=Zo%C3%AB+B&flag&empty=")


def test_of_a_parameter_sent_twice_the_first_value_is_asked_for() -> None:
    made = mock(query="id=1&id=2")

    assert made.matcher.query["id"].equals == "1"
    assert matches(made, "/api/cart", "id=1&id=2")


@pytest.mark.parametrize("query", ["token=[redacted]&a=1", "token=x&token=[redacted]&a=1", "bad=%ff&a=1", "%ff=1&a=1"])
def test_what_was_masked_or_is_no_text_is_not_asked_for(query: str) -> None:
    assert list(mock(query=query).matcher.query) == ["a"]


# What it answers.


def test_status_and_headers_are_answered_in_their_order() -> None:
    sent = ((b"Content-Type", b"text/html"), (b"X-A", b"1"), (b"x-a", b"2"), (b"ETag", b'"7"'))
    made = mock(status=402, response_headers=sent, response_body=body(b"<p>", "text/html"))

    assert made.action.respond.status == 402
    assert headers_of(made) == [("Content-Type", "text/html"), ("X-A", "1"), ("x-a", "2"), ("ETag", '"7"')]


@pytest.mark.parametrize(
    "header",
    [
        (b"Content-Length", b"16"),
        (b"Date", b"Tue, 23 Jun 2026 12:00:00 GMT"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Connection", b"keep-alive"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Upgrade", b"h2c"),
        (b"Proxy-Authenticate", b"Basic"),
        (b"Trailer", b"x-sum"),
        (b"Set-Cookie", b"[redacted]"),
        (b"X-Token", b"[redacted]"),
        (b"X-Name", "Zoë".encode()),
        (b"X-Long", b"x" * 8193),
        (b"x" * 257, b"1"),
    ],
    ids=str,
)
def test_headers_that_no_mock_may_or_can_have_are_left_out(header: tuple[bytes, bytes]) -> None:
    assert headers_of(mock(response_headers=(header, (b"X-A", b"1")))) == [("X-A", "1")]


CORS: RawHeaders = (
    (b"Access-Control-Allow-Origin", b"https://app.example.com"),
    (b"access-control-allow-credentials", b"true"),
    (b"vary", b"Origin"),
    (b"vary", b"Accept"),
    (b"access-control-expose-headers", b"x-a"),
)


def test_the_origin_on_record_is_left_out_where_the_proxy_lets_every_page_read_the_answer() -> None:
    assert headers_of(mock(response_headers=CORS)) == [("vary", "Accept"), ("access-control-expose-headers", "x-a")]


def test_the_origin_on_record_is_kept_where_answers_are_left_as_they_are() -> None:
    assert len(headers_of(mock(response_headers=CORS, cors_is_added=False))) == len(CORS)


def test_of_too_many_headers_the_first_ones_and_the_content_type_are_kept() -> None:
    many = tuple((b"x-%d" % number, b"1") for number in range(70))
    found = headers_of(mock(response_headers=(*many, (b"content-type", b"text/plain"))))

    assert found == [*((f"x-{number}", "1") for number in range(63)), ("content-type", "text/plain")]


@pytest.mark.parametrize(
    ("content", "content_type", "form"),
    [
        (JSON, "application/json", "json"),
        (b'{"a":1}', "application/problem+json; charset=utf-8", "json"),
        (b"[1]", "", "json"),
        (b'"just text"', "application/json", "json"),
        (b"12345", "text/plain", "text"),
        (b'{"a": NaN}', "application/json", "text"),
        (b'{"a":1,"a":2}', "application/json", "text"),
        (b"[" * 100 + b"]" * 100, "application/json", "text"),
        ("Grüße \u0000".encode(), "text/plain", "text"),
        (b"\xef\xbb\xbf{}", "application/json", "text"),
        (b"\xff\xfe", "text/plain", "binary"),
        (bytes(range(256)), "image/png", "binary"),
    ],
)
def test_a_body_is_given_in_the_form_that_is_the_easiest_to_edit(content: bytes, content_type: str, form: str) -> None:
    made = mock(
        response_headers=((b"Content-Type", content_type.encode()),) if content_type else (),
        response_body=body(content, content_type),
    )
    prepared = compile_mock(made).response.prepared

    assert made.action.respond.WhichOneof("body") == form
    assert prepared.body == content
    if content_type:
        assert [value for name, value in prepared.raw_headers if name.lower() == b"content-type"] == [
            content_type.encode()
        ]


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP", b"x-gzip", b"deflate", b"br", b"zstd"])
def test_of_a_body_that_is_kept_unpacked_no_coding_is_told(coding: bytes) -> None:
    sent = ((b"Content-Encoding", coding), (b"Digest", b"sha-256=x"), (b"content-type", b"application/json"))

    assert headers_of(mock(response_headers=sent, response_body=body(JSON))) == [("content-type", "application/json")]


@pytest.mark.parametrize("coding", [b"compress", b"gzip, br", b"identity"])
def test_of_a_body_that_is_kept_as_it_was_sent_the_coding_is_told(coding: bytes) -> None:
    sent = ((b"content-encoding", coding), (b"digest", b"sha-256=x"))

    assert headers_of(mock(response_headers=sent, response_body=body(b"\xff"))) == [
        ("content-encoding", coding.decode()),
        ("digest", "sha-256=x"),
    ]


def test_of_a_body_that_could_not_be_unpacked_the_coding_is_told() -> None:
    sent = ((b"content-encoding", b"deflate"), (b"content-length", b"2"))

    assert headers_of(mock(response_headers=sent, response_body=body(b"\xff\x00"))) == [("content-encoding", "deflate")]
    assert headers_of(mock(response_headers=sent, response_body=body(b"ok"))) == []


def test_a_body_with_masked_values_is_answered_as_it_is_on_record() -> None:
    kept = Captured(b'{"card":"[redacted]"}', 99, "application/json", MASKED)

    assert mock(response_body=kept).action.respond.json == '{"card":"[redacted]"}'


def test_an_answer_without_a_body_has_none() -> None:
    assert mock(status=204).action.respond.WhichOneof("body") is None


# What no mock can be made of.


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"response_body": body(b"{", size_bytes=300_000)}, "only 1 of 300000 bytes"),
        ({"response_body": Captured(b"{", 5, "", MASKED_AND_CUT)}, "only 1 of 5 bytes"),
        ({"response_body": Captured(b"", 5, "", "ab" * 32)}, "could not be masked"),
        ({"response_body": body(b"{}"), "findings": ("upstream_broke_off",)}, "broke off after 2 bytes"),
        ({"findings": ("client_gone",)}, "broke off after 0 bytes"),
        ({"response_body": body(b"{"), "findings": ("fault_injected",)}, "broke off after 1 bytes"),
        ({"findings": ("session_header_repeated", "request_broke_off")}, "broke off"),
    ],
)
def test_an_answer_that_is_not_on_record_whole_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Conflict, match=said) as caught:
        mock(**changes)

    assert (caught.value.code, caught.value.fault.field) == ("body_not_kept", "log_id")


@pytest.mark.parametrize("finding", ["session_header_repeated", "upstream_retried", "client_half_closed"])
def test_a_finding_that_says_nothing_of_the_answer_does_not_matter(finding: str) -> None:
    assert mock(findings=(finding,)).action.respond.status == 200


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"status": 101}, "status"),
        ({"status": 999}, "status"),
        ({"status": 499}, "answered"),
        ({"status": 0, "findings": ("fault_injected",)}, "answered"),
        ({"method": "get"}, "method"),
        ({"path": "*"}, "path"),
        ({"path": "/" + "x" * 2048}, "path"),
        ({"query": "&".join(f"p{number}=1" for number in range(65))}, "max_items"),
        ({"query": f"p={'x' * 65_537}"}, "max_length"),
        ({"response_body": body(b"x" * 1_048_577)}, "body"),
    ],
    ids=str,
)
def test_what_no_mock_can_match_or_answer_is_refused(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        mock(**changes)

    assert (caught.value.code, caught.value.fault.field, caught.value.fault.rule) == ("invalid_field", "log_id", rule)


def test_a_499_of_the_service_itself_is_answered() -> None:
    assert mock(status=499, response_headers=((b"server", b"nginx"),)).action.respond.status == 499


_NAMES = st.sampled_from([b"Content-Type", b"content-encoding", b"X-A", b"date", b"vary", b"bad name", b""])
_VALUES = st.binary(max_size=12) | st.sampled_from([b"gzip", b"application/json", b"[redacted]", b"Origin", b""])
_BODIES = st.none() | st.builds(
    Captured, st.binary(max_size=20) | st.just(JSON), st.integers(0, 30), st.sampled_from(["", "application/json"])
)


@given(
    st.builds(
        exchange,
        method=st.sampled_from(["GET", "POST", "M-SEARCH", "get", "!"]),
        path=st.text(st.characters(max_codepoint=0xFF), max_size=20),
        query=st.text(st.characters(max_codepoint=0xFF), max_size=20),
        status=st.integers(100, 999),
        response_headers=st.lists(st.tuples(_NAMES, _VALUES), max_size=4).map(tuple),
        response_body=_BODIES,
    ),
    st.booleans(),
)
def test_whatever_was_recorded_gives_a_mock_that_the_contract_allows_or_a_refusal(
    recorded: Exchange, cors_is_added: bool
) -> None:
    made = _made_or_refused(recorded, cors_is_added=cors_is_added)
    if isinstance(made, Refusal):
        assert made.fault.field == "log_id"
        return
    fields.check(CreateMockRequest(mock=made))
    check_definition(made)
    assert compile_mock(made).matcher.matches(Request(recorded.method, recorded.path, recorded.query))
    if recorded.response_body:
        assert compile_mock(made).response.body == recorded.response_body.content


def _made_or_refused(recorded: Exchange, *, cors_is_added: bool) -> Mock | Refusal:
    try:
        return mock_of(recorded, cors_is_added=cors_is_added)
    except Refusal as refusal:
        return refusal
