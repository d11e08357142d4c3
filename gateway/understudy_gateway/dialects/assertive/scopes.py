"""Scopes: sessions that are found by a header of their name, with the order in which they were made."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from understudy.v1 import session_mock_service_pb2 as session_mocks
from understudy.v1 import session_service_pb2 as pb

from understudy_gateway.dialects.assertive.server import Refused, Server

NAME_CHARACTERS_MAX: Final = 200
"""The key of a session is as long at most: what is longer names none."""

_NAME: Final = re.compile(rb"[a-z0-9_-]{1,%d}" % NAME_CHARACTERS_MAX)
_PAGE: Final = 1000
_LIFE_SECONDS: Final = 365 * 24 * 3600
"""As long as a session can be given. One that has a time to live is not removed for being unused meanwhile."""


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Let pass that something is not there any more, or is not what it was."""
    try:
        yield
    except Refused as refused:
        if refused.reason not in ("not_found", "revision_mismatch"):
            raise


class Ambiguous(Exception):
    """A request has headers of several scopes."""


class Taken(Exception):
    """There is a session of that name. ``by_key``: it is no scope, but found by its key."""

    def __init__(self, *, by_key: bool) -> None:
        super().__init__(by_key)
        self.by_key = by_key


class Unknown(Exception):
    """There is no scope, or no stub, of that name."""


class Scopes:
    """The scopes of one environment."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def names(self) -> list[str]:
        """All of them, the oldest first. Raises Refused."""
        found: list[tuple[str, str]] = []
        token = ""
        while True:
            request = pb.ListSessionsRequest(page_size=_PAGE, page_token=token)
            page = await self._server.call("SessionService.ListSessions", request, pb.ListSessionsResponse)
            found += [
                (each.session_id, each.session.session_key)
                for each in page.sessions
                if each.session.found_by == pb.FOUND_BY_HEADER_NAME
            ]
            token = page.next_page_token
            if not token:
                # Ids sort by creation.
                return [name for _, name in sorted(found)]

    async def of(self, header_names: Collection[bytes]) -> str | None:
        """The scope that a request with headers of these names is in, None for none. They are in lower case, each once.

        Raises Ambiguous and Refused.
        """
        found = [name.decode() for name in header_names if _NAME.fullmatch(name) and await self.has(name.decode())]
        if len(found) > 1:
            raise Ambiguous
        return found[0] if found else None

    async def has(self, name: str) -> bool:
        """Tell whether there is a scope of this name, which is in lower case. Raises Refused."""
        return bool(await self.session_id(name))

    async def session_id(self, name: str) -> str:
        """The id of the session that a scope is now; empty when there is none of this name. Raises Refused."""
        found = await self._session(name)
        return found.session_id if found and _is_scope(found) else ""

    async def make(self, name: str) -> None:
        """Make a scope of this name, which is in lower case. Raises Taken and Refused."""
        async with self.held(name):
            found = await self._session(name)
            if found is not None:
                raise Taken(by_key=not _is_scope(found))
            request = pb.PutSessionRequest(
                session_key=name, found_by=pb.FOUND_BY_HEADER_NAME, ttl_seconds=_LIFE_SECONDS
            )
            await self._server.call("SessionService.PutSession", request, pb.PutSessionResponse)

    async def delete(self, name: str) -> None:
        """Delete a scope with its stubs and its requests. Raises Unknown and Refused."""
        async with self.held(name):
            if not _NAME.fullmatch(name.encode("utf-8", "replace")) or not await self.has(name):
                raise Unknown
            await self._remove(name)

    async def disown(self, name: str, mock_id: str) -> bool:
        """Take back what was just put into a scope, if the scope was deleted meanwhile by another door.

        To put a mock into a session that is not there makes one, which nobody has asked for. Returns whether it did.
        """
        if await self.has(name):
            return False
        with _unless_gone():
            request = session_mocks.DeleteSessionMockRequest(session_key=name, mock_id=mock_id)
            await self._server.call(
                "SessionMockService.DeleteSessionMock", request, session_mocks.DeleteSessionMockResponse
            )
        with _unless_gone():
            # A session that somebody has set up meanwhile, beside ours, stays.
            ending = pb.DeleteSessionRequest(session_key=name, mode=pb.DELETE_MODE_DELETE, expected_revision=1)
            await self._server.call("SessionService.DeleteSession", ending, pb.DeleteSessionResponse)
        return True

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[None]:
        """Nobody else who comes by this door changes the scope meanwhile."""
        lock, waiting = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(name)
            if waiting > 1:
                self._locks[name] = lock, waiting - 1

    async def _remove(self, name: str) -> None:
        request = pb.DeleteSessionRequest(session_key=name, mode=pb.DELETE_MODE_DELETE, purge_journal=True)
        try:
            await self._server.call("SessionService.DeleteSession", request, pb.DeleteSessionResponse)
        except Refused as refused:
            if refused.reason != "not_found":
                raise
            raise Unknown from refused

    async def _session(self, name: str) -> pb.GetSessionResponse | None:
        """The session of a key; None when there is none."""
        try:
            request = pb.GetSessionRequest(session_key=name)
            return await self._server.call("SessionService.GetSession", request, pb.GetSessionResponse)
        except Refused as refused:
            if refused.reason != "not_found":
                raise
            return None


def _is_scope(found: pb.GetSessionResponse) -> bool:
    return found.session.found_by == pb.FOUND_BY_HEADER_NAME
