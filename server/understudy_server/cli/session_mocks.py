"""``understudy session-mock``: the mocks that a session owns."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.flag_names import naming
from understudy_server.cli.forms import From, pointing, read_form
from understudy_server.cli.mock_form import MockFlags, answer_of, requests_of
from understudy_server.cli.mocks import show_mock
from understudy_server.cli.session_keys import SessionKey

if TYPE_CHECKING:
    from understudy.v1.session_mock_service_pb2 import SessionMock

app = typer.Typer()

_MockId = Annotated[
    str,
    typer.Argument(metavar="ID", help="Id of the mock, such as ovr_mine; the session's own.", show_default=False),
]
_NAMES = {"session_key": "KEY", "mock_id": "ID"}


@command(app, "list")
async def list_mocks(desk: Desk, session_key: SessionKey) -> None:
    """List the mocks that a session owns, in the order of their ids."""
    from understudy.v1.session_mock_service_pb2 import ListSessionMocksRequest, ListSessionMocksResponse

    from understudy_server.cli.output import print_json, print_table

    answer = await desk.call(ListSessionMocksRequest(session_key=session_key), ListSessionMocksResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = ((each.id, each.name, requests_of(each.matcher), answer_of(each.action)) for each in answer.mocks)
    none = f"No mocks of its own. `understudy session-mock put {session_key} ovr_mine --path /api/...` makes one."
    print_table(("ID", "NAME", "REQUESTS", "ANSWER"), rows, empty=none)


@command(app, "get")
async def get(desk: Desk, session_key: SessionKey, mock_id: _MockId) -> None:
    """Show a mock that a session owns."""
    from understudy.v1.session_mock_service_pb2 import GetSessionMockRequest, GetSessionMockResponse

    request = GetSessionMockRequest(session_key=session_key, mock_id=mock_id)
    with naming(_NAMES):
        show_mock(desk, (await desk.call(request, GetSessionMockResponse)).mock)


@command(app, "put")
async def put(desk: Desk, session_key: SessionKey, mock_id: _MockId, flags: MockFlags, *, source: From = None) -> None:
    """Make a mock of a session's own, or replace one whole: on for that session at once, and seen by no other.

    understudy session-mock put ci-42 ovr_down --method POST --path /api/pay --status 503
    """
    from understudy.v1.session_mock_service_pb2 import PutSessionMockRequest, PutSessionMockResponse, SessionMock

    read = read_form(source, SessionMock) if source is not None else None
    request = PutSessionMockRequest(session_key=session_key, mock_id=mock_id)
    request.mock.CopyFrom(read.message if read else SessionMock())
    _put_flags(flags, request.mock)
    with pointing(read, "mock."), naming(_NAMES | flags.named("mock.")):
        show_mock(desk, (await desk.call(request, PutSessionMockResponse)).mock)


@command(app, "delete")
async def delete(desk: Desk, session_key: SessionKey, mock_id: _MockId) -> None:
    """Remove a mock that a session owns."""
    from understudy.v1.session_mock_service_pb2 import DeleteSessionMockRequest, DeleteSessionMockResponse

    from understudy_server.cli.output import print_json

    request = DeleteSessionMockRequest(session_key=session_key, mock_id=mock_id)
    with naming(_NAMES):
        answer = await desk.call(request, DeleteSessionMockResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"mock {mock_id} of session {session_key} is removed")


def _put_flags(flags: MockFlags, mock: "SessionMock") -> None:
    from understudy.v1.manifest_service_pb2 import ManifestMock

    form = ManifestMock(
        name=mock.name, matcher=mock.matcher, action=mock.action, priority=mock.priority, tags=mock.tags
    )
    flags.put_into(form)
    mock.name, mock.priority = form.name, form.priority
    mock.matcher.CopyFrom(form.matcher)
    mock.action.CopyFrom(form.action)
    mock.tags[:] = form.tags
