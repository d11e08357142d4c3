"""Calls on record, as the product shows them."""

from understudy.v1.actions_pb2 import Header
from understudy.v1.log_service_pb2 import Body, Details, LogEntry
from understudy_gateway.dialects.assertive import requests


def entry(**fields: object) -> LogEntry:
    return LogEntry(**fields)  # type: ignore[arg-type]


def sent(*headers: tuple[str, str], body: bytes | None = None) -> Details:
    details = Details(request_headers=[Header(name=name, value=value) for name, value in headers])
    if body is not None:
        details.request_body.CopyFrom(Body(content=body, size_bytes=len(body)))
    return details


def test_a_call_is_shown_with_its_parts_and_the_stub_that_matched() -> None:
    call = entry(
        method="POST",
        path="/users/a%20b",
        query="a=1&a=2&b&c=x+y%21",
        override_id="ovr_x--bXkgc3R1Yg",
        details=sent(("Host", "Shop.Example.com:8910"), ("X-A", "1"), ("x-a", "2"), body="é".encode()),
    )
    assert requests.view(call, "team-a") == {
        "method": "POST",
        "path": "/users/a b",
        "query": {"a": "2", "b": "", "c": "x y!"},
        "headers": {"host": "Shop.Example.com:8910", "x-a": "1"},
        "body": "é",
        "host": "shop.example.com",
        "scope": "team-a",
        "matched_stub_id": "my stub",
    }


def test_a_call_that_nothing_matched_has_no_stub_and_no_body_is_an_empty_one() -> None:
    assert requests.view(entry(method="GET", path="/"), None) == {
        "method": "GET",
        "path": "/",
        "query": {},
        "headers": {},
        "body": "",
        "host": "",
        "scope": None,
        "matched_stub_id": None,
    }


def test_bytes_that_are_no_text_are_shown_as_replaced_characters() -> None:
    shown = requests.view(entry(path="/%ff", query="a=%ff", details=sent(body=b"a\xffb")), None)
    assert (shown["path"], shown["query"], shown["body"]) == ("/�", {"a": "�"}, "a�b")


def test_a_host_is_shown_without_its_port_and_without_brackets() -> None:
    def host(value: str) -> str:
        return str(requests.view(entry(details=sent(("host", value))), None)["host"])

    assert [host(each) for each in ("A", "a:1", "[::1]:80", "[::1]", "")] == ["a", "a", "::1", "::1", ""]
