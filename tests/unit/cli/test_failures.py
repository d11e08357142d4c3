import pytest
from google.rpc.code_pb2 import Code
from understudy.status import Problem
from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (Code.INVALID_ARGUMENT, ExitCode.REFUSED),
        (Code.RESOURCE_EXHAUSTED, ExitCode.REFUSED),
        (Code.INTERNAL, ExitCode.REFUSED),
        (Code.NOT_FOUND, ExitCode.NOT_FOUND),
        (Code.UNAUTHENTICATED, ExitCode.NOT_AUTHORISED),
        (Code.PERMISSION_DENIED, ExitCode.NOT_AUTHORISED),
        (Code.UNAVAILABLE, ExitCode.UNREACHABLE),
        (Code.DEADLINE_EXCEEDED, ExitCode.UNREACHABLE),
    ],
)
def test_the_exit_code_tells_what_kind_of_failure_it_was(code: int, exit_code: ExitCode) -> None:
    assert failed_call(code, Problem("some_code", "text")).exit_code is exit_code


def test_the_message_has_code_and_text() -> None:
    assert failed_call(Code.NOT_FOUND, Problem("not_found", "no such session")).message == "not_found: no such session"


def test_a_limited_caller_is_told_how_long_to_wait() -> None:
    problem = Problem("rate_limited", "too many", retry_after_seconds=7)
    assert failed_call(Code.RESOURCE_EXHAUSTED, problem).advice == "Try again in 7 s."


def test_a_missing_project_is_answered_with_the_option_to_add() -> None:
    assert "--project" in failed_call(Code.INVALID_ARGUMENT, Problem("project_required", "which?")).advice


def test_an_unexpected_failure_is_answered_with_the_request_to_look_for() -> None:
    assert "req_1" in failed_call(Code.INTERNAL, Problem("internal_error", "?", request_id="req_1")).advice


@pytest.mark.parametrize(
    ("reason", "what_to_do"),
    [
        ("managed_by_file", "understudy release SOURCE"),
        ("source_followed", "Start the server without that file"),
        ("other_projects", "--source NAME"),
        ("body_not_kept", "--body-file FILE"),
        ("not_empty", "--force"),
        ("revision_mismatch", "Look at it again"),
        ("already_exists", "`edit`"),
    ],
)
def test_a_refusal_says_what_to_do_next(reason: str, what_to_do: str) -> None:
    failure = failed_call(Code.FAILED_PRECONDITION, Problem(reason, "text"))
    assert what_to_do in failure.advice
    assert failure.reason == reason


@pytest.mark.parametrize("role", ["ci", "editor", "admin"])
def test_a_role_that_is_too_low_is_answered_with_the_one_that_is_needed(role: str) -> None:
    problem = Problem("role_required", f"this needs a key with the role {role}", rule="role", limit=role)
    advice = failed_call(Code.PERMISSION_DENIED, problem).advice
    assert f"Use a key with the role {role}" in advice
    assert f"understudy key create --role {role} --data DIR" in advice
    assert ("or a higher one" in advice) == (role != "admin")


def test_a_key_for_another_place_is_answered_with_that_place() -> None:
    problem = Problem("scope_mismatch", "the key is for another project", field="project", rule="scope")
    assert "name the key's own" in failed_call(Code.PERMISSION_DENIED, problem).advice


@pytest.mark.parametrize("message", ["the key is for one project; this needs an organisation-wide key", "further"])
def test_a_key_that_does_not_reach_as_far_as_the_call_is_answered_with_a_wider_one(message: str) -> None:
    advice = failed_call(Code.PERMISSION_DENIED, Problem("scope_mismatch", message)).advice
    assert "a key that reaches further" in advice
    assert "for that project" not in advice


def test_what_is_not_there_and_has_no_list_gets_no_advice() -> None:
    assert failed_call(Code.NOT_FOUND, Problem("not_found", "there is no body")).advice == ""


def test_a_failure_that_no_server_told_has_no_reason() -> None:
    assert CommandFailed(ExitCode.USAGE, "text").reason == ""
