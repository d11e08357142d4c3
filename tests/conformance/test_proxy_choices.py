"""Our own choices about the proxy where FlowMock documents nothing: addresses, forwarding, streams.

Settings of environments are set over three doors; what needs none is asked once.
"""

import gzip
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.doors import RestDoor
from support.plain_app import PlainApp
from support.proxying import unused_port
from support.server import MadePlace, Server, running_server
from support.told_upstream import ToldUpstream, answer, chunk, running_told_upstream

KEY = "ci-42"
HEADER = f"x-flowmock-session: {KEY}"


@pytest.fixture
def upstream() -> Iterator[ToldUpstream]:
    with running_told_upstream() as service:
        yield service


# Addresses, 8.2.


def test_only_what_follows_project_and_environment_is_matched_forwarded_and_logged(
    rest: RestDoor, auth: str, plain: PlainApp, mocked: None, upstream: ToldUpstream
) -> None:
    assert plain.cart(HEADER) == "mocked"
    plain.ask("GET", "/other?a=1", HEADER)
    assert upstream.last.target == "/other?a=1"
    rows = rest.logs(auth, KEY).served["logs"]
    assert [(row["path"], row["query"]) for row in rows] == [("/other", "a=1"), ("/api/cart", "")]


def test_on_a_custom_domain_the_whole_path_is_matched_forwarded_and_logged(
    configure: Callable[..., None], rest: RestDoor, auth: str, place: MadePlace, server: Server, upstream: ToldUpstream
) -> None:
    host = f"{place.project}.example.com"
    configure(hosts=[host])
    app = PlainApp(server.proxy)
    app.ask("GET", f"/{place.project}/staging/api?a=1", HEADER, host=f"{host.upper()}:8080")
    assert upstream.last.target == f"/{place.project}/staging/api?a=1"
    assert [row["path"] for row in rest.logs(auth, KEY).served["logs"]] == [f"/{place.project}/staging/api"]


@pytest.mark.parametrize("base", ["/nowhere/staging", "/{project}/nowhere", "/{project}", ""])
def test_an_unknown_project_or_environment_is_not_found_and_not_logged(
    rest: RestDoor, auth: str, server: Server, place: MadePlace, upstream: ToldUpstream, base: str
) -> None:
    got = PlainApp(server.proxy, base.format(project=place.project)).ask("GET", "/api", HEADER)
    assert (got.status, got.values("content-type")) == (404, ["application/json"])
    assert got.json() == {"error": got.json()["error"], "code": "not_found"}
    assert isinstance(got.json()["error"], str)
    assert upstream.requests == []
    assert rest.logs(auth, KEY).code == "not_found"


# Forwarding, 8.4.


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_methods_are_kept(plain: PlainApp, upstream: ToldUpstream, method: str) -> None:
    plain.ask(method, "/a")
    assert upstream.last.method == method


@pytest.mark.parametrize(
    "target",
    ["/a?b=2&a=1&b=1", "/a?&&=&x", "/a?q=%41+%20%zz", "/a/../b//c/./", "/caf%c3%a9/%2F;v=1", "/a?", "/a?x=/b?c"],
)
def test_order_and_encoding_of_path_and_query_are_kept(plain: PlainApp, upstream: ToldUpstream, target: str) -> None:
    plain.ask("GET", target)
    assert upstream.last.target == target


def test_bodies_are_kept_to_the_byte_both_ways(plain: PlainApp, upstream: ToldUpstream) -> None:
    up, down = bytes(range(256)) * 3, bytes(range(255, -1, -1)) * 1000
    upstream.tell(answer(down, "Content-Encoding: of-its-own"))
    got = plain.ask("POST", "/a", "Content-Type: application/json", body=up)
    assert (upstream.last.body, got.body) == (up, down)


@pytest.mark.parametrize("status", ["201 Created", "204 None", "304 Same", "404 Not here", "418 Pot", "503 Later"])
def test_the_status_is_kept(plain: PlainApp, upstream: ToldUpstream, status: str) -> None:
    code = int(status[:3])
    upstream.tell(f"HTTP/1.1 {status}\r\n\r\n".encode() if code in (204, 304) else answer(b"{}", status=status))
    assert plain.ask("GET", "/a").status == code


