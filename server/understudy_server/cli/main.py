"""The command ``understudy``: where every process of it begins.

A server is started often, a command is typed and waited for: what one of them does not need, the other does not import.
Whoever wants to look at all of the command line takes ``app``.
"""

import os
import sys
from typing import TYPE_CHECKING

from understudy_server.cli.collector import for_a_command
from understudy_server.cli.optional_values import spelled_out
from understudy_server.cli.plain_serve import plain_flags, serve_plainly

if TYPE_CHECKING:
    import typer

_COMPLETES = "_UNDERSTUDY_COMPLETE"


def main() -> None:
    """Run the command line."""
    with for_a_command():
        completes = _COMPLETES in os.environ
        arguments = spelled_out(sys.argv[1:])
        flags = None if completes else plain_flags(arguments)
        if flags is not None:
            serve_plainly(flags)
            return
        from understudy_server.cli.nouns import NOUNS, build

        # What a shell wants to complete stands elsewhere, and may be anything.
        build(tuple(NOUNS) if completes else arguments)(args=None if completes else arguments, prog_name="understudy")


def __getattr__(name: str) -> "typer.Typer":
    """``app``, the whole command line, built when it is asked for."""
    if name == "app":
        from understudy_server.cli.nouns import whole

        return whole()
    raise AttributeError(name)
