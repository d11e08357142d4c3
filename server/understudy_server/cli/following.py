"""A manifest that is followed: read again when its files change, when told to, and when what refused it may be gone."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from understudy_server.cli.watching import FolderWatch, Glance, folders_around, glance

_log = logging.getLogger(__name__)

Tell = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast changes are followed."""

    quiet_seconds: float = 0.15
    """Nothing must have happened for so long: an editor's write, rename and change of mode, or a checkout of several
    files, are read once and whole. More would be felt by whoever saves a file and reloads a page."""

    noisy_seconds: float = 2.0
    """So long at most when none of the files has changed: where something else is always happening around them, they
    are read all the same. A quiet moment never has to last longer either."""

    settle_seconds_max: float = 60.0
    """So long at most while the files themselves go on changing: a large checkout or copy is read once it is done."""

    look_seconds: float = 2.0
    """How often the files are looked at without an event."""

    retry_seconds: float = 5.0
    """How soon a file is tried again that the state of the store refused, or a store that could not be written."""

    retry_seconds_max: float = 60.0
    """How seldom at most, where every try fails: a reader that needs too much would do harm often."""

    def quiet_after(self, changing_seconds: float) -> float:
        """How long it must be quiet after files have been changing for so long.

        Half as long again: what takes long to write many files also pauses for long between two of them.
        """
        return max(self.quiet_seconds, min(self.noisy_seconds, changing_seconds / 2))


class Followed(Protocol):
    """What is followed."""

    path: Path

    @property
    def looked_at(self) -> frozenset[Path]:
        """All files and folders that what is in force, or what is wrong, may depend on."""

    @property
    def may_succeed_now(self) -> bool:
        """True when it was refused for a reason that lies outside of its files and may have gone."""

    async def again(self, *, even_if_same: bool) -> None:
        """Read it again, and put it into force. Never fails."""


class Watch(Protocol):
    """What wakes."""

    def follow(self, folders: frozenset[tuple[Path, int]]) -> None: ...

    def close(self) -> None: ...


class Follower:
    """Follows one manifest for as long as ``run`` runs."""

    def __init__(
        self,
        followed: Followed,
        *,
        seen: Glance | None = None,
        pace: Pace | None = None,
        watch: Callable[[Tell], Watch] = FolderWatch,
    ) -> None:
        """``seen`` is how the files looked before they were last read: what differs by now is read at once."""
        self._followed = followed
        self._seen = seen
        self._pace = pace or Pace()
        self._make_watch = watch
        self._woken = asyncio.Event()
        self._told = False
        self._retry_at = 0.0
        self._retry_seconds = self._pace.retry_seconds
        self._trouble = ""

    def read_now(self) -> None:
        """Read and apply the files at once, changed or not."""
        self._told = True
        self._woken.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        loop = asyncio.get_running_loop()
        watch = self._make_watch(lambda: _tell(loop, self._woken))
        self._woken.set()
        try:
            while True:
                try:
                    if await self._round(watch):
                        self._trouble = ""
                except Exception as error:  # noqa: BLE001 - whatever it is, nobody but us would ever read the files again
                    # The folder that we are in may be gone, or there may be no room for a thread; both may come back.
                    self._note_trouble("cannot be followed now", error)
                    await asyncio.sleep(self._pace.retry_seconds)
        finally:
            await asyncio.to_thread(watch.close)

    async def _round(self, watch: Watch) -> bool:
        """Wait for something to happen, and read the files again if it was about them; True when they are watched."""
        paths, loop = self._followed.looked_at, asyncio.get_running_loop()
        is_watched = await self._watch(watch, paths)
        is_woken = await self._is_woken_within(self._pace.look_seconds)
        now = await asyncio.to_thread(glance, paths)
        if is_woken or now != self._seen:
            now = await self._settled(paths, now)
        told, self._told = self._told, False
        is_changed = now != self._seen
        retry = self._followed.may_succeed_now and loop.time() >= self._retry_at
        if told or retry or is_changed:
            # Taken before the reading, so that what changes during it is found by the next glance.
            self._seen = now
            await self._followed.again(even_if_same=told)
            self._plan_retry(is_retry=not (told or is_changed))
            if self._followed.looked_at != paths:
                self._woken.set()
        return is_watched

    async def _watch(self, watch: Watch, paths: frozenset[Path]) -> bool:
        """Be woken by what happens around some paths; where that cannot be (False), the glances must do."""
        folders = await asyncio.to_thread(folders_around, paths, self._followed.path.parent)
        try:
            watch.follow(folders)
        except Exception as error:  # noqa: BLE001 - see above
            self._note_trouble("is looked at now and then only, since changes around it cannot be watched", error)
            return False
        return True

    async def _settled(self, paths: frozenset[Path], last: Glance) -> Glance:
        """Wait until the files rest and nothing happens around them any more; how they look then.

        ``last`` is how they look now.
        """
        clock = asyncio.get_running_loop().time
        began = changed = clock()
        while not self._told:
            is_woken = await self._is_woken_within(self._pace.quiet_after(changed - began))
            now, at = await asyncio.to_thread(glance, paths), clock()
            if now == last and (not is_woken or at - changed >= self._pace.noisy_seconds):
                break
            if at - began >= self._pace.settle_seconds_max:
                _log.warning(
                    "%s: its files have been changing for %d seconds; they are read as they are now",
                    self._followed.path,
                    at - began,
                )
                return now
            if now != last:
                last, changed = now, at
        return last

    def _plan_retry(self, *, is_retry: bool) -> None:
        """Choose when to try again what has just been tried: less and less often where nothing but time passed."""
        is_in_vain = is_retry and self._followed.may_succeed_now
        longer = min(self._retry_seconds * 2, max(self._pace.retry_seconds, self._pace.retry_seconds_max))
        self._retry_seconds = longer if is_in_vain else self._pace.retry_seconds
        self._retry_at = asyncio.get_running_loop().time() + self._retry_seconds

    def _note_trouble(self, what: str, error: Exception) -> None:
        """Log what keeps us from following, once until it is something else."""
        trouble = f"{what}: {error!r}"
        if trouble != self._trouble:
            # What the system refuses needs no trace, what we did wrong does.
            _log.warning("%s %s", self._followed.path, trouble, exc_info=None if isinstance(error, OSError) else error)
        self._trouble = trouble

    async def _is_woken_within(self, seconds: float) -> bool:
        try:
            # Not wait_for: in Python 3.11 it hides that it is cancelled when the event is set in the same turn, and
            # whoever stops the server would wait for ever.
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


def _tell(loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> None:
    # A loop that was closed has nobody to wake any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(woken.set)
