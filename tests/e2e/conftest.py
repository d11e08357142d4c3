"""A server as a user runs it: a process of its own, told by flags, stopped by a signal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 30.0
UNDERSTUDY = str(Path(sys.executable).with_name("understudy"))


def clean_environment() -> dict[str, str]:
    """The environment without anything that would tell Understudy what to do."""
    return {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}


def understudy(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [UNDERSTUDY, *map(str, arguments)]
    return subprocess.run(
        command, env=clean_environment() | environ, capture_output=True, text=True, timeout=60, check=False
    )


@dataclass
class Server:
    """A process that serves. ``addresses`` are those of its ready file."""

    process: subprocess.Popen[bytes]
    printed: Path
    ready_file: Path
    data: Path
    addresses: dict[str, Any]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; returns the exit code and all that was printed."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=STOP_TIMEOUT_SECONDS)
        return code, self.output()

    def output(self) -> str:
        """All that was printed until now."""
        return self.printed.read_text()


Start = Callable[..., Server]


@contextmanager
def starting(folder: Path) -> Iterator[Start]:
    """Starts servers on free ports, which are killed at the end of the block if they still run."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str, data: Path | None = None) -> Server:
        where, ready_file = data or folder / "data", folder / "ready.json"
        command = [UNDERSTUDY, "serve", "--data", str(where), "--ready-file", str(ready_file), *arguments]
        for flag in ("--grpc", "--rest", "--proxy"):
            command += [flag, "0"]
        # One that a killed server left behind would be taken for this one's.
        ready_file.unlink(missing_ok=True)
        printed = folder / f"output-{len(processes)}.txt"
        with printed.open("w") as output:
            process = subprocess.Popen(command, env=clean_environment(), stdout=output, stderr=subprocess.STDOUT)
        processes.append(process)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        # A process can only be waited for by looking: its own file says that it accepts.
        while not ready_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{printed.read_text()}")
            time.sleep(0.02)
        return Server(process, printed, ready_file, where, json.loads(ready_file.read_text()))

    try:
        yield begin
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers for one test."""
    with starting(tmp_path) as start:
        yield start
