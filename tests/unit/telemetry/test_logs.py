"""The lines of the log."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy import request_ids
from understudy_server.core.redaction import SECRET_HEADERS
from understudy_server.telemetry import logs
from understudy_server.telemetry.logs import JsonLines, LogFormat, TextLines, mask

KEY = "fmk_" + "a1B2-" * 8 + "xyz"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The root's handlers as they were, afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = before
    root.setLevel(level)


def line(stream: io.StringIO) -> dict[str, Any]:
    (text,) = stream.getvalue().splitlines()
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_of_json_says_when_where_and_what(written: io.StringIO) -> None:
    logs.configure("json", "info", written)
    logging.getLogger("understudy.x").info("%d went wrong", 3)
    found = line(written)
    assert {name: found[name] for name in ("level", "logger", "message")} == {
        "level": "info",
        "logger": "understudy.x",
        "message": "3 went wrong",
    }
    assert found["time"].endswith("Z")
    assert len(found["time"]) == len("2026-06-23T12:00:00.000Z")


def test_a_line_has_what_is_known_of_the_call(written: io.StringIO) -> None:
    logs.configure("json", "info", written)
    token = request_ids.CURRENT.set("req_1")
    logging.getLogger("x").info("served", extra={"method": "M/Get", "status": "OK", "duration_ms": 1.5, "secret": "s"})
    request_ids.CURRENT.reset(token)
    found = line(written)
    assert (found["request_id"], found["method"], found["status"], found["duration_ms"]) == (
        "req_1",
        "M/Get",
        "OK",
        1.5,
    )
    assert "secret" not in found


def test_an_exception_stays_on_one_line(written: io.StringIO) -> None:
    logs.configure("json", "warning", written)
    error = ValueError(f"Authorization: Bearer {KEY}\nsecond line")
    logging.getLogger("x").error("it failed\nbadly", exc_info=error)
    found = line(written)
    assert "ValueError" in found["exception"]
    assert found["message"] == "it failed\nbadly"
    assert KEY not in written.getvalue()


def test_lines_below_the_level_are_not_written(written: io.StringIO) -> None:
    logs.configure("text", "error", written)
    logging.getLogger("x").warning("not this one")
    logging.getLogger("x").error("this one")
    assert "not this one" not in written.getvalue()
    assert "this one" in written.getvalue()


def test_a_line_of_text_has_the_id_once(written: io.StringIO) -> None:
    logs.configure("text", "info", written)
    token = request_ids.CURRENT.set("req_1")
    logging.getLogger("x").info("served")
    logging.getLogger("x").info("request req_1 failed")
    request_ids.CURRENT.reset(token)
    first, second = written.getvalue().splitlines()
    assert first.endswith("x: served [req_1]")
    assert second.endswith("x: request req_1 failed")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"the key {KEY} is unknown", "the key *** is unknown"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("{'authorization': 'Token abc', 'accept': '*/*'}", "{'authorization': '***', 'accept': '*/*'}"),
        ("(b'Cookie', b'sid=1; b=2')", "(b'Cookie', b'***')"),
        ("Set-Cookie: sid=1", "Set-Cookie: ***"),
        ("X-Api-Key: abc", "X-Api-Key: ***"),
        ('{"x-api-key": "abc", "accept": "*/*"}', '{"x-api-key": "***", "accept": "*/*"}'),
        ("sent Bearer abc, then more", "sent Bearer ***, then more"),
        ("http://user:pass@host/x", "http://***@host/x"),
        ("authorization failed", "authorization failed"),
        ("http://host:80/a@b", "http://host:80/a@b"),
    ],
)
def test_credentials_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("name", sorted(SECRET_HEADERS))
def test_what_the_journal_masks_no_line_of_the_log_has(name: bytes) -> None:
    header = (name, b"s3cret")
    assert "s3cret" not in mask(f"{name.decode().title()}: s3cret")
    assert "s3cret" not in mask(f"cannot send {[header, (b'accept', b'*/*')]}")


@given(st.text(), st.sampled_from(["json", "text"]))
def test_whatever_surrounds_a_key_it_is_never_written(around: str, log_format: LogFormat) -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, f"{around} {KEY} {around}", (), None)
    formatter = JsonLines() if log_format == "json" else TextLines()
    assert KEY not in formatter.format(record)


@given(st.text())
def test_any_message_makes_one_line_of_json(message: str) -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", (message,), None)
    text = JsonLines().format(record)
    assert "\n" not in text
    assert "\r" not in text
    json.loads(text)


@pytest.mark.parametrize("given_id", ["a-1", "req_0", "0af7651916cd43dd8448eb211c80319c", "x" * 128])
def test_an_id_that_a_caller_chose_is_kept(given_id: str) -> None:
    assert request_ids.chosen(given_id) == given_id


@pytest.mark.parametrize("given_id", ["", " ", "a b", "x" * 129, "a\nb", 'a"b', None, b"a"])
def test_what_cannot_be_an_id_is_replaced(given_id: object) -> None:
    assert request_ids.chosen(given_id).startswith("req_")
