"""The server's status: what the process says of itself, what the store holds, and who may see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from support.dispatching import START_MS, World, world
from understudy.options.v1.options_pb2 import ROLE_CI, ROLE_EDITOR
from understudy.v1.manifest_service_pb2 import PLAN_BUSINESS, ApplyManifestRequest, Manifest
from understudy.v1.server_service_pb2 import (
    GetStatusRequest,
    GetStatusResponse,
    JournalStatus,
    Listener,
    ManifestStatus,
    Status,
    StoreStatus,
)
from understudy_server.app.host import HostFacts, Watched
from understudy_server.app.times import milliseconds
from understudy_server.core.errors import StorageFailure

FACTS = HostFacts(
    version="1.2.3",
    started_at_ms=START_MS,
    listeners=(Listener(kind="grpc", address="127.0.0.1:50051"),),
    store=StoreStatus(kind="sqlite", version=7, size_bytes=4096, durability="full"),
    journal=JournalStatus(kind="memory", size_bytes=10, recorded=3, dropped=1),
)


@dataclass
class Process:
    """The process, as the test says it is."""

    facts: HostFacts = field(default=FACTS)

    def change(self, **changes: object) -> None:
        self.facts = replace(self.facts, **changes)  # type: ignore[arg-type]

    def __call__(self) -> HostFacts:
        return self.facts


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
async def here(tmp_path: Path, process: Process) -> AsyncIterator[World]:
    async with world(tmp_path / "data", host=process) as made:
        await made.make_project("checkout", "staging")
        await made.make_project("other", "staging", "qa")
        yield made


async def status_of(here: World, key: str = "") -> Status:
    answer = await here.call("ServerService.GetStatus", GetStatusRequest(), key)
    assert isinstance(answer, GetStatusResponse)
    return answer.status


def problem_of(status: Status, name: str) -> str:
    (check,) = [each for each in status.checks if each.name == name]
    assert check.ok == (not check.problem)
    return check.problem


async def test_the_process_is_described(here: World) -> None:
    status = await status_of(here)
    assert (status.version, milliseconds(status.started_at)) == ("1.2.3", START_MS)
    assert (list(status.listeners), status.store, status.journal) == (list(FACTS.listeners), FACTS.store, FACTS.journal)


async def test_what_is_held_is_counted(here: World) -> None:
    await here.make_mock("checkout", "staging", "ovr_a")
    counts = (await status_of(here)).counts
    assert (counts.projects, counts.environments, counts.mocks, counts.drafts) == (2, 3, 1, 0)


async def test_the_organisation_has_its_plan(here: World) -> None:
    assert (await status_of(here)).organisation.plan == PLAN_BUSINESS


async def test_when_all_is_well_every_check_says_so_in_the_order_of_names(here: World) -> None:
    status = await status_of(here)
    assert status.healthy
    assert [(check.name, check.ok) for check in status.checks] == [
        ("journal", True),
        ("manifests", True),
        ("presence", True),
        ("store", True),
    ]


async def test_without_a_server_it_has_not_started(here: World, process: Process) -> None:
    process.change(started_at_ms=0, listeners=())
    assert not (await status_of(here)).HasField("started_at")


@pytest.mark.parametrize(
    ("changes", "check", "problem"),
    [
        ({"store_problem": "the disk is full"}, "store", "the last change could not be written (the disk is full)"),
        ({"journal_problem": "2 exchanges were lost"}, "journal", "2 exchanges were lost"),
        (
            {"presence_problem": "the disk is full"},
            "presence",
            "last-seen times cannot be written now (the disk is full)",
        ),
        ({"watched": Watched("shop", "shop.yaml:1:1: no")}, "manifests", "shop.yaml:1:1: no"),
    ],
)
async def test_what_is_wrong_makes_the_server_unwell(
    here: World, process: Process, changes: dict[str, object], check: str, problem: str
) -> None:
    process.change(**changes)
    status = await status_of(here)
    assert not status.healthy
    assert problem_of(status, check) == problem
    assert [each.name for each in status.checks if not each.ok] == [check]


async def test_a_store_that_cannot_be_read_is_part_of_the_answer(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read, calls = here.store.read, 0

    async def fail_after_the_place(work: object) -> object:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise StorageFailure("the store cannot be read now (the files are damaged)")
        return await read(work)  # type: ignore[arg-type]

    monkeypatch.setattr(here.store, "read", fail_after_the_place)
    status = await status_of(here)
    assert not status.healthy
    assert problem_of(status, "store") == "the store cannot be read now (the files are damaged)"
    assert status.version == "1.2.3"


async def test_a_followed_file_is_listed_before_it_was_ever_applied(here: World, process: Process) -> None:
    process.change(watched=Watched("shop", "shop.yaml:1:1: no"))
    assert list((await status_of(here)).manifests) == [
        ManifestStatus(source="shop", watched=True, problem="shop.yaml:1:1: no")
    ]


async def test_sources_are_listed_by_name_with_who_applied_them_and_how_much_they_declare(here: World) -> None:
    key = await here.make_key()
    for source, slug in (("b", "one"), ("a", "two")):
        manifest = Manifest(source=source)
        manifest.projects[slug].environments["staging"].mocks["ovr_a"].name = "A"
        await here.call("ManifestService.ApplyManifest", ApplyManifestRequest(manifest=manifest), key)
    first, second = (await status_of(here)).manifests
    assert (first.source, second.source, first.resources) == ("a", "b", 3)
    assert milliseconds(first.applied_at) == START_MS
    assert first.applied_by.startswith("key_")
    assert not first.watched


async def test_a_followed_source_that_was_applied_keeps_what_is_known_of_it(here: World, process: Process) -> None:
    manifest = Manifest(source="shop")
    manifest.projects["shop"].name = "Shop"
    await here.call("ManifestService.ApplyManifest", ApplyManifestRequest(manifest=manifest))
    process.change(watched=Watched("shop"))
    (shown,) = (await status_of(here)).manifests
    assert (shown.resources, shown.watched, shown.applied_by) == (1, True, "")


async def test_a_key_for_one_project_counts_what_is_there(here: World) -> None:
    await here.make_mock("checkout", "staging", "ovr_a")
    key = await here.make_key(ROLE_EDITOR, "other")
    counts = (await status_of(here, key)).counts
    assert (counts.projects, counts.environments, counts.mocks, counts.keys) == (1, 2, 0, 1)


async def test_a_key_for_one_project_is_not_shown_what_files_say(here: World, process: Process) -> None:
    process.change(watched=Watched("secret.yaml", "secret.yaml:1:1: no"))
    status = await status_of(here, await here.make_key(ROLE_EDITOR, "checkout"))
    assert not status.healthy
    assert "secret" not in str(status)


async def test_it_takes_an_editor(here: World) -> None:
    assert await here.code("ServerService.GetStatus", GetStatusRequest(), await here.make_key(ROLE_CI)) == (
        "role_required"
    )
