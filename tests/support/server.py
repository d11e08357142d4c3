"""A whole server as its own process, as a user would start it, and what tests make in it."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc as grpcio
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.key_service_pb2 import CreateKeyRequest, RevokeKeyRequest
from understudy.v1.key_service_pb2_grpc import KeyServiceStub
from understudy.v1.mock_service_pb2 import (
    ActivateMockRequest,
    BatchMocksRequest,
    CreateMockRequest,
    Mock,
    PublishMockRequest,
)
from understudy.v1.mock_service_pb2_grpc import MockServiceStub
from understudy.v1.project_service_pb2 import CreateEnvironmentRequest, CreateProjectRequest
from understudy.v1.project_service_pb2_grpc import ProjectServiceStub
from understudy.v1.scenario_service_pb2 import CreateScenarioRequest, Scenario
from understudy.v1.scenario_service_pb2_grpc import ScenarioServiceStub

COMMAND = (sys.executable, "-c", "from understudy_server.cli.main import main; main()")
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
_numbers = itertools.count(1)


@dataclass
class Server:
    """A running server: where it listens, and the owner's door."""

    process: subprocess.Popen[bytes]
    data: Path
    grpc: str
    rest: str
    proxy: str
    output: Path
    metrics: str = ""
    assertive: str = ""
    owner: Any = field(init=False)

    def __post_init__(self) -> None:
        self.owner = grpcio.insecure_channel(f"unix:{self.data}/owner.sock")

    def make_key(self, role: int = ROLE_CI, project: str = "", environment: str = "", **fields: object) -> "MadeKey":
        request = CreateKeyRequest(role=role, project=project, environment=environment, **fields)  # type: ignore[arg-type]
        answer = KeyServiceStub(self.owner).CreateKey(request)
        return MadeKey(answer.key.id, answer.text)

    def revoke(self, key: "MadeKey") -> None:
        KeyServiceStub(self.owner).RevokeKey(RevokeKeyRequest(key_id=key.id))

    def make_place(self, *environments: str, upstream: str = "") -> "MadePlace":
        """Make a project with a name of its own and the environments named."""
        slug = f"project-{os.getpid()}-{next(_numbers)}"
        stub = ProjectServiceStub(self.owner)
        project = CreateProjectRequest()
        project.project.slug = slug
        stub.CreateProject(project)
        for name in environments:
            request = CreateEnvironmentRequest(project=slug)
            request.environment.slug = name
            request.environment.upstream = upstream
            stub.CreateEnvironment(request)
        return MadePlace(self, slug, environments)


@dataclass(frozen=True)
class MadeKey:
    id: str
    text: str


@dataclass(frozen=True)
class Answering:
    """A mock that answers a route with JSON."""

    id: str
    method: str
    path: str
    body: str
    status: int = 200
    publish: bool = True
    scenario: str = ""

    def mock(self) -> Mock:
        mock = Mock(id=self.id, name=self.id, scenario=self.scenario)
        mock.matcher.method, mock.matcher.path = self.method, self.path
        mock.action.respond.status, mock.action.respond.json = self.status, self.body
        return mock


@dataclass(frozen=True)
class MadePlace:
    """A project made for one test."""

    server: Server
    project: str
    environments: tuple[str, ...]

    def make_mock(self, mock_id: str, *, publish: bool = True, environment: str = "", **fields: object) -> None:
        project, environment = self.project, environment or self.environments[0]
        stub = MockServiceStub(self.server.owner)
        mock = Mock(id=mock_id, name=mock_id, **fields)  # type: ignore[arg-type]
        stub.CreateMock(CreateMockRequest(project=project, environment=environment, mock=mock))
        if publish:
            stub.PublishMock(PublishMockRequest(project=project, environment=environment, mock_id=mock_id))

    def make_answer(self, mock_id: str, method: str, path: str, body: str, *, environment: str = "") -> None:
        """Make a mock that answers a route with JSON, and publish it."""
        self.make_answers(Answering(mock_id, method, path, body), environment=environment)

    def make_answers(self, *answering: "Answering", environment: str = "") -> None:
        """Make several mocks at once, in this order."""
        batch = BatchMocksRequest(project=self.project, environment=environment or self.environments[0])
        for each in answering:
            batch.operations.add().create.mock.CopyFrom(each.mock())
            if each.publish:
                batch.operations.add().publish.mock_id = each.id
        MockServiceStub(self.server.owner).BatchMocks(batch)

    def switch_on_for_all(self, mock_id: str, environment: str = "") -> None:
        """Let a mock apply to every request of its environment."""
        environment = environment or self.environments[0]
        request = ActivateMockRequest(project=self.project, environment=environment, mock_id=mock_id)
        MockServiceStub(self.server.owner).ActivateMock(request)

    def make_scenario(self, scenario_id: str, *mocks: str, name: str = "", environment: str = "") -> None:
        request = CreateScenarioRequest(
            project=self.project,
            environment=environment or self.environments[0],
            scenario=Scenario(id=scenario_id, name=name or scenario_id, mocks=mocks),
        )
        ScenarioServiceStub(self.server.owner).CreateScenario(request)


@contextlib.contextmanager
def running_server(*flags: str, data: Path | None = None) -> Iterator[Server]:
    """Start ``understudy serve`` on free ports over a new data directory, or the caller's, and stop it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="understudy-"))
    ready, output, data = folder / "ready.json", folder / "output", data or folder / "data"
    ports = ("--grpc", "127.0.0.1:0", "--rest", "127.0.0.1:0", "--proxy", "127.0.0.1:0")
    command = (*COMMAND, "serve", "--data", str(data), "--ready-file", str(ready), *ports, *flags)
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        server = Server(process, data, output=output, **_addresses(process, ready, output))
        yield server
        server.owner.close()
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_gateway(server: Server) -> Iterator[str]:
    """Start ``understudy gateway`` before a server; gives its address."""
    folder = Path(tempfile.mkdtemp(prefix="understudy-"))
    ready, output = folder / "ready.json", folder / "output"
    flags = ("gateway", "--server", server.grpc, "--rest", "127.0.0.1:0", "--ready-file", str(ready))
    with output.open("wb") as log:
        process = subprocess.Popen((*COMMAND, *flags), stdout=log, stderr=log, cwd=folder)
    try:
        yield _addresses(process, ready, output)["rest"]
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _addresses(process: subprocess.Popen[bytes], ready: Path, output: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS_MAX
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start:\n{output.read_text()}")
        time.sleep(0.02)
    addresses: dict[str, str] = json.loads(ready.read_text())
    return addresses
