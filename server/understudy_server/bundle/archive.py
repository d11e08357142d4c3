"""The archive: a ZIP whose files are listed with their SHA-256 in ``bundle.json``, which is the last of them.

The same content makes the same bytes: no file has a time of its own.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

_BEGINNING_OF_ZIP = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
LISTING = "bundle.json"
FORMAT = 1


class Archive:
    """Writes an archive file by file. `close` writes the listing and gives the digest of the whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._hashes: dict[str, str] = {}

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

    def close(self, about: Mapping[str, Any]) -> str:
        """Write the listing, with ``about`` in it, and end. Returns its SHA-256 in hex, which stands for all."""
        listing = {"format": FORMAT, **about, "files": dict(sorted(self._hashes.items()))}
        content = (json.dumps(listing, indent=2, ensure_ascii=False) + "\n").encode()
        self.add(LISTING, content)
        self._zip.close()
        return hashlib.sha256(content).hexdigest()


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


class Damaged(Exception):
    """An archive is not what it says. The message says which file, for people."""


def check(file: IO[bytes]) -> Mapping[str, Any]:
    """Compare an archive with its listing, and return the listing. Raises Damaged."""
    try:
        with zipfile.ZipFile(file) as archive:
            listing: dict[str, Any] = json.loads(archive.read(LISTING))
            names = set(archive.namelist()) - {LISTING}
            if names != set(listing["files"]):
                raise Damaged(f"it holds other files than it lists: {', '.join(sorted(names ^ set(listing['files'])))}")
            for name, digest in listing["files"].items():
                if _digest(archive, name) != digest:
                    raise Damaged(f"{name} is not what it was when it was written")
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Damaged("it is no archive of a session") from error
    return listing


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while piece := file.read(1024 * 1024):
            digest.update(piece)
    return digest.hexdigest()
