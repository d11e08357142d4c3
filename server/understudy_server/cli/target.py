"""Which server a command speaks to: flags first, then the environment, then the data directory beside us."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from understudy_server.cli.failures import CommandFailed, ExitCode

DATA_DEFAULT = "understudy-data"
OWNER_SOCKET = "owner.sock"
"""In a data directory: leads to the process that owns it."""
SECURE = "grpcs://"
"""Stands before the address of a server that speaks TLS."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server at ``address`` (with a key), or, when that is empty, the one that owns the directory ``data``.

    ``ca`` names a file with the authorities that may vouch for the server; empty: the well-known ones.
    """

    address: str
    key: str
    data: Path
    ca: str = ""


def choose_target(
    server: str | None, key: str | None, data: str | None, environ: Mapping[str, str], *, ca: str | None = None
) -> Target:
    """Choose by the flags ``--server``, ``--key``, ``--data`` and ``--ca`` (``None``: not given) and the environment.

    A flag outweighs the environment, so that ``--data`` reaches a directory although UNDERSTUDY_SERVER is set. Raises
    CommandFailed (usage) when both ``--server`` and ``--data`` are given, or ``--ca`` for a server without TLS.
    """
    if server and data:
        raise CommandFailed(ExitCode.USAGE, "--server and --data exclude each other", "Name one of them.")
    address = server or ("" if data else environ.get("UNDERSTUDY_SERVER", ""))
    folder = data or environ.get("UNDERSTUDY_DATA") or DATA_DEFAULT
    return Target(address, key or environ.get("UNDERSTUDY_KEY", ""), Path(folder), choose_ca(address, ca, environ))


def choose_ca(address: str, ca: str | None, environ: Mapping[str, str]) -> str:
    """Choose the file with the authorities for a server, empty for none. Raises CommandFailed (usage).

    One in the environment may be meant for other servers. A flag is meant for this one: without TLS the key would
    travel in the clear, which is not what was asked for.
    """
    if ca and not address.startswith(SECURE):
        advice = f"Name the server {SECURE}HOST:PORT, or leave --ca away."
        raise CommandFailed(ExitCode.USAGE, "--ca is for a server that speaks TLS", advice)
    return ca or environ.get("UNDERSTUDY_CA", "")
