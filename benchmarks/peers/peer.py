"""A peer: another product that answers the same request with the same answer, and how it is run for that."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from benchmarks.answer import Answer, ask
from benchmarks.method import SERVER_CORE, Rejected
from benchmarks.nginx import TOOLS_PATH, free_port
from benchmarks.scenery import HEADERS, KEY, MOCKED_BODY, PROXIED_MOCKED_PATH

# A JVM on one core, or a bundle of JavaScript that is compiled first.
_START_SECONDS, _STOP_SECONDS = 60, 10
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Place:
    """Where a peer runs: its installation, an empty folder for its files, and an upstream if it is to pass on."""

    home: Path
    folder: Path
    port: int
    upstream: str = ""

    def write(self, name: str, content: object) -> str:
        """A file of the folder, as JSON unless it is text. Gives its path."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(file)


@dataclass(frozen=True)
class Peer:
    """One product in one configuration.

    ``command`` writes its files and gives the command that serves in the foreground. ``runs_as`` says what is
    configured and what is as the product has it by default. ``needs`` are the programs it runs with. ``body`` is what
    it must answer: the same JSON, however it is written. A peer that cannot look at headers does not check the session.
    """

    name: str
    package: str
    command: Callable[[Place], Sequence[str]]
    runs_as: str
    needs: Sequence[str] = ("node",)
    checks_session: bool = True
    path: str = PROXIED_MOCKED_PATH
    body: bytes = MOCKED_BODY


@dataclass(frozen=True)
class Running:
    """A peer that answers. ``body`` is its answer as it writes it."""

    pid: int
    address: str
    body: bytes


@contextmanager
def running(peer: Peer, home: Path, upstream: str = "") -> Iterator[Running]:
    """The peer on the servers' core. Raises Rejected when it does not answer as it must."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-peer-", ignore_cleanup_errors=True) as folder:
        place = Place(home, Path(folder), free_port(), upstream)
        with _process(peer.command(place), Path(folder)) as process:
            address = f"127.0.0.1:{place.port}"
            body = _first_answer(peer, process, address)
            _check_session(peer, address)
            yield Running(process.pid, address, body)


def said_by(program: str) -> str:
    """A program's version: ``20.20.2``."""
    option = "-version" if program == "java" else "--version"
    path = shutil.which(program, path=TOOLS_PATH) or program
    said = subprocess.run([path, option], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return found[0] if found else "of unknown version"


@contextmanager
def _process(command: Sequence[str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """In a group of its own: some start others. What they print goes nowhere, which costs them least."""
    process = subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), *command],
        cwd=folder,
        env={"PATH": TOOLS_PATH, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)


def _first_answer(peer: Peer, process: "subprocess.Popen[bytes]", address: str) -> bytes:
    until, last = time.monotonic() + _START_SECONDS, "nothing"
    while process.poll() is None and time.monotonic() < until:
        try:
            answer = ask(address, peer.path, HEADERS)
        except OSError as error:
            last = str(error)
        else:
            if _is_right(peer, answer):
                return answer.body
            last = f"{answer.status} {answer.body[:200]!r}"
        time.sleep(_PAUSE_SECONDS)
    raise Rejected(f"{peer.name} did not start: it answered {last}")


def _check_session(peer: Peer, address: str) -> None:
    """Where it checks the session, a request of another one has another answer."""
    other = {**HEADERS, "x-flowmock-session": f"not-{KEY}"}
    if peer.checks_session and _is_right(peer, ask(address, peer.path, other)):
        raise Rejected(f"{peer.name} answers any session alike")


def _is_right(peer: Peer, answer: Answer) -> bool:
    try:
        return answer.status == HTTPStatus.OK and bool(json.loads(answer.body) == json.loads(peer.body))
    except ValueError:
        return False