def test_lines_of_cookies_are_kept_apart_and_in_order(plain: PlainApp, upstream: ToldUpstream) -> None:
    cookies = ["b=2; Path=/", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=3"]
    upstream.tell(answer(b"", *[f"Set-Cookie: {each}" for each in cookies]))
    assert plain.ask("GET", "/a").values("set-cookie") == cookies


def test_the_host_is_that_of_the_service(plain: PlainApp, upstream: ToldUpstream) -> None:
    plain.ask("GET", "/a", host="shop.example.com")
    assert upstream.last.values(b"host") == [upstream.authority.encode()]


def test_what_is_about_one_connection_is_dropped_both_ways(plain: PlainApp, upstream: ToldUpstream) -> None:
    own = ["Connection: keep-alive, X-Once", "X-Once: 1", "Keep-Alive: timeout=9", "X-Kept: 1"]
    upstream.tell(answer(b"", *own, "Proxy-Authenticate: Basic"))
    got = plain.ask("GET", "/a", *own, "TE: trailers", "Proxy-Authorization: Basic eA==", "Proxy-Connection: x")
    assert {name for name, _ in upstream.last.headers} == {b"host", b"x-kept"}
    names = {name.lower() for name, _ in got.headers}
    assert names & {"connection", "x-once", "keep-alive", "proxy-authenticate", "x-kept"} == {"x-kept"}


def test_redirects_are_relayed_and_not_followed(plain: PlainApp, upstream: ToldUpstream) -> None:
    location = f"{upstream.url}/elsewhere?a=1"
    upstream.tell(answer(b"moved", f"Location: {location}", status="302 Found"))
    got = plain.ask("GET", "/a")
    assert (got.status, got.values("location"), got.body) == (302, [location], b"moved")
    assert len(upstream.requests) == 1


def test_only_the_log_has_a_packed_body_unpacked(
    rest: RestDoor, auth: str, plain: PlainApp, upstream: ToldUpstream
) -> None:
    packed = gzip.compress(b'{"cart":"real"}')
    upstream.tell(answer(packed, "Content-Encoding: gzip"))
    got = plain.ask("POST", "/a", HEADER, "Content-Encoding: gzip", body=packed)
    assert (upstream.last.body, got.body, got.values("content-encoding")) == (packed, packed, ["gzip"])
    (row,) = rest.logs(auth, KEY).served["logs"]
    for side in ("request", "response"):
        assert rest.body(auth, row["id"], side=side).served == {"cart": "real"}


def test_the_session_header_is_forwarded_like_any_other(plain: PlainApp, upstream: ToldUpstream) -> None:
    plain.ask("GET", "/a", f"X-FlowMock-Session:   {KEY} ")
    assert f"\r\nX-FlowMock-Session: {KEY}\r\n".encode() in upstream.raw[0]


def test_the_session_header_stays_here_where_the_environment_says_so(
    configure: Callable[..., None], plain: PlainApp, upstream: ToldUpstream
) -> None:
    configure(stripSessionHeader=True)
    plain.ask("GET", "/a", HEADER, "X-Kept: 1")
    assert {name for name, _ in upstream.last.headers} == {b"host", b"x-kept"}


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("{project}.api.example.com", "example.com"),
        ("{project}.api.shop.co.uk", "shop.co.uk"),
        ("{project}.me.github.io", "me.github.io"),
        ("{project}.example", "api.staging.example.com"),
        ("{project}.co.uk", "api.staging.example.com"),
    ],
    ids=["a root", "a root below a public suffix of two labels", "a private suffix", "the root itself", "likewise"],
)
def test_the_registrable_root_follows_the_public_suffix_list_and_all_else_of_a_cookie_stays(
    configure: Callable[..., None], server: Server, place: MadePlace, upstream: ToldUpstream, host: str, domain: str
) -> None:
    host = host.format(project=place.project)
    configure(hosts=[host])
    cookie = "sid=a=b; Path=/x; Domain={}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; secure; HttpOnly; SameSite=Lax"
    upstream.tell(answer(b"", f"Set-Cookie: {cookie.format('api.staging.example.com')}"))
    assert PlainApp(server.proxy).ask("GET", "/", host=host).values("set-cookie") == [cookie.format(domain)]


# A service that is not there.


def test_a_service_that_cannot_be_reached_is_502_on_record(
    configure: Callable[..., None], rest: RestDoor, auth: str, plain: PlainApp, mocked: None
) -> None:
    configure(upstream=f"http://127.0.0.1:{unused_port()}")
    got = plain.ask("GET", "/other", HEADER)
    assert (got.status, got.json().keys()) == (502, {"error", "code"})
    (row,) = rest.logs(auth, KEY).served["logs"]
    assert (row["status"], row["overrideApplied"]) == (502, False)
    assert plain.cart(HEADER) == "mocked"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits a second for the service and no longer."""
    config: Path = tmp_path_factory.mktemp("hasty") / "understudy.yaml"
    config.write_text("server: {proxy_first_byte_seconds: 1}")
    with running_server("--config", str(config)) as started:
        yield started


def test_a_service_that_does_not_answer_is_504_on_record(hasty: Server, upstream: ToldUpstream) -> None:
    place, gate = hasty.make_place("staging", upstream=upstream.url), threading.Event()
    upstream.tell(gate)
    got = PlainApp(hasty.proxy, f"/{place.project}/staging").ask("GET", "/a", HEADER)
    gate.set()
    assert (got.status, got.json().keys()) == (504, {"error", "code"})
    rest = RestDoor(hasty.rest)
    (row,) = rest.logs(f"Bearer {hasty.make_key().text}", KEY, project=place.project).served["logs"]
    rest.close()
    assert (row["status"], row["overrideApplied"]) == (504, False)


# Streams.


def test_an_event_arrives_before_the_answer_ends(
    rest: RestDoor, auth: str, plain: PlainApp, upstream: ToldUpstream
) -> None:
    gate = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    upstream.tell(head, chunk(b"data: 1\n\n"), gate, chunk(b"data: 2\n\n") + b"0\r\n\r\n")
    with plain.asking("GET", "/events", HEADER) as (response, _):
        assert response.read1() == b"data: 1\n\n"
        gate.set()
        assert response.read() == b"data: 2\n\n"
    (row,) = rest.logs(auth, KEY).served["logs"]
    assert row["responsePreview"] == "data: 1\n\ndata: 2\n\n"


_OFFER = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")


def test_an_offer_of_a_web_socket_is_a_request_like_any_other(plain: PlainApp, upstream: ToldUpstream) -> None:
    assert plain.cart(*_OFFER, path="/socket") == "real"
    assert upstream.last.values(b"upgrade") == []


def test_a_web_socket_passes_through_where_the_environment_says_so(
    configure: Callable[..., None], plain: PlainApp, upstream: ToldUpstream
) -> None:
    configure(tunnelUpgrades=True)
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    upstream.tell(switch, b"\x81\x02hi")
    with plain.sent("GET", "/socket", *_OFFER) as connection, connection.makefile("rb") as stream:
        assert stream.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while stream.readline() != b"\r\n":
            pass
        assert stream.read(4) == b"\x81\x02hi"
    assert upstream.last.values(b"upgrade") == [b"websocket"]
