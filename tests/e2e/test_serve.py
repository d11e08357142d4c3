"""``understudy serve`` from start to stop."""

import asyncio
import re
import shlex
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from e2e.conftest import UNDERSTUDY, Start, clean_environment, understudy
from understudy_server.cli.http_client import ask

KEY = re.compile(r"First admin key, shown this once:  (fmk_[A-Za-z0-9_-]{43})\n")


def test_the_ready_file_names_addresses_that_accept(start: Start) -> None:
    server = start()
    assert set(server.addresses) == {"grpc", "rest", "proxy"}
    for address in server.addresses.values():
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=5).close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(start: Start, number: signal.Signals) -> None:
    code, output = start().stop(number)
    assert code == 0, output
    assert output.endswith("stopped\n")


def test_a_clean_stop_leaves_no_socket_and_no_ready_file(start: Start) -> None:
    server = start()
    server.stop()
    assert not server.ready_file.exists()
    assert not (server.data / "owner.sock").exists()


def test_each_listener_is_announced_in_a_line(start: Start) -> None:
    server = start()
    _, output = server.stop()
    for address in server.addresses.values():
        assert any(f"accepts on {address}" in line or f"//{address}" in line for line in output.splitlines())


def test_the_first_key_is_printed_once(start: Start) -> None:
    first = start()
    assert KEY.search(first.stop()[1])
    assert not KEY.search(start(data=first.data).stop()[1])


@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines to paste are for curl")
def test_the_lines_to_paste_show_a_mocked_and_a_real_answer(start: Start) -> None:
    lines = [line for line in start().output().splitlines() if line.startswith("  curl ")]
    put, mocked, real = (
        subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30, check=True).stdout
        for line in lines
    )
    assert '"scenario":"scn_paymentDeclined"' in put
    assert "card_declined" in mocked
    assert "approved" in real


async def test_what_was_set_survives_a_restart_and_the_sample_still_answers(start: Start) -> None:
    first = start()
    understudy("session", "put", "a", "--scenario", "scn_declined", "--project", "checkout", "--data", first.data)
    first.stop()
    second = start(data=first.data)
    mocked = await ask(
        second.addresses["proxy"], "POST", "/checkout/staging/api/pay", {"x-flowmock-session": "a"}, "{}"
    )
    real = await ask(second.addresses["proxy"], "POST", "/checkout/staging/api/pay", None, "{}")
    assert (mocked.status, real.status) == (402, 200)


async def test_an_upstream_that_somebody_set_is_left_alone(start: Start) -> None:
    first = start()
    key = KEY.search(first.stop()[1])
    assert key
    again = start(data=first.data)
    path, headers = "/api/v1/projects/checkout/environments/staging", {"authorization": f"Bearer {key[1]}"}
    changed = '{"upstream":"http://127.0.0.1:9"}'
    await ask(again.addresses["rest"], "PATCH", path, headers | {"content-type": "application/json"}, changed)
    again.stop()
    found = await ask(start(data=first.data).addresses["rest"], "GET", path, headers)
    assert '"upstream":"http://127.0.0.1:9"' in found.body


@pytest.mark.parametrize("flag", ["grpc", "rest", "proxy"])
def test_a_port_in_use_is_named_with_its_flag_and_nothing_is_left_behind(tmp_path: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        addresses = {"grpc": "0", "rest": "0", "proxy": "0"} | {flag: str(port)}
        flags = [part for name, value in addresses.items() for part in (f"--{name}", value)]
        ready_file = tmp_path / "ready.json"
        result = understudy("serve", "--data", tmp_path / "data", "--ready-file", ready_file, *flags)
    assert result.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use (--{flag})" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_use_is_refused_with_its_owner(start: Start) -> None:
    server = start()
    result = understudy("serve", "--data", server.data, "--grpc", "0", "--rest", "0", "--proxy", "0")
    assert result.returncode == 1
    assert f"process {server.process.pid} holds" in result.stderr


def test_a_directory_whose_owner_was_killed_can_be_served_again(start: Start) -> None:
    first = start()
    first.stop(signal.SIGKILL)
    assert start(data=first.data).stop()[0] == 0


def test_a_bad_setting_is_a_mistake_of_use(tmp_path: Path) -> None:
    config = tmp_path / "understudy.yaml"
    config.write_text("server: {api_rat: 1/1}")
    result = understudy("serve", "--config", config, "--data", tmp_path / "data")
    assert result.returncode == 2
    assert "unknown key 'api_rat'; allowed are:" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_plan_without_the_public_api_refuses_it(start: Start) -> None:
    server = start("--plan", "free")
    key = understudy("key", "create", "--data", server.data).stdout.strip()
    result = understudy("scenario", "list", "--server", server.addresses["grpc"], "--key", key, "--project", "checkout")
    assert result.returncode == 4
    assert "plan_required" in result.stderr


def test_a_rate_is_held(start: Start) -> None:
    server = start("--api-rate", "2/60")
    key = understudy("key", "create", "--data", server.data).stdout.strip()
    call = ("scenario", "list", "--server", server.addresses["grpc"], "--key", key, "--project", "checkout")
    codes = [understudy(*call).returncode for _ in range(2)]
    refused = understudy(*call)
    assert (codes, refused.returncode) == ([0, 0], 1)
    assert re.search(r"Try again in \d+ s\.", refused.stderr)


async def test_a_gateway_elsewhere_serves_the_same_sessions(start: Start, tmp_path: Path) -> None:
    server = start()
    key = understudy("key", "create", "--data", server.data).stdout.strip()
    understudy("session", "put", "a", "--project", "checkout", "--data", server.data)
    command = [UNDERSTUDY, "gateway", "--server", server.addresses["grpc"], "--rest", "0"]
    process = await asyncio.create_subprocess_exec(*command, env=clean_environment(), stdout=subprocess.PIPE)
    assert process.stdout
    try:
        line = (await process.stdout.readline()).decode()
        rest = line.split("//")[1].split("/")[0]
        path = "/api/v1/sessions/a?project=checkout"
        found = await ask(rest, "GET", path, {"authorization": f"Bearer {key}"})
        assert (found.status, '"sessionKey":"a"' in found.body) == (200, True)
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
