"""Reading texts in the form of ``understudy.yaml``, and the files that tests make of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from google.protobuf.message import Message
from understudy.v1.manifest_service_pb2 import Manifest, ManifestEnvironment, ManifestMock
from understudy_server.manifest.problems import Unreadable
from understudy_server.manifest.reading import read_manifest, read_value

M = TypeVar("M", bound=Message)

NOTHING: Mapping[str, str] = {}


def environment(text: str, environ: Mapping[str, str] = NOTHING) -> ManifestEnvironment:
    return read_value(text, "f.yaml", ManifestEnvironment, environ).message


def mock(text: str, environ: Mapping[str, str] = NOTHING) -> ManifestMock:
    return read_value(text, "f.yaml", ManifestMock, environ).message


def json_of(text: str) -> str:
    """The JSON that a mock answers with when this stands behind ``json:``."""
    return mock(f"action: {{respond: {{json: {text}}}}}").action.respond.json


def problems(
    text: str,
    kind: type[Message] = ManifestEnvironment,
    environ: Mapping[str, str] = NOTHING,
    folder: Path | None = None,
) -> list[str]:
    """What is wrong with a text, as a person is told; the name of the text is ``f.yaml``."""
    with pytest.raises(Unreadable) as refused:
        read_value(text, "f.yaml", kind, environ, folder)
    return [str(problem) for problem in refused.value.problems]


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files by their names; the first one's path."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / next(iter(files))


def manifest(folder: Path, files: Mapping[str, str | bytes], environ: Mapping[str, str] = NOTHING) -> Manifest:
    """Write files and read the first."""
    return read_manifest(write_files(folder, files), environ).message


def file_problems(folder: Path, files: Mapping[str, str | bytes], environ: Mapping[str, str] = NOTHING) -> list[str]:
    """What is wrong with files, as a person is told; without the folder's own path."""
    with pytest.raises(Unreadable) as refused:
        read_manifest(write_files(folder, files), environ)
    return [str(problem).replace(f"{folder}/", "") for problem in refused.value.problems]
