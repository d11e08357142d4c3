"""Whatever is sent, the answer is an envelope with a stable code, never a 500, and nothing has changed."""

import json
import socket
from collections.abc import Callable

import grpc
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.doors import RestDoor
from support.plain_http import NO_TLS
from support.server import Server

KEY = "ci-42"
PUT_SESSION = "/understudy.v1.SessionService/PutSession"


@pytest.fixture
def put(server: Server, auth: str) -> Callable[..., httpx.Response]:
    def send(content: bytes | str, **headers: str) -> httpx.Response:
        headers = {"authorization": auth, "content-type": "application/json", **headers}
        return httpx.put(
            f"http://{server.rest}/api/v1/sessions/{KEY}", content=content, headers=headers, timeout=30, verify=NO_TLS
        )

    return send


def refused(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/json"
    envelope = response.json()
    assert isinstance(envelope["error"], str)
    return response.status_code, envelope["code"]


MALFORMED = {
    "empty object cut": "{",
    "text": "hello",
    "array": "[]",
    "null": "null",
    "number": "1",
    "trailing comma": '{"label": "x",}',
    "single quotes": "{'label': 1}",
    "NaN": '{"globalDelayMs": NaN}',
    "Infinity": '{"globalDelayMs": -Infinity}',
    "duplicate key": '{"label": "a", "label": "b"}',
    "lone surrogate": '{"label": "\\ud800"}',
    "deep": "[" * 100_000,
    "deep in a field": '{"x": ' + "[" * 200 + "]" * 200 + "}",
    "long number": '{"globalDelayMs": ' + "1" * 5000 + "}",
    "not UTF-8": b'{"label": "\xff"}',
    "UTF-16": '{"label": "x"}'.encode("utf-16"),
    "two values": "{} {}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_json_is_refused(put: Callable[..., httpx.Response], rest: RestDoor, auth: str, name: str) -> None:
    assert refused(put(MALFORMED[name])) == (400, "invalid_json")
    assert rest.get(auth, KEY).code == "not_found"


WRONG = [
    '{"label": 5}', '{"label": ["x"]}', '{"scenario": 1}', '{"overrides": null}', '{"overrides": "ovr_cart"}',
    '{"overrides": [5]}', '{"overrides": [null]}', '{"globalDelayMs": "100"}', '{"globalDelayMs": 1.5}',
    '{"globalDelayMs": -1}', '{"globalDelayMs": true}', '{"globalDelayMs": 120001}', '{"globalDelayMs": 1e400}',
    '{"globalDelayMs": 99999999999999999999}', '{"globalDelayMaxMs": {}}', '{"ttlSeconds": "1"}', '{"project": 5}',
    '{"project": null}', '{"environment": []}',
]  # fmt: skip


@pytest.mark.parametrize("body", WRONG)
def test_a_field_of_the_wrong_type_or_size_changes_nothing(
    put: Callable[..., httpx.Response], rest: RestDoor, auth: str, body: str
) -> None:
    before = rest.put(auth, KEY, {"label": "before", "globalDelayMs": 7}).served
    assert refused(put(body)) == (422, "invalid_body")
    assert rest.get(auth, KEY).served == before


@pytest.mark.parametrize(
    "body", ['{"globalDelayMs": 5.0}', '{"unknown": {"a": [1]}, "globalDelayMs": 5}', '{"globalDelayMs": 5e0}']
)
def test_whole_numbers_and_unknown_fields_are_fine(put: Callable[..., httpx.Response], body: str) -> None:
    assert put(body).json()["globalDelayMs"] == 5


def test_a_body_without_content_type_is_read_as_json(server: Server, auth: str) -> None:
    with httpx.Client(base_url=f"http://{server.rest}/api/v1", verify=NO_TLS) as client:
        request = client.build_request(
            "PUT", f"/sessions/{KEY}", content=b'{"label": "x"}', headers={"authorization": auth}
        )
        request.headers.pop("content-type", None)
        assert client.send(request).json()["label"] == "x"


def test_five_megabytes_are_too_large(put: Callable[..., httpx.Response]) -> None:
    assert refused(put(json.dumps({"label": "x" * 5_000_000}))) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/sessions/%zz", "/sessions/%", "/sessions/%ff", "/sessions/a%2", "/sessions/%c0%af"])
def test_bad_percent_encoding_is_refused(server: Server, auth: str, path: str) -> None:
    assert raw_request(server, "GET", f"/api/v1{path}", auth)[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/sessions/k"), ("PATCH", "/sessions/k"), ("PUT", "/scenarios"), ("DELETE", "/logs/x/body")],
)
def test_a_known_path_with_another_method_is_405_and_says_what_goes(
    server: Server, auth: str, method: str, path: str
) -> None:
    response = httpx.request(
        method, f"http://{server.rest}/api/v1{path}", headers={"authorization": auth}, verify=NO_TLS
    )
    assert refused(response)[0] == 405
    assert response.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/sessions", "/sessions/", "/sessions/a/b", "/sessions/k/overrides", "/logs/x", "/../x"]
)
def test_an_unknown_path_is_404(server: Server, auth: str, path: str) -> None:
    status, body = raw_request(server, "GET", f"/api/v1{path}", auth)
    assert (status, json.loads(body)["code"]) == (404, "not_found")


def test_a_request_cut_short_leaves_the_server_well(server: Server, auth: str, rest: RestDoor) -> None:
    host, port = server.rest.split(":")
    head = f"PUT /api/v1/sessions/{KEY} HTTP/1.1\r\nhost: x\r\nauthorization: {auth}\r\ncontent-length: 100\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + b'{"label": "x"')
    assert rest.get(auth, KEY).code == "not_found"


NOT_HTTP = {
    "garbage": b"\x00\x01\x02\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "two lengths": b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
    "length and chunks": b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    "negative length": b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_what_is_not_http_is_refused_in_the_envelope(server: Server, name: str) -> None:
    status, body = send(server.rest, NOT_HTTP[name])
    assert (status, json.loads(body)["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("head", ["x-big: " + "x" * 100_000 + "\r\n", "x-small: x\r\n" * 200])
def test_a_head_that_is_too_large_is_refused(server: Server, head: str) -> None:
    status, body = send(server.rest, f"GET /api/v1/sessions/k HTTP/1.1\r\nhost: x\r\n{head}\r\n".encode())
    assert (status, json.loads(body)["code"]) == (431, "headers_too_large")


def test_a_head_without_end_is_refused(server: Server) -> None:
    status, body = send(server.rest, b"GET /api/v1/sessions/k HTTP/1.1\r\nx-big: " + b"x" * 200_000)
    assert (status, json.loads(body)["code"]) == (431, "headers_too_large")


def test_a_long_key_is_only_a_wrong_key_through_every_door(server: Server, gateway: str) -> None:
    for address in (server.rest, gateway):
        door = RestDoor(address)
        assert door.get("Bearer " + "a" * 20_000, KEY).code == "unauthorized"
        door.close()


def test_a_long_project_in_the_query_is_refused_through_every_door(server: Server, gateway: str, auth: str) -> None:
    for address in (server.rest, gateway):
        door = RestDoor(address)
        assert door.put(auth, KEY, {}, project="p" * 20_000).code == "invalid_body"
        door.close()


def test_of_two_authorization_values_the_first_counts_through_every_door(server: Server, auth: str) -> None:
    call = "/understudy.v1.SessionService/GetSession"
    with grpc.insecure_channel(server.grpc) as channel:
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(call)
        metadata = (("authorization", auth), ("authorization", "Bearer wrong"))
        assert method.future(b"\x0a\x01k", metadata=metadata, timeout=30).code() == grpc.StatusCode.NOT_FOUND
    head = f"GET /api/v1/sessions/k HTTP/1.1\r\nhost: x\r\nauthorization: {auth}\r\nauthorization: Bearer wrong\r\n\r\n"
    assert send(server.rest, head.encode())[0] == 404


def send(address: str, content: bytes) -> tuple[int, bytes]:
    """Send bytes and nothing more; gives status and body of what comes back."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def raw_request(server: Server, method: str, path: str, auth: str) -> tuple[int, bytes]:
    """Send a path exactly as it is written; clients would mend it."""
    host, port = server.rest.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: {auth}\r\nconnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_random_bytes_never_make_a_500(put: Callable[..., httpx.Response], content: bytes) -> None:
    assert put(content).status_code in (200, 400, 422)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=100), method=st.sampled_from(["PutSession", "GetSession", "DeleteSession", "Nothing"])
)
def test_random_protobuf_bytes_are_refused_or_served(server: Server, auth: str, content: bytes, method: str) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            f"/understudy.v1.SessionService/{method}"
        )
        code = call.future(content, metadata=(("authorization", auth),), timeout=30).code()
    wanted = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED}
    assert code in ({grpc.StatusCode.UNIMPLEMENTED} if method == "Nothing" else {*wanted, grpc.StatusCode.OK})


def test_a_message_longer_than_any_may_be_is_an_error_of_the_transport(server: Server, auth: str) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(PUT_SESSION)
        answer = call.future(b"\x0a" + b"\x80" * 17_000_000, metadata=(("authorization", auth),), timeout=30)
        assert answer.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
