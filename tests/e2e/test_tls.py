"""Listeners with a certificate, and proxy listeners of single environments."""

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.conftest import UNDERSTUDY, Server, Start, clean_environment, starting, understudy
from support.tls import Authority

KEY = re.compile(r"First admin key, shown this once:  (\S+)\n")
DOORS = ("grpc", "rest", "proxy")
BOUND = "checkout/staging"
PAY: dict[str, Any] = {"method": "POST", "content": '{"amount":1180}', "headers": {"x-flowmock-session": "ci-42"}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Server]:
    """A server with TLS on every listener."""
    chain, key = authority.pair()
    flags = ("--grpc-tls", str(authority.identity()), "--rest-tls", f"{chain},{key}")
    with starting(tmp_path_factory.mktemp("server")) as start:
        yield start(*flags, "--proxy-tls", str(authority.identity()), "--proxy-bound", f"{BOUND}=0")


def first_key(server: Server) -> str:
    found = KEY.search(server.output())
    assert found
    return found[1]


def ask(url: str, trust: ssl.SSLContext | None = None, method: str = "GET", **request: Any) -> httpx.Response:
    with httpx.Client(verify=trust or ssl.create_default_context(), trust_env=False, timeout=10) as client:
        return client.request(method, url, **request)


def decline(server: Server) -> None:
    """Put the session ci-42 into the scenario in which payments are declined, over the owner's socket."""
    place = ("--project", "checkout", "--environment", "staging", "--data", server.data)
    done = understudy("session", "put", "ci-42", "--scenario", "scn_paymentDeclined", *place)
    assert done.returncode == 0, done.stderr


@contextmanager
def gateway(*arguments: str | Path) -> Iterator[str]:
    """Run a gateway; gives the first line it prints."""
    command = [UNDERSTUDY, "gateway", "--rest", "0", *map(str, arguments)]
    process = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_the_ready_file_and_the_announcements_name_the_schemes(server: Server) -> None:
    addresses = server.addresses
    assert addresses["grpc"].startswith("grpcs://127.0.0.1:")
    assert addresses["rest"].startswith("https://127.0.0.1:")
    assert addresses["proxy"].startswith("https://127.0.0.1:")
    assert addresses["bound"][BOUND].startswith("https://127.0.0.1:")
    assert f"gRPC   accepts on {addresses['grpc']}\n" in server.output()
    assert f"REST   accepts on {addresses['rest']}/api/v1\n" in server.output()
    assert f"proxy  accepts on {addresses['proxy']}/<project>/<environment>/\n" in server.output()
    assert f"proxy  accepts on {addresses['bound'][BOUND]}/ for {BOUND}\n" in server.output()


def test_the_lines_to_paste_name_the_schemes(server: Server) -> None:
    assert f"curl -X PUT {server.addresses['rest']}/api/v1/sessions/ci-42" in server.output()
    assert f"curl -X POST {server.addresses['proxy']}/checkout/staging/api/pay" in server.output()


def test_rest_answers_over_tls(server: Server, authority: Authority) -> None:
    headers = {"authorization": f"Bearer {first_key(server)}"}
    assert ask(f"{server.addresses['rest']}/api/v1/projects", authority.trust(), headers=headers).status_code == 200


def test_the_proxy_answers_over_tls(server: Server, authority: Authority) -> None:
    decline(server)
    url = f"{server.addresses['proxy']}/checkout/staging/api/pay"
    assert ask(url, authority.trust(), **PAY).status_code == 402


def test_a_bound_listener_takes_bare_paths(server: Server, authority: Authority) -> None:
    decline(server)
    url = f"{server.addresses['bound'][BOUND]}/api/pay"
    assert ask(url, authority.trust(), **PAY).status_code == 402


def test_a_bound_listener_takes_no_project_from_the_path(server: Server, authority: Authority) -> None:
    decline(server)
    url = f"{server.addresses['bound'][BOUND]}/checkout/staging/api/pay"
    assert ask(url, authority.trust(), **PAY).status_code != 402


