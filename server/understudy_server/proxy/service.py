"""Carries out what was decided about a request, up to the bytes of its answer. The connection writes them.

What can be answered at once is answered without a task: the connection gets an `Answer`, and otherwise a coroutine that
gives one. The exchange is in the journal before the answer is handed over, so before its last byte is on its way.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from understudy_server.core.errors import StorageFailure
from understudy_server.proxy.forwarding import answer_headers, parse_upstream, request_bytes
from understudy_server.proxy.judging import Decision, Judge, Mocked, PassedThrough
from understudy_server.proxy.messages import ClientRequest, RawHeaders, Refused, UpstreamAnswer
from understudy_server.proxy.recording import Clerk, Outcome, Presence
from understudy_server.proxy.upstream import UpstreamClient
from understudy_server.proxy.writing import answer_bytes, connection_headers, raw_headers, refusal_plan, with_date

CLIENT_GONE = 499
"""The status on record when the client went before it was answered: the number that proxies use among themselves."""

_NO_UPSTREAM = Refused(502, "no_upstream", "No mock answers this request, and the environment has no upstream.")
_FAULT = Refused(500, "internal_error", "Something went wrong here.")

Haste = asyncio.Future[None]
"""Done when the client has ended its side: nobody is kept waiting on purpose from then on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a final answer, and whether the connection outlives it."""

    payload: bytes
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Service:
    """Answers requests. Shared by all connections of a listener."""

    judge: Judge
    clerk: Clerk
    presence: Presence
    upstream: UpstreamClient
    clock: Callable[[], int]

    def respond(self, request: ClientRequest, haste: Haste) -> Answer | Coroutine[Any, Any, Answer]:
        """Answer at once if nothing has to be waited for, else return what must be awaited."""
        if self.judge.view.is_current():
            return self._carry_out(request, self._decide(request), haste)
        return self._respond_late(request, haste)

    async def _respond_late(self, request: ClientRequest, haste: Haste) -> Answer:
        try:
            await self.judge.view.catch_up()
        except StorageFailure:
            # Fail closed: an answer by old state would break the promise that what was acknowledged is in force.
            return self.refuse(request, Refused(503, "storage_unavailable", "The store cannot be read now. Try again."))
        answer = self._carry_out(request, self._decide(request), haste)
        return answer if isinstance(answer, Answer) else await answer

    def _decide(self, request: ClientRequest) -> Decision:
        now_ms = self.clock()
        decision = self.judge.decide(request, now_ms)
        if not isinstance(decision, Refused) and decision.intake.session_id:
            self.presence.touch(decision.intake.session_id, now_ms)
        return decision

    def _carry_out(
        self, request: ClientRequest, decision: Decision, haste: Haste
    ) -> Answer | Coroutine[Any, Any, Answer]:
        match decision:
            case Refused():
                return self.refuse(request, decision)
            case Mocked() if not decision.plan.delay_ms:
                return self._answer_mocked(decision)
            case Mocked():
                return self._answer_mocked_later(decision, haste)
            case PassedThrough():
                return self._pass_through(decision, haste)

    def _answer_mocked(self, decision: Mocked) -> Answer:
        plan, request = decision.plan, decision.intake.request
        headers = raw_headers(plan)
        self.clerk.record(decision.intake, Outcome(plan.status, headers, plan.body, decision.mock_id))
        return self._answer(request, plan.status, with_date(headers, self.clock()), plan.body)

    async def _answer_mocked_later(self, decision: Mocked, haste: Haste) -> Answer:
        try:
            await _hold_back(decision.plan.delay_ms, haste)
        except asyncio.CancelledError:
            self.clerk.record(decision.intake, Outcome(CLIENT_GONE, mock_id=decision.mock_id))
            raise
        return self._answer_mocked(decision)

    async def _pass_through(self, decision: PassedThrough, haste: Haste) -> Answer:
        intake = decision.intake
        try:
            answer = await self._fetch(decision)
            await _hold_back(decision.delay_ms, haste)
        except asyncio.CancelledError:
            self.clerk.record(intake, Outcome(CLIENT_GONE))
            raise
        if isinstance(answer, Refused):
            plan = refusal_plan(answer, intake.request.method)
            self.clerk.record(intake, Outcome(plan.status, raw_headers(plan), plan.body))
            return self.refuse(intake.request, answer)
        headers = answer_headers(intake.request.method, answer)
        self.clerk.record(intake, Outcome(answer.status, headers, answer.body))
        return self._answer(intake.request, answer.status, headers, answer.body, answer.reason)

    async def _fetch(self, decision: PassedThrough) -> UpstreamAnswer | Refused:
        intake = decision.intake
        upstream = parse_upstream(intake.environment.upstream)
        if upstream is None:
            return _NO_UPSTREAM
        return await self.upstream.fetch(upstream, intake.request.method, request_bytes(intake, upstream))

    def refuse(self, request: ClientRequest, refused: Refused) -> Answer:
        """Answer with the error envelope."""
        plan = refusal_plan(refused, request.method)
        return self._answer(request, plan.status, with_date(raw_headers(plan), self.clock()), plan.body)

    def refuse_stream(self, refused: Refused) -> bytes:
        """The last answer on a connection whose bytes could not be read as requests."""
        plan = refusal_plan(refused, "")
        headers = (*with_date(raw_headers(plan), self.clock()), *connection_headers(http_1_0=False, keep_alive=False))
        return answer_bytes(plan.status, headers, plan.body)

    def fault(self) -> bytes:
        """The last answer on a connection after a failure of our own."""
        return self.refuse_stream(_FAULT)

    def _answer(
        self, request: ClientRequest, status: int, headers: RawHeaders, body: bytes, reason: bytes | None = None
    ) -> Answer:
        headers = (*headers, *connection_headers(http_1_0=request.http_1_0, keep_alive=request.keep_alive))
        return Answer(answer_bytes(status, headers, body, reason), request.keep_alive)


async def _hold_back(delay_ms: int, haste: Haste) -> None:
    if delay_ms:
        await asyncio.wait([haste], timeout=delay_ms / 1000)
