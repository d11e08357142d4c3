"""A manifest in a file as a server follows it: what is in force, and what is said when it is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.v1.manifest_service_pb2 import (
    PLAN_BUSINESS,
    PLAN_TEAM,
    ApplyManifestRequest,
    ApplyManifestResponse,
    ChangeCount,
    Manifest,
    Organisation,
)
from understudy_server.app.host import Watched
from understudy_server.app.ports import SourceRecord
from understudy_server.cli.failures import ExitCode
from understudy_server.cli.manifest_file import Kept, ManifestFile, NotInForce, not_started
from understudy_server.cli.reading import NotRead, Reading
from understudy_server.core.errors import StorageFailure
from understudy_server.core.plans import Plan

PATH = Path("understudy.yaml")
LOOKED_AT = frozenset([Path("/x/understudy.yaml"), Path("/x/more")])


async def _place_of(field: str) -> tuple[str, str]:
    return "understudy.yaml:3:9", field.replace("_", "")


def reading_of(
    text: str = "a",
    *,
    declares: bool = True,
    server: dict[str, str] | None = None,
    manifest: Manifest | None = None,
) -> Reading:
    """A reading of files that say ``text``, which is all that tells them and what they declare from others."""
    manifest = manifest or Manifest(source="shop")
    return Reading(manifest, text, declares, server or {}, LOOKED_AT, _place_of)


def refusal(reason: str, field: str = "", message: str = "it will not do") -> Status:
    return status.write(Code.FAILED_PRECONDITION, status.Problem(reason, message, field=field))


@dataclass
class Stage:
    """A followed file with the test as its reader and its store. ``found`` is what the next reading finds."""

    found: Reading | BaseException = field(default_factory=reading_of)
    answer: ApplyManifestResponse | Status = field(default_factory=ApplyManifestResponse)
    plan: Plan | None = None
    version: int = 1
    source: SourceRecord | StorageFailure | None = None
    applied: list[ApplyManifestRequest] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    file: ManifestFile = field(init=False)

    def __post_init__(self) -> None:
        self.file = ManifestFile(PATH, server={}, plan=self.plan, announce=self.said.append, read=self._read)

    @asynccontextmanager
    async def _read(self, path: Path) -> AsyncIterator[Reading]:
        assert path == PATH
        if isinstance(self.found, BaseException):
            raise self.found
        yield self.found

    async def _apply(self, request: ApplyManifestRequest) -> ApplyManifestResponse | Status:
        self.applied.append(request)
        if not isinstance(self.answer, ApplyManifestResponse):
            return self.answer
        if isinstance(self.found, Reading):
            # What the files say tells what they declare from what others do.
            self.answer.digest = f"declared {self.found.digest}"
            self.source = SourceRecord("shop", 1, "", 3, self.answer.digest)
        return self.answer

    async def _source(self, name: str) -> SourceRecord | None:
        assert name == "shop"
        if isinstance(self.source, StorageFailure):
            raise self.source
        return self.source

    @property
    def kept(self) -> Kept:
        return Kept(self._apply, lambda: self.version, self._source)

    async def begin(self) -> None:
        """Start as a server does, with what is found now."""
        async with self.file.reading() as first:
            await self.file.begin(first, self.kept)

    async def again(self, *, even_if_same: bool = False) -> None:
        await self.file.again(even_if_same=even_if_same)

    @property
    def problem(self) -> str:
        watched = self.file.watched()
        return watched.problem if watched else ""


async def test_what_is_declared_is_applied_and_said() -> None:
    stage = Stage(answer=ApplyManifestResponse(counts=[ChangeCount(kind="CHANGE_KIND_UPDATE", count=2)]))
    await stage.begin()
    assert [each.manifest.source for each in stage.applied] == ["shop"]
    assert not stage.applied[0].adopt
    assert not stage.applied[0].force
    assert stage.said == ["file   understudy.yaml is in force (2 changes)"]
    assert stage.file.watched() == Watched("shop", "", "declared a", 3)


async def test_the_same_files_are_applied_once() -> None:
    stage = Stage()
    await stage.begin()
    await stage.again()
    assert len(stage.applied) == 1


async def test_other_files_are_applied() -> None:
    stage = Stage()
    await stage.begin()
    stage.found = reading_of("b")
    await stage.again()
    assert len(stage.applied) == 2


async def test_when_told_to_the_same_files_are_applied_again() -> None:
    stage = Stage()
    await stage.begin()
    await stage.again(even_if_same=True)
    assert len(stage.applied) == 2


async def test_a_file_that_cannot_be_read_changes_nothing_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    await stage.begin()
    stage.found = NotRead(["understudy.yaml:1:1: first", "understudy.yaml:2:2: second"], LOOKED_AT)
    await stage.again()
    assert len(stage.applied) == 1
    assert stage.file.watched() == Watched(
        "shop", "understudy.yaml:1:1: first\nunderstudy.yaml:2:2: second", "declared a", 3
    )
    assert [each.getMessage() for each in caplog.records] == [
        "understudy.yaml is not in force as it is now; what was applied before stays:\n"
        "  understudy.yaml:1:1: first\n  understudy.yaml:2:2: second"
    ]


async def test_the_same_problem_is_logged_once_and_another_one_again(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    await stage.begin()
    for problem in ("one", "one", "two", "one"):
        stage.found = NotRead([problem], LOOKED_AT)
        await stage.again()
    assert [each.getMessage().rpartition(" ")[2] for each in caplog.records] == ["one", "two", "one"]


async def test_a_file_that_becomes_what_it_was_is_in_force_again_without_being_applied() -> None:
    stage = Stage()
    await stage.begin()
    good, stage.found = stage.found, NotRead(["broken"], LOOKED_AT)
    await stage.again()
    stage.found = good
    await stage.again()
    assert (stage.problem, len(stage.applied)) == ("", 1)
    assert stage.said[-1] == "file   understudy.yaml is in force again"


async def test_what_a_broken_file_depends_on_is_followed_with_all_that_was_followed_before() -> None:
    stage = Stage()
    await stage.begin()
    missing, root = Path("/x/more/a.yaml"), Path("/x/understudy.yaml")
    stage.found = NotRead(["there is no file more/a.yaml"], frozenset([root, missing]))
    await stage.again()
    assert stage.file.looked_at == {*LOOKED_AT, missing}
    # A reader that died knows of no more than the first file.
    stage.found = NotRead(["the process that reads it ended with -9"], frozenset([root]))
    await stage.again()
    assert stage.file.looked_at == {*LOOKED_AT, missing}
    stage.found = reading_of("mended")
    await stage.again()
    assert stage.file.looked_at == LOOKED_AT


async def test_a_reader_that_failed_for_another_reason_is_tried_again() -> None:
    stage = Stage()
    await stage.begin()
    stage.found = NotRead(["no process could be started"], LOOKED_AT, may_pass=True)
    await stage.again()
    assert stage.file.may_succeed_now
    stage.found = NotRead(["understudy.yaml:1:1: no"], LOOKED_AT)
    await stage.again()
    assert not stage.file.may_succeed_now


async def test_a_file_that_was_superseded_is_applied_when_it_is_read_again() -> None:
    stage = Stage()
    await stage.begin()
    stage.source = SourceRecord("shop", 2, "key_1", 3, "declared elsewhere")
    await stage.again()
    assert len(stage.applied) == 2


async def test_a_file_that_was_superseded_is_not_said_to_be_in_force_again_without_being_applied() -> None:
    stage = Stage()
    await stage.begin()
    good, stage.found = stage.found, NotRead(["broken"], LOOKED_AT)
    await stage.again()
    stage.found, stage.source = good, None
    await stage.again()
    assert len(stage.applied) == 2
    assert stage.said[-1] == "file   understudy.yaml is in force (nothing to change)"


async def test_a_file_of_which_another_source_took_something_is_applied_when_it_is_read_again() -> None:
    stage = Stage()
    await stage.begin()
    stage.source = SourceRecord("shop", 1, "", 2, "declared a")
    stage.answer = refusal("already_exists")
    await stage.again()
    assert "--adopt" in stage.problem


async def test_a_store_that_cannot_say_what_is_in_force_is_asked_by_applying() -> None:
    stage = Stage()
    await stage.begin()
    stage.source, stage.answer = StorageFailure("the disk is gone"), refusal("storage_unavailable")
    await stage.again()
    assert (len(stage.applied), stage.file.may_succeed_now) == (2, True)


async def test_an_apply_that_was_superseded_at_once_says_nothing_of_how_much_it_declares() -> None:
    stage = Stage()

    async def apply(request: ApplyManifestRequest) -> ApplyManifestResponse | Status:
        answer = await stage._apply(request)
        stage.source = SourceRecord("shop", 2, "", 9, "declared elsewhere")
        return answer

    async with stage.file.reading() as first:
        await stage.file.begin(first, Kept(apply, lambda: 1, stage._source))
    assert stage.file.watched() == Watched("shop", "", "declared a", 0)


async def test_a_file_that_another_process_writes_is_read_once_it_is_done() -> None:
    stage = Stage()
    await stage.begin()
    busy = [NotRead(["is being written"], LOOKED_AT, is_busy=True) for _ in range(3)]

    @asynccontextmanager
    async def read(_: Path) -> AsyncIterator[Reading]:
        if busy:
            raise busy.pop()
        yield reading_of("written")

    stage.file._read = read
    await stage.again()
    assert (busy, len(stage.applied), stage.problem) == ([], 2, "")


async def test_a_refusal_is_told_with_its_place_in_the_file() -> None:
    stage = Stage(answer=refusal("invalid_field", "manifest.projects['a'].strip_session_header"))
    with pytest.raises(NotInForce) as refused:
        await stage.begin()
    assert refused.value.problems == ("understudy.yaml:3:9: projects['a'].stripsessionheader: it will not do",)
    assert refused.value.exit_code is ExitCode.REFUSED


@pytest.mark.parametrize("begins", ["manifest.projects['a']", "projects['a']"])
async def test_a_refusal_does_not_tell_the_path_twice(begins: str) -> None:
    stage = Stage(answer=refusal("already_exists", "manifest.projects['a']", f"{begins} is there already"))
    with pytest.raises(NotInForce) as refused:
        await stage.begin()
    (problem,) = refused.value.problems
    assert problem.startswith("understudy.yaml:3:9: projects['a']: is there already; ")


def refused_for(count: int, untold: int = 0) -> Status:
    fields = [f"manifest.projects['p{number}']" for number in range(count)]
    first, *others = (status.Problem("not_found", "there is no such project", each) for each in fields)
    return status.write(Code.NOT_FOUND, replace(first, others=tuple(others), untold=untold))


async def test_every_problem_of_a_refusal_is_told_and_logged_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    await stage.begin()
    stage.found, stage.answer = reading_of("b"), refused_for(3)
    await stage.again()
    lines = [f"understudy.yaml:3:9: projects['p{number}']: there is no such project" for number in range(3)]
    assert stage.problem.splitlines() == lines
    (record,) = caplog.records
    assert record.getMessage().splitlines()[1:] == [f"  {line}" for line in lines]


async def test_of_many_problems_the_log_has_all_and_the_status_the_first(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    await stage.begin()
    stage.found, stage.answer = reading_of("b"), refused_for(100, untold=5)
    await stage.again()
    *_, last = lines = stage.problem.splitlines()
    assert (len(lines), last) == (21, "and 81 more: the server's log has them")
    assert len(caplog.records[0].getMessage().splitlines()) == 1 + 100 + 1
    assert caplog.records[0].getMessage().endswith("\n  and 5 more")


@pytest.mark.parametrize("reason", ["not_empty", "other_projects", "managed_by_file"])
async def test_what_can_be_forced_is_told_with_how(reason: str) -> None:
    stage = Stage(answer=refusal(reason))
    with pytest.raises(NotInForce, match=r"`understudy apply understudy\.yaml --force`"):
        await stage.begin()


async def test_a_refusal_that_is_about_no_field_names_the_file() -> None:
    stage = Stage(answer=refusal("other_projects"))
    with pytest.raises(NotInForce) as refused:
        await stage.begin()
    (problem,) = refused.value.problems
    assert problem.startswith("understudy.yaml: it will not do; its own is given by `source: NAME` in the file")
    assert "`understudy apply understudy.yaml --force`" in problem
    assert refused.value.exit_code is ExitCode.REFUSED


async def test_a_start_that_is_stopped_tells_every_problem() -> None:
    failure = not_started(PATH, NotRead(["one", "two"], LOOKED_AT))
    assert (failure.exit_code, failure.advice) == (ExitCode.USAGE, "one\ntwo")
    assert "nothing was changed" in failure.message


async def test_what_the_store_refused_may_succeed_once_the_store_has_changed() -> None:
    stage = Stage()
    await stage.begin()
    stage.found, stage.answer = reading_of("b"), refusal("already_exists")
    await stage.again()
    assert not stage.file.may_succeed_now
    stage.version += 1
    assert stage.file.may_succeed_now


async def test_whatever_the_store_refused_may_succeed_after_a_change_also_a_field() -> None:
    stage = Stage()
    await stage.begin()
    stage.found, stage.answer = reading_of("b"), refusal("invalid_field", "manifest.projects['a']", "names a draft")
    await stage.again()
    stage.version += 1
    assert stage.file.may_succeed_now


async def test_a_store_that_changes_while_it_refuses_is_asked_again() -> None:
    stage = Stage()
    await stage.begin()

    async def apply(request: ApplyManifestRequest) -> ApplyManifestResponse | Status:
        stage.version += 1
        return await stage._apply(request)

    stage.file._kept = Kept(apply, lambda: stage.version, stage._source)
    stage.found, stage.answer = reading_of("b"), refusal("already_exists")
    await stage.again()
    assert stage.file.may_succeed_now


async def test_a_store_that_cannot_be_written_is_tried_again() -> None:
    stage = Stage()
    await stage.begin()
    stage.found, stage.answer = reading_of("b"), refusal("storage_unavailable")
    await stage.again()
    assert stage.file.may_succeed_now
    stage.answer = ApplyManifestResponse()
    await stage.again()
    assert (stage.file.may_succeed_now, stage.problem) == (False, "")


@pytest.mark.parametrize(("declared", "is_refused"), [(0, False), (PLAN_TEAM, False), (PLAN_BUSINESS, True)])
async def test_a_plan_is_said_in_one_place(declared: int, is_refused: bool) -> None:
    manifest = Manifest(source="shop", organisation=Organisation(plan=declared))  # type: ignore[arg-type]
    stage = Stage(found=reading_of(manifest=manifest), plan=Plan.TEAM)
    if not is_refused:
        await stage.begin()
        return
    with pytest.raises(NotInForce, match=r"the plan team .*, and this is business"):
        await stage.begin()
    assert stage.applied == []


async def test_changed_settings_are_said_once_to_need_a_restart(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    await stage.begin()
    for text in ("b", "c"):
        stage.found = reading_of(text, server={"api_rate": "1/1"})
        await stage.again()
    (record,) = caplog.records
    assert "they count after a restart" in record.getMessage()


async def test_a_file_that_never_declared_anything_is_no_manifest() -> None:
    stage = Stage(found=reading_of(declares=False))
    await stage.begin()
    assert (stage.applied, stage.file.watched()) == ([], None)


async def test_a_file_that_declares_nothing_any_more_removes_nothing() -> None:
    stage = Stage()
    await stage.begin()
    stage.found = reading_of("b", declares=False)
    await stage.again()
    assert len(stage.applied) == 1
    assert "it declares nothing any more, and what it declared is kept" in stage.problem
    # `projects: {}` alone would be refused: it is what another file of the same name looks like, too.
    assert "`projects: {}` and `understudy apply understudy.yaml --force`" in stage.problem


async def test_a_file_that_declares_nothing_any_more_is_in_force_once_its_source_is_released() -> None:
    stage = Stage()
    await stage.begin()
    stage.found = reading_of("b", declares=False)
    await stage.again()
    watched = stage.file.watched()
    assert watched
    assert (watched.source, watched.declares, stage.file.may_succeed_now) == ("shop", False, False)
    stage.source, stage.version = None, 2
    assert stage.file.may_succeed_now
    await stage.again()
    assert (stage.file.watched(), stage.file.may_succeed_now) == (None, False)


async def test_a_store_that_cannot_say_what_is_kept_does_not_make_a_file_of_nothing_right() -> None:
    stage = Stage()
    await stage.begin()
    stage.found, stage.source = reading_of("b", declares=False), StorageFailure("the disk is full")
    await stage.again()
    assert "it declares nothing any more" in stage.problem


async def test_a_file_that_declares_again_after_its_source_was_released_is_applied() -> None:
    stage = Stage()
    await stage.begin()
    stage.found, stage.source = reading_of("b", declares=False), None
    await stage.again()
    stage.found = reading_of("a")
    await stage.again()
    assert len(stage.applied) == 2
    assert stage.file.watched() == Watched("shop", "", "declared a", 3)


async def test_a_fault_of_our_own_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    await stage.begin()
    good = reading_of("b")
    stage.found = RuntimeError("of ours")
    await stage.again()
    assert "its log says why" in stage.problem
    assert "of ours" in caplog.text
    assert stage.file.may_succeed_now
    await stage.again()
    assert len(caplog.records) == 1
    stage.found = good
    await stage.again()
    assert stage.problem == ""


async def test_a_stop_is_no_problem_of_the_file() -> None:
    stage = Stage()
    await stage.begin()
    stage.found = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await stage.again()
    assert stage.problem == ""


async def test_a_terminal_that_is_gone_is_no_problem_of_the_file() -> None:
    stage = Stage()

    def fail(_: str) -> None:
        raise BrokenPipeError

    stage.file = ManifestFile(PATH, server={}, plan=None, announce=fail, read=stage._read)
    await stage.begin()
    assert stage.problem == ""
    assert len(stage.applied) == 1