def test_commands_reach_a_server_over_tls(server: Server, authority: Authority) -> None:
    environ = {"UNDERSTUDY_SERVER": server.addresses["grpc"], "UNDERSTUDY_KEY": first_key(server)}
    listing = ("scenario", "list", "--project", "checkout", "--environment", "staging")
    by_flag = understudy(*listing, "--ca", authority.file, **environ)
    by_variable = understudy(*listing, **environ, UNDERSTUDY_CA=str(authority.file))
    assert (by_flag.returncode, by_variable.returncode) == (0, 0), by_flag.stderr + by_variable.stderr
    assert "scn_paymentDeclined" in by_flag.stdout


def test_a_command_refuses_a_server_that_another_authority_vouches_for(server: Server, stranger: Authority) -> None:
    call = ("scenario", "list", "--server", server.addresses["grpc"], "--ca", stranger.file)
    refused = understudy(*call)
    assert refused.returncode == 5
    assert f"no answer from {server.addresses['grpc']}" in refused.stderr
    assert "Who vouches for its certificate must be in the file of --ca" in refused.stderr


@pytest.mark.parametrize("door", ["rest", "proxy"])
def test_a_client_refuses_a_door_that_another_authority_vouches_for(
    server: Server, stranger: Authority, door: str
) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(f"{server.addresses[door]}/", stranger.trust())


@pytest.mark.parametrize("door", DOORS)
def test_plain_http_to_a_tls_port_comes_to_an_end(server: Server, door: str) -> None:
    host, _, port = server.addresses[door].rpartition("/")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b""
        # How it ends is left to the library of each door: closed, or cut.
        try:
            while piece := plain.recv(4096):
                answer += piece
        except ConnectionResetError:
            pass
    assert not answer.startswith(b"HTTP/")


def test_a_gateway_speaks_tls_on_both_sides(server: Server, authority: Authority) -> None:
    behind = ("--server", server.addresses["grpc"], "--ca", authority.file)
    headers = {"authorization": f"Bearer {first_key(server)}"}
    with gateway(*behind, "--rest-tls", authority.identity()) as line:
        found = re.search(r"accepts on (https://\S+)/api/v1, for the server at (\S+)$", line)
        assert found
        assert found[2] == server.addresses["grpc"]
        assert ask(f"{found[1]}/api/v1/projects", authority.trust(), headers=headers).status_code == 200


def test_a_gateway_refuses_a_server_that_another_authority_vouches_for(server: Server, stranger: Authority) -> None:
    with gateway("--server", server.addresses["grpc"], "--ca", stranger.file) as line:
        found = re.search(r"accepts on (http://\S+)/api/v1", line)
        assert found
        answer = ask(f"{found[1]}/api/v1/projects", headers={"authorization": "Bearer fmk_x"})
    assert (answer.status_code, answer.json()["code"]) == (502, "server_unreachable")


def test_a_server_with_tls_stops_cleanly(start: Start, authority: Authority) -> None:
    identity = str(authority.identity())
    code, output = start("--grpc-tls", identity, "--rest-tls", identity, "--proxy-tls", identity).stop()
    assert code == 0, output
    assert output.endswith("stopped\n")


def test_a_bound_environment_may_be_made_later(start: Start) -> None:
    server = start("--proxy-bound", "checkout/later=0")
    url = f"http://{server.addresses['bound']['checkout/later']}/"
    assert ask(url).status_code == 404
    made = ask(
        f"http://{server.addresses['rest']}/api/v1/projects/checkout/environments",
        method="POST",
        headers={"authorization": f"Bearer {first_key(server)}"},
        json={"slug": "later", "upstream": "http://127.0.0.1:1"},
    )
    assert made.status_code == 200, made.text
    assert ask(url).status_code == 502


def test_a_taken_address_of_a_bound_listener_is_named_with_its_flag(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = ("--grpc", "0", "--rest", "0", "--proxy", "0")
        refused = understudy("serve", "--data", tmp_path / "data", *free, "--proxy-bound", f"{BOUND}={port}")
    assert refused.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use (--proxy-bound)" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_certificate_that_cannot_be_used_is_a_mistake_of_use(tmp_path: Path, authority: Authority) -> None:
    chain, _ = authority.pair()
    refused = understudy("serve", "--data", tmp_path / "data", "--rest-tls", chain)
    assert refused.returncode == 2
    assert "--rest-tls: " in refused.stderr
    assert "has no private key in PEM form" in refused.stderr
    assert not (tmp_path / "data").exists()
