"""A dispatcher over a real store in a temporary directory, with the clock in the test's hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from support.new_store import begin, new_store
from support.plain_journal import PlainJournal
from understudy import status
from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.status import Problem
from understudy.v1 import key_service_pb2, mock_service_pb2, project_service_pb2, scenario_service_pb2
from understudy_server.app.host import Host, HostFacts
from understudy_server.app.observing import Observe, unobserved
from understudy_server.core.ids import IdMaker
from understudy_server.core.rates import Rate
from understudy_server.live.view import LiveView
from understudy_server.proxy.explaining import ViewExplainer
from understudy_server.proxy.settings import ProxySettings
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.state.memory import MemoryState
from understudy_server.store.sqlite import SqliteStore

START_MS = 1_782_216_000_000


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)


@dataclass
class MemoryPresence:
    """What is kept of sessions, as dictionaries."""

    seen: dict[str, int] = field(default_factory=dict)
    noted: dict[str, set[str]] = field(default_factory=dict)

    def touch(self, session_id: str, now_ms: int) -> None:
        self.seen[session_id] = now_ms

    def last_seen(self, session_id: str) -> int | None:
        return self.seen.get(session_id)

    def findings(self, session_id: str) -> Sequence[str]:
        return sorted(self.noted.get(session_id, ()))

    def session_ids(self) -> Sequence[str]:
        return list({**self.seen, **self.noted})

    def forget(self, session_ids: Sequence[str]) -> None:
        for each in session_ids:
            self.seen.pop(each, None)
            self.noted.pop(each, None)


@dataclass
class World:
    """A dispatcher and what it stands on. ``refused`` calls and gives the problem; ``call`` gives the answer."""

    dispatcher: Dispatcher
    store: SqliteStore
    journal: PlainJournal
    presence: MemoryPresence
    state: MemoryState
    clock: Clock
    explainer: ViewExplainer

    async def raw(self, method: str, request: Message, key: str = "", **metadata: str) -> Message | Status:
        """Call ``Service.Rpc``; without a key, as the owner."""
        service, _, rpc = method.partition(".")
        headers = {name.replace("_", "-"): value for name, value in metadata.items()}
        if key:
            headers["authorization"] = f"Bearer {key}"
        copy = type(request)()
        copy.CopyFrom(request)
        return await self.dispatcher.unary(
            f"/understudy.v1.{service}/{rpc}", headers, lambda: (copy, None), owner=not key
        )

    async def call(self, method: str, request: Message, key: str = "", **metadata: str) -> Message:
        answer = await self.raw(method, request, key, **metadata)
        assert not isinstance(answer, Status), f"{method} was refused: {answer.message}"
        return answer

    async def code(self, method: str, request: Message, key: str = "", **metadata: str) -> str:
        """The code that a call is refused with, empty when it is not."""
        answer = await self.raw(method, request, key, **metadata)
        return status.read(answer).reason if isinstance(answer, Status) else ""

    async def refused(self, method: str, request: Message, key: str = "", **metadata: str) -> Problem:
        answer = await self.raw(method, request, key, **metadata)
        assert isinstance(answer, Status), f"{method} was not refused: {answer}"
        return status.read(answer)

    async def make_project(self, slug: str, *environments: str) -> None:
        project = project_service_pb2.Project(slug=slug)
        await self.call("ProjectService.CreateProject", project_service_pb2.CreateProjectRequest(project=project))
        for each in environments:
            request = project_service_pb2.CreateEnvironmentRequest(project=slug)
            request.environment.slug = each
            await self.call("ProjectService.CreateEnvironment", request)

    async def make_mock(self, project: str, environment: str, mock_id: str, **fields: str) -> None:
        """Make a mock and publish it."""
        mock = mock_service_pb2.Mock(id=mock_id, name=mock_id, **fields)  # type: ignore[arg-type]
        place = {"project": project, "environment": environment}
        await self.call("MockService.CreateMock", mock_service_pb2.CreateMockRequest(mock=mock, **place))
        publish = mock_service_pb2.PublishMockRequest(project=project, environment=environment, mock_id=mock_id)
        await self.call("MockService.PublishMock", publish)

    async def make_scenario(self, project: str, environment: str, scenario_id: str, *mocks: str) -> None:
        scenario = scenario_service_pb2.Scenario(id=scenario_id, name=scenario_id, mocks=mocks)
        request = scenario_service_pb2.CreateScenarioRequest(
            project=project, environment=environment, scenario=scenario
        )
        await self.call("ScenarioService.CreateScenario", request)

    async def make_key(self, role: int = ROLE_ADMIN, project: str = "", environment: str = "") -> str:
        """Make a key and return its text."""
        request = key_service_pb2.CreateKeyRequest(role=role, project=project, environment=environment)  # type: ignore[arg-type]
        answer = await self.call("KeyService.CreateKey", request)
        assert isinstance(answer, key_service_pb2.CreateKeyResponse)
        return answer.text


@asynccontextmanager
async def world(
    folder: Path,
    rate: Rate = Rate(6000, 60),  # noqa: B008 - it is frozen
    host: Host = HostFacts,
    observe: Observe = unobserved,
) -> AsyncIterator[World]:
    clock, journal, presence, state = Clock(), PlainJournal(), MemoryPresence(), MemoryState()
    store = await new_store(folder)
    explainer = ViewExplainer(LiveView(store), state, ProxySettings())
    dispatcher = Dispatcher(
        store=store,
        journal=journal,
        presence=presence,
        state=state,
        explainer=explainer,
        clock=clock,
        new_id=IdMaker(clock),
        api_rate=rate,
        host=host,
        observe=observe,
    )
    try:
        yield World(dispatcher, store, journal, presence, state, clock, explainer)
    finally:
        await store.close()


@asynccontextmanager
async def world_of_two(folder: Path) -> AsyncIterator[World]:
    """A world with the project checkout: staging and qa; and the project other: staging. Made once, and copied."""
    begin(folder, _make_two)
    async with world(folder) as made:
        yield made


async def _make_two(folder: Path) -> None:
    async with world(folder) as made:
        await made.make_project("checkout", "staging", "qa")
        await made.make_project("other", "staging")
