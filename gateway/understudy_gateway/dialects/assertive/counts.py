"""How many calls fit a matcher. What was counted once is kept, so that the next time only what came since is judged.

A suite asks for the same calls again and again, and those of no scope are asked about by every scope.
"""

import hashlib
from collections import OrderedDict
from typing import Final

from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.verification_service_pb2 import Completeness, CountCallsRequest, CountCallsResponse

from understudy_gateway.dialects.assertive.server import Refused, Server

_KEPT_MAX: Final = 512
"""So many counts are kept, those that were asked for last."""


class Counts:
    """The counts of one environment."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._kept: OrderedDict[tuple[str, bytes], CountCallsResponse] = OrderedDict()

    async def of(self, session_key: str, matcher: RequestMatcher) -> CountCallsResponse:
        """Count the calls of a session, or with a blank key those of none. Of a session that is gone there are none.

        Raises Refused.
        """
        kept_as = session_key, hashlib.sha256(matcher.SerializeToString(deterministic=True)).digest()
        before = self._kept.pop(kept_as, None)
        try:
            counted = await self._gone_on(before, session_key, matcher) if before else None
            counted = counted or await self._ask(session_key, matcher, 0)
        except Refused as refused:
            if refused.reason != "not_found":
                raise
            return CountCallsResponse(completeness=Completeness(complete=True))
        if counted.completeness.complete:
            self._kept[kept_as] = counted
            if len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return counted

    async def _gone_on(
        self, before: CountCallsResponse, session_key: str, matcher: RequestMatcher
    ) -> CountCallsResponse | None:
        """The count with what came since; None when what was counted is not all on record any more."""
        since = await self._ask(session_key, matcher, before.completeness.up_to)
        then, now = before.completeness, since.completeness
        # As many more are kept as came: nothing was removed on purpose, lost, or pushed out meanwhile.
        all_there = now.kept - then.kept == now.up_to - then.up_to
        if now.session_id != then.session_id or not now.complete or not all_there:
            return None
        since.count += before.count
        since.undecided += before.undecided
        return since

    async def _ask(self, session_key: str, matcher: RequestMatcher, after: int) -> CountCallsResponse:
        request = CountCallsRequest(session_key=session_key, matcher=matcher, after=after)
        return await self._server.call("VerificationService.CountCalls", request, CountCallsResponse)
