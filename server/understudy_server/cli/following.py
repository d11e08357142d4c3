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
    """So long at most: where something is always happening, it is read all the same."""

    look_seconds: float = 2.0
    """How often the files are looked at without an event."""

    retry_seconds: float = 5.0
    """How soon a file is tried again that the state of the store refused, or a store that could not be written."""


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
                    await self._round(watch)
                except OSError as error:
                    # The folder that we are in may be gone; it may come back.
                    _log.warning("%s cannot be followed now: %s", self._followed.path, error)
                    await asyncio.sleep(self._pace.retry_seconds)
        finally:
            await asyncio.to_thread(watch.close)

    async def _round(self, watch: Watch) -> None:
        """Wait for something to happen, and read the files again if it was about them."""
        paths, loop = self._followed.looked_at, asyncio.get_running_loop()
        watch.follow(await asyncio.to_thread(folders_around, paths, self._followed.path.parent))
        await self._wait()
        told, self._told = self._told, False
        now = await asyncio.to_thread(glance, paths)
        retry = self._followed.may_succeed_now and loop.time() >= self._retry_at
        if told or retry or now != self._seen:
            # Taken before the reading, so that what changes during it is found by the next glance.
            self._seen = now
            await self._followed.again(even_if_same=told)
            self._retry_at = loop.time() + self._pace.retry_seconds
            if self._followed.looked_at != paths:
                self._woken.set()

    async def _wait(self) -> None:
        """Wait until it is time for a glance."""
        if not await self._is_woken_within(self._pace.look_seconds) or self._told:
            return
        loop = asyncio.get_running_loop()
        enough = loop.time() + self._pace.noisy_seconds
        while loop.time() < enough and not self._told and await self._is_woken_within(self._pace.quiet_seconds):
            pass

    async def _is_woken_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return False
        self._woken.clear()
        return True


def _tell(loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> None:
    # A loop that was closed has nobody to wake any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(woken.set)
