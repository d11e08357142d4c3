"""What of a request's headers goes along with an evaluation: all that the proxy would find a session key in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.v1.evaluation_service_pb2 import EvaluateRequest
from understudy_gateway.dialects.session_headers import BYTES_MAX, LINES_MAX, Wanted
from understudy_server.core.carriers import Carrier, CarrierKind, find_key

Lines = list[tuple[bytes, bytes]]
WANTED = Wanted(own=(b"authorization",), also=(b"traceparent",))


def filled(*lines: tuple[bytes, bytes]) -> EvaluateRequest:
    request = EvaluateRequest()
    WANTED.read(list(lines)).fill(request)
    return request


def others(*lines: tuple[bytes, bytes]) -> list[tuple[str, str]]:
    return [(each.name, each.value) for each in filled(*lines).headers]


def test_what_names_a_session_by_itself_has_a_field() -> None:
    request = filled(
        (b"x-flowmock-session", b" ci-42 "), (b"x-flagbridge-session", b"sess_1_secret"), (b"baggage", b"run=ci-42")
    )
    assert (request.session_key, request.session_token, request.baggage) == ("ci-42", "sess_1_secret", "run=ci-42")
    assert list(request.headers) == []


@pytest.mark.parametrize(
    "name", ["x-test-run", "x-request-id", "user-agent", "accept-language", "referer", "traceparent"]
)
def test_any_other_header_may_be_a_carrier(name: str) -> None:
    assert others((name.encode(), b"ci-42")) == [(name, "ci-42")]


@pytest.mark.parametrize(
    "name", [b"host", b"accept", b"connection", b"content-length", b"sec-fetch-mode", b"authorization"]
)
def test_what_is_about_the_request_or_the_doors_own_does_not_go_along(name: bytes) -> None:
    assert others((name, b"ci-42")) == []


def test_every_line_of_a_name_goes_along() -> None:
    lines = (b"cookie", b"theme=dark"), (b"cookie", b"run=ci-42")
    assert others(*lines) == [("cookie", "theme=dark"), ("cookie", "run=ci-42")]
    assert filled((b"baggage", b"user=ada"), (b"baggage", b"run=ci-42")).baggage == "user=ada,run=ci-42"


def test_of_two_session_headers_the_first_counts() -> None:
    lines = (b"x-flowmock-session", b"first"), (b"x-flowmock-session", b"second")
    assert filled(*lines).session_key == "first"


@pytest.mark.parametrize("sent", ["größe".encode(), "größe".encode("latin-1")])
def test_text_is_read_as_the_proxy_reads_it(sent: bytes) -> None:
    request = filled((b"x-flowmock-session", sent), (b"baggage", b"run=" + sent), (b"x-test-run", sent))
    assert (request.session_key, request.baggage) == ("größe", "run=größe")
    assert [each.value for each in request.headers] == ["größe"]


def test_a_header_without_a_value_goes_along_since_its_name_may_say_enough() -> None:
    assert others((b"x-test-run", b"")) == [("x-test-run", "")]


def test_no_more_goes_along_than_the_server_takes() -> None:
    assert len(others(*[(b"x-%d" % number, b"1") for number in range(LINES_MAX + 1)])) == LINES_MAX
    assert others((b"x-a", b"1"), (b"x-long", b"x" * BYTES_MAX), (b"x-b", b"1")) == [("x-a", "1")]
    assert others((b"x" * 257, b"1"), (b"x-b", b"1")) == [("x-b", "1")]


NAMES = st.sampled_from([b"x-test-run", b"cookie", b"baggage", b"user-agent", b"traceparent"])
VALUES = st.sampled_from(
    [b"", b"run=a", b"theme=x; run=b", b"user=u,run=c", b"ci-1", "größe".encode(), b"gr\xf6\xdfe", b"run=\xff"]
)
CARRIERS = [
    Carrier(CarrierKind.HEADER, "X-Test-Run"),
    Carrier(CarrierKind.HEADER, "user-agent"),
    Carrier(CarrierKind.HEADER, "traceparent"),
    Carrier(CarrierKind.COOKIE, "run"),
    Carrier(CarrierKind.BAGGAGE, "run"),
]


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.sampled_from(CARRIERS))
def test_a_carrier_finds_in_what_goes_along_what_it_finds_over_the_proxy(lines: Lines, carrier: Carrier) -> None:
    request: Any = filled(*lines)
    along = [(each.name.encode(), each.value.encode()) for each in request.headers]
    along.append((b"baggage", request.baggage.encode()))
    assert find_key((), (carrier,), along, "").key == find_key((), (carrier,), lines, "").key
