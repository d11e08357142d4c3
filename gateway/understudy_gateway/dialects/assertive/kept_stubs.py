"""Stubs as the server keeps them: those of no scope are mocks that are on for all, a scope's are its session's own."""

from collections.abc import Sequence
from typing import Any, Final

from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import session_mock_service_pb2 as session_mocks
from understudy.v1.mock_service_pb2 import Mock

from understudy_gateway.dialects.assertive import making, mock_view, names, stub_notes
from understudy_gateway.dialects.assertive.ids import StubIds
from understudy_gateway.dialects.assertive.scopes import Scopes, Unknown
from understudy_gateway.dialects.assertive.server import Refused, Server
from understudy_gateway.dialects.assertive.stubs import Translated

_PAGE: Final = 1000


class KeptStubs:
    """The stubs of one environment."""

    def __init__(self, server: Server, scopes: Scopes) -> None:
        self._server = server
        self._scopes = scopes
        self._ids = StubIds()

    async def make(self, stub: Translated, scope: str | None) -> str:
        """Make a stub, and return its id. Raises Invalid and Refused.

        A scope that is deleted meanwhile is none any more: the header is one like any other then.
        """
        order = self._ids.order()
        stub_id = self._ids.made(order)
        if scope is None or not await self._made_in(scope, stub_id, stub, order):
            request = mocks.BatchMocksRequest(operations=making.operations(stub_id, stub, order))
            await self._server.call("MockService.BatchMocks", request, mocks.BatchMocksResponse)
        return stub_id

    async def _made_in(self, scope: str, stub_id: str, stub: Translated, order: int) -> bool:
        request = session_mocks.PutSessionMockRequest(
            session_key=scope, mock_id=names.mock_id(stub_id), mock=making.session_mock(stub, order)
        )
        async with self._scopes.held(scope):
            if not await self._scopes.has(scope):
                return False
            await self._server.call("SessionMockService.PutSessionMock", request, session_mocks.PutSessionMockResponse)
            return not await self._scopes.disown(scope, request.mock_id)

    async def views(self, scope: str | None) -> list[dict[str, Any]]:
        """Those that are active in a scope, or without one, as the product shows them. Raises Refused."""
        own = [] if scope is None else await self._of_scope(scope)
        return [*_views(own, scope), *_views(await self._of_none(), None)]

    async def view(self, stub_id: str) -> dict[str, Any]:
        """One of any scope or of none, as the product shows it. Raises Unknown and Refused."""
        mock_id = _mock_id(stub_id)
        mock = await self._global(mock_id)
        if mock is not None:
            return _view(mock, None)
        for scope in await self._scopes.names():
            try:
                request = session_mocks.GetSessionMockRequest(session_key=scope, mock_id=mock_id)
                found = await self._server.call(
                    "SessionMockService.GetSessionMock", request, session_mocks.GetSessionMockResponse
                )
            except Refused as refused:
                _raise_unless_not_found(refused)
            else:
                return _view(found.mock, scope)
        raise Unknown

    async def delete(self, stub_id: str, scope: str | None) -> None:
        """Delete one of the scope, or, when there is none, of no scope. Raises Unknown and Refused."""
        mock_id = _mock_id(stub_id)
        if scope is not None and await self._deleted_in(scope, mock_id):
            return
        if await self._global(mock_id) is None:
            raise Unknown
        try:
            request = mocks.DeleteMockRequest(mock_id=mock_id)
            await self._server.call("MockService.DeleteMock", request, mocks.DeleteMockResponse)
        except Refused as refused:
            _raise_unless_not_found(refused)
            raise Unknown from refused

    async def _deleted_in(self, scope: str, mock_id: str) -> bool:
        try:
            request = session_mocks.DeleteSessionMockRequest(session_key=scope, mock_id=mock_id)
            await self._server.call(
                "SessionMockService.DeleteSessionMock", request, session_mocks.DeleteSessionMockResponse
            )
        except Refused as refused:
            _raise_unless_not_found(refused)
            return False
        return True

    async def _global(self, mock_id: str) -> Mock | None:
        """A mock that is on for all; None when there is none."""
        try:
            request = mocks.GetMockRequest(mock_id=mock_id)
            found = await self._server.call("MockService.GetMock", request, mocks.GetMockResponse)
        except Refused as refused:
            _raise_unless_not_found(refused)
            return None
        return found.mock if found.mock.active else None

    async def _of_none(self) -> list[Mock]:
        found: list[Mock] = []
        token = ""
        while True:
            request = mocks.ListMocksRequest(active=True, page_size=_PAGE, page_token=token)
            page = await self._server.call("MockService.ListMocks", request, mocks.ListMocksResponse)
            found += page.mocks
            token = page.next_page_token
            if not token:
                return found

    async def _of_scope(self, scope: str) -> Sequence[Mock]:
        try:
            request = session_mocks.ListSessionMocksRequest(session_key=scope)
            found = await self._server.call(
                "SessionMockService.ListSessionMocks", request, session_mocks.ListSessionMocksResponse
            )
        except Refused as refused:
            # It was deleted meanwhile.
            _raise_unless_not_found(refused)
            return []
        return found.mocks


def _views(found: Sequence[Mock], scope: str | None) -> list[dict[str, Any]]:
    """They, the oldest first: of the same millisecond as they were asked for."""
    noted = [(each, stub_notes.read(each)) for each in found]
    ordered = sorted(
        noted, key=lambda pair: (pair[0].created_at.ToMilliseconds(), pair[1].order if pair[1] else 0, pair[0].id)
    )
    return [_shown(mock, note, scope) for mock, note in ordered]


def _view(mock: Mock, scope: str | None) -> dict[str, Any]:
    return _shown(mock, stub_notes.read(mock), scope)


def _shown(mock: Mock, noted: stub_notes.Noted | None, scope: str | None) -> dict[str, Any]:
    view = noted.view if noted else mock_view.view(mock)
    return {
        "stub_id": names.stub_id(mock.id),
        "request": view["request"],
        "action": view["action"],
        "scope": scope,
        "chaos": view["chaos"],
    }


def _mock_id(stub_id: str) -> str:
    try:
        return names.mock_id(stub_id)
    except names.UnusableStubId as unusable:
        raise Unknown from unusable


def _raise_unless_not_found(refused: Refused) -> None:
    if refused.reason != "not_found":
        raise refused
