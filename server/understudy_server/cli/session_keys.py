"""The key of a session on the command line."""

from typing import Annotated

import typer

from understudy_server.cli import completing

SessionKey = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="Session key, such as ci-42.", show_default=False, autocompletion=completing.sessions
    ),
]
