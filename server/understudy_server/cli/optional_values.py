"""Options of ``understudy serve`` whose value may be left out: the one that everybody would give stands here."""

from collections.abc import Mapping, Sequence
from typing import Final

from understudy_server.cli.addresses import LOOPBACK

ASSERTIVE: Final = f"{LOOPBACK}:8910"
"""Where clients of the Assertive mock API look for it by default. Source: spec of the dialect, section 1."""

_LEFT_OUT: Final[Mapping[str, str]] = {"--assertive": ASSERTIVE}


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """Write the values out that a line leaves out; other lines come back as they are."""
    if not arguments or arguments[0] != "serve":
        return list(arguments)
    following = [*arguments[1:], "-"]
    return [
        f"{each}={_LEFT_OUT[each]}" if each in _LEFT_OUT and after.startswith("-") else each
        for each, after in zip(arguments, following, strict=True)
    ]
