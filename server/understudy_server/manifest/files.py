"""The files of a manifest, read as one snapshot: none outside the first one's folder, none that changed meanwhile."""

import glob
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy_server.manifest.limits import (
    BESIDE_FILE_BYTES_MAX,
    BESIDE_FILES_MAX,
    FILES_BYTES_MAX,
    INCLUSIONS_MAX,
    PATH_CHARACTERS_MAX,
    YAML_FILE_BYTES_MAX,
)
from understudy_server.manifest.patterns import Patterns
from understudy_server.manifest.problems import BadValue, shown

_Signature = tuple[int, int, int, int]
"""What changes when a file is written or replaced: device, inode, size in bytes, time of the last change in ns."""

_FOLDER_ADVICE = "name a file inside the folder of the first one, by a relative path"


@dataclass(frozen=True, slots=True)
class Source:
    """A text of YAML. ``name`` is what problems call it; its relative paths begin at ``folder``, None forbids them."""

    name: str
    folder: Path | None
    content: bytes


class Files:
    """Reads files below one folder, each once. Paths are kept as given; what is opened is what they lead to."""

    def __init__(self, folder: Path) -> None:
        self._top = Path(os.path.realpath(folder))
        self._contents: dict[Path, bytes] = {}
        self._sources: dict[Path, Source] = {}
        self._signatures: dict[Path, _Signature | None] = {}
        self._patterns = Patterns(self._top)
        self._matches: dict[tuple[Path, str], Sequence[str]] = {}
        self._bytes = 0
        self._beside = 0

    @property
    def paths(self) -> tuple[Path, ...]:
        """All that was looked at, absolute, in order: files, those that could not be read too, then folders.

        Folders are those that patterns look into.
        """
        return tuple(path.absolute() for path in (*self._signatures, *self._patterns.folders))

    @property
    def names(self) -> Sequence[str]:
        """The same as problems call them."""
        return [str(path) for path in self._signatures]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the names, as they are below the folder, and the contents of all files."""
        digest = hashlib.sha256()
        for path, content in self._contents.items():
            name = os.path.relpath(path.absolute(), self._top).encode(errors="surrogateescape")
            digest.update(b"%d %b %d " % (len(name), name, len(content)))
            digest.update(content)
        return digest.hexdigest()

    def is_unchanged(self) -> bool:
        """True when every file, and what every pattern matches, is as it was when it was read."""
        if any(_signature(path) != was for path, was in self._signatures.items()):
            return False
        again = Patterns(self._top)
        try:
            return all(again.match(*pattern) == was for pattern, was in self._matches.items())
        except BadValue:
            return False

    def first(self, path: Path) -> Source:
        """Read the file that all begins with, which may be a link to anywhere. Raises BadValue."""
        return self._source(path, is_first=True)

    def included(self, source: Source, pattern: str) -> Sequence[Source]:
        """Read the files that a path or a pattern (``more/*.yaml``) in a source names, sorted. Raises BadValue."""
        folder = self._folder_of(source, pattern)
        if not glob.has_magic(pattern):
            return [self._source(folder / pattern)]
        if (folder, pattern) not in self._matches:
            self._matches[folder, pattern] = self._patterns.match(folder, pattern)
        found = self._matches[folder, pattern]
        if not found:
            raise BadValue(f"no file matches {shown(pattern)}", f"it is looked for in {folder}")
        if len(found) > INCLUSIONS_MAX:
            raise BadValue(f"more than {INCLUSIONS_MAX} files match {shown(pattern)}", "narrow the pattern")
        return [self._source(folder / name) for name in found]

    def beside(self, source: Source, name: str) -> bytes:
        """Read a file of any kind that is named in a source. Raises BadValue."""
        path = _tidy(self._folder_of(source, name) / name)
        if path not in self._contents:
            self._beside += 1
            if self._beside > BESIDE_FILES_MAX:
                raise BadValue(f"the manifest names more than {BESIDE_FILES_MAX} files", "write some values in place")
        return self._read(path, BESIDE_FILE_BYTES_MAX)

    def _source(self, path: Path, *, is_first: bool = False) -> Source:
        path = _tidy(path)
        if path not in self._sources:
            content = self._read(path, YAML_FILE_BYTES_MAX, is_first=is_first)
            self._sources[path] = Source(str(path), path.parent, content)
        return self._sources[path]

    def _folder_of(self, source: Source, name: str) -> Path:
        if source.folder is None:
            raise BadValue("no files can be named here", "write the value in place")
        if not name or "\0" in name or len(name) > PATH_CHARACTERS_MAX:
            raise BadValue("is not the name of a file", _FOLDER_ADVICE)
        if Path(name).is_absolute():
            raise BadValue(f"{shown(name)} is an absolute path", _FOLDER_ADVICE)
        return source.folder

    def _read(self, path: Path, bytes_max: int, *, is_first: bool = False) -> bytes:
        if path in self._contents:
            return self._contents[path]
        # Before anything is opened, so that a change of what refuses it now is seen later.
        self._signatures[path] = _signature(path)
        try:
            # Path.resolve has an exception of its own for links that lead to themselves.
            target = Path(os.path.realpath(path, strict=True))
            if not is_first and not target.is_relative_to(self._top):
                raise BadValue(f"{path} leads out of the folder {self._top}", _FOLDER_ADVICE)
            content = _open(path, target, bytes_max)
        except OSError as error:
            raise BadValue(*_said(path, error)) from None
        self._bytes += len(content)
        if self._bytes > FILES_BYTES_MAX:
            raise BadValue(f"all files together are larger than {_mebibytes(FILES_BYTES_MAX)}", "make them smaller")
        self._contents[path] = content
        return content


def _open(path: Path, target: Path, bytes_max: int) -> bytes:
    """Read a regular file; ``path`` is what it is called. Raises BadValue and OSError."""
    # Not to wait where somebody put a pipe.
    descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadValue(f"{path} is not a regular file", "name a file")
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise BadValue(f"{path} is larger than {_mebibytes(bytes_max)}", "make it smaller, or split it")
    return content


def _tidy(path: Path) -> Path:
    """A path without ``..`` where that leads to the same file: one file has one name, so that cycles are seen."""
    short = Path(os.path.normpath(path))
    return short if _signature(short) == _signature(path) else path


def _signature(path: Path) -> _Signature | None:
    """What a file is like now, None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _said(path: Path, error: OSError) -> tuple[str, str]:
    match error:
        case FileNotFoundError():
            return f"there is no file {path}", "name one that exists"
        case PermissionError():
            return f"{path} may not be read", "let the user that runs this read it"
        case IsADirectoryError() | NotADirectoryError():
            return f"{path} is not a file", "name a file"
        case _:
            return f"{path} cannot be read: {error.strerror}", ""


def _mebibytes(count: int) -> str:
    return f"{count // (1024 * 1024)} MiB"
