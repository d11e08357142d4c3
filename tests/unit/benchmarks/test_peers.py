"""Which peers there are, how they are installed, and when one that runs is taken for one."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.method import Rejected
from benchmarks.peers import installing, peer
from benchmarks.peers.catalogue import FORWARDER, PEERS
from benchmarks.peers.installing import NotInstallable, installed
from benchmarks.peers.peer import Peer, Place, running
from benchmarks.peers.pins import Pin, pins, read

ORDERS = Pin("npm", "@shop/orders", "1.2.3")

# Answers as a peer would; with the word "alike" any session. "worker" has a child of its own.
SERVER = """
import http.server, json, subprocess, sys

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        right = "alike" in sys.argv or self.headers["x-flowmock-session"] == "ci-42"
        body = json.dumps({"id": 1} if right else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

if "worker" in sys.argv:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    open("child", "w").write(str(child.pid))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""


def serving(*words: str, body: bytes = b'{"id": 1}', checks_session: bool = True) -> Peer:
    def command(place: Place) -> Sequence[str]:
        return [sys.executable, place.write("server.py", SERVER), str(place.port), *words]

    return Peer("orders", "orders", command, "as it is", needs=[], checks_session=checks_session, body=body)


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the place of npm, by its shell script."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setattr(installing, "TOOLS_PATH", f"{programs}:{os.environ['PATH']}")

    def becomes(script: str) -> None:
        program = programs / "npm"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    return becomes


def test_each_peer_has_a_version() -> None:
    assert {each.package for each in (*PEERS, FORWARDER)} == set(pins())


@given(st.lists(st.tuples(st.sampled_from(["npm", "pypi"]), st.from_regex(r"[a-z@/-]+", fullmatch=True))))
def test_each_line_is_a_registry_a_package_and_a_version(lines: list[tuple[str, str]]) -> None:
    wanted = {package: registry for registry, package in lines}
    text = "\n\n".join(f"{registry}  {package}\t1.0  # as tried" for package, registry in wanted.items())

    assert {(pin.registry, pin.package) for pin in read(text).values()} == {(wanted[name], name) for name in wanted}


@pytest.mark.parametrize("line", ["npm orders", "cargo orders 1.0", "npm orders 1.0 2.0", "npm a 1\nnpm a 2"])
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a registry"):
        read(line)


def test_versions_are_installed_beside_each_other() -> None:
    assert ORDERS.folder == "shop-orders-1.2.3"


def test_what_is_installed_is_not_installed_again(tmp_path: Path, npm: Callable[[str], None]) -> None:
    npm(f'echo "$@" >>{tmp_path}/asked')

    homes = {installed(ORDERS, [], tmp_path / "peers") for _ in range(2)}

    [home] = homes
    [asked] = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked.startswith(f"install --prefix {home} --ignore-scripts ")
    assert asked.endswith(" @shop/orders@1.2.3")


def test_a_failed_installation_has_a_reason_and_is_tried_again(tmp_path: Path, npm: Callable[[str], None]) -> None:
    npm("echo npm error code E404 >&2; exit 1")
    with pytest.raises(NotInstallable, match="npm says E404"):
        installed(ORDERS, [], tmp_path / "peers")
    npm("exit 0")

    assert installed(ORDERS, [], tmp_path / "peers").is_dir()


def test_a_version_that_is_not_made_for_this_python_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"venv": None, "install": "ERROR: No matching distribution found for orders==1.0"}
    monkeypatch.setattr(installing, "_run", lambda *command: next(said[word] for word in command if word in said))

    with pytest.raises(NotInstallable, match="no such version for Python 3"):
        installed(Pin("pypi", "orders", "1.0"), [], tmp_path)


def test_a_peer_whose_programs_are_not_here_is_not_installed(tmp_path: Path, npm: Callable[[str], None]) -> None:
    npm("exit 0")

    with pytest.raises(NotInstallable, match="no hotspot-of-orders"):
        installed(ORDERS, ["hotspot-of-orders"], tmp_path / "peers")
    assert not (tmp_path / "peers").exists()


def test_a_peer_that_answers_the_same_json_runs(tmp_path: Path) -> None:
    with running(serving(body=b'{"id":1}'), tmp_path) as it:
        assert it.body == b'{"id": 1}'


def test_a_peer_that_ends_is_none(tmp_path: Path) -> None:
    ended = Peer("orders", "orders", lambda _: ["false"], "as it is")

    with pytest.raises(Rejected, match="orders did not start"), running(ended, tmp_path):
        pass


def test_a_peer_that_answers_something_else_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "_START_SECONDS", 2)

    with pytest.raises(Rejected, match="it answered 200"), running(serving(body=b'{"id": 2}'), tmp_path):
        pass


def test_a_peer_is_taken_at_its_word_that_it_checks_the_session(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="any session alike"), running(serving("alike"), tmp_path):
        pass
    with running(serving("alike", checks_session=False), tmp_path) as it:
        assert it.body


def test_what_a_peer_has_started_ends_with_it(tmp_path: Path) -> None:
    with running(serving("worker"), tmp_path) as it:
        folder = Path(f"/proc/{it.pid}/cwd").resolve()
        child = int((folder / "child").read_text(encoding="utf-8"))
        os.kill(child, 0)

    until = time.monotonic() + 10
    while _lives(child) and time.monotonic() < until:
        pass
    assert not _lives(child)
    assert not folder.exists()


def _lives(pid: int) -> bool:
    """One that has ended may wait for its parent to hear of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
