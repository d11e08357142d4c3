"""An environment emptied of all that is in it; what a manifest declares, and its own settings, stay."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Final

from understudy.v1 import file_service_pb2 as files
from understudy.v1 import log_service_pb2 as logs
from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import scenario_service_pb2 as scenarios
from understudy.v1 import session_service_pb2 as sessions
from understudy.v1 import state_service_pb2 as state
from understudy.v1.mock_service_pb2 import Mock

from understudy_gateway.dialects.assertive.server import Refused, Server

_PAGE: Final = 1000
_PAGE_OF_SCENARIOS: Final = 100
_STAYS: Final = frozenset(("managed_by_file", "file_in_use"))
"""What a manifest declares, and what that in turn makes use of."""

_GONE: Final = "not_found"
"""Its time was over in between, or it went with something else."""


async def empty(server: Server) -> None:
    """Remove sessions, scenarios, mocks, files, all that is on record, and state. Raises Refused."""
    await _end_sessions(server)
    # In this order: what makes use of something else goes first.
    async for scenario_id in _scenario_ids(server):
        request = scenarios.DeleteScenarioRequest(scenario_id=scenario_id)
        await _remove(server, "ScenarioService.DeleteScenario", request, scenarios.DeleteScenarioResponse)
    await _remove_mocks(server)
    listed = await server.call("FileService.ListFiles", files.ListFilesRequest(), files.ListFilesResponse)
    for each in listed.files:
        deletion = files.DeleteFileRequest(name=each.name)
        await _remove(server, "FileService.DeleteFile", deletion, files.DeleteFileResponse)
    everything = logs.DeleteLogsRequest(session_key=" ", everything=True)
    await server.call("LogService.DeleteLogs", everything, logs.DeleteLogsResponse)
    await server.call("StateService.ResetState", state.ResetStateRequest(everything=True), state.ResetStateResponse)


async def mocks_of(server: Server) -> AsyncGenerator[Mock, None]:
    """All mocks of an environment, in the order of their ids. Raises Refused."""
    token = ""
    while True:
        request = mocks.ListMocksRequest(page_size=_PAGE, page_token=token)
        page = await server.call("MockService.ListMocks", request, mocks.ListMocksResponse)
        for each in page.mocks:
            yield each
        token = page.next_page_token
        if not token:
            return


async def _remove(server: Server, method: str, request: Any, answer: Any) -> None:
    """Remove one thing, unless it has to stay."""
    try:
        await server.call(method, request, answer)
    except Refused as refused:
        if refused.reason not in _STAYS and refused.reason != _GONE:
            raise


async def _end_sessions(server: Server) -> None:
    while True:
        request = sessions.ListSessionsRequest(page_size=_PAGE)
        page = await server.call("SessionService.ListSessions", request, sessions.ListSessionsResponse)
        for each in page.sessions:
            ending = sessions.DeleteSessionRequest(
                session_key=each.session.session_key, mode=sessions.DELETE_MODE_DELETE
            )
            await _remove(server, "SessionService.DeleteSession", ending, sessions.DeleteSessionResponse)
        if not page.next_page_token:
            return


async def _scenario_ids(server: Server) -> AsyncIterator[str]:
    before = ""
    while True:
        request = scenarios.ListScenariosRequest(limit=_PAGE_OF_SCENARIOS, before=before)
        page = await server.call("ScenarioService.ListScenarios", request, scenarios.ListScenariosResponse)
        for each in page.scenarios:
            yield each.id
        before = page.next_before
        if not before:
            return


async def _remove_mocks(server: Server) -> None:
    gone: list[str] = []
    async for each in mocks_of(server):
        if not each.managed_by:
            gone.append(each.id)
        if len(gone) == _PAGE:
            await _remove_together(server, gone)
            gone = []
    if gone:
        await _remove_together(server, gone)


async def _remove_together(server: Server, mock_ids: Sequence[str]) -> None:
    """Remove mocks in one transaction; where one of them has to stay, one by one."""
    deletions = [mocks.DeleteMockRequest(mock_id=each) for each in mock_ids]
    batch = mocks.BatchMocksRequest(operations=[mocks.MockOperation(delete=each) for each in deletions])
    try:
        await server.call("MockService.BatchMocks", batch, mocks.BatchMocksResponse)
    except Refused as refused:
        if refused.reason not in _STAYS and refused.reason != _GONE:
            raise
        for each in deletions:
            await _remove(server, "MockService.DeleteMock", each, mocks.DeleteMockResponse)
