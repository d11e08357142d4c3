"""Reading the record of a session for a question: which stream it is about, its exchanges in order, what is missing."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from understudy.v1.verification_service_pb2 import Completeness, Loss

from understudy_server.app.call import Call
from understudy_server.app.ports import Journal, SessionRecord, Transaction
from understudy_server.app.sessions import has_expired
from understudy_server.app.slices import Slices
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Standing, Stream
from understudy_server.core.session_key import normalise
from understudy_server.core.verification import Judgement

_PAGE_EXCHANGES: Final = 10
"""So many are read in one go: with two bodies of 256 KiB each they take some 5 ms, and 100 of them would take 50."""

PASSED_OVER_MAX: Final = 100_000
"""So many evaluations are passed over in search of calls: as many as a session keeps. They take about a second."""


def asked_key(raw: str) -> str:
    """The key that a question is about; empty (white space alone) for what belongs to no session."""
    return normalise(raw)


async def live_record(call: Call, key: str, now_ms: int) -> SessionRecord | None:
    """The session that a key names, unless its time is over by then."""

    async def read(tx: Transaction) -> SessionRecord | None:
        return await tx.session(call.place.environment_id, key)

    record = await call.world.store.read(read)
    return record if record and not has_expired(record, now_ms) else None


async def live_stream(call: Call, key: str, now_ms: int) -> Stream | None:
    """The exchanges of the session that a key names, ``None`` when there is none now.

    With an empty key, the environment's exchanges that belong to no session.
    """
    if not key:
        return Stream(call.place.environment_id)
    record = await live_record(call, key, now_ms)
    return Stream(call.place.environment_id, key, record.id) if record else None


async def stream_of(call: Call, key: str, now_ms: int) -> Stream | None:
    """What a question about a key is about: its session, else the last one that recorded anything; None without one.

    With an empty key, as `live_stream`.
    """
    found = await live_stream(call, key, now_ms)
    return found or await call.world.journal.latest_stream(call.place.environment_id, key)


async def stream_to_follow(call: Call, key: str, now_ms: int, followed: Stream | None) -> Stream | None:
    """What is about a key by now for who followed a stream of it already: the same one, or one that began later.

    It never goes back: when a session is deleted, the one before it is no answer. Ids sort by creation.
    """
    found = await stream_of(call, key, now_ms)
    if followed is None or (found is not None and found.session_id > followed.session_id):
        return found
    return followed


async def exchanges(
    journal: Journal, stream: Stream, after: int, up_to: int, slices: Slices | None = None
) -> AsyncIterator[Exchange]:
    """The exchanges of a stream behind a number and up to another one, in order, a page in memory at a time.

    Whoever takes long over one of them pauses by the same ``slices``.
    """
    slices = slices or Slices()
    while after < up_to:
        page: Sequence[Exchange] = await journal.read(stream, after, _PAGE_EXCHANGES)
        if not page:
            return
        for each in page:
            if each.number > up_to:
                return
            after = each.number
            yield each
            await slices.pause()


async def judge_all(journal: Journal, stream: Stream, judgement: Judgement) -> Standing:
    """Take in all that is on record and was not taken in yet. Returns how the stream stood when it began.

    Where it stands is asked first: so all that was recorded before is seen, and what is missing up to there was lost.
    """
    standing, slices = await journal.standing(stream), Slices()
    judgement.begin_behind(standing.purged)
    async for each in exchanges(journal, stream, judgement.number, standing.last_number, slices):
        await slices.result_of(judgement.take_in_parts(each))
    judgement.reach(standing.last_number)
    doubtful_after = standing.doubtful_after
    judgement.doubtful = doubtful_after is not None and judgement.after <= doubtful_after
    if judgement.lost:
        # They may have been lost while it was read.
        standing = Standing(
            standing.last_number,
            standing.kept,
            (await journal.standing(stream)).losses,
            doubtful_after,
            standing.purged,
        )
    judgement.losses = standing.losses
    return standing


async def carrying(call: Call, key: str, most: int, *, before: str = "", since: str = "") -> AsyncIterator[Exchange]:
    """At most so many exchanges that carried a key, as `Journal.page` gives them, a page in memory at a time."""
    slices, environment_id = Slices(), call.place.environment_id
    while most > 0:
        limit = min(most, _PAGE_EXCHANGES)
        page = await call.world.journal.page(environment_id, key, before=before, since=since, limit=limit)
        for each in page:
            yield each
            await slices.pause()
        if len(page) < limit:
            return
        most -= limit
        before, since = ("", page[-1].id) if since else (page[-1].id, "")


async def calls_carrying(call: Call, key: str, most: int) -> AsyncIterator[Exchange]:
    """The exchanges that carried a key, newest first, until so many of them were calls.

    What is no call comes in its place among them, and takes nobody else's; behind 100 000 of those it ends.
    """
    calls = passed_over = 0
    async for each in carrying(call, key, most + PASSED_OVER_MAX):
        yield each
        if each.is_call:
            calls += 1
        else:
            passed_over += 1
        if calls == most or passed_over == PASSED_OVER_MAX:
            return


async def exchanges_back(
    journal: Journal, stream: Stream, after: int, up_to: int, slices: Slices
) -> AsyncIterator[Exchange]:
    """The exchanges of a stream behind a number and up to another one, the last one first, by pages."""
    # What made room long ago is not looked for.
    first = await journal.read(stream, after, 1)
    after = first[0].number - 1 if first else up_to
    while after < up_to:
        begin = max(after, up_to - _PAGE_EXCHANGES)
        page = await journal.read(stream, begin, up_to - begin)
        for each in reversed(page):
            # Where some are missing, younger ones come in their place.
            if each.number <= up_to:
                yield each
            await slices.pause()
        up_to = begin
        await slices.pause()


async def number_before(journal: Journal, exchange: Exchange) -> int:
    """The number of what is on record directly before an exchange, of its stream; without any, how far that was purged.

    Anything may be missing of a stream, so it is found by halving, which reads a row each time.
    """
    low, high = (await journal.standing(exchange.stream)).purged, exchange.number - 1
    # Nearly always nothing is missing, or all that there was before: that is looked at first.
    places = iter((high - 1, low))
    while low < high:
        place = next(places, (low + high) // 2)
        behind = await journal.read(exchange.stream, place, 1)
        if behind and behind[0].number < exchange.number:
            low = behind[0].number
        else:
            high = place
    return low


def completeness(stream: Stream | None, standing: Standing, *, complete: bool) -> Completeness:
    """How much of a stream there is, as the contract shows it."""
    return Completeness(
        session_id=stream.session_id if stream else "",
        up_to=standing.last_number,
        complete=complete,
        kept=standing.kept,
        losses=[Loss(reason=reason.value, count=count) for reason, count in standing.losses.items()],
    )
