"""``understudy session health``: what people read, and what scripts do."""

import json
from pathlib import Path

import pytest
from support.shell import Shell
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.log_service_pb2 import (
    EXCHANGE_OUTCOME_FORWARDED,
    EXCHANGE_OUTCOME_MOCKED,
    EXCHANGE_OUTCOME_UNSPECIFIED,
    EXCHANGE_OUTCOME_UPSTREAM_FAILED,
)
from understudy_server.cli.session_health import print_health


def test_a_session_without_requests_has_nothing_odd(shell: Shell, data: Path) -> None:
    shell.ok("session", "put", "ci-42")
    assert shell.ok("session", "health", "ci-42").splitlines() == [
        "session   ci-42",
        "requests  -",
        "record    nothing yet",
        "",
        "Nothing is odd.",
    ]


def test_evaluations_are_no_requests(shell: Shell) -> None:
    shell.ok("session", "put", "ci-42", "--flag", "a=true")
    shell.ok("flag", "evaluate", "a", "--session", "ci-42")
    assert shell.ok("session", "health", "ci-42").splitlines()[:4] == [
        "session   ci-42",
        "requests  -",
        "flags     1 evaluation",
        "record    complete, up to number 1",
    ]


def test_a_session_of_the_project_is_told_of_as_what_it_is(shell: Shell) -> None:
    made = shell.json("flag-session", "create", "--flag", "a=true")
    shell.ok("flag", "evaluate", "a", "--token", made["token"])
    assert shell.ok("session", "health", made["id"]).splitlines()[-1] == "Nothing is odd."
    shell.ok("flag-session", "delete", made["id"])
    assert "of the project has ended" in shell.ok("session", "health", made["id"])


def test_a_key_that_no_session_has_is_told_so(shell: Shell) -> None:
    first, *_, head, row = shell.ok("session", "health", "nobody").splitlines()
    assert first == "session   nobody (there is none now)"
    assert head.split()[:2] == ["FINDING", "COUNT"]
    assert row.startswith("no_session  -      There is no session 'nobody', and no request carried this key.")


def test_as_json_it_is_what_the_api_says(shell: Shell) -> None:
    found = shell.json("session", "health", "nobody")
    assert (found["healthy"], found["sessionExists"]) == (False, False)
    assert [each["code"] for each in found["findings"]] == ["no_session"]
    assert json.dumps(found["counts"]) == "[]"


def test_findings_are_a_table_below_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    found = pb.GetSessionHealthResponse(session_exists=True)
    for outcome, count in (
        (EXCHANGE_OUTCOME_MOCKED, 9),
        (EXCHANGE_OUTCOME_FORWARDED, 3),
        (EXCHANGE_OUTCOME_UPSTREAM_FAILED, 2),
        (EXCHANGE_OUTCOME_UNSPECIFIED, 1),
    ):
        found.counts.add(outcome=outcome, count=count)
    found.completeness.up_to, found.completeness.kept, found.completeness.complete = 15, 10, False
    found.findings.add(code="unmatched", message="GET /a\x1b was passed on", count=2, log_ids=["log_1", "log_2"])
    print_health("ci-42", found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "session   ci-42",
        "requests  9 mocked, 3 forwarded, 2 upstream failed, 1 of no known outcome",
        "record    incomplete: 10 of 15 are kept",
    ]
    assert lines[-1].split() == ["unmatched", "2", "GET", "/a\\x1b", "was", "passed", "on", "log_2"]


def test_a_whole_record_is_told_by_its_last_number(capsys: pytest.CaptureFixture[str]) -> None:
    found = pb.GetSessionHealthResponse(session_exists=True, healthy=True)
    found.completeness.up_to, found.completeness.complete = 15, True
    print_health("ci-42", found)
    assert "record    complete, up to number 15" in capsys.readouterr().out.splitlines()
