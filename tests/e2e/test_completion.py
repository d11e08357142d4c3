"""Completion, as the shells ask for it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.conftest import UNDERSTUDY, Server, clean_environment, starting, understudy

# Where completion is installed without a shell to look at, its name is given.
NAMED = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the session ci-42 and some values."""
    with starting(tmp_path_factory.mktemp("server")) as start:
        server = start()
        understudy("session", "put", "ci-42", **at(server))
        understudy("state", "set", "shared", "1", **at(server))
        for key in ("order.id", "order.name", "user"):
            understudy("state", "set", key, "1", "--session", "ci-42", **at(server))
        yield server


def bash(words: str, **environ: str) -> list[str]:
    """What bash offers for the last word."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    result = understudy(_UNDERSTUDY_COMPLETE="complete_bash", **asked, **environ)
    assert result.stderr == ""
    return result.stdout.split()


def at(server: Server) -> dict[str, str]:
    return {"UNDERSTUDY_DATA": str(server.data), "UNDERSTUDY_PROJECT": "checkout", "UNDERSTUDY_ENVIRONMENT": "staging"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("understudy mock get ovr_p", ["ovr_payDeclined"]),
        ("understudy scenario get scn_", ["scn_declined", "scn_paymentDeclined"]),
        ("understudy override on ci-42 ovr_e", ["ovr_extraMock"]),
        ("understudy project get ", ["checkout"]),
        ("understudy environment edit s", ["staging"]),
        ("understudy mock list --environment s", ["staging"]),
        ("understudy logs ci", ["ci-42"]),
    ],
)
def test_names_that_the_server_knows_are_offered(server: Server, words: str, offered: list[str]) -> None:
    assert sorted(bash(words, **at(server))) == offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("understudy state get ", ["shared"]),
        ("understudy state get --session ci-42 order.", ["order.id", "order.name"]),
        ("understudy state delete --chain order ", []),
        ("understudy state list --session ci", ["ci-42"]),
    ],
)
def test_keys_of_values_are_offered_of_whom_the_line_names(server: Server, words: str, offered: list[str]) -> None:
    assert sorted(bash(words, **at(server))) == offered


def test_ids_of_keys_that_work_are_offered(server: Server) -> None:
    listed = json.loads(understudy("key", "list", "--active", "--json", UNDERSTUDY_DATA=str(server.data)).stdout)
    assert sorted(bash("understudy key revoke key_", **at(server))) == sorted(each["id"] for each in listed["keys"])


def test_the_server_that_the_line_names_is_asked(server: Server) -> None:
    assert bash(f"understudy mock get --data {server.data} --project checkout ovr_p") == ["ovr_payDeclined"]


@pytest.mark.parametrize("target", ["--data /nonexistent", "--server 127.0.0.1:1", "--server x --data y"])
def test_where_no_server_answers_nothing_is_offered_and_nothing_said(target: str) -> None:
    assert bash(f"understudy mock get {target} ovr_") == []


def test_commands_and_options_are_offered_without_grpc() -> None:
    environ = {"COMP_WORDS": "understudy mock ac", "COMP_CWORD": "2", "_UNDERSTUDY_COMPLETE": "complete_bash"}
    result = understudy(PYTHONPROFILEIMPORTTIME="1", **environ)
    assert result.stdout.split() == ["activate"]
    assert not [
        name for name in ("grpc", "google.protobuf", "understudy.v1", "asyncio") if f" {name}\n" in result.stderr
    ]


def test_zsh_and_fish_are_told_what_the_names_mean(server: Server) -> None:
    asked = {"_TYPER_COMPLETE_ARGS": "understudy mock get ovr_p", **at(server)}
    zsh = understudy(_UNDERSTUDY_COMPLETE="complete_zsh", **asked)
    assert zsh.stdout.strip() == """_arguments '*: :(("ovr_payDeclined":"Payment declined"))'"""
    fish = understudy(_UNDERSTUDY_COMPLETE="complete_fish", _TYPER_COMPLETE_FISH_ACTION="get-args", **asked)
    assert fish.stdout.strip() == "ovr_payDeclined\tPayment declined"


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".bash_completions/understudy.sh"),
        ("zsh", ".zfunc/_understudy"),
        ("fish", ".config/fish/completions/understudy.fish"),
    ],
)
def test_completion_is_installed_for_a_shell(tmp_path: Path, shell: str, file: str) -> None:
    assert understudy("--install-completion", shell, HOME=str(tmp_path), **NAMED).returncode == 0
    shown = understudy("--show-completion", shell, **NAMED).stdout
    assert (tmp_path / file).read_text().strip() == shown.strip()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here to be asked")
def test_bash_completes_with_what_was_installed(server: Server, tmp_path: Path) -> None:
    understudy("--install-completion", "bash", HOME=str(tmp_path), **NAMED)
    script = (
        f"source {tmp_path}/.bashrc; COMP_WORDS=(understudy mock get ovr_p); COMP_CWORD=3;"
        f' _understudy_completion {UNDERSTUDY}; echo "${{COMPREPLY[@]}}"'
    )
    environ = clean_environment() | at(server) | {"PATH": os.environ["PATH"]}
    result = subprocess.run(
        ["bash", "--norc", "-c", script], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "ovr_payDeclined"


def test_sources_of_manifests_are_offered(server: Server, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("projects: {shop: {}}")
    assert understudy("apply", tmp_path / "shop.yaml", **at(server)).returncode == 0
    assert bash("understudy release sh", **at(server)) == ["shop.yaml"]
