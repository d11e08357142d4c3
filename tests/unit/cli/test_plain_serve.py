"""A start that needs no command line: what is read so is what the command reads, and ends as it ends."""

import inspect
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.shell import invoke
from understudy_server.cli import run_server, serving
from understudy_server.cli.plain_serve import FLAGS, plain_flags, serve_plainly

Flags = Mapping[str, str | None]

OPTIONS = st.sampled_from([f"--{name.replace('_', '-')}" for name in sorted(FLAGS)])
VALUES = st.sampled_from(["", "x", "127.0.0.1:0", "a=b", "--data", "-", "-x", "--grpc=1", "two words", "=", "é"])
WORDS = (
    OPTIONS | VALUES | st.builds("{}={}".format, OPTIONS, VALUES) | st.sampled_from(["--", "--help", "--dat", "--a_b"])
)


def read_by_the_command(line: list[str]) -> Flags:
    """What the command makes of a line."""
    given: list[Flags] = []
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(run_server, "run_server", given.append)
        result = invoke(["serve", *line])
    assert result.exit_code == 0, result.output
    return given[0]


def test_it_knows_the_options_of_the_command() -> None:
    assert set(inspect.signature(serving._serve).parameters) == FLAGS


@given(st.lists(WORDS, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_line_that_is_read_plainly_is_read_as_by_the_command(line: list[str]) -> None:
    flags = plain_flags(["serve", *line])
    if flags is not None:
        assert flags == read_by_the_command(line)


def test_of_an_option_given_twice_the_last_counts() -> None:
    flags = plain_flags(["serve", "--grpc", "1", "--api-rate=2/3", "--grpc", "4"])
    assert flags == {**dict.fromkeys(FLAGS), "grpc": "4", "api_rate": "2/3"}


def test_a_line_without_options_is_plain() -> None:
    assert plain_flags(["serve"]) == dict.fromkeys(FLAGS)


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["gateway"],
        ["serve", "--help"],
        ["serve", "-h"],
        ["serve", "--nope", "1"],
        ["serve", "--api_rate", "1/1"],
        ["serve", "--data"],
        ["serve", "--data", "--grpc"],
        ["serve", "data"],
        ["serve", "--", "--data", "x"],
        ["--version"],
    ],
)
def test_any_other_line_is_left_to_the_command(line: list[str]) -> None:
    assert plain_flags(line) is None


def test_a_bad_setting_ends_both_in_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--api-rate", "many"]
    by_the_command = invoke(["serve", *line])
    flags = plain_flags(["serve", *line])
    assert flags is not None
    with pytest.raises(SystemExit) as ended:
        serve_plainly(flags)
    assert ended.value.code == by_the_command.exit_code == 2
    assert "understudy: --api-rate: 'many' is not a rate" in by_the_command.stderr
    assert capsys.readouterr().err == by_the_command.stderr


def test_an_interrupted_start_ends_as_an_interrupted_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_flags: Flags) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_server, "run_server", interrupted)
    with pytest.raises(SystemExit) as ended:
        serve_plainly(dict.fromkeys(FLAGS))
    assert ended.value.code == 130
