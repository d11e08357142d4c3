"""``understudy session freeze`` and ``unfreeze``: flags that stay as they are."""

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.session_keys import SessionKey
from understudy_server.cli.sessions import show


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "freeze")(_freeze)
    command(app, "unfreeze")(_unfreeze)


async def _freeze(desk: Desk, session_key: SessionKey) -> None:
    """Pin all flags for a session as they are now, whatever becomes of them. It is made when missing."""
    from understudy.v1.session_service_pb2 import FreezeSessionRequest, FreezeSessionResponse

    show(desk, (await desk.call(FreezeSessionRequest(session_key=session_key), FreezeSessionResponse)).session)


async def _unfreeze(desk: Desk, session_key: SessionKey) -> None:
    """Let the flags of a session be again as they are for everybody."""
    from understudy.v1.session_service_pb2 import UnfreezeSessionRequest, UnfreezeSessionResponse

    show(desk, (await desk.call(UnfreezeSessionRequest(session_key=session_key), UnfreezeSessionResponse)).session)
