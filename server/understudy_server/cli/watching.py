"""What happens around files: events of the file system to wake us, and a glance that says whether anything changed.

An event is a hint and no more. Events get lost (network file systems, containers' mounts, too many at once, a folder
that was put in another's place), and most are about files that are not ours. So whoever is woken takes a glance, and
takes one now and then without being woken.
"""

import contextlib
import logging
import stat
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import watchfiles

# Events that come within a step of each other are one wake-up; after the longest wait it is told in any case.
_STEP_MS = 50
_TOGETHER_MS = 200
_log = logging.getLogger(__name__)


class Look(NamedTuple):
    """What tells one state of a path from another. ``names`` are those in a folder, ``None`` for a file."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    names: frozenset[str] | None = None


Glance = Mapping[Path, Look | None]
"""Paths and how they look; ``None`` where there is nothing that could be looked at."""


def glance(paths: Iterable[Path]) -> Glance:
    """Look at files, and at which names are in folders. Blocks for as long as the file system takes."""
    return {path: _look(path) for path in paths}


def _look(path: Path) -> Look | None:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            # A folder's own times change with any file in it, ours or not; its names are what a pattern can match.
            return Look(found.st_dev, found.st_ino, 0, 0, 0, frozenset(each.name for each in path.iterdir()))
    except OSError:
        return None
    return Look(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def folders_around(paths: Collection[Path], root: Path) -> frozenset[tuple[Path, int]]:
    """The folders in which an event could be about one of some paths, each with its inode.

    They are those that hold the paths, also where links lead to, and those above up to the folder ``root``, so that a
    folder that is moved or appears is noticed. Of a path that is not there, the nearest folder that is there counts.
    """
    folders: set[Path] = set()
    for path in paths:
        _add_with_parents(path.absolute(), root.absolute(), folders)
        with contextlib.suppress(OSError, RuntimeError):
            # A chain of links may have no end.
            _add_with_parents(path.resolve(), root.absolute(), folders)
    return frozenset((folder, inode) for folder in folders if (inode := _inode_of_folder(folder)))


def _add_with_parents(path: Path, root: Path, folders: set[Path]) -> None:
    folder = path
    while not _inode_of_folder(folder) and folder != folder.parent:
        folder = folder.parent
    folders.add(folder)
    while folder != root and root in folder.parents:
        folder = folder.parent
        folders.add(folder)


def _inode_of_folder(path: Path) -> int:
    """The inode of a folder, 0 for what is none or cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return 0
    return found.st_ino if stat.S_ISDIR(found.st_mode) else 0


class FolderWatch:
    """Calls ``tell`` from a thread of its own when something happens in one of the folders it follows."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._folders: frozenset[tuple[Path, int]] = frozenset()
        self._threads: list[tuple[threading.Thread, threading.Event]] = []

    def follow(self, folders: frozenset[tuple[Path, int]]) -> None:
        """Follow these folders from now on, and no others. What happens until the thread is ready goes unnoticed."""
        if folders == self._folders:
            return
        self._end_threads()
        # Known once the thread runs: what failed is tried again.
        self._folders = frozenset()
        stop = threading.Event()
        paths = sorted(str(path) for path, _ in folders)
        thread = threading.Thread(target=self._run, args=(paths, stop), name="watch-manifest", daemon=True)
        self._threads = [each for each in self._threads if each[0].is_alive()]
        thread.start()
        self._threads.append((thread, stop))
        self._folders = folders

    def close(self) -> None:
        """End the thread and wait for it, a step at most."""
        self._end_threads()
        for thread, _ in self._threads:
            thread.join()

    def _end_threads(self) -> None:
        for _, stop in self._threads:
            stop.set()

    def _run(self, paths: list[str], stop: threading.Event) -> None:
        try:
            changes = watchfiles.watch(
                *paths,
                watch_filter=None,
                step=_STEP_MS,
                debounce=_TOGETHER_MS,
                stop_event=stop,
                raise_interrupt=False,
                recursive=False,
            )
            for _ in changes:
                self._tell()
        except Exception as error:  # noqa: BLE001 - whatever it is, the glances go on without events
            # There are limits to how much can be watched, and a folder may have gone just now.
            _log.warning("changes of files are noticed later than usual, since they cannot be watched: %s", error)
