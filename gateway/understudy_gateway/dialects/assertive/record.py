"""What was called: the record of a scope, and of what belongs to no session, as lists and as numbers."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from understudy.v1 import log_service_pb2 as logs
from understudy.v1.log_service_pb2 import LogEntry
from understudy.v1.matching_pb2 import RequestMatcher

from understudy_gateway.dialects.assertive import requests
from understudy_gateway.dialects.assertive.counts import Counts
from understudy_gateway.dialects.assertive.scopes import Scopes
from understudy_gateway.dialects.assertive.server import Server

LATEST: Final = 100
"""So many calls are shown on a page."""

_NO_SESSION: Final = " "
_BODY_CHARACTERS_MAX: Final = 4_096


class Record:
    """The calls of one environment."""

    def __init__(self, server: Server, scopes: Scopes) -> None:
        self._server = server
        self._scopes = scopes
        self._counts = Counts(server)

    async def views(self, scope: str | None) -> AsyncGenerator[dict[str, Any], None]:
        """Give the calls that are seen in a scope, or without one, its own first, and of each the oldest first.

        Raises Refused, perhaps after some.
        """
        if scope is not None and (session_id := await self._scopes.session_id(scope)):
            async with aclosing(self._rows(scope)) as rows:
                async for entry in rows:
                    # An earlier scope of that name may have left some, if it was not deleted by this door.
                    if entry.session_id == session_id:
                        yield requests.view(entry, scope)
        async with aclosing(self._rows(_NO_SESSION)) as rows:
            async for entry in rows:
                yield requests.view(entry, None)

    async def latest(self, scope: str | None) -> list[dict[str, Any]]:
        """The last `LATEST` of a scope alone, or of no session, the oldest first; of a body the beginning.

        Raises Refused.
        """
        key = _NO_SESSION if scope is None else scope
        session_id = "" if scope is None else await self._scopes.session_id(scope)
        async with aclosing(self._rows(key, last=LATEST)) as rows:
            return [_shortened(requests.view(entry, scope)) async for entry in rows if entry.session_id == session_id]

    async def count(self, matcher: RequestMatcher, scope: str | None) -> tuple[int, int | None]:
        """How many of the calls that are seen in a scope fit a matcher: so many at least, and at most.

        These differ where calls, or the whole of their bodies, are not on record any more; None where there is no end.
        Raises Refused.
        """
        keys = (_NO_SESSION,) if scope is None else (scope, _NO_SESSION)
        counts = [await self._counts.of(key, matcher) for key in keys]
        found = sum(each.count for each in counts)
        if not all(each.completeness.complete for each in counts):
            return found, None
        return found, found + sum(each.undecided for each in counts)

    async def _rows(self, key: str, last: int = 0) -> AsyncGenerator[LogEntry, None]:
        """The rows of a key that are there now, all or the last ones."""
        request = logs.TailLogsRequest(
            session_key=key, until_now=True, with_details=True, last=last, from_start=not last
        )
        # Any request, so that evaluations of flags are not among them.
        request.matcher.SetInParent()
        stream = self._server.stream("LogService.TailLogs", request, logs.TailLogsResponse)
        async with aclosing(stream) as answers:
            async for each in answers:
                yield each.log


def _shortened(view: dict[str, Any]) -> dict[str, Any]:
    return {**view, "body": view["body"][:_BODY_CHARACTERS_MAX]}
