"""Which files a pattern such as ``mocks/**/*.yaml`` names, by a walk that ends and leaves out nothing unseen.

Python's own ``glob`` takes a folder that may not be read for an empty one, and follows links in circles. What is
declared in a folder out of reach would then be taken for removed.
"""

import errno
import fnmatch
import glob
import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from understudy_server.manifest.limits import INCLUSIONS_MAX, LISTED_NAMES_MAX, WALKED_FOLDERS_MAX
from understudy_server.manifest.problems import BadValue, shown

_ANY_DEPTH = "**"
_INSIDE = "name files inside the folder of the first one, where no link leads out of it"
_Entries = Sequence["os.DirEntry[str]"]


class Patterns:
    """Matches the patterns of one manifest, none of which leads out of the folder ``top``.

    ``folders`` are those in which something new may make a pattern match more, in order; the first of a pattern also
    when it is not there. They are kept when a pattern is refused, too.
    """

    def __init__(self, top: Path) -> None:
        self.folders: dict[Path, None] = {}
        self._top = top
        self._walked = 0
        self._names = 0

    def match(self, folder: Path, pattern: str) -> Sequence[str]:
        """The files that a pattern matches, sorted, as named from ``folder``; one too many at most. Raises BadValue.

        ``**`` stands for folders of any depth. Hidden files are left out, as in a shell: editors leave some beside a
        file.
        """
        found: set[Path] = set()
        for path in _Walk(self, pattern).files(folder):
            found.add(path)
            if len(found) > INCLUSIONS_MAX:
                break
        return sorted(str(path.relative_to(folder)) for path in found)

    def enter(self, folder: Path, pattern: str) -> None:
        """Note a folder before it is looked into. Raises BadValue for one outside, and for one too many."""
        self.folders[folder] = None
        self._walked += 1
        if self._walked > WALKED_FOLDERS_MAX:
            raise BadValue(f"{shown(pattern)} leads into more than {WALKED_FOLDERS_MAX} folders", "narrow the pattern")
        if not Path(os.path.realpath(folder)).is_relative_to(self._top):
            raise BadValue(f"{folder} leads out of the folder {self._top}", _INSIDE)

    def list(self, folder: Path, pattern: str) -> _Entries:
        """What is in a folder, sorted by name. Raises BadValue and OSError."""
        entries: list[os.DirEntry[str]] = []
        with os.scandir(folder) as found:
            for entry in found:
                self._names += 1
                if self._names > LISTED_NAMES_MAX:
                    complaint = f"{shown(pattern)} looks through more than {LISTED_NAMES_MAX} names of files"
                    raise BadValue(complaint, "narrow the pattern")
                entries.append(entry)
        return sorted(entries, key=lambda entry: entry.name)


class _Walk:
    """One pattern's way through the folders, each of them entered and listed once."""

    def __init__(self, patterns: Patterns, pattern: str) -> None:
        self._patterns = patterns
        self._pattern = pattern
        self._parts = Path(pattern).parts
        self._entered: set[Path] = set()
        self._listed: dict[Path, _Entries] = {}

    def files(self, folder: Path) -> Iterator[Path]:
        """The files that match, in no order, some perhaps twice. Raises BadValue."""
        literal = next(number for number, part in enumerate(self._parts) if glob.has_magic(part))
        start = folder.joinpath(*self._parts[:literal])
        self._patterns.folders[start] = None
        # A folder, and which part of the pattern comes below it.
        waiting = deque([(start, literal)])
        seen: set[tuple[int, object]] = set()
        while waiting:
            here, number = waiting.popleft()
            identity = self._identity(here)
            # At any depth, a folder that links lead back to is the one where we have been.
            state = (number, identity if self._parts[number] == _ANY_DEPTH else here)
            if identity is None or state in seen:
                continue
            seen.add(state)
            for path, following in self._below(here, number):
                if following < len(self._parts):
                    waiting.append((path, following))
                else:
                    yield path

    def _below(self, here: Path, number: int) -> Iterator[tuple[Path, int]]:
        """What a part matches below a folder: files with the number behind the last part, folders with the next."""
        part, following = self._parts[number], number + 1
        is_last = following == len(self._parts)
        if not glob.has_magic(part):
            path = here / part
            if not is_last or _is_file(path):
                yield path, following
            return
        if part == _ANY_DEPTH and not is_last:
            yield here, following
        for entry in self._entries(here):
            if not _matches(entry.name, part):
                continue
            path = here / entry.name
            if not _is_folder(path, entry):
                if is_last:
                    yield path, following
            elif part == _ANY_DEPTH:
                yield path, number
            elif not is_last:
                yield path, following

    def _identity(self, folder: Path) -> tuple[int, int] | None:
        """Device and inode of a folder, which is entered; None for what is none. Raises BadValue."""
        try:
            found = folder.stat()
        except OSError as error:
            _check_is_missing(folder, error)
            return None
        if not stat.S_ISDIR(found.st_mode):
            return None
        if folder not in self._entered:
            self._entered.add(folder)
            self._patterns.enter(folder, self._pattern)
        return found.st_dev, found.st_ino

    def _entries(self, folder: Path) -> _Entries:
        if folder not in self._listed:
            try:
                self._listed[folder] = self._patterns.list(folder, self._pattern)
            except OSError as error:
                _check_is_missing(folder, error)
                self._listed[folder] = ()
        return self._listed[folder]


def _matches(name: str, part: str) -> bool:
    if name.startswith(".") and not part.startswith("."):
        return False
    return part == _ANY_DEPTH or fnmatch.fnmatchcase(name, part)


def _is_folder(path: Path, entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        _check_is_missing(path, error)
        return False


def _is_file(path: Path) -> bool:
    """True for all that has this name and is no folder, links that lead nowhere too."""
    try:
        path.lstat()
    except OSError as error:
        _check_is_missing(path, error)
        return False
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        _check_is_missing(path, error)
        return True


def _check_is_missing(path: Path, error: OSError) -> None:
    """Raise BadValue unless an error means that nothing is there. A link that leads to itself leads to nothing."""
    if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno == errno.ELOOP:
        return
    complaint = "may not be looked into" if isinstance(error, PermissionError) else f"cannot be read: {error.strerror}"
    raise BadValue(f"{path} {complaint}", "let the user that runs this look into it, or narrow the pattern") from None
