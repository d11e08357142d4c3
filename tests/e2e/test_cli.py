"""The command line against a running server, through each of its ways."""

import json
import signal

from e2e.conftest import Start, understudy

HERE = ("--project", "checkout", "--environment", "staging")


def test_the_owner_reaches_a_running_server_without_a_key(start: Start) -> None:
    server = start()
    assert understudy("session", "put", "a", *HERE, "--data", server.data).returncode == 0
    assert understudy("session", "get", "a", *HERE, "--data", server.data).returncode == 0


def test_a_key_opens_the_server_elsewhere(start: Start) -> None:
    server = start()
    key = understudy("key", "create", "--data", server.data).stdout.strip()
    result = understudy("scenario", "list", *HERE, "--json", "--server", server.addresses["grpc"], "--key", key)
    assert json.loads(result.stdout)["scenarios"][0]["id"] == "scn_paymentDeclined"


def test_server_and_key_can_stand_in_the_environment(start: Start) -> None:
    server = start()
    key = understudy("key", "create", "--data", server.data).stdout.strip()
    result = understudy(
        "session", "list", UNDERSTUDY_SERVER=server.addresses["grpc"], UNDERSTUDY_KEY=key, UNDERSTUDY_PROJECT="checkout"
    )
    assert result.returncode == 0, result.stderr


def test_without_a_key_the_server_does_not_open(start: Start) -> None:
    result = understudy("session", "list", *HERE, "--server", start().addresses["grpc"])
    assert result.returncode == 4
    assert "unauthorized" in result.stderr


def test_a_key_of_a_low_role_cannot_make_keys(start: Start) -> None:
    server = start()
    key = understudy("key", "create", "--role", "ci", "--data", server.data).stdout.strip()
    result = understudy("key", "create", "--server", server.addresses["grpc"], "--key", key)
    assert result.returncode == 4
    assert "role_required" in result.stderr


def test_a_server_that_was_killed_leaves_its_directory_to_the_owner(start: Start) -> None:
    server = start()
    understudy("session", "put", "a", *HERE, "--data", server.data)
    server.stop(signal.SIGKILL)
    assert understudy("session", "get", "a", *HERE, "--data", server.data).returncode == 0


def test_without_a_server_the_command_says_how_to_start_one() -> None:
    result = understudy("session", "list", *HERE, "--data", "/nonexistent/understudy")
    assert result.returncode == 5
    assert "understudy serve" in result.stderr


def test_help_loads_neither_messages_nor_grpc() -> None:
    from understudy_server.cli import main

    loaded = understudy("--help", PYTHONPROFILEIMPORTTIME="1").stderr
    assert main.__name__ in loaded
    heavy = ("grpc", "google.protobuf", "understudy.v1", "uvicorn", "asyncio", "understudy_server.cli.mocks")
    assert not [name for name in heavy if f" {name}\n" in loaded]
