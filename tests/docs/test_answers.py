"""The page on answers shows every action, body, delay, fault and source of kept values, and each does what it says."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api.httpbody_pb2 import HttpBody
from support.message_fields import all_fields, used_fields
from support.page_tables import Row, read_tables
from support.rich_upstream import RichUpstream, running_rich_upstream
from support.shown_mocks import ENVIRONMENT, PROJECT, Shown, read_mock, shown_mocks
from understudy.v1.actions_pb2 import Action, FaultKind, SequenceOrder
from understudy.v1.file_service_pb2 import PutFileRequest
from understudy.v1.file_service_pb2_grpc import FileServiceStub

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "answers.md"
ASKED = "/v1/users/7?name=Bo -H 'host: shop.example.com' -H 'x-id: r-1' -b 'sid=abc' -X GET -d '{\"page\": \"home\"}'"
TARGET = "http://people.example.com"
ROWS = [row for row in read_tables(PAGE) if "Example" in row.cells]
_FILE = b"All sales are final."


def _of(section: str) -> pytest.MarkDecorator:
    rows = [row for row in ROWS if row.section == section]
    return pytest.mark.parametrize("row", rows, ids=[f"{row.code('Part')[0]}-{row.line}" for row in rows])


@pytest.fixture(scope="module")
def target() -> Iterator[RichUpstream]:
    with running_rich_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def shown(target: RichUpstream) -> Iterator[Shown]:
    with shown_mocks({}) as running:
        FileServiceStub(running.server.owner).PutFile(
            PutFileRequest(
                project=PROJECT,
                environment=ENVIRONMENT,
                name="terms.txt",
                content=HttpBody(content_type="text/plain", data=_FILE),
            )
        )
        running.apply({_id(row): read_mock(_text(row).replace(TARGET, target.url)) for row in ROWS})
        yield running


@_of("Responses")
def test_a_response_has_the_status_headers_and_body_that_are_shown(shown: Shown, row: Row) -> None:
    answer = shown.ask(ASKED, shown.session(_id(row)))
    status, *rest = row.code("Status, headers and body")
    headers = [each.partition(": ") for each in rest if ": " in each]
    assert answer.status == int(status)
    assert {name: answer.headers.get(name) for name, _, _ in headers} == {name: value for name, _, value in headers}
    assert answer.body.decode() == "".join(rest[len(headers) :])


@_of("Answers one after the other")
def test_a_sequence_gives_the_bodies_that_are_shown(shown: Shown, row: Row) -> None:
    key = shown.session(_id(row), seed=7)
    expected = row.code("Bodies")
    assert expected
    assert [shown.ask(ASKED, key).body.decode() for _ in expected] == expected


@_of("Streams")
def test_a_stream_has_the_lines_that_are_shown(shown: Shown, row: Row) -> None:
    answer = shown.ask(ASKED, shown.session(_id(row)))
    assert answer.headers["content-type"] == "text/event-stream"
    assert [line for line in answer.body.decode().splitlines() if line] == row.code("Lines")
    stream = read_mock(_text(row)).action.events
    assert {header.name: answer.headers[header.name] for header in stream.headers} == {
        header.name: header.value for header in stream.headers
    }


@_of("Forwarded requests")
def test_a_target_is_asked_for_what_is_shown(shown: Shown, target: RichUpstream, row: Row) -> None:
    (expected,) = row.code("The target is asked for")
    assert shown.ask(ASKED, shown.session(_id(row))).status != 502
    received = target.received[-1]
    if expected.startswith("/"):
        assert received.target == expected
    else:
        name, _, value = expected.partition(":")
        assert received.header(name) == value.strip()


@_of("Time")
def test_an_answer_takes_as_long_as_is_shown_at_least(shown: Shown, row: Row) -> None:
    key = shown.session(_id(row))
    began = time.monotonic()
    answer = shown.ask(ASKED, key)
    took_ms = 1000 * (time.monotonic() - began)
    assert answer.status == 200
    assert took_ms >= int(row.code("Takes at least, ms")[0])


@_of("Spoiled answers")
def test_a_client_sees_what_is_shown(shown: Shown, row: Row) -> None:
    key, sees = shown.session(_id(row)), row.cells["The client sees"]
    if sees == "a reset":
        with pytest.raises(ConnectionResetError):
            shown.ask_raw("/v1/users/7", key)
        return
    raw = shown.ask_raw("/v1/users/7", key)
    head, _, body = raw.partition(b"\r\n\r\n")
    if sees == "nothing":
        assert raw == b""
    elif sees == "no HTTP":
        assert raw
        assert not raw.startswith(b"HTTP/1.1")
    elif sees == "a bad chunk":
        assert b"transfer-encoding: chunked" in head.lower()
        assert _chunk_size(body) is None
    else:
        assert body.decode() == row.code("The client sees")[0]


@_of("Kept values")
def test_what_is_kept_is_shown(shown: Shown, row: Row) -> None:
    key = shown.session(_id(row))
    expected = row.code("Body")
    assert [shown.ask(ASKED, key).body.decode() for _ in expected] == expected


def test_every_field_of_an_action_is_shown() -> None:
    used = {field for row in ROWS for field in used_fields(read_mock(_text(row)))}
    assert all_fields(Action) - used == set()


@pytest.mark.parametrize(("kinds", "prefix"), [(FaultKind, "FAULT_KIND_"), (SequenceOrder, "SEQUENCE_ORDER_")])
def test_every_kind_is_shown(kinds: Any, prefix: str) -> None:
    names = {name.removeprefix(prefix).lower() for name in dict(kinds.items())} - {"unspecified"}
    assert {name for name in names if not any(f": {name}" in _text(row) for row in ROWS)} == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code('Part')[0]}-{row.line}")
def test_an_example_is_of_what_its_row_is_about(row: Row) -> None:
    assert all(each in _text(row) for each in row.code("Part"))


def _id(row: Row) -> str:
    """By its first part, since chance follows from the id: the first of a name has no number."""
    part = row.code("Part")[0]
    number = [each.line for each in ROWS if each.code("Part")[0] == part].index(row.line)
    return f"ovr_{part}-{number + 1}" if number else f"ovr_{part}"


def _text(row: Row) -> str:
    return f"matcher: /v1/users/{{id}}\naction: {row.code('Example')[0]}\n"


def _chunk_size(body: bytes) -> int | None:
    try:
        return int(body.partition(b"\r\n")[0], 16)
    except ValueError:
        return None
