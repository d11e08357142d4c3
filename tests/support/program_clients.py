"""Clients that are programs: curl, and those of ``tests/e2e/clients``, which read calls and write answers by lines."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from support.calls import CALL_SECONDS_MAX, Answer, Call, answer_of

SOURCES = Path(__file__).parents[1] / "e2e" / "clients"
_BUILD_SECONDS_MAX = 300
_TOO_LATE_SECONDS = 2 * CALL_SECONDS_MAX


class CurlClient:
    """One curl for all calls that are played together, so that it can use a connection again."""

    def play(self, calls: Sequence[Call]) -> Sequence[Answer]:
        with tempfile.TemporaryDirectory(prefix="understudy-curl-") as name:
            folder = Path(name)
            arguments: list[str] = []
            for number, call in enumerate(calls):
                arguments += ["--next"] if number else []
                arguments += _curl_arguments(call, folder, number)
            done = subprocess.run(
                ["curl", "-q", *arguments], capture_output=True, text=True, timeout=_TOO_LATE_SECONDS, check=False
            )
            assert done.returncode == 0, f"the client failed: {done.stderr}"
            return [_curl_answer(folder, number) for number in range(len(calls))]

    def close(self) -> None:
        """There is nothing open between calls."""


def _curl_arguments(call: Call, folder: Path, number: int) -> list[str]:
    arguments = ["--silent", "--show-error", "--noproxy", "*", "--max-time", str(CALL_SECONDS_MAX)]
    arguments += ["-D", str(folder / f"head-{number}"), "-o", str(folder / f"body-{number}")]
    arguments += ["--head"] if call.method == "HEAD" else ["-X", call.method]
    for name, value in call.headers.items():
        arguments += ["-H", f"{name}: {value}"]
    if call.body:
        content = folder / f"content-{number}"
        content.write_bytes(call.body)
        arguments += ["--data-binary", f"@{content}"]
    if call.chunked:
        arguments += ["-H", "Transfer-Encoding: chunked"]
    if call.waits:
        arguments += ["-H", "Expect: 100-continue", "--expect100-timeout", str(_TOO_LATE_SECONDS)]
    return [*arguments, call.url]


def _curl_answer(folder: Path, number: int) -> Answer:
    # Answers such as 100 Continue stand before the final one.
    head = (folder / f"head-{number}").read_bytes().decode("latin-1").split("\r\n\r\n")[-2].split("\r\n")
    body = folder / f"body-{number}"
    headers = [line.partition(":") for line in head[1:]]
    return Answer(
        int(head[0].split(" ")[1]),
        [(each.lower(), value.strip()) for each, _, value in headers],
        # curl writes the head of an answer to HEAD where the body would be.
        body.read_bytes() if body.exists() and not body.read_bytes().startswith(b"HTTP/") else b"",
    )


class LineClient:
    """A program that reads a call from its input and writes the answer to its output, until its input ends."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin
        assert self._process.stdout
        self._input: TextIO = self._process.stdin  # type: ignore[assignment]
        self._output: TextIO = self._process.stdout  # type: ignore[assignment]

    def play(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._send(call) for call in calls]

    def _send(self, call: Call) -> Answer:
        self._input.write(call.line() + "\n")
        self._input.flush()
        return answer_of(self._output.readline())

    def close(self) -> None:
        self._input.close()
        self._output.close()
        self._process.wait(CALL_SECONDS_MAX)


def node_client() -> LineClient:
    return LineClient("node", str(SOURCES / "fetch.mjs"))


def flagbridge_page(given: Any) -> Any:
    """What `flagbridge_page.mjs` says: JSON in, JSON out."""
    command = ["node", str(SOURCES / "flagbridge_page.mjs")]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, timeout=CALL_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, f"the client failed: {done.stderr}"
    return json.loads(done.stdout)


def go_client(folder: Path) -> LineClient:
    """Build it (standard library only, nothing is fetched) and run it."""
    program = folder / "go-client"
    _build("go", "build", "-o", str(program), str(SOURCES / "client.go"))
    return LineClient(str(program))


def java_client(folder: Path, version: str) -> LineClient:
    """``version`` names what it speaks: ``HTTP_1_1``, or ``HTTP_2``, which it offers by an upgrade."""
    _build("javac", "-d", str(folder), str(SOURCES / "Client.java"))
    # A small heap and no second compiler: it lives for seconds.
    return LineClient("java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", str(folder), "Client", version)


def _build(*command: str) -> None:
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_BUILD_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, f"{command[0]} could not build its client:\n{done.stderr}"
