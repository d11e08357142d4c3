"""Which server a command speaks to: flags first, then the environment, then the data directory beside us."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from understudy_server.cli.failures import CommandFailed, ExitCode

DATA_DEFAULT = "understudy-data"


@dataclass(frozen=True, slots=True)
class Target:
    """A server at ``address`` (with a key), or, when that is empty, the one that owns the directory ``data``."""

    address: str
    key: str
    data: Path


def choose_target(server: str | None, key: str | None, data: str | None, environ: Mapping[str, str]) -> Target:
    """Choose by the flags ``--server``, ``--key`` and ``--data`` (``None``: not given) and the environment.

    A flag outweighs the environment, so that ``--data`` reaches a directory although UNDERSTUDY_SERVER is set. Raises
    CommandFailed (usage) when both flags are given.
    """
    if server and data:
        raise CommandFailed(ExitCode.USAGE, "--server and --data exclude each other", "Name one of them.")
    address = server or ("" if data else environ.get("UNDERSTUDY_SERVER", ""))
    folder = data or environ.get("UNDERSTUDY_DATA") or DATA_DEFAULT
    return Target(address, key or environ.get("UNDERSTUDY_KEY", ""), Path(folder))
