"""``understudy logs KEY --follow`` and ``session watch KEY`` against a running server."""

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from e2e.conftest import UNDERSTUDY, Server, Start, clean_environment, understudy

HERE = ("--project", "checkout", "--environment", "staging")


@contextmanager
def following(server: Server, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """Follows the log of ``ci-42`` on the server's data directory."""
    with running(server, "logs", "ci-42", "--follow", *flags) as process:
        yield process


@contextmanager
def running(server: Server, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a command that goes on, on the server's data directory."""
    command = [UNDERSTUDY, *arguments, *HERE, "--data", str(server.data)]
    process = subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(stream: IO[str] | None) -> str:
    """The next line, waited for."""
    assert stream
    return stream.readline()


def ask(server: Server, path: str) -> None:
    """Send a request of the session through the proxy."""
    url = f"http://{server.addresses['proxy']}/checkout/staging{path}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"x-flowmock-session": "ci-42"})) as answer:
        answer.read()


def row(stream: IO[str] | None) -> Any:
    return json.loads(line(stream))


def test_rows_come_as_they_happen_until_ctrl_c(start: Start) -> None:
    server = start()
    with following(server) as process:
        assert "nothing has the key 'ci-42' yet" in line(process.stderr)
        for path in ("/api/cart?n=1", "/api/cart?n=2"):
            ask(server, path)
            assert f"GET {path}" in line(process.stdout)
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "understudy: going on\n")
        assert process.returncode == 0


def test_what_was_there_comes_first_and_scripts_get_an_object_a_line(start: Start) -> None:
    server = start()
    for number in (1, 2, 3):
        ask(server, f"/api/cart?n={number}")
    with following(server, "--json", "--limit", "2") as process:
        assert [row(process.stdout)["query"] for _ in range(2)] == ["n=2", "n=3"]
        ask(server, "/api/cart?n=4")
        assert row(process.stdout)["query"] == "n=4"


def test_a_server_that_starts_again_is_followed_on(start: Start) -> None:
    server = start()
    ask(server, "/api/cart?n=1")
    with following(server, "--json") as process:
        assert row(process.stdout)["query"] == "n=1"
        server.stop()
        assert line(process.stderr).endswith("; trying again\n")
        again = start(data=server.data)
        ask(again, "/api/cart?n=2")
        assert row(process.stdout)["query"] == "n=2"
        assert line(process.stderr) == "understudy: going on\n"


def test_without_a_server_there_is_nothing_to_follow(start: Start) -> None:
    server = start()
    server.stop()
    with following(server) as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (5, "")
    assert "understudy serve" in err


def test_a_row_comes_although_no_session_has_the_key_and_goes_on_when_one_has(start: Start) -> None:
    server = start()
    ask(server, "/api/cart?n=1")
    with following(server, "--json") as process:
        assert row(process.stdout)["sessionId"] == ""
        assert understudy("session", "put", "ci-42", *HERE, "--data", server.data).returncode == 0
        ask(server, "/api/cart?n=2")
        assert row(process.stdout)["sessionId"].startswith("ses_")


def test_a_session_is_watched_to_its_end(start: Start) -> None:
    server = start()
    here = ("ci-42", *HERE, "--data", server.data)
    with running(server, "session", "watch", "ci-42") as process:
        assert "there is no session 'ci-42' yet" in line(process.stderr)
        assert understudy("session", "put", *here, "--label", "one").returncode == 0
        assert line(process.stdout) == "state  revision 1: label one\n"
        ask(server, "/api/cart?n=1")
        assert "GET /api/cart?n=1" in line(process.stdout)
        assert understudy("session", "put", *here, "--label", "two").returncode == 0
        assert line(process.stdout) == "state  revision 2: label two (was one)\n"
        assert understudy("session", "delete", *here).returncode == 0
        assert process.communicate() == (
            "ended  the session was deleted, or its time was over\n",
            "understudy: going on\n",
        )
        assert process.returncode == 0


def test_a_watch_outlives_its_server_and_ends_with_ctrl_c(start: Start) -> None:
    server = start()
    here = ("ci-42", *HERE, "--data", server.data)
    assert understudy("session", "put", *here).returncode == 0
    with running(server, "session", "watch", "ci-42", "--json") as process:
        assert row(process.stdout)["session"]["revision"] == 1
        server.stop()
        assert line(process.stderr).endswith("; trying again\n")
        again = start(data=server.data)
        assert line(process.stderr) == "understudy: going on\n"
        ask(again, "/api/cart?n=1")
        assert row(process.stdout)["log"]["query"] == "n=1"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "")
        assert process.returncode == 0
