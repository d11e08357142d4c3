"""What is noted of calls."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from google.rpc.code_pb2 import Code
from understudy_server.telemetry.calls import Calls

GET = "/understudy.v1.SessionService/GetSession"


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_calls_are_counted_by_method_and_code_and_timed() -> None:
    clock = Clock()
    calls = Calls(now=clock)
    for code in (Code.OK, Code.OK, Code.NOT_FOUND):
        observation = calls.observe(GET, {})
        clock.seconds += 0.004
        observation.end(code)
    called = calls.read()
    method = "SessionService/GetSession"
    assert called.calls == {(method, "OK"): 2, (method, "NOT_FOUND"): 1}
    assert (called.times.total, round(called.times.sum, 6)) == (3, 0.012)


def test_methods_that_do_not_exist_are_counted_together() -> None:
    calls = Calls()
    for number in range(50):
        calls.observe(f"/made.up/{number}", {}).end(Code.UNIMPLEMENTED)
    assert calls.read().calls == {("other", "UNIMPLEMENTED"): 50}


def test_a_code_of_no_meaning_has_a_name_too() -> None:
    calls = Calls()
    calls.observe(GET, {}).end(4_711)
    assert [code for _, code in calls.read().calls] == ["UNKNOWN"]


def test_a_line_of_the_log_has_method_status_and_time(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with caplog.at_level(logging.INFO, "understudy.api"):
        observation = Calls(now=clock).observe(GET, {"authorization": "Bearer fmk_secret"})
        clock.seconds = 0.25
        observation.end(Code.OK)
    (record,) = caplog.records
    assert record.__dict__["method"] == "SessionService/GetSession"
    assert (record.__dict__["status"], record.__dict__["duration_ms"]) == ("OK", 250.0)
    assert "secret" not in caplog.text


def test_nothing_is_written_when_nobody_wants_to_read_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "understudy.api"):
        Calls().observe(GET, {}).end(Code.OK)
    assert caplog.records == []


def test_a_call_has_a_span_where_calls_are_traced() -> None:
    ended = []

    class Span:
        def end(self, code: int) -> None:
            ended.append(code)

    def begin(method: str, metadata: Mapping[str, Any]) -> Span:
        assert (method, metadata) == (GET, {"traceparent": "x"})
        return Span()

    Calls(begin).observe(GET, {"traceparent": "x"}).end(Code.ABORTED)
    assert ended == [Code.ABORTED]
