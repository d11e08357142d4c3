"""``understudy verify``: verdicts as lines, as JSON and as exit codes."""

from pathlib import Path

import pytest
from support.recorded_calls import call, record
from support.shell import Shell


@pytest.fixture
def called(shell: Shell, data: Path) -> Shell:
    """The shell, with two payments of ci-42 on record."""
    shell.ok("session", "put", "ci-42")
    record(data, [call(), call(query="retry=1"), call("GET", "/api/cart", body=b"")])
    return shell


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 0),
        (("--path", "/api/pay"), 0),
        (("--path", "/api/pay", "--method", "post", "--exactly", "2"), 0),
        (("--path", "/api/pay", "--at-least", "3"), 1),
        (("--path", "/api/pay", "--at-most", "1"), 1),
        (("--path", "/api/pay", "--at-most", "1", "--after", "1"), 0),
        (("--path", "/api/refund", "--never"), 0),
        (("--path", "/api/pay", "--never"), 1),
        (("--path", "/api/pay", "--within", "1s"), 0),
        (("--path", "/api/refund", "--within", "0s"), 1),
    ],
)
def test_the_exit_code_is_the_verdict(called: Shell, flags: tuple[str, ...], code: int) -> None:
    assert called.run("verify", "ci-42", *flags).exit_code == code


def test_what_was_expected_and_what_was_there_is_told(called: Shell) -> None:
    result = called.run("verify", "ci-42", "--path", "/api/pay", "--exactly", "1")
    assert result.stdout.splitlines()[0].startswith("failed  ")
    assert "/api/pay" in result.stdout


def test_the_calls_that_come_nearest_are_told(called: Shell) -> None:
    lines = called.run("verify", "ci-42", "--path", "/api/pay", "--method", "PUT").stdout.splitlines()
    assert any(line.startswith("  near: POST /api/pay") for line in lines)
    assert any(line.startswith("    ") and "method" in line for line in lines)


def test_as_json_it_is_what_the_api_says(called: Shell) -> None:
    found = called.json("verify", "ci-42", "--path", "/api/pay")
    assert (found["verdict"], found["outcomes"][0]["count"], found["completeness"]["upTo"]) == ("passed", 2, 3)


def test_a_file_can_hold_several_expectations(called: Shell, tmp_path: Path) -> None:
    file = tmp_path / "expectations.yaml"
    file.write_text(
        "expectations:\n"
        "  - {name: pays, matcher: {path: /api/pay}, exactly: 2}\n"
        "  - {name: looks, matcher: {method: GET}}\n"
        "inOrder: true\n"
        "noOthers: true\n"
    )
    lines = called.ok("verify", "ci-42", "--from", str(file)).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["passed"] * 4
    assert lines[2:4] == ["passed  in this order", "passed  no others"]


def test_a_mistake_in_a_file_is_told_with_its_place(called: Shell, tmp_path: Path) -> None:
    file = tmp_path / "expectations.yaml"
    file.write_text("expectations:\n  - atMost: 1\n    atLeast: 2\n")
    for flags in ((), ("--within", "1s")):
        result = called.run("verify", "ci-42", "--from", str(file), *flags)
        assert result.exit_code == 1
        assert f"{file}:2:" in result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--never", "--exactly", "1"), "--never is a bound by itself"),
        (("--within", "soon"), "--within: 'soon' is not a length of time"),
        (("--within", "10m"), "--within"),
        (("--from", "x.yaml", "--path", "/a"), "--from and --path exclude each other"),
        (("--at-least", "2", "--at-most", "1"), "--at-most"),
        (("--path", "no-slash"), "--path"),
    ],
)
def test_flags_that_cannot_be_are_refused(called: Shell, flags: tuple[str, ...], message: str) -> None:
    result = called.run("verify", "ci-42", *flags)
    assert result.exit_code not in (0, 6)
    assert message in result.stderr


def test_only_one_expectation_can_be_waited_for(called: Shell, tmp_path: Path) -> None:
    file = tmp_path / "expectations.yaml"
    file.write_text("expectations: [{}, {}]\n")
    result = called.run("verify", "ci-42", "--from", str(file), "--within", "1s")
    assert (result.exit_code, "--within waits for one expectation" in result.stderr) == (2, True)
