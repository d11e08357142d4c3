"""The server's status: what the process says of itself, what the store holds, and who may see it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from support.dispatching import START_MS, World, world
from understudy.options.v1.options_pb2 import ROLE_CI, ROLE_EDITOR
from understudy.v1.manifest_service_pb2 import PLAN_BUSINESS, ApplyManifestRequest, Manifest, ReleaseManifestRequest
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
from understudy_server.app.manifests.digests import digest_of
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
            "last-seen times, and the state that mocks keep, cannot be written now (the disk is full)",
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
    async def fail(_work: object) -> object:
        raise StorageFailure("the store cannot be read now (the files are damaged)")

    monkeypatch.setattr(here.store, "read", fail)
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


@dataclass
class File:
    """What the process's file declared when it was applied, and as what the process knows it from then on."""

    here: World
    process: Process
    manifest: Manifest = field(default_factory=lambda: declaring("ovr_a", "ovr_b"))

    async def apply(self) -> None:
        await apply(self.here, self.manifest)
        record = await self.here.store.read(lambda tx: tx.manifest_source("shop"))
        assert record
        self.process.change(watched=Watched("shop", "", digest_of(self.manifest), record.resources))

    async def problem(self, key: str = "") -> str:
        return problem_of(await status_of(self.here, key), "manifests")


@pytest.fixture
async def file(here: World, process: Process) -> File:
    made = File(here, process)
    await made.apply()
    return made


def declaring(*mocks: str, source: str = "shop") -> Manifest:
    manifest = Manifest(source=source)
    for each in mocks:
        manifest.projects["shop"].environments["staging"].mocks[each].name = each
    return manifest


async def apply(here: World, manifest: Manifest, key: str = "", *, adopt: bool = False) -> None:
    request = ApplyManifestRequest(manifest=manifest, adopt=adopt)
    await here.call("ManifestService.ApplyManifest", request, key)


async def test_a_file_that_was_applied_is_in_force(file: File) -> None:
    assert await file.problem() == ""


async def test_a_file_is_in_force_as_long_as_what_is_applied_is_the_same(here: World, file: File) -> None:
    here.clock.advance(60)
    await apply(here, file.manifest)
    assert await file.problem() == ""


async def test_an_apply_that_came_after_the_file_is_told_with_when_and_by_whom(here: World, file: File) -> None:
    here.clock.advance(60)
    await apply(here, declaring("ovr_a"), await here.make_key())
    problem = await file.problem()
    assert re.match(r"superseded by an apply at 2026-06-23T12:01:00Z by key key_\w+, and what that declares", problem)
    (shown,) = (await status_of(here)).manifests
    assert (shown.watched, shown.problem) == (True, problem)
    await apply(here, declaring("ovr_b"))
    assert "by the owner" in await file.problem()


async def test_a_comparison_supersedes_nothing(here: World, file: File) -> None:
    request = ApplyManifestRequest(manifest=declaring("ovr_a"), validate_only=True)
    await here.call("ManifestService.ApplyManifest", request)
    assert await file.problem() == ""


async def test_a_file_that_was_released_is_not_in_force(here: World, file: File) -> None:
    await here.store.write(lambda tx: tx.release_source("shop"))
    assert "shop was released" in await file.problem()
    assert "`understudy apply FILE --adopt`" in await file.problem()
    await apply(here, file.manifest, adopt=True)
    assert await file.problem() == ""


async def test_the_source_of_the_file_that_the_server_follows_is_not_released(here: World, file: File) -> None:
    request = ReleaseManifestRequest(source="shop")
    problem = await here.refused("ManifestService.ReleaseManifest", request)
    assert (problem.reason, problem.field) == ("source_followed", "source")
    assert "start the server without that file first" in problem.message
    assert await file.problem() == ""


async def test_what_the_server_does_not_follow_is_released(here: World, file: File) -> None:
    await apply(here, Manifest(source="other"))
    await here.call("ManifestService.ReleaseManifest", ReleaseManifestRequest(source="other"))
    assert await file.problem() == ""


async def test_a_source_is_released_once_the_file_declares_nothing_any_more(
    here: World, file: File, process: Process
) -> None:
    assert process.facts.watched
    process.change(watched=replace(process.facts.watched, problem="it declares nothing any more", declares=False))
    request = ReleaseManifestRequest(source="shop")
    assert await here.code("ManifestService.ReleaseManifest", request) == ""
    assert await here.store.read(lambda tx: tx.manifest_source("shop")) is None


async def test_what_another_source_took_over_is_not_in_force(here: World, file: File) -> None:
    other = declaring("ovr_a", source="other")
    other.projects["shop"].existing = other.projects["shop"].environments["staging"].existing = True
    await apply(here, other, adopt=True)
    assert (await file.problem()).startswith("1 of the 4 things that it declares were taken over or removed")


async def test_what_is_wrong_with_the_file_is_told_before_what_superseded_it(
    here: World, file: File, process: Process
) -> None:
    await apply(here, declaring("ovr_a"))
    process.change(watched=Watched("shop", "shop.yaml:1:1: no", digest_of(file.manifest), 4))
    assert await file.problem() == "shop.yaml:1:1: no"


async def test_a_key_for_one_project_is_shown_that_a_file_was_superseded_and_not_by_whom(
    here: World, file: File
) -> None:
    await apply(here, declaring("ovr_a"))
    problem = await file.problem(await here.make_key(ROLE_EDITOR, "checkout"))
    assert problem.startswith("the server's file is not in force as it is now")


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
