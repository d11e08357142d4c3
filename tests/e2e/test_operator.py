"""The operator's side against a running server: what happened becomes a mock, and an editor on a real terminal."""

import json
import os
import pty
import subprocess
import sys
import urllib.request
from pathlib import Path

from e2e.conftest import UNDERSTUDY, Server, Start, clean_environment, understudy

HERE = ("--project", "checkout", "--environment", "staging")


def get(server: Server, path: str, session_key: str) -> bytes:
    url = f"http://{server.addresses['proxy']}/checkout/staging{path}"
    request = urllib.request.Request(url, headers={"x-flowmock-session": session_key})
    with urllib.request.urlopen(request) as answer:
        body: bytes = answer.read()
    return body


def test_a_recorded_exchange_becomes_a_mock_that_answers_the_same(start: Start) -> None:
    server = start()
    owner = (*HERE, "--data", server.data)
    real = get(server, "/api/cart", "real")
    (row,) = json.loads(understudy("logs", "real", "--json", *owner).stdout)["logs"]
    made = understudy("mock", "from-log", row["id"], "--id", "ovr_was", "--publish", "--json", *owner)
    assert json.loads(made.stdout)["state"] == "published"
    assert understudy("override", "on", "mocked", "ovr_was", *owner).returncode == 0
    assert get(server, "/api/cart", "mocked") == real
    (row,) = json.loads(understudy("logs", "mocked", "--json", *owner).stdout)["logs"]
    assert row["overrideId"] == "ovr_was"


def test_a_mock_is_edited_on_a_terminal(start: Start, tmp_path: Path) -> None:
    server = start()
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text().replace('status: 402', 'status: 409'))\n"
    )
    ours, theirs = pty.openpty()
    command = [UNDERSTUDY, "mock", "edit", "ovr_payDeclined", *HERE, "--data", str(server.data)]
    environ = clean_environment() | {"VISUAL": f"{sys.executable} {editor}", "TERM": "xterm"}
    done = subprocess.run(
        command, env=environ, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=False
    )
    for each in (ours, theirs):
        os.close(each)
    assert (done.returncode, b"status: 409" in done.stdout) == (0, True)
