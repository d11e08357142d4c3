"""One shell for the commands of a page, as in a reader's terminal: variables, folder and jobs stay."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MARK = "the command ended with"


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed on both streams."""

    code: int
    output: str


class Shell:
    """A bash that reads commands one by one. Use it in a ``with`` statement: all that it started ends with it."""

    def __init__(self, folder: Path, environ: Mapping[str, str], notes: Path) -> None:
        self._notes = notes
        self._steps = 0
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        # A session of its own, so that this reaches whatever was started and nothing else.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def run(self, text: str, *, until_one_fails: bool = False) -> Result:
        """Run commands. ``until_one_fails`` stops at the first that does, and ends the shell with it."""
        output = self._write(text)
        before, after = ("set -eo pipefail; ", "; set +eo pipefail") if until_one_fails else ("", "")
        self._send(f"{before}source {output.with_suffix('.sh')} >{output} 2>&1 </dev/null; _code=$?{after}")
        self._send(f'echo "{_MARK} $_code"; (exit $_code)')
        assert self._process.stdout
        # Nothing when the shell has ended: at a command that failed, or told to.
        line = self._process.stdout.readline()
        code = int(line.rsplit(" ", 1)[1]) if line.startswith(_MARK) else self._process.wait()
        return Result(code, output.read_text(errors="replace"))

    def start(self, text: str) -> Path:
        """Start commands that go on beside those that follow. Returns the file that gets what they print."""
        output = self._write(text)
        self._send(f"source {output.with_suffix('.sh')} >{output} 2>&1 </dev/null &")
        return output

    def _write(self, text: str) -> Path:
        self._steps += 1
        script = self._notes / f"step-{self._steps}.sh"
        script.write_text(text)
        output = script.with_suffix(".out")
        output.touch()
        return output

    def _send(self, line: str) -> None:
        assert self._process.stdin
        # A shell that has ended already, at a command that failed, is told nothing more.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
