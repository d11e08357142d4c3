"""``understudy.yaml`` as a server follows it: what of it is in force, and why the rest is not."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from google.rpc.status_pb2 import Status
from understudy import status
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse

from understudy_server.app.host import Watched
from understudy_server.app.ports import SourceRecord
from understudy_server.app.superseding import why_not_in_force
from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call
from understudy_server.cli.manifest_refusals import in_manifest
from understudy_server.cli.reading import NotRead, Reading, reading
from understudy_server.core.errors import StorageFailure
from understudy_server.core.plans import Plan
from understudy_server.manifest.limits import PROBLEMS_MAX

Apply = Callable[[ApplyManifestRequest], Awaitable[ApplyManifestResponse | Status]]
"""Applies a manifest as the owner, whole or not at all: ``ManifestService.ApplyManifest``."""

_ADVICE = {
    "already_exists": "leave it out, or take it over with `understudy apply {file} --adopt`",
    "not_empty": "keep it in the file, or remove it with all that is in it by `understudy apply {file} --force`",
    # What these say is to force it; this is how.
    "managed_by_file": "that is forced with `understudy apply {file} --force`",
    "other_projects": "its own is given by `source: NAME` in the file, and that is forced with"
    " `understudy apply {file} --force`",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """The store, as far as a followed file is about it.

    ``version`` counts its changes, so that what was refused for what is kept is tried again after one. ``source`` reads
    what is kept of a source of manifests, and may raise StorageFailure.
    """

    apply: Apply
    version: Callable[[], int]
    source: Callable[[str], Awaitable[SourceRecord | None]]


class NotInForce(Exception):
    """The file as it is now is not in force, and nothing was changed. Each problem is a line that names its place."""

    def __init__(self, problems: Sequence[str], exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
        self.exit_code = exit_code


class ManifestFile:
    """One file. ``server`` and ``plan`` are what the server was started with; ``announce`` gets what a person reads."""

    def __init__(
        self,
        path: Path,
        *,
        server: Mapping[str, str],
        plan: Plan | None,
        announce: Callable[[str], None],
        read: Callable[[Path], AbstractAsyncContextManager[Reading]] = reading,
    ) -> None:
        self.path = path
        self._server = server
        self._plan = plan
        self._announce = announce
        self._read = read
        self._kept: Kept | None = None
        self._looked_at = frozenset([path.absolute()])
        self._source = ""
        self._digest = ""
        self._declared = ""
        self._resources = 0
        self._declares = True
        self._problems: tuple[str, ...] = ()
        self._refused_at: int | None = None
        self._may_be_tried_again = False

    @property
    def looked_at(self) -> frozenset[Path]:
        """All files and folders that what is in force, or what is wrong, may depend on."""
        return self._looked_at

    @property
    def may_succeed_now(self) -> bool:
        """True when it was refused for a reason that lies outside of its files and may have gone."""
        return self._may_be_tried_again or (self._refused_at is not None and self._refused_at != self._store.version())

    def watched(self) -> Watched | None:
        """How it stands, as far as this file alone knows; ``None`` for one that has never declared anything."""
        if not self._source and not self._problems:
            return None
        problem = "\n".join(self._problems[:PROBLEMS_MAX])
        if more := len(self._problems[PROBLEMS_MAX:]):
            problem += f"\nand {more} more: the server's log has them"
        return Watched(self._source or self.path.name, problem, self._declared, self._resources, self._declares)

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        """Read the file for the first time, while nothing else is done yet. Raises NotRead."""
        return self._read(self.path)

    async def begin(self, first: Reading, kept: Kept) -> None:
        """Put what was read at a start into force, if it declares anything. Raises NotInForce."""
        self._kept = kept
        await self._take(first, even_if_same=False)

    async def again(self, *, even_if_same: bool) -> None:
        """Read the file and put it into force, or say why not: what was applied before stays then. Never fails.

        ``even_if_same``: apply it although its files say what they said.
        """
        while await self._is_busy(even_if_same=even_if_same):
            # The reading itself waits for the process that writes, so this is no fast circle.
            pass

    async def _is_busy(self, *, even_if_same: bool) -> bool:
        """Try once; True when it was not read only since another process is writing it."""
        self._refused_at, self._may_be_tried_again = None, False
        try:
            async with self._read(self.path) as found:
                await self._take(found, even_if_same=even_if_same)
        except NotRead as error:
            # What is not known now may be what has to be mended: what was looked at before is looked at still.
            self._looked_at |= error.looked_at
            self._may_be_tried_again = error.may_pass
            self._note(error.problems)
            return error.is_busy
        except NotInForce as error:
            self._note(error.problems)
        except Exception as error:  # noqa: BLE001 - it is logged and told
            # A fault of ours in one round must not end the following: the next one may do.
            self._may_be_tried_again = True
            self._note((f"{self.path}: the server failed to read it; its log says why",), error)
        return False

    async def _take(self, found: Reading, *, even_if_same: bool) -> None:
        self._looked_at = found.looked_at
        self._look_at_settings(found.server)
        self._declares = found.declares
        if not found.declares:
            await self._check_holds_nothing()
            self._note(())
            return
        if even_if_same or found.digest != self._digest or await self._is_superseded():
            answer = await self._put_into_force(found)
            self._source, self._digest, self._declared = found.manifest.source, found.digest, answer.digest
            self._resources = await self._count_resources()
            self._say(f"is in force ({_counted(sum(each.count for each in answer.counts))})")
        elif self._problems:
            self._say("is in force again")
        self._note(())

    def _say(self, what: str) -> None:
        # A terminal or a pipe that is gone by now is no fault of the file.
        with suppress(OSError):
            self._announce(f"file   {self.path} {what}")

    @property
    def _store(self) -> Kept:
        assert self._kept  # noqa: S101 - `begin` comes first
        return self._kept

    async def _is_superseded(self) -> bool:
        """True when the store holds something else than what this file left there."""
        applied = Watched(self._source, "", self._declared, self._resources)
        try:
            return bool(why_not_in_force(applied, await self._store.source(self._source)))
        except StorageFailure:
            # Then it is applied, which says what is wrong with the store and is tried again.
            return True

    async def _count_resources(self) -> int:
        """How much the source declares after an apply; 0, which is never too little, where that is not known."""
        try:
            record = await self._store.source(self._source)
        except StorageFailure:
            return 0
        # Another apply may have come already.
        return record.resources if record and record.digest == self._declared else 0

    async def _check_holds_nothing(self) -> None:
        """What declares nothing is in force once nothing is kept of what it declared before. Raises NotInForce."""
        if not self._digest:
            return
        self._refused_at = self._store.version()
        try:
            is_kept = await self._store.source(self._source) is not None
        except StorageFailure:
            is_kept = True
        if is_kept:
            raise NotInForce([self._says_nothing()])
        self._source = self._digest = self._declared = ""
        self._refused_at = None

    def _says_nothing(self) -> str:
        return (
            f"{self.path}: it declares nothing any more, and what it declared is kept; to remove that, write"
            f" `projects: {{}}` and `understudy apply {self.path} --force`; to hand it over to the API,"
            f" `understudy release {self._source}`"
        )

    def _look_at_settings(self, server: Mapping[str, str]) -> None:
        if server != self._server:
            _log.warning("%s: the settings under `server:` have changed; they count after a restart", self.path)
        self._server = server

    async def _put_into_force(self, found: Reading) -> ApplyManifestResponse:
        """Apply a manifest. Raises NotInForce."""
        await self._check_plan(found)
        # Before it is asked: what changes meanwhile is reason enough to ask again.
        version = self._store.version()
        answer = await self._store.apply(ApplyManifestRequest(manifest=found.manifest, changes_max=1))
        if isinstance(answer, Status):
            # The process that read it has checked it as far as that can be done without the store: what is wrong now is
            # wrong beside what is kept.
            self._refused_at = version
            raise await self._refused(found, answer)
        return answer

    async def _check_plan(self, found: Reading) -> None:
        declared = found.manifest.organisation.plan
        if self._plan is None or declared in (0, self._plan):
            return
        place, name = await found.place_of("organisation.plan")
        started_with = f"the server was started with the plan {self._plan.name.lower()} (--plan)"
        raise NotInForce(
            [f"{place}: {name}: {started_with}, and this is {Plan(declared).name.lower()}; say it in one place"]
        )

    async def _refused(self, found: Reading, refusal: Status) -> NotInForce:
        """What a refusal of the server becomes: every problem with the place in the file that it is about."""
        problem = status.read(refusal)
        lines = [await self._line(found, each) for each in (problem, *problem.others)]
        if problem.untold:
            lines.append(f"and {problem.untold} more")
        self._may_be_tried_again = problem.reason == "storage_unavailable"
        return NotInForce(lines, failed_call(refusal.code, problem).exit_code)

    async def _line(self, found: Reading, problem: status.Problem) -> str:
        field, message = in_manifest(problem)
        place, name = await found.place_of(field) if field else (str(self.path), "")
        text = ": ".join(part for part in (place, name, message) if part)
        advice = _ADVICE.get(problem.reason, "").format(file=self.path)
        return f"{text}; {advice}" if advice else text

    def _note(self, problems: tuple[str, ...], error: Exception | None = None) -> None:
        """Keep what is wrong, and log it when it is something else than before, with the fault of ours if it is one."""
        if problems and problems != self._problems:
            lines = "\n  ".join(problems)
            told = "%s is not in force as it is now; what was applied before stays:\n  %s"
            _log.warning(told, self.path, lines, exc_info=error)
        self._problems = problems


def not_started(path: Path, error: NotRead | NotInForce) -> CommandFailed:
    """What a start that is stopped by its file says."""
    code = error.exit_code if isinstance(error, NotInForce) else ExitCode.USAGE
    return CommandFailed(code, f"{path} cannot be applied, and nothing was changed:", "\n".join(error.problems))


def _counted(changes: int) -> str:
    return {0: "nothing to change", 1: "1 change"}.get(changes, f"{changes} changes")
