"""``understudy.yaml`` as a server follows it: what of it is in force, and why the rest is not."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

from google.rpc.status_pb2 import Status
from understudy import status
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse

from understudy_server.app.host import Watched
from understudy_server.cli.failures import CommandFailed, ExitCode, failed_call
from understudy_server.cli.reading import NotRead, Reading, reading
from understudy_server.core.plans import Plan

Apply = Callable[[ApplyManifestRequest], Awaitable[ApplyManifestResponse | Status]]
"""Applies a manifest as the owner, whole or not at all: ``ManifestService.ApplyManifest``."""

_IN_REQUEST = "manifest."
# The caller's mistakes: what to change is in the file. Everything else depends on what is kept.
_FAULTS_OF_THE_FILE = frozenset({"invalid_field", "invalid_request"})
_ADVICE = {
    "already_exists": "leave it out, or take it over with `understudy apply {file} --adopt`",
    "not_empty": "keep it in the file, or remove it with all that is in it by `understudy apply {file} --force`",
    "other_projects": "give the file a source of its own (source: NAME), or let it take the place of the other by"
    " `understudy apply {file} --force`",
}
_log = logging.getLogger(__name__)


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
        self._apply: Apply | None = None
        self._version: Callable[[], int] = lambda: 0
        self._looked_at = frozenset([path.absolute()])
        self._source = ""
        self._digest = ""
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
        return self._may_be_tried_again or (self._refused_at is not None and self._refused_at != self._version())

    def watched(self) -> Watched | None:
        """How it stands; ``None`` for a file that has never declared anything."""
        if not self._source and not self._problems:
            return None
        more = f" (and {len(self._problems) - 1} more: `understudy check {self.path}`)" if self._problems[1:] else ""
        return Watched(self._source or self.path.name, self._problems[0] + more if self._problems else "")

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        """Read the file for the first time, while nothing else is done yet. Raises NotRead."""
        return self._read(self.path)

    async def begin(self, first: Reading | None, apply: Apply, version: Callable[[], int]) -> None:
        """Put what was read at a start into force, if there was anything to read. Raises NotInForce.

        ``version`` counts the changes of the store, so that what was refused for what is kept is tried again after one.
        """
        self._apply, self._version = apply, version
        if first:
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
            self._looked_at = error.looked_at
            self._note(error.problems)
            return error.is_busy
        except NotInForce as error:
            self._note(error.problems)
        except Exception:  # noqa: BLE001 - it is logged and told
            # A fault of ours in one round must not end the following: the next version may do.
            _log.exception("reading %s failed", self.path)
            self._note((f"{self.path}: the server failed to read it; its log says why",))
        return False

    async def _take(self, found: Reading, *, even_if_same: bool) -> None:
        self._looked_at = found.looked_at
        self._look_at_settings(found.server)
        if not found.declares:
            if self._digest:
                raise NotInForce([self._says_nothing()])
            self._note(())
            return
        if even_if_same or found.digest != self._digest:
            changes = await self._put_into_force(found)
            self._source, self._digest = found.manifest.source, found.digest
            self._say(f"is in force ({_counted(changes)})")
        elif self._problems:
            self._say("is in force again")
        self._note(())

    def _say(self, what: str) -> None:
        # A terminal or a pipe that is gone by now is no fault of the file.
        with suppress(OSError):
            self._announce(f"file   {self.path} {what}")

    def _says_nothing(self) -> str:
        return (
            f"{self.path}: it declares nothing any more, and what it declared is kept; write `projects: {{}}` to remove"
            f" that, or hand it over to the API with `understudy release {self._source}`"
        )

    def _look_at_settings(self, server: Mapping[str, str]) -> None:
        if server != self._server:
            _log.warning("%s: the settings under `server:` have changed; they count after a restart", self.path)
        self._server = server

    async def _put_into_force(self, found: Reading) -> int:
        """Apply a manifest; how many changes that made. Raises NotInForce."""
        await self._check_plan(found)
        assert self._apply  # noqa: S101 - `begin` comes first
        answer = await self._apply(ApplyManifestRequest(manifest=found.manifest))
        if isinstance(answer, Status):
            raise await self._refused(found, answer)
        return len(answer.changes)

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
        """What a refusal of the server becomes, with the place in the file that it is about."""
        problem = status.read(refusal)
        field = problem.field.removeprefix(_IN_REQUEST) if problem.field.startswith(_IN_REQUEST) else ""
        place, name = await found.place_of(field) if field else (str(self.path), "")
        parts = [place, name, f"{problem.message or refusal.message}"]
        text = ": ".join(part for part in parts if part)
        if advice := _ADVICE.get(problem.reason):
            text += f"; {advice.format(file=self.path)}"
        if problem.reason in _FAULTS_OF_THE_FILE:
            return NotInForce([text])
        self._refused_at = self._version()
        self._may_be_tried_again = problem.reason == "storage_unavailable"
        return NotInForce([text], failed_call(refusal.code, problem).exit_code)

    def _note(self, problems: tuple[str, ...]) -> None:
        """Keep what is wrong, and log it when it is something else than before."""
        if problems and problems != self._problems:
            lines = "\n  ".join(problems)
            _log.warning("%s is not in force as it is now; what was applied before stays:\n  %s", self.path, lines)
        self._problems = problems


def not_started(path: Path, error: NotRead | NotInForce) -> CommandFailed:
    """What a start that is stopped by its file says."""
    code = error.exit_code if isinstance(error, NotInForce) else ExitCode.USAGE
    return CommandFailed(code, f"{path} cannot be applied, and nothing was changed:", "\n".join(error.problems))


def _counted(changes: int) -> str:
    return {0: "nothing to change", 1: "1 change"}.get(changes, f"{changes} changes")
