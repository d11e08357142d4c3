"""The archive: a ZIP whose files are listed with their SHA-256 in ``bundle.json``, which is the last of them.

The same content makes the same bytes: no file has a time of its own.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any

_BEGINNING_OF_ZIP = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
LISTING = "bundle.json"
_FORMAT = 1


class Archive:
    """Writes an archive file by file, in a ``with`` block. `list_all` writes the listing, and is the last of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._hashes: dict[str, str] = {}

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @contextmanager
    def file(self, name: str) -> Iterator["Hashed"]:
        """Write one file as its bytes come."""
        info = zipfile.ZipInfo(name, _BEGINNING_OF_ZIP)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _READABLE
        with self._zip.open(info, "w", force_zip64=True) as opened:
            hashed = Hashed(opened)
            yield hashed
        self._hashes[name] = hashed.hexdigest()

    def add(self, name: str, content: bytes) -> None:
        """Write one file."""
        with self.file(name) as file:
            file.write(content)

    def list_all(self, about: Mapping[str, Any]) -> None:
        """Write the listing, with ``about`` in it."""
        listing = {"format": _FORMAT, **about, "files": dict(sorted(self._hashes.items()))}
        self.add(LISTING, (json.dumps(listing, indent=2, ensure_ascii=False) + "\n").encode())


class Hashed:
    """A file that is written, and hashed as it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._hash.update(content)

    def hexdigest(self) -> str:
        """The SHA-256 of what was written until now, in hex."""
        return self._hash.hexdigest()
