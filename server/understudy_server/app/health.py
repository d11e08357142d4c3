"""What is odd about a session: the first thing to read when a test fails."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from understudy.v1 import verification_service_pb2 as pb

from understudy_server.app.call import Call
from understudy_server.app.call_mismatches import call_mismatches
from understudy_server.app.drafts import visible_drafts
from understudy_server.app.flag_ports import ProjectSessionRecord
from understudy_server.app.log_entries import OUTCOMES
from understudy_server.app.ports import SessionQuery, SessionRecord, Transaction
from understudy_server.app.record_reading import (
    PASSED_OVER_MAX,
    asked_key,
    calls_carrying,
    carrying,
    completeness,
    live_record,
    stream_of,
)
from understudy_server.app.recorded_request import subject_of
from understudy_server.app.times import milliseconds
from understudy_server.core.errors import NotFound
from understudy_server.core.explanation import Explanation
from understudy_server.core.health import Facts, findings
from understudy_server.core.health_finding import Finding
from understudy_server.core.health_tally import Asked, Group, Tally
from understudy_server.core.record import ExchangeOutcome, Standing

LOOKED_AT_MAX: Final = 1000
EXPLAINED_MAX: Final = 20
"""Of so many different requests it is told why no mock answered."""

# Explaining goes over all mocks that are on: of a large library that takes its time, and somebody waits for the rest.
_EXPLAINING_SECONDS: Final = 5.0
_CONSIDERED: Final = 50

# So many of the last requests without a key are looked at.
_UNKEYED_MAX: Final = 100

# Sessions whose keys contain another one, of which one may differ in case alone.
_ALIKE: Final = 20

_RECENT_MS: Final = 5 * 60_000

# Those that no mock answered: first those that nothing else did either.
_UNANSWERED: Final = (ExchangeOutcome.UNMATCHED, ExchangeOutcome.FORWARDED)


async def get_session_health(call: Call, request: pb.GetSessionHealthRequest) -> pb.GetSessionHealthResponse:
    """Tell what is odd about a session, or about a key that no session has."""
    key = asked_key(request.session_key)
    record = await live_record(call, key, call.now_ms) if key else None
    of_project = bool(key) and record is None and await _is_of_project(call, key)
    stream = await stream_of(call, key, call.now_ms)
    # What is recorded from here on is not in it: the numbers are read before the exchanges.
    standing = await call.world.journal.standing(stream) if stream else Standing()
    tally = await _tally(call, key, stream.session_id if stream else key if of_project else "")
    counts_unkeyed = not (tally.carried.count or tally.hides_requests or of_project)
    facts = Facts(
        key=key,
        exists=of_project or record is not None,
        of_project=of_project,
        alike="" if record or of_project or not key else await _alike(call, key),
        mocks=await _mocks_of(call, record) if record else (),
        unkeyed=await _unkeyed(call, record) if counts_unkeyed else Group(),
        standing=standing,
        complete=_is_complete(standing),
    )
    found = findings(facts, tally, await _explained(call, tally))
    return pb.GetSessionHealthResponse(
        healthy=not found,
        session_exists=facts.exists,
        findings=[_message(each) for each in found],
        counts=[_count(outcome, count) for outcome, count in tally.outcomes.most_common()],
        completeness=completeness(stream, standing, complete=facts.complete),
    )


async def _is_of_project(call: Call, key: str) -> bool:
    """Whether a key is the id of a session of the project that lives."""

    async def read(tx: Transaction) -> ProjectSessionRecord | None:
        return await tx.project_session(call.place.project_id, key)

    record = await call.world.store.read(read)
    return record is not None and milliseconds(record.message.expires_at) > call.now_ms


async def _mocks_of(call: Call, record: SessionRecord) -> Sequence[str]:
    """The mocks that a session owns, or that were switched on for it."""

    async def own(tx: Transaction) -> Sequence[str]:
        return [mock.id for mock in await tx.session_mocks(record.id)]

    return [*await call.world.store.read(own), *record.message.overrides]


async def _alike(call: Call, key: str) -> str:
    """The key of a session that differs from this one in case alone."""

    async def alike(tx: Transaction) -> Sequence[str]:
        query = SessionQuery(search=key, alive_at_ms=call.now_ms)
        return [each.message.session_key for each in await tx.sessions(call.place.environment_id, query, "", _ALIKE)]

    found = await call.world.store.read(alike)
    return next((each for each in found if each.casefold() == key.casefold()), "")


async def _tally(call: Call, key: str, session_id: str) -> Tally:
    """What came of the last 1000 requests that carried the key, and what was evaluated among them."""
    tally = Tally(session_id)
    passed_over = 0
    async for each in calls_carrying(call, key, LOOKED_AT_MAX):
        tally.add(each)
        passed_over += not each.is_call
    tally.hides_requests = passed_over == PASSED_OVER_MAX
    return tally


async def _unkeyed(call: Call, record: SessionRecord | None) -> Group:
    """Requests of the last minutes, and since the session was set, that carried no key."""
    since_ms = max(call.now_ms - _RECENT_MS, record.updated_at_ms if record else 0)
    found = Group()
    async for exchange in carrying(call, "", _UNKEYED_MAX):
        if exchange.started_at_ms >= since_ms:
            found.add(exchange)
    return found


async def _explained(call: Call, tally: Tally) -> Mapping[Asked, Explanation]:
    """Why no mock answered, for each kind of request that none did: judged anew, for as many as there is time for."""
    groups = [
        (asked, group.latest)
        for outcome in _UNANSWERED
        for asked, group in sorted(tally.odd.items(), key=lambda each: -each[1].count)
        if asked.outcome is outcome
    ]
    if not groups:
        return {}
    drafts = await visible_drafts(call)
    explained: dict[Asked, Explanation] = {}
    loop = asyncio.get_running_loop()
    ends = loop.time() + _EXPLAINING_SECONDS
    for asked, exchange in groups[:EXPLAINED_MAX]:
        if exchange is None or loop.time() > ends:
            break
        try:
            explained[asked] = await call.world.explainer.explain(
                subject_of(call.place, exchange), call.now_ms, _CONSIDERED, drafts
            )
        except NotFound:
            # The environment has gone meanwhile.
            break
    return explained


def _is_complete(standing: Standing) -> bool:
    return standing.kept == standing.last_number and standing.doubtful_after is None


def _count(outcome: ExchangeOutcome, count: int) -> pb.OutcomeCount:
    return pb.OutcomeCount(outcome=OUTCOMES[outcome], count=count)


def _message(found: Finding) -> pb.HealthFinding:
    return pb.HealthFinding(
        code=found.code,
        message=found.message,
        count=found.count,
        log_ids=found.log_ids,
        mock_ids=found.mock_ids,
        mismatches=call_mismatches(found.mismatches),
    )
