"""Section 5.3: stubs that stream events."""

import socket
import time
from typing import Any

import pytest
from support.assertive_server import AssertiveUser, events
from support.plain_app import PlainApp

# Events as they are made, and what stands on the wire.
ENCODED: dict[str, tuple[list[Any], str]] = {
    "data alone": (["first"], "data: first\n\n"),
    "everything": (
        [{"data": "first", "event": "message", "id": "1", "retry": 500}],
        "id: 1\nevent: message\nretry: 500\ndata: first\n\n",
    ),
    "several": (
        [{"id": "1", "event": "message", "data": "first"}, {"data": "second"}],
        "id: 1\nevent: message\ndata: first\n\ndata: second\n\n",
    ),
    "lines": (["one\ntwo\n\nthree"], "data: one\ndata: two\ndata: \ndata: three\n\n"),
    "no data": ([""], "data: \n\n"),
    "an empty id": ([{"data": "a", "id": ""}], "id: \ndata: a\n\n"),
    "at once again": ([{"data": "a", "retry": 0}], "retry: 0\ndata: a\n\n"),
    "letters": (["zoë ☃"], "data: zoë ☃\n\n"),
    "JSON": (['{"a": 1}'], 'data: {"a": 1}\n\n'),
}


@pytest.mark.parametrize("name", ENCODED)
def test_events_are_encoded(user: AssertiveUser, path: str, name: str) -> None:
    made, wire = ENCODED[name]
    user.stub({"path": path}, events(*made))
    answer = user.write("GET", path)
    assert (answer.status, answer.body.decode()) == (200, wire)


def test_the_headers_are_those_of_a_stream(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, events("a"))
    answer = user.write("GET", path)
    assert answer.values("content-type") == ["text/event-stream"]
    assert answer.values("cache-control") == ["no-cache"]
    assert answer.values("connection") == ["keep-alive"]
    assert answer.values("transfer-encoding") == ["chunked"]
    assert answer.values("content-length") == []


def test_the_connection_can_be_used_again(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, events("a", "b"))
    for _ in range(3):
        assert user.said("GET", path) == (200, "data: a\n\ndata: b\n\n")


def test_each_event_comes_when_its_delay_is_over(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, events("first", {"data": "second", "delay_ms": 250}, default_delay_ms=100))
    came = []
    start = time.monotonic()
    with PlainApp(user.address).asking("GET", path) as (stream, _):
        while line := stream.readline():
            if line.startswith(b"data"):
                came.append(time.monotonic() - start)
    assert came[0] >= 0.1
    assert came[1] >= 0.35


def test_a_delay_of_its_own_may_be_none(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, events({"data": "a", "delay_ms": 0}, default_delay_ms=60_000))
    assert user.said("GET", path) == (200, "data: a\n\n")


def test_data_id_and_event_are_templates(user: AssertiveUser, path: str) -> None:
    user.stub(
        {"path": path + "/{room}"},
        events(
            {
                "data": "{{ request.method }} {{ request.body }}",
                "id": "{{ request.query.id }}",
                "event": "{{ request.path_params.room }}",
            }
        ),
    )
    answer = user.said("POST", path + "/blue?id=evt-9", content=b"hi")
    assert answer == (200, "id: evt-9\nevent: blue\ndata: POST hi\n\n")


def test_lines_that_a_template_makes_are_lines_of_data(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, events("{{ request.body }}"))
    assert user.said("POST", path, content=b"one\ntwo") == (200, "data: one\ndata: two\n\n")


@pytest.mark.parametrize("field", ["data", "id", "event"])
def test_a_template_that_fails_at_the_end_fails_before_the_start(user: AssertiveUser, path: str, field: str) -> None:
    user.stub({"path": path}, events("first", {"data": "a", field: "{{ request.query.nope }}"}))
    answer = user.ask("GET", path)
    assert (answer.status_code, answer.json()["error"]) == (500, "TEMPLATE_RENDER_ERROR")


def test_whoever_comes_back_is_told_everything_again(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, events({"data": "a", "id": "1"}, {"data": "b", "id": "2"}))
    answer = user.ask("GET", path, headers={"Last-Event-ID": "1"})
    assert answer.text == "id: 1\ndata: a\n\nid: 2\ndata: b\n\n"


def test_a_stream_is_on_record_while_it_runs(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path}, events("first", {"data": "last", "delay_ms": 700}))
    with PlainApp(user.address).asking("GET", path) as (stream, _):
        assert stream.readline() == b"data: first\n"
        assert [each["matched_stub_id"] for each in user.requests(path)] == [stub]
        assert stream.read() == b"\ndata: last\n\n"


def test_a_stream_to_an_older_client_ends_with_its_connection(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, events("a", "b"))
    host, _, port = user.address.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: mock\r\n\r\n".encode())
        said = b""
        while piece := connection.recv(65_536):
            said += piece
    assert said.partition(b"\r\n\r\n")[2] == b"data: a\n\ndata: b\n\n"
