"""Clients in JavaScript with packages from npm, exactly those of their ``package-lock.json``."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from support.program_clients import SOURCES

# Beside what else is built here, so that they are fetched once and not by each run.
_INSTALLED = Path(__file__).parents[2] / "build" / "clients"
_INSTALL_SECONDS_MAX = 240
_RUN_SECONDS_MAX = 60
_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


class NpmClient:
    """A program that reads JSON from its input, writes JSON to its output, and ends."""

    def __init__(self, script: Path) -> None:
        self._script = script

    def run(self, given: Any) -> Any:
        command = ["node", str(self._script)]
        done = subprocess.run(
            command, input=json.dumps(given), capture_output=True, text=True, timeout=_RUN_SECONDS_MAX, check=False
        )
        assert done.returncode == 0, f"the client failed: {done.stderr}"
        return json.loads(done.stdout)


def npm_client(name: str, script: str) -> NpmClient:
    """The script of ``tests/e2e/clients/NAME``, with its packages. Skips where there is no Node or no npm."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on this machine")
    source = SOURCES / name
    folder = _INSTALLED / f"{name}-{_version(source)}"
    if not folder.exists():
        _install(source, folder)
    return NpmClient(folder / script)


def _version(source: Path) -> str:
    content = b"".join(each.read_bytes() for each in sorted(source.iterdir()) if each.is_file())
    return hashlib.sha256(content, usedforsecurity=False).hexdigest()[:16]


def _install(source: Path, folder: Path) -> None:
    """Install beside the place and move it there whole: another process may be about to do the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "made"
        shutil.copytree(source, made, ignore=shutil.ignore_patterns("node_modules"))
        done = subprocess.run(
            ["npm", "ci", *_OPTIONS],
            cwd=made,
            env={**os.environ, "npm_config_loglevel": "error"},
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, f"npm could not install the client:\n{done.stdout}{done.stderr}"
        try:
            made.rename(folder)
        except OSError:
            assert folder.exists()
