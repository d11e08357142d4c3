"""The rooms of a server as the benchmarks want them: the real store, and no limit on calls."""

import time
from pathlib import Path
from typing import Any

from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.key_service_pb2 import CreateKeyRequest
from understudy.v1.project_service_pb2 import CreateEnvironmentRequest, CreateProjectRequest
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.ports import Journal
from understudy_server.core.ids import IdMaker
from understudy_server.core.rates import Rate
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.live.view import LiveView
from understudy_server.proxy.explaining import ViewExplainer
from understudy_server.proxy.settings import ProxySettings
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.state.kept import KeptState
from understudy_server.store.sqlite import SqlitePresence, SqliteStore

from benchmarks.scenery import ENVIRONMENT, KEY, PROJECT

UNLIMITED = Rate(1_000_000_000, 60)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def dispatcher(folder: Path) -> tuple[Dispatcher, str]:
    """A dispatcher over the real store, with one session in it, and a key's text."""
    store, presence = await SqliteStore.open(folder), await SqlitePresence.open(folder)
    state = await KeptState.open(folder, presence.writer)
    made = dispatcher_on(store, await SqliteJournal.open(folder), presence, state, IdMaker(now_ms))
    await make_place(made)
    session = PutSessionRequest(project=PROJECT, session_key=KEY, label="CI run 4821", global_delay_ms=5)
    await as_owner(made, "SessionService/PutSession", session)
    key = await as_owner(made, "KeyService/CreateKey", CreateKeyRequest(role=ROLE_CI))
    return made, key.text


def dispatcher_on(
    store: SqliteStore, journal: Journal, presence: SqlitePresence, state: KeptState, new_id: IdMaker
) -> Dispatcher:
    return Dispatcher(
        store=store,
        journal=journal,
        presence=presence,
        state=state,
        explainer=ViewExplainer(LiveView(store), state, ProxySettings()),
        clock=now_ms,
        new_id=new_id,
        api_rate=UNLIMITED,
    )


async def make_place(made: Dispatcher) -> None:
    """Make the project and its environment."""
    project = CreateProjectRequest()
    project.project.slug = PROJECT
    environment = CreateEnvironmentRequest(project=PROJECT)
    environment.environment.slug = ENVIRONMENT
    await as_owner(made, "ProjectService/CreateProject", project)
    await as_owner(made, "ProjectService/CreateEnvironment", environment)


async def as_owner(made: Dispatcher, method: str, request: Any) -> Any:
    return await made.unary(f"/understudy.v1.{method}", {}, lambda: (request, None), owner=True)
