"""Heads written anew for the other side."""

import pytest
from support.strict_http import read_requests
from understudy_server.proxy.forwarding import (
    LAST_CHUNK,
    Origin,
    Upstream,
    chunk,
    may_tunnel,
    parse_upstream,
    request_head,
)
from understudy_server.proxy.messages import ClientRequest
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.settings import ProxySettings

_UPSTREAM = Upstream(Origin(tls=False, host="api", port=81), b"api:81", "/v1")


@pytest.mark.parametrize(
    ("url", "upstream"),
    [
        ("http://api", Upstream(Origin(tls=False, host="api", port=80), b"api", "")),
        (
            "https://api.example.com/",
            Upstream(Origin(tls=True, host="api.example.com", port=443), b"api.example.com", ""),
        ),
        ("http://api:81/v1/", Upstream(Origin(tls=False, host="api", port=81), b"api:81", "/v1")),
        ("http://[::1]:81/a%20b", Upstream(Origin(tls=False, host="::1", port=81), b"[::1]:81", "/a%20b")),
        ("", None),
        ("ftp://api", None),
        ("http://", None),
        ("http://api:99999", None),
        ("http://[::1", None),
    ],
)
def test_upstream_is_read_from_its_base_url(url: str, upstream: Upstream | None) -> None:
    assert parse_upstream(url) == upstream


def _request(*lines: str, method: str = "GET", version: str = "1.1") -> ClientRequest:
    """A request as the parser gives it out."""
    events: list[Event] = []
    head = "\r\n".join([f"{method} / HTTP/{version}", *lines, "", ""])
    RequestParser(ProxySettings(), events.append).feed(head.encode("latin-1"))
    (request,) = events
    assert isinstance(request, ClientRequest)
    return request


def test_request_keeps_method_target_order_and_case() -> None:
    request = _request("X-b: 1", "HOST: proxy", "x-A: ", "X-b: \xe9", method="PUT")
    assert request_head(request, "/a%2Fb//c/?x=%20+&&y", _UPSTREAM) == (
        b"PUT /v1/a%2Fb//c/?x=%20+&&y HTTP/1.1\r\nX-b: 1\r\nHOST: api:81\r\nx-A: \r\nX-b: \xe9\r\n\r\n"
    )


def test_request_without_a_host_gets_one() -> None:
    assert (
        request_head(_request("X: 1", version="1.0"), "/", _UPSTREAM)
        == b"GET /v1/ HTTP/1.1\r\nHost: api:81\r\nX: 1\r\n\r\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "keep-alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
    ],
)
def test_what_is_about_the_connection_alone_is_not_passed_on(name: str) -> None:
    head = request_head(_request("Host: p", f"{name}: y", "X: 1"), "/", _UPSTREAM)
    assert head == b"GET /v1/ HTTP/1.1\r\nHost: api:81\r\nX: 1\r\n\r\n"


def test_what_is_named_in_connection_is_not_passed_on() -> None:
    headers = ["Host: p", "connection: close, X-Mine", "CONNECTION: \tx-yours ,", "X: 1"]
    head = request_head(_request(*headers, "x-mine: 1", "X-Yours: 1"), "/", _UPSTREAM)
    assert head == b"GET /v1/ HTTP/1.1\r\nHost: api:81\r\nX: 1\r\n\r\n"


def test_host_and_length_cannot_be_taken_away_by_naming_them() -> None:
    headers = ["Host: p", "Connection: host, Content-Length", "Content-Length: 2"]
    head = request_head(_request(*headers, method="POST"), "/", _UPSTREAM)
    assert head == b"POST /v1/ HTTP/1.1\r\nHost: api:81\r\nContent-Length: 2\r\n\r\n"


def test_chunks_stay_chunks() -> None:
    headers = ["Host: p", "Transfer-Encoding: Chunked"]
    head = request_head(_request(*headers, method="POST"), "/", _UPSTREAM)
    assert head == b"POST /v1/ HTTP/1.1\r\nHost: api:81\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_header_can_be_left_out() -> None:
    headers = ["Host: p", "X-Session: 1", "x-session: 2", "X-Sessions: 3"]
    head = request_head(_request(*headers), "/", _UPSTREAM, stripped=b"x-session")
    assert head == b"GET /v1/ HTTP/1.1\r\nHost: api:81\r\nX-Sessions: 3\r\n\r\n"


def test_an_offer_to_switch_is_passed_on_when_it_may_be() -> None:
    headers = ["Host: p", "Connection: keep-alive, Upgrade", "Upgrade: websocket"]
    request = _request(*headers)
    plain = b"GET /v1/ HTTP/1.1\r\nHost: api:81\r\n"
    assert request_head(request, "/", _UPSTREAM) == plain + b"\r\n"
    assert request_head(request, "/", _UPSTREAM, upgrade=True) == (
        plain + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )


def test_chunks_can_be_read_by_anybody() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join([chunk(b"abc"), chunk(b""), chunk(b"x" * 5000), LAST_CHUNK])
    (request,), rest = read_requests(head + body)
    assert (request.body, rest) == (b"abc" + b"x" * 5000, b"")


def test_target_about_the_whole_service_has_no_place_under_a_base_path() -> None:
    request = _request("Host: p", method="OPTIONS")
    head = request_head(request, "*", _UPSTREAM)
    assert head.startswith(b"OPTIONS * HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("offer", "passed_on"),
    [
        (b"websocket", True),
        (b"a, b", True),
        (b"h2c-like", True),
        (b"h2c", False),
        (b"H2C", False),
        (b"websocket,\th2c", False),
        (b"h2 , websocket", False),
        (b"HTTP/2.0", False),
    ],
)
def test_offer_of_a_protocol_that_hides_requests_is_not_passed_on(offer: bytes, *, passed_on: bool) -> None:
    request = _request("Host: p")
    request.upgrade = offer
    assert may_tunnel(request) == passed_on


@pytest.mark.parametrize("rare", ["http_1_0", "has_body"])
def test_offer_of_an_old_client_or_beside_a_body_is_not_passed_on(rare: str) -> None:
    request = _request("Host: p")
    request.upgrade = b"websocket"
    setattr(request, rare, True)
    assert not may_tunnel(request)
