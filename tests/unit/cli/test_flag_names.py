"""Refusals in the words of the command line: the flag that was typed, not the field of the request."""

import pytest
from support.shell import Shell
from understudy.status import Problem
from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call
from understudy_server.cli.flag_names import by_flag

FLAGS = {"changes.upstream": "--upstream", "changes.hosts": "--host", "mock.matcher.query": "--query"}


def refused(field: str, given: str = "") -> CommandFailed:
    return failed_call(3, Problem("invalid_field", f"{field} is wrong", field=field, given=given))


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        ("changes.upstream", "ftp://x", "invalid_field: --upstream is wrong"),
        ("changes.hosts[1]", "B", "invalid_field: --host 'B' is wrong"),
        ("changes.hosts", "", "invalid_field: --host is wrong"),
        ("mock.matcher.query['a.b'].equals", "", "invalid_field: --query is wrong"),
        ("changes.upstreams", "", "invalid_field: changes.upstreams is wrong"),
        ("", "", "invalid_field:  is wrong"),
    ],
)
def test_a_field_is_told_by_the_flag_that_set_it_or_what_it_stands_in(field: str, given: str, message: str) -> None:
    assert by_flag(refused(field, given), FLAGS).message == message


def test_what_no_server_refused_stays_as_it_is() -> None:
    failure = CommandFailed(ExitCode.USAGE, "text")
    assert by_flag(failure, FLAGS) is failure


def test_a_message_that_does_not_begin_with_the_field_stays_as_it_is() -> None:
    failure = failed_call(6, Problem("already_exists", "there is one", field="changes.upstream"))
    assert by_flag(failure, FLAGS).message == "already_exists: there is one"


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (("environment", "edit", "staging", "--upstream", "ftp://x"), "--upstream "),
        (("environment", "edit", "staging", "--host", "a.example.com", "--host", "B_"), "--host 'B_' "),
        (("environment", "edit", "staging", "--first-byte-ms", "3600001"), "--first-byte-ms "),
        (("environment", "create", "qa", "--upstream", "ftp://x"), "--upstream "),
        (("environment", "create", "Q_A"), "SLUG "),
        (("mock", "create", "--path", "api"), "--path "),
        (("mock", "create", "--id", "mine", "--path", "/x"), "--id "),
        (("mock", "edit", "ovr_extraMock", "--header", "a b: c"), "--header"),
        (("scenario", "create", "--name", "x", "--url-id", "A B"), "--url-id "),
        (("project", "create", "A_B"), "SLUG "),
        (("session", "put", "a", "--delay-ms", "120001"), "--delay-ms "),
        (("mock", "list", "--search", "x" * 201), "--search "),
        (("mock", "list", "--page-token", "none"), "--page-token "),
    ],
)
def test_what_is_typed_wrong_is_told_by_its_flag(shell: Shell, arguments: tuple[str, ...], flag: str) -> None:
    result = shell.run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"understudy: invalid_field: {flag}"), result.stderr


def test_a_field_of_a_form_keeps_its_place_beside_flags(shell: Shell) -> None:
    result = shell.run("environment", "create", "qa", "--strict", "--from", "-", typed="upstream: ftp://x\n")
    assert result.stderr.startswith("understudy: the standard input:1:11: invalid_field: environment.upstream ")
