"""``understudy session watch KEY``: what becomes of a session as it happens, until it is gone."""

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.session_keys import SessionKey


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "watch")(_watch)


async def _watch(desk: Desk, session_key: SessionKey) -> None:
    """Tell what becomes of a session as it happens: how it is set, each call, its end. A line each.

    A session that does not exist yet is waited for, and so is a server that goes away meanwhile. Ends with 0 when the
    session is deleted or its time is over, and on Ctrl-C. Calls of before are not told: logs KEY lists them.

    understudy session watch ci-42
    """
    import asyncio
    from contextlib import suppress

    from understudy_server.cli.session_follow import watch

    # Ctrl-C is a way to end it, and no failure: the exit code is 0.
    with suppress(asyncio.CancelledError):
        await watch(desk, session_key)
