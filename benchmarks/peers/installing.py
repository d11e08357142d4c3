"""Installing the peers, each into a folder of its own under ``build/peers``, so that none disturbs another or us.

Nothing of a package runs while it is installed, and what is there is not installed again.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.nginx import TOOLS_PATH
from benchmarks.peers.pins import Pin

PEERS_FOLDER = Path(__file__).parents[2] / "build" / "peers"
_INSTALL_SECONDS_MAX = 900
_NPM_OPTIONS = ("--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--no-update-notifier")
_PIP_OPTIONS = ("--quiet", "--disable-pip-version-check")


class NotInstallable(Exception):
    """It cannot be had on this machine, and why."""


def installed(pin: Pin, needs: Sequence[str], folder: Path = PEERS_FOLDER) -> Path:
    """The folder in which it is installed: of ``npm install --prefix``, or a virtual environment.

    ``needs`` are the programs that it runs with. Raises NotInstallable.
    """
    for program in (*needs, *(["npm"] if pin.registry == "npm" else [])):
        if shutil.which(program, path=TOOLS_PATH) is None:
            raise NotInstallable(f"no {program}")
    home = folder / pin.folder
    ready = home / ".ready"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        print(f"installing {pin.package} {pin.version} ...", file=sys.stderr, flush=True)
        _install_by_npm(pin, home) if pin.registry == "npm" else _install_by_pip(pin, home)
        ready.touch()
    return home


def _install_by_npm(pin: Pin, home: Path) -> None:
    said = _run("npm", "install", "--prefix", str(home), *_NPM_OPTIONS, f"{pin.package}@{pin.version}")
    if said is not None:
        code = re.search(r"^npm (?:error|ERR!) code (\S+)", said, re.MULTILINE)
        raise NotInstallable(f"npm says {code[1]}" if code else "npm failed")


def _install_by_pip(pin: Pin, home: Path) -> None:
    if _run(sys.executable, "-m", "venv", str(home)) is not None:
        raise NotInstallable("no virtual environment can be made")
    said = _run(str(home / "bin" / "pip"), "install", *_PIP_OPTIONS, f"{pin.package}=={pin.version}")
    if said is not None:
        none = "No matching distribution" in said
        raise NotInstallable(f"pip finds no such version for Python {sys.version.split()[0]}" if none else "pip failed")


def _run(*command: str) -> str | None:
    """``None`` when it went well; else what it said, which the user sees, too."""
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": TOOLS_PATH},
            timeout=_INSTALL_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {_INSTALL_SECONDS_MAX} s"
    if ran.returncode == 0:
        return None
    said = ran.stdout + ran.stderr
    print(said, file=sys.stderr, flush=True)
    return said
