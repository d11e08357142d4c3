"""``understudy override``: one mock switched on or off for one session."""

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.mocks import MockId
from understudy_server.cli.session_keys import SessionKey

app = typer.Typer()


@command(app, "on")
async def switch_on(desk: Desk, session_key: SessionKey, override_id: MockId) -> None:
    """Switch a published mock on; the session is made when missing."""
    from understudy.v1.session_service_pb2 import ActivateOverrideRequest, ActivateOverrideResponse

    from understudy_server.cli.output import print_json

    request = ActivateOverrideRequest(session_key=session_key, override_id=override_id)
    answer = await desk.call(request, ActivateOverrideResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer.override_id} is on for session {session_key}")


@command(app, "off")
async def switch_off(desk: Desk, session_key: SessionKey, override_id: MockId) -> None:
    """Switch a mock off; everything else of the session stays."""
    from understudy.v1.session_service_pb2 import DeactivateOverrideRequest, DeactivateOverrideResponse

    from understudy_server.cli.output import print_json

    request = DeactivateOverrideRequest(session_key=session_key, override_id=override_id)
    answer = await desk.call(request, DeactivateOverrideResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer.override_id} is off for session {session_key}")
