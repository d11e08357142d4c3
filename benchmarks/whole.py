"""A whole server as a user starts it: the command ``understudy serve`` on a data directory, on the servers' core."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.v1.key_service_pb2 import CreateKeyRequest, CreateKeyResponse

from benchmarks.method import SERVER_CORE, Rejected

UNLIMITED_CALLS = "100000000/60"
ANY_PORT = "127.0.0.1:0"
START_SECONDS_MAX = 30.0
_LOOK_SECONDS = 0.01
_STOP_SECONDS_MAX = 30.0
_CALLS_AT_A_TIME = 32
_SETTING = "UNDERSTUDY_"


@dataclass(frozen=True)
class Whole:
    """A server that accepts: where its doors are, and the door of the owner, which needs no key.

    ``metrics`` is empty where they are off.
    """

    pid: int
    grpc: str
    rest: str
    proxy: str
    owner: Any
    metrics: str = ""

    def call(self, method: str, request: Message) -> bytes:
        """Call as the owner, as in ``SessionService/PutSession``; gives the bytes of the answer."""
        call: Any = self.owner.unary_unary(f"/understudy.v1.{method}")
        answer: bytes = call(request.SerializeToString())
        return answer

    def call_all(self, method: str, requests: Iterable[Message]) -> None:
        """Many calls, some of them at a time."""
        call: Any = self.owner.unary_unary(f"/understudy.v1.{method}")
        under_way = deque[Any]()
        for request in requests:
            under_way.append(call.future(request.SerializeToString()))
            if len(under_way) >= _CALLS_AT_A_TIME:
                under_way.popleft().result()
        for each in under_way:
            each.result()

    def make_key(self) -> str:
        """A key that may do everything."""
        return CreateKeyResponse.FromString(self.call("KeyService/CreateKey", CreateKeyRequest(role=ROLE_ADMIN))).text


@contextmanager
def serving(data: Path, **settings: str) -> Iterator[Whole]:
    """Serve a data directory on free ports, with settings by name. Raises Rejected when it does not start."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        ready = Path(folder) / "ready.json"
        process = spawn(data, ready_file=str(ready), **dict.fromkeys(("grpc", "rest", "proxy"), ANY_PORT), **settings)
        try:
            doors = _doors(process, ready)
            with grpc.insecure_channel(f"unix:{data / 'owner.sock'}") as owner:
                yield Whole(process.pid, doors["grpc"], doors["rest"], doors["proxy"], owner, doors.get("metrics", ""))
        finally:
            stop(process)


@contextmanager
def serving_anew(**settings: str) -> Iterator[Whole]:
    """Serve a new data directory, which holds the sample."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder, serving(Path(folder), **settings) as server:
        yield server


def spawn(data: Path, **settings: str) -> "subprocess.Popen[bytes]":
    """Start the command. What it says goes nowhere: a new store's first key is among it."""
    program = Path(sys.executable).with_name("understudy")
    command = ["taskset", "-c", str(SERVER_CORE), str(program), "serve", "--data", str(data)]
    environ = _environ() | {f"{_SETTING}{name.upper()}": text for name, text in settings.items()}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End it as a user does, and wait until everything is written."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _environ() -> dict[str, str]:
    """Nothing that would change the server, or make each start compile anew what it imports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTING)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def _doors(process: "subprocess.Popen[bytes]", ready: Path) -> dict[str, str]:
    until = time.monotonic() + START_SECONDS_MAX
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise Rejected(f"understudy serve did not start: {process.args!r} ended with {process.returncode}")
        time.sleep(_LOOK_SECONDS)
    doors: dict[str, str] = json.loads(ready.read_text(encoding="utf-8"))
    return doors
