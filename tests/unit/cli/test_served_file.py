"""The file of a server over a real store: read by a process of its own, put into force, followed."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.dispatching import World, world
from support.manifesting import Operator, answering, staging
from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.app.superseding import why_not_in_force
from understudy_server.cli import manifest_file as module
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.following import Pace
from understudy_server.cli.served_file import ServedFile, served_file
from understudy_server.core.plans import Plan

WAIT_SECONDS = 60
SOON = Pace(quiet_seconds=0.001, look_seconds=0.01, retry_seconds=0.01)
PLACE = {"project": "shop", "environment": "staging"}
TEXT = "projects: {shop: {environments: {staging: {mocks: {ovr_a: {action: {respond: {status: 402}}}}}}}}"


@dataclass
class Stage:
    """A store, and a server's file beside it. ``said`` are the lines that a person reads."""

    here: World
    path: Path
    said: "asyncio.Queue[str]"

    @asynccontextmanager
    async def begun(self, text: str = TEXT) -> AsyncIterator[ServedFile]:
        self.path.write_text(text)
        async with served_file(self.path, None, self.said.put_nowait) as file:
            await file.begin(self.here.dispatcher, self.here.store)
            yield file

    async def is_said(self) -> str:
        return (await asyncio.wait_for(self.said.get(), WAIT_SECONDS)).removeprefix(f"file   {self.path} ")

    async def status_of_mock(self) -> int:
        request = pb.GetMockRequest(mock_id="ovr_a", **PLACE)
        answer = await self.here.call("MockService.GetMock", request)
        assert isinstance(answer, pb.GetMockResponse)
        return answer.mock.action.respond.status


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with world(tmp_path / "data") as here:
        yield Stage(here, tmp_path / "understudy.yaml", asyncio.Queue())


class Lines(logging.Handler):
    """What the following of a file logs, told as it is logged."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


@pytest.fixture
def logged(stage: Stage) -> Iterator[None]:
    """What is logged is said too."""
    logger, lines = logging.getLogger(module.__name__), Lines(stage.said.put_nowait)
    logger.addHandler(lines)
    yield
    logger.removeHandler(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file holds nothing"),
        ("# nothing yet\n", "the file holds nothing"),
        ("projects: {shop: {name: }}", "has no value"),
    ],
)
async def test_a_start_is_refused_with_a_file_that_holds_nothing_or_is_wrong(
    stage: Stage, text: str, message: str
) -> None:
    with pytest.raises(CommandFailed) as refused:
        async with stage.begun(text):
            pass
    assert refused.value.exit_code is ExitCode.USAGE
    assert message in refused.value.advice


async def test_a_start_is_refused_with_a_pipe(stage: Stage) -> None:
    os.mkfifo(stage.path)
    with pytest.raises(CommandFailed, match="it is a pipe; name a file, which can be read again"):
        async with served_file(stage.path, None, stage.said.put_nowait):
            pass


async def test_a_start_that_the_store_refuses_leaves_the_store_as_it_was(stage: Stage) -> None:
    await Operator(stage.here).apply(staging("another", mocks={"ovr_a": answering("a")}))
    version = stage.here.store.known_version
    with pytest.raises(CommandFailed) as refused:
        async with stage.begun():
            pass
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "--adopt" in refused.value.advice
    assert stage.here.store.known_version == version


async def test_a_plan_that_contradicts_the_file_is_refused_with_its_place(stage: Stage) -> None:
    stage.path.write_text("organisation: {plan: business}")
    with pytest.raises(CommandFailed) as refused:
        async with served_file(stage.path, Plan.TEAM, stage.said.put_nowait) as file:
            await file.begin(stage.here.dispatcher, stage.here.store)
    assert refused.value.exit_code is ExitCode.USAGE
    assert f"{stage.path}:1:22: organisation.plan: the server was started with the plan team" in refused.value.advice


@pytest.mark.parametrize(("text", "fills"), [(TEXT, True), ("projects: {}", True), ("server: {plan: team}", False)])
async def test_what_declares_anything_fills_the_store(stage: Stage, text: str, fills: bool) -> None:
    stage.path.write_text(text)
    async with served_file(stage.path, None, stage.said.put_nowait) as file:
        assert await file.begin(stage.here.dispatcher, stage.here.store) is fills


async def test_the_store_knows_what_the_file_left_there(stage: Stage) -> None:
    async with stage.begun() as file:
        watched, record = file.watched(), await stage.here.store.read(lambda tx: tx.manifest_source("understudy.yaml"))
        assert watched
        assert record
        assert (watched.problem, watched.digest, watched.resources) == ("", record.digest, 3)
        assert record.resources == 3


async def test_what_the_file_leaves_to_defaults_does_not_look_like_the_apply_of_another(stage: Stage) -> None:
    text = "projects: {shop: {environments: {staging: {mocks: {ovr_a: {action: {respond: {json: {}}}}}}}}}"
    async with stage.begun(text) as file:
        watched = file.watched()
        record = await stage.here.store.read(lambda tx: tx.manifest_source("understudy.yaml"))
    assert watched
    assert why_not_in_force(watched, record) == ""


async def test_a_file_that_is_saved_after_another_apply_is_applied_although_it_is_the_same(stage: Stage) -> None:
    async with stage.begun() as file, AsyncExitStack() as stopping:
        assert await stage.is_said() == "is in force (3 changes)"
        await Operator(stage.here).apply(staging(mocks={"ovr_a": answering("of another apply")}))
        await file.follow(stopping, SOON)
        stage.path.write_text(TEXT)
        assert await stage.is_said() == "is in force (1 change)"
        assert await stage.status_of_mock() == 402


@pytest.mark.usefixtures("logged")
async def test_what_the_store_refused_is_in_force_once_the_store_has_changed(stage: Stage) -> None:
    await stage.here.make_project("shop", "staging")
    request = pb.CreateMockRequest(mock=Mock(id="ovr_draft", name="Draft"), **PLACE)
    await stage.here.call("MockService.CreateMock", request)
    existing = "projects: {shop: {existing: true, environments: {staging: {existing: true, scenarios: {%s}}}}}"
    async with stage.begun(existing % "") as file, AsyncExitStack() as stopping:
        await stage.is_said()
        await file.follow(stopping, SOON)
        stage.path.write_text(existing % "scn_a: {mocks: [ovr_draft]}")
        assert "names mock 'ovr_draft', which is a draft" in await stage.is_said()
        publish = pb.PublishMockRequest(mock_id="ovr_draft", project="shop", environment="staging")
        await stage.here.call("MockService.PublishMock", publish)
        assert await stage.is_said() == "is in force (1 change)"
        watched = file.watched()
        assert watched
        assert watched.problem == ""
