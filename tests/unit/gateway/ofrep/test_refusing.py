"""Why an evaluation failed, as the protocol says it."""

import json

import pytest
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem
from understudy_gateway.dialects.ofrep.refusing import refuse


def refused(problem: Problem, key: str | None = "a") -> tuple[int, dict[str, str], dict[bytes, bytes]]:
    answer = refuse(status.write(code_pb2.INVALID_ARGUMENT, problem), key)
    return answer.status, json.loads(answer.body), dict(answer.headers)


@pytest.mark.parametrize(
    ("problem", "http_status", "code"),
    [
        (Problem("unauthorized", "no"), 401, "GENERAL"),
        (Problem("scope_mismatch", "no"), 403, "GENERAL"),
        (Problem("role_required", "no"), 403, "GENERAL"),
        (Problem("plan_required", "no"), 403, "GENERAL"),
        (Problem("rate_limited", "no"), 429, "GENERAL"),
        (Problem("invalid_json", "no"), 400, "PARSE_ERROR"),
        (Problem("invalid_field", "no", field="context", rule="json"), 400, "PARSE_ERROR"),
        (Problem("invalid_field", "no", field="context", rule="type"), 400, "INVALID_CONTEXT"),
        (Problem("invalid_field", "no", field="context", rule="max_length"), 400, "INVALID_CONTEXT"),
        (Problem("invalid_field", "no", field="flag_key"), 400, "GENERAL"),
        # Not 404: to a provider that means the flag, and to many of them in any answer.
        (Problem("not_found", "no"), 400, "GENERAL"),
        (Problem("body_too_large", "no"), 400, "GENERAL"),
        (Problem("storage_unavailable", "no"), 500, "GENERAL"),
        (Problem("internal_error", "no"), 500, "GENERAL"),
        (Problem("unheard_of", "no"), 400, "GENERAL"),
    ],
)
def test_each_failure_has_a_status_and_a_code_that_providers_know(
    problem: Problem, http_status: int, code: str
) -> None:
    assert refused(problem)[:2] == (http_status, {"key": "a", "errorCode": code, "errorDetails": "no"})


def test_what_is_about_all_flags_names_none() -> None:
    assert refused(Problem("invalid_json", "no"), None)[1] == {"errorCode": "PARSE_ERROR", "errorDetails": "no"}


@pytest.mark.parametrize(("seconds", "told"), [(0, b"1"), (17, b"17")])
def test_who_calls_too_often_is_told_when_to_come_back(seconds: int, told: bytes) -> None:
    assert refused(Problem("rate_limited", "no", retry_after_seconds=seconds))[2][b"retry-after"] == told


def test_who_has_no_key_is_told_how_to_send_one() -> None:
    assert refused(Problem("unauthorized", "no"))[2][b"www-authenticate"] == b"Bearer"


@pytest.mark.parametrize("name", ["project", "environment"])
def test_a_place_that_is_missing_has_a_header(name: str) -> None:
    assert f"x-understudy-{name}" in refused(Problem(f"{name}_required", "name one"))[1]["errorDetails"]


def test_a_failure_of_ours_names_the_request() -> None:
    assert "req_1" in refused(Problem("internal_error", "no", request_id="req_1"))[1]["errorDetails"]


def test_a_server_that_cannot_be_reached_is_a_failure_of_ours() -> None:
    answer = refuse(Status(code=code_pb2.UNAVAILABLE, message="secret of the way"), "a")
    assert answer.status == 500
    assert b"secret" not in answer.body
