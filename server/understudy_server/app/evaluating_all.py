"""Evaluation of all flags of a project, which may be thousands: a little at a time, between what others want."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from understudy.v1 import evaluation_service_pb2 as pb

from understudy_server.app.beside import beside
from understudy_server.app.call import Call
from understudy_server.app.evaluation_records import Keeping, all_said, keeping, one_said, put_on_record
from understudy_server.app.evaluation_sessions import NO_SESSION, EvaluationSession, find_session, flags_for
from understudy_server.app.not_yet import NotYet, read_when_ready
from understudy_server.app.ports import Transaction
from understudy_server.app.session_values import Values
from understudy_server.app.slices import Slices
from understudy_server.app.times import stamp
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.flags.evaluation import evaluate
from understudy_server.core.flags.model import Context
from understudy_server.definitions.flags import tell


class _Seen(NamedTuple):
    """What one snapshot has: the session that counts, all flags for it, and what may go on record."""

    session: EvaluationSession
    flags: Mapping[str, CompiledFlag]
    kept: Keeping


async def evaluate_all(
    call: Call, request: pb.EvaluateBatchRequest, context: Context, *, is_long: bool
) -> pb.EvaluateBatchResponse:
    """Tell what all flags are that there are, and those that the session sets beside them, at one moment.

    ``is_long``: the context is so long that even one flag is evaluated beside the event loop.
    """
    session, flags, kept = await _see(call, request)
    slices = Slices()
    said = list[str]()
    answer = pb.EvaluateBatchResponse(evaluated_at=stamp(call.now_ms), session_key=session.key)
    for key in _keys(flags, session.values):
        work = partial(evaluate, flags, key, context, session.values)
        evaluation = await beside(work) if is_long else work()
        tell(evaluation, flags.get(key), answer.evaluations.add())
        if session is not NO_SESSION:
            said.append(one_said(evaluation))
        await slices.pause()
    if session is not NO_SESSION:
        put_on_record(call, session, request.context, all_said(said), kept)
    return answer


async def _see(call: Call, request: pb.EvaluateBatchRequest) -> _Seen:
    async def work(tx: Transaction) -> _Seen:
        session = await find_session(tx, call, request)
        flags = await flags_for(tx, call, session, None)
        return _Seen(session, flags, Keeping() if session is NO_SESSION else await keeping(tx, call))

    try:
        return await call.world.store.read(work)
    except NotYet as first:
        before = first
    async with call.world.flags.filling:
        await before.work()
        return await read_when_ready(call.world.store, work)


def _keys(flags: Mapping[str, CompiledFlag], values: Values) -> Sequence[str]:
    """The keys of all flags and of all values, in order."""
    # Nearly sorted already, so that this is quick.
    return sorted([*flags, *(key for key in values if key not in flags)])
