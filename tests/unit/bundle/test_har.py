import io
import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from understudy.v1.log_service_pb2 import LogEntry
from understudy_server.bundle.har import HarWriter, entry


def log(**fields: Any) -> LogEntry:
    whole = {
        "id": "log_1",
        "method": "POST",
        "path": "/api/pay",
        "query": "retry=1&name=a%20b",
        "status": 402,
        "createdAt": "2026-06-23T12:00:00Z",
        "durationMs": 142,
        "number": "17",
        "outcome": "EXCHANGE_OUTCOME_MOCKED",
        **fields,
    }
    return ParseDict(whole, LogEntry())


DETAILS = {
    "requestHeaders": [{"name": "Host", "value": "shop.example.com"}, {"name": "x-a", "value": "1"}],
    "responseHeaders": [{"name": "location", "value": "/there"}],
    "requestBody": {"content": "eyJhIjoxfQ==", "sizeBytes": "7", "contentType": "application/json"},
    "responseBody": {"content": "/w==", "sizeBytes": "900", "contentType": "image/png", "truncated": True},
}


def test_an_exchange_is_an_entry_with_all_that_har_asks_for() -> None:
    made = entry(log(details=DETAILS, phases={"queueUs": "500", "connectUs": "1500", "totalUs": "142000"}))
    assert made["startedDateTime"] == "2026-06-23T12:00:00Z"
    assert made["time"] == 142.0
    request, response = made["request"], made["response"]
    assert (request["method"], request["url"]) == ("POST", "http://shop.example.com/api/pay?retry=1&name=a%20b")
    assert request["queryString"] == [{"name": "retry", "value": "1"}, {"name": "name", "value": "a b"}]
    assert request["postData"] == {"mimeType": "application/json", "params": [], "text": '{"a":1}'}
    assert (response["status"], response["statusText"], response["redirectURL"]) == (402, "Payment Required", "/there")
    assert response["content"] == {"size": 900, "mimeType": "image/png", "text": "/w==", "encoding": "base64"}
    timings = made["timings"]
    assert sum(value for value in timings.values() if value >= 0) == pytest.approx(made["time"])
    assert (made["_understudy"]["outcome"], made["_understudy"]["responseTruncated"]) == (
        "EXCHANGE_OUTCOME_MOCKED",
        True,
    )


def test_a_request_without_a_host_or_body_has_none() -> None:
    made = entry(log(query=""))
    assert made["request"]["url"] == "http://unknown.invalid/api/pay"
    assert "postData" not in made["request"]
    assert "text" not in made["response"]["content"]


def test_a_withheld_body_is_told_by_its_hash() -> None:
    made = entry(log(details={"responseBody": {"sizeBytes": "9", "sha256": "ab" * 32}}))
    assert made["response"]["content"]["comment"] == f"withheld; SHA-256 {'ab' * 32}"


def test_a_status_that_nobody_knows_has_no_phrase() -> None:
    assert entry(log(status=0))["response"]["statusText"] == ""
    assert entry(log(status=499))["response"]["statusText"] == ""


@given(st.lists(st.tuples(st.text(), st.binary(max_size=20)), max_size=4))
def test_whatever_was_sent_the_document_is_json(given_logs: list[tuple[str, bytes]]) -> None:
    file = io.BytesIO()
    writer = HarWriter(file, "0.1.0")
    for text, body in given_logs:
        made = log()
        made.details.request_headers.add(name="x-a", value=text)
        made.details.response_body.content = body
        writer.add(made)
    writer.end()
    document = json.loads(file.getvalue())["log"]
    assert (document["version"], document["creator"]) == ("1.2", {"name": "understudy", "version": "0.1.0"})
    assert len(document["entries"]) == len(given_logs)
