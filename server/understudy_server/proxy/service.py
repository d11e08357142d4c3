"""Answers requests: what can be answered at once is, as bytes; for all else there is a turn.

The exchange is in the journal before the last bytes of the answer are handed over, so before they are on their way.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from understudy_server.core import cors
from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import CLIENT_GONE, Captured, RawHeaders
from understudy_server.core.headers import content_of
from understudy_server.core.matching.request import Body, BodyWanted
from understudy_server.core.matching.work import TurnOver
from understudy_server.core.profiles import Profile
from understudy_server.core.record import ExchangeOutcome, Phases, Whose
from understudy_server.core.responding.plan import Events, Forward, Plan
from understudy_server.core.responding.prepared import Prepared
from understudy_server.proxy.alike import Alike
from understudy_server.proxy.answering import answer_planned
from understudy_server.proxy.assertive import NO_MATCH, has_no_match
from understudy_server.proxy.catching_up import CatchingUp
from understudy_server.proxy.collecting import Collecting
from understudy_server.proxy.considering import Considering
from understudy_server.proxy.decisions import DECISION_BYTES, HEADER_BYTES
from understudy_server.proxy.deferred import Deferred
from understudy_server.proxy.forwarded import Forwarded
from understudy_server.proxy.header_meanings import HeaderMeanings
from understudy_server.proxy.held import Held
from understudy_server.proxy.held_bodies import HeldBodies
from understudy_server.proxy.intake import Intake, Own
from understudy_server.proxy.judging import Decided, Judge, Unfinished
from understudy_server.proxy.likeness import Firsts, Remembered
from understudy_server.proxy.memo import Memo
from understudy_server.proxy.messages import ClientRequest, Refused
from understudy_server.proxy.noted import Noted
from understudy_server.proxy.pool import Pool
from understudy_server.proxy.recording import Clerk, Presence
from understudy_server.proxy.relay import Relay
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.standing import STANDING_BYTES_MAX, Standing, Wire, prepared_at_once
from understudy_server.proxy.timing import USUAL_PHASES, USUAL_US, Timing, at_once
from understudy_server.proxy.tracing import Traces
from understudy_server.proxy.turn import Client, Turn
from understudy_server.proxy.writing import (
    connection_line,
    envelope,
    header_lines,
    last_refusal,
    outlives,
    own_answer,
)

_MOCKED = ExchangeOutcome.MOCKED

STORAGE_UNAVAILABLE: Final = "storage_unavailable"
"""The finding that a request was refused because what decides about it could not be read."""

_UNAVAILABLE: Final = Refused(503, STORAGE_UNAVAILABLE, "The store cannot be read now. Try again.")

FAULT = Refused(500, "internal_error", "Something went wrong here.")


class Service:
    """Answers the requests of one listener."""

    __slots__ = (
        "_judge",
        "_presence",
        "clerk",
        "clock",
        "decisions",
        "firsts",
        "held_bodies",
        "loop",
        "meanings",
        "memo",
        "pool",
        "session_header",
        "settings",
        "ticks",
        "traces",
        "view",
    )

    def __init__(
        self,
        judge: Judge,
        clerk: Clerk,
        presence: Presence,
        pool: Pool,
        *,
        clock: Callable[[], int],
        ticks: Callable[[], int],
        settings: ProxySettings,
        traces: Traces | None = None,
        remembered: Remembered | None = None,
        held_bodies: HeldBodies | None = None,
    ) -> None:
        self._judge = judge
        self._presence = presence
        self.view = judge.view
        self.clerk = clerk
        self.pool = pool
        self.clock = clock
        self.ticks = ticks
        self.settings = settings
        self.traces = traces
        self.held_bodies = held_bodies or HeldBodies(settings.held_bodies_bytes_max)
        self.memo = Memo[ClientRequest]()
        self.meanings = HeaderMeanings(settings.session_header)
        self.firsts = Firsts(self.meanings, remembered)
        self.decisions = self.firsts.decisions
        self.session_header = settings.session_header.lower().encode()
        self.loop = asyncio.get_running_loop()

    def begin(self, request: ClientRequest, client: Client) -> bytes | Turn:
        """Answer at once, or give out what has to be waited for as a turn that is not started yet.

        An answer in bytes says whether the connection outlives the request: as ``outlives`` does.
        """
        body = request.body if request.complete else None
        begun = self.ticks()
        if self.view.is_current():
            return self.judge(request, body, client, begun, begun)
        return CatchingUp(self, client, request, body, begun)

    def begin_again(self, request: ClientRequest, body: Body, client: Client, begun: int) -> bytes | Turn:
        """As `begin`, for a request that was begun and has its body now, or as much of it as anybody looks at."""
        if self.view.is_current():
            return self.judge(request, body, client, begun, self.ticks())
        return CatchingUp(self, client, request, body, begun)

    def judge(self, request: ClientRequest, body: Body, client: Client, begun: int, judged: int) -> bytes | Turn:
        """Decide and carry out, by what the view holds. ``begun`` and ``judged`` as of a `Timing`."""
        now_ms = self.clock()
        intake: Intake | Refused
        try:
            alike, seat = request.alike, None
            if alike is not None:
                if alike.has_parts:
                    seat = self._judge.seat(alike, request, now_ms)
                    if seat is None:
                        alike = self._own_part(alike, request)
                    else:
                        of, part = seat.layers, alike.part
                        alike = part if part and alike.part_of is of else self.decisions.part(alike, of)
                standing = alike.standing
                if standing is not None and standing.version == self.view.version and now_ms < standing.until_ms:
                    whose = standing.whose if seat is None else seat.whose
                    return self._answer_again(standing, whose, request, now_ms, begun, judged)
                decided = alike.decided
                if decided is not None and decided.version == self.view.version and now_ms < decided.until_ms:
                    intake = self._judge.decide_again(decided, request, now_ms, seat)
                    return self._carry_out(intake, now_ms, client, begun, judged)
            if request.unfinished is not None:
                # What was spent on finding the mock in the turns before is no wait.
                judged -= cast("Unfinished", request.unfinished).spent
            intake = self._judge.decide(request, body, now_ms, alike, seat)
        except BodyWanted:
            return Collecting(self, client, request, begun)
        except TurnOver as over:
            return Considering(self, client, request, body, over.unfinished, begun, judged)
        except StorageFailure:
            # Of what is kept between requests. As for the view: no answer by what may not be so any more.
            return self.refuse_unavailable(request, begun)
        if isinstance(intake, Refused):
            return self.refuse(request, intake)
        if alike is not None and alike.decided is not None:
            self._keep(alike, alike.decided)
        return self._carry_out(intake, now_ms, client, begun, judged)

    def _own_part(self, alike: Alike, request: ClientRequest) -> Alike:
        """What is known of requests alike with this one's session key, as if it were not known that those differ."""
        part = request.alike = self.decisions.part(alike, request.session_values[0])
        request.differs -= {self.session_header}
        return part

    def _keep(self, alike: Alike, decided: Decided) -> None:
        """Keep what was decided: as an answer that stands, where that is the same for all requests alike."""
        request = decided.intake.request
        bytes_ = DECISION_BYTES + HEADER_BYTES * len(request.headers) + len(request.body)
        if decided.settled and decided.intake.mock is not None:
            standing = self._standing(decided)
            if standing is not None:
                alike.stand(standing)
                bytes_ = DECISION_BYTES + standing.wire.bytes_max
        self.decisions.keep(alike, decided.version, bytes_)

    def _answer_again(
        self, standing: Standing, whose: Whose, request: ClientRequest, now_ms: int, begun: int, judged: int
    ) -> bytes:
        """Carry out what stands, as `_carry_out` would."""
        if whose[1]:
            self._presence.touch(whose[1], now_ms)
        # As `_phases` has them, without the call.
        us = (self.ticks() - begun) // 1000
        phases = USUAL_PHASES[us] if us < USUAL_US and begun == judged else at_once(begun, judged, us)
        self.clerk.append_again(standing.entry, whose, request, now_ms, phases)
        return standing.wire.at(now_ms // 1000)

    def _phases(self, begun: int, judged: int) -> Phases:
        """Those of a request that is answered now, in one go."""
        us = (self.ticks() - begun) // 1000
        # Most take no longer, and do not wait before: for them it is made already.
        return USUAL_PHASES[us] if us < USUAL_US and begun == judged else at_once(begun, judged, us)

    def _standing(self, decided: Decided) -> Standing | None:
        """What a decision comes to, where that is the same for all requests alike."""
        intake = decided.intake
        prepared = prepared_at_once(intake)
        if prepared is None or len(prepared.body) > STANDING_BYTES_MAX:
            return None
        wire, stored, kept = self._written(intake, prepared)
        mock_id = intake.mock.id if intake.mock else ""
        entry = self.clerk.entry(intake, prepared.status, stored, kept, mock_id)
        session = intake.session
        whose = Whose(intake.session_key, intake.session_id, 0 if session is None else session.revision)
        return Standing(decided.version, decided.until_ms, whose, wire, entry)

    def _carry_out(self, intake: Intake, now_ms: int, client: Client, begun: int, judged: int) -> bytes | Turn:
        request, mock = intake.request, intake.mock
        if intake.session_id:
            self._presence.touch(intake.session_id, now_ms)
        if mock is not None:
            prepared = prepared_at_once(intake)
            if prepared is not None and request.complete:
                kept = self.clerk.body_of(intake) if request.has_body else None
                return self.answer_prepared(
                    intake, now_ms, prepared, kept, mock.id, intake.findings, 0, self._phases(begun, judged)
                )
            timing = Timing(self.ticks, now_ms, begun, judged)
            if intake.plan is not None:
                return self._begin_planned(intake, intake.plan, timing, client)
            return self._held(intake, timing, client)
        timing = Timing(self.ticks, now_ms, begun, judged)
        if intake.own is not None:
            return self._answer_own(intake, timing, intake.own)
        if has_no_match(intake):
            if intake.delay_ms or not request.complete:
                return Held(self, client, intake, timing)
            return self._answer_no_match(intake, timing, self.clerk.body_of(intake))
        return Relay(self, client, intake, timing)

    def _begin_planned(self, intake: Intake, plan: Plan, timing: Timing, client: Client) -> bytes | Turn:
        answer, takes_time = plan.answer, bool(intake.delay_ms)
        if intake.environment.profile is Profile.ASSERTIVE:
            if isinstance(answer, Forward) and takes_time:
                return Deferred(self, client, intake, timing, plan, answer)
            takes_time = takes_time or isinstance(answer, Events)
        if isinstance(answer, Forward):
            return Forwarded(self, client, intake, timing, plan, answer)
        if takes_time or not intake.request.complete:
            return self._held(intake, timing, client)
        return answer_planned(self, client, intake, plan, timing, self.clerk.body_of(intake))

    def _held(self, intake: Intake, timing: Timing, client: Client) -> Turn:
        """Answer by the mock in a turn of its own. To Assertive a request is on record as soon as it is matched."""
        hold = Noted if intake.environment.profile is Profile.ASSERTIVE else Held
        return hold(self, client, intake, timing)

    def refuse_unjudged(
        self, request: ClientRequest, refused: Refused, begun: int, findings: tuple[str, ...] = ()
    ) -> bytes:
        """Refuse a request that cannot be judged, since the rest of it cannot be read. It is on record all the same."""
        intake = self._intake(request)
        if intake is None:
            return self.refuse(request, refused)
        return self.refuse_on_record(intake, self._unjudged(begun), refused, self.clerk.body_of(intake), findings)

    def refuse_unavailable(self, request: ClientRequest, begun: int) -> bytes:
        """Refuse a request that cannot be judged, since what decides cannot be read.

        It is on record in the session that was there when it last could be.
        """
        intake = self._intake(request)
        if intake is None:
            return self.refuse(request, _UNAVAILABLE)
        body = self.clerk.body_of(intake)
        return self.refuse_on_record(intake, self._unjudged(begun), _UNAVAILABLE, body, (STORAGE_UNAVAILABLE,))

    def record_unjudged(self, request: ClientRequest, begun: int) -> None:
        """Put on record that the client went before its request could be judged."""
        intake = self._intake(request)
        if intake is not None:
            self.record_gone(intake, self._unjudged(begun), self.clerk.body_of(intake))

    def _unjudged(self, begun: int) -> Timing:
        return Timing(self.ticks, self.clock(), begun, self.ticks())

    def _intake(self, request: ClientRequest) -> Intake | None:
        """Whose request it is; ``None``: no environment's."""
        intake = self._judge.place(request, self.clock())
        return None if isinstance(intake, Refused) else intake

    def answer(
        self,
        client: Client,
        intake: Intake,
        timing: Timing,
        request_body: Captured | None,
        findings: tuple[str, ...],
    ) -> bytes | Turn:
        """Answer by the mock, after its delay and with the request whole. ``findings``: what was odd meanwhile."""
        if intake.mock is None:
            return self._answer_no_match(intake, timing, request_body, findings)
        started_at_ms = timing.started_at_ms
        passed_ms = self.clerk.passed_ms(started_at_ms)
        if intake.plan is not None:
            return answer_planned(self, client, intake, intake.plan, timing, request_body, findings, passed_ms)
        mock = intake.mock
        findings, phases = intake.findings + findings, timing.phases()
        return self.answer_prepared(
            intake, started_at_ms, mock.response.prepared, request_body, mock.id, findings, passed_ms, phases
        )

    def answer_prepared(
        self,
        intake: Intake,
        started_at_ms: int,
        prepared: Prepared,
        request_body: Captured | None,
        mock_id: str,
        findings: tuple[str, ...],
        duration_ms: int,
        phases: Phases,
    ) -> bytes:
        """Put a mock's answer on record and write it. ``duration_ms``: the time since the request was judged."""
        wire, stored, kept = self._written(intake, prepared)
        self.clerk.append(
            intake,
            started_at_ms,
            duration_ms,
            _MOCKED,
            prepared.status,
            stored,
            request_body,
            kept,
            mock_id,
            findings,
            phases,
        )
        return wire.at((started_at_ms + duration_ms) // 1000)

    def _written(self, intake: Intake, prepared: Prepared) -> tuple[Wire, RawHeaders, Captured | None]:
        """A mock's answer as it is sent, and what is kept of its headers and its body."""
        request = intake.request
        head, stored, body, environment = prepared.head, prepared.stored_headers, prepared.body, intake.environment
        if prepared.kept_by is not environment:
            prepared.kept = self.clerk.capture(body, prepared.content, environment)
            prepared.kept_by = environment
        kept = prepared.kept
        if request.origin and not prepared.sets_cors and environment.adds_cors_headers:
            added = cors.answer_headers(request.origin, prepared.raw_headers)
            head += header_lines(added)
            stored = (*stored, *added)
        elif request.method != "HEAD" and request.keep_alive and request.complete and not request.http_1_0:
            # To most it is sent alike.
            wire = prepared.wire
            if wire is None:
                wire = prepared.wire = Wire(head, b"\r\n", body, has_date=prepared.has_date)
            return wire, stored, kept
        if request.method == "HEAD":
            body, kept = b"", None
        end = b"\r\n"
        if not (request.keep_alive and request.complete and not request.http_1_0):
            end = connection_line(request, keep_alive=outlives(request)) + end
        return Wire(head, end, body, has_date=prepared.has_date), stored, kept

    def _answer_no_match(
        self, intake: Intake, timing: Timing, request_body: Captured | None, findings: tuple[str, ...] = ()
    ) -> bytes:
        """Say, and put on record, that no mock answers, where nobody else could."""
        unmatched = ExchangeOutcome.UNMATCHED
        return self.refuse_on_record(intake, timing, NO_MATCH, request_body, findings, outcome=unmatched)

    def _answer_own(self, intake: Intake, timing: Timing, own: Own) -> bytes:
        """Put an answer of the proxy's own on record and write it."""
        request_body = self.clerk.body_of(intake)
        if own.refused:
            return self.refuse_on_record(intake, timing, own.refused, request_body)
        self.clerk.record(intake, timing, ExchangeOutcome.PREFLIGHT, own.status, own.headers, request_body, None)
        return own_answer(intake.request, own.status, own.headers, b"", self.clock() // 1000)

    def refuse(self, request: ClientRequest, refused: Refused) -> bytes:
        """Write the error envelope: for a request that belongs to no environment, so that it is on no record."""
        body, headers = envelope(refused)
        return own_answer(request, refused.status, headers, body, self.clock() // 1000)

    def refuse_on_record(
        self,
        intake: Intake,
        timing: Timing,
        refused: Refused,
        request_body: Captured | None,
        findings: tuple[str, ...] = (),
        mock_id: str = "",
        outcome: ExchangeOutcome = ExchangeOutcome.REFUSED,
    ) -> bytes:
        """Put on record that the proxy itself answers, and write it. ``mock_id``: the mock in whose place it stands."""
        body, headers = envelope(refused)
        request = intake.request
        if request.origin and intake.environment.adds_cors_headers:
            # Without this a page could not read why.
            headers = (*headers, *cors.answer_headers(request.origin, headers))
        kept = None if request.method == "HEAD" else self.clerk.capture(body, content_of(headers), intake.environment)
        self.clerk.record(intake, timing, outcome, refused.status, headers, request_body, kept, mock_id, findings)
        return own_answer(request, refused.status, headers, body, self.clock() // 1000)

    def record_gone(
        self,
        intake: Intake,
        timing: Timing,
        request_body: Captured | None,
        mock_id: str = "",
        findings: tuple[str, ...] = (),
    ) -> None:
        """Put on record that the client went before anything was answered."""
        gone = ExchangeOutcome.CLIENT_GONE
        self.clerk.record(intake, timing, gone, CLIENT_GONE, (), request_body, None, mock_id, findings)

    def refuse_stream(self, refused: Refused) -> bytes:
        """The last answer on a connection whose bytes could not be read as requests."""
        return last_refusal(self._judge.unread(refused), self.clock() // 1000)
