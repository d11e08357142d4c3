from typing import Any

import orjson
import pytest
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem
from understudy_gateway.dialects.flowmock import TABLE, FlowMock
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.fields import read_fields

# The codes of the FlowMock contract, with the statuses that its error page gives them.
DOCUMENTED = {
    "unauthorized": 401,
    "plan_required": 403,
    "scope_mismatch": 403,
    "rate_limited": 429,
    "not_found": 404,
    "project_required": 422,
    "environment_required": 422,
    "invalid_override": 422,
    "invalid_mode": 422,
    "invalid_side": 422,
}
OURS = {
    "invalid_field": (422, "invalid_body"),
    "invalid_json": (400, "invalid_json"),
    "invalid_request": (400, "invalid_request"),
    "method_not_allowed": (405, "method_not_allowed"),
    "body_too_large": (413, "body_too_large"),
    "role_required": (403, "role_required"),
    "already_exists": (409, "already_exists"),
    "not_empty": (409, "not_empty"),
    "managed_by_file": (409, "managed_by_file"),
    "source_followed": (409, "source_followed"),
    "other_projects": (409, "other_projects"),
    "body_not_kept": (409, "body_not_kept"),
    "key_limit": (409, "key_limit"),
    "not_a_number": (409, "not_a_number"),
    "state_full": (409, "state_full"),
    "files_full": (409, "files_full"),
    "file_in_use": (409, "file_in_use"),
    "session_mocks_full": (409, "session_mocks_full"),
    "flags_full": (409, "flags_full"),
    "project_sessions_full": (409, "project_sessions_full"),
    "revision_mismatch": (412, "revision_mismatch"),
    "storage_unavailable": (503, "storage_unavailable"),
    "internal_error": (500, "internal_error"),
}


def refuse(code: int, problem: Problem) -> tuple[int, dict[bytes, bytes], dict[str, Any]]:
    answer = FlowMock().refuse(status.write(code, problem))
    return answer.status, dict(answer.headers), orjson.loads(answer.body)


@pytest.mark.parametrize(("code", "expected"), DOCUMENTED.items())
def test_a_documented_code_has_its_documented_status(code: str, expected: int) -> None:
    http_status, headers, envelope = refuse(code_pb2.INVALID_ARGUMENT, Problem(code, "Why."))
    assert (http_status, envelope) == (expected, {"error": "Why.", "code": code})
    assert headers[b"content-type"] == b"application/json"


@pytest.mark.parametrize(("code", "expected"), OURS.items())
def test_an_extension_has_the_status_of_its_kind(code: str, expected: tuple[int, str]) -> None:
    http_status, _, envelope = refuse(code_pb2.INVALID_ARGUMENT, Problem(code, "Why."))
    assert (http_status, envelope["code"]) == expected


def test_the_table_knows_every_code_and_no_other() -> None:
    assert set(TABLE) == set(DOCUMENTED) | set(OURS)


def test_every_reason_in_the_contract_is_in_the_table() -> None:
    requests = [method.input_type for method in understudy().methods()]
    assert {field.reason for request in requests for field in read_fields(request)} <= set(TABLE)


def test_a_missing_key_is_asked_for() -> None:
    assert refuse(code_pb2.UNAUTHENTICATED, Problem("unauthorized", "Why."))[1][b"www-authenticate"] == b"Bearer"


@pytest.mark.parametrize(("seconds", "header"), [(7, b"7"), (0, b"1")])
def test_a_call_too_many_says_when_to_come_back(seconds: int, header: bytes) -> None:
    problem = Problem("rate_limited", "Why.", retry_after_seconds=seconds)
    assert refuse(code_pb2.RESOURCE_EXHAUSTED, problem)[1][b"retry-after"] == header


def test_a_fault_of_ours_carries_its_request_id() -> None:
    problem = Problem("internal_error", "Why.", request_id="req_1")
    assert refuse(code_pb2.INTERNAL, problem)[2] == {"error": "Why.", "code": "internal_error", "requestId": "req_1"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (code_pb2.UNAVAILABLE, (502, "server_unreachable")),
        (code_pb2.DEADLINE_EXCEEDED, (504, "server_timeout")),
        (code_pb2.UNKNOWN, (500, "internal_error")),
        (code_pb2.NOT_FOUND, (500, "internal_error")),
    ],
)
def test_an_error_of_the_way_is_not_dressed_as_one_of_the_server(code: int, expected: tuple[int, str]) -> None:
    answer = FlowMock().refuse(Status(code=code, message="secret"))
    assert (answer.status, orjson.loads(answer.body)["code"]) == expected
    assert b"secret" not in answer.body


@pytest.mark.parametrize(("code", "http_status"), [(code_pb2.FAILED_PRECONDITION, 409), (code_pb2.DATA_LOSS, 500)])
def test_a_code_from_a_newer_server_passes_under_the_status_of_its_kind(code: int, http_status: int) -> None:
    assert refuse(code, Problem("flag_locked", "Why."))[::2] == (http_status, {"error": "Why.", "code": "flag_locked"})


def test_several_problems_are_told_with_their_fields_and_the_first_gives_the_code() -> None:
    others = (Problem("not_found", "There is no ovr_b.", "manifest.mocks['ovr_b']"),)
    problem = Problem("already_exists", "It is there.", "manifest.urlId", others=others, untold=7)
    http_status, _, envelope = refuse(code_pb2.ALREADY_EXISTS, problem)
    assert http_status == 409
    assert envelope == {
        "error": "It is there. (and 8 more problems)",
        "code": "already_exists",
        "problems": [
            {"field": "manifest.urlId", "message": "It is there."},
            {"field": "manifest.mocks['ovr_b']", "message": "There is no ovr_b."},
        ],
    }
