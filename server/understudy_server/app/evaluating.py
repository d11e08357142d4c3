"""Evaluation: what flags are for somebody."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from understudy.v1 import evaluation_service_pb2 as pb

from understudy_server.app.beside import beside
from understudy_server.app.call import Call
from understudy_server.app.evaluating_all import evaluate_all
from understudy_server.app.evaluation_records import Keeping, all_said, keeping, one_said, put_on_record
from understudy_server.app.evaluation_sessions import NO_SESSION, EvaluationSession, Named, find_session, flags_for
from understudy_server.app.not_yet import read_when_ready
from understudy_server.app.ports import Transaction
from understudy_server.app.times import set_moment
from understudy_server.core import strict_json
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.evaluation import evaluate as evaluate_flag
from understudy_server.core.flags.evaluation import not_found
from understudy_server.core.flags.model import Context, Evaluation
from understudy_server.core.giving_way import giving_way
from understudy_server.core.strict_json import MalformedJson
from understudy_server.definitions.flags import tell

_NOBODY = Context({})
_REMEMBERED_CONTEXTS, _REMEMBERED_EVALUATIONS, _REMEMBERED_CHARACTERS = 512, 1024, 1024

CONTEXT_AT_ONCE: Final = 16_384
"""A context of so many characters is read in a millisecond at most, and compared with something in a fraction of it."""


class Evaluated(NamedTuple):
    """What flags are, in the order asked for, the session that counted, and the flags that there are.

    ``kept`` is what may go on record of it.
    """

    session: EvaluationSession
    flags: Mapping[str, CompiledFlag]
    evaluations: Sequence[Evaluation]
    kept: Keeping


async def evaluate(call: Call, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
    """Tell what one flag is. Raises InvalidInput for a context that is no object."""
    text = request.context
    if len(text) <= CONTEXT_AT_ONCE:
        done = await _evaluated(call, request, text, (request.flag_key,))
    else:
        done = await _evaluated_beside(call, request, await read_long_context(text), (request.flag_key,))
    (evaluation,) = done.evaluations
    answer = pb.EvaluateResponse()
    if done.session is not NO_SESSION:
        put_on_record(call, done.session, text, one_said(evaluation), done.kept, request.flag_key)
        answer.session_key = done.session.key
    tell(evaluation, done.flags.get(evaluation.flag_key), answer.evaluation)
    set_moment(answer.evaluated_at, call.now_ms)
    return answer


async def evaluate_batch(call: Call, request: pb.EvaluateBatchRequest) -> pb.EvaluateBatchResponse:
    """Tell what several flags are, at one moment. Raises InvalidInput for no keys, and as ``evaluate``."""
    if request.all and request.flag_keys:
        raise InvalidInput("flag_keys and all exclude each other", Fault("flag_keys", "exclusive", "all"))
    if not request.all and not request.flag_keys:
        raise InvalidInput("flag_keys is required, unless all is set", Fault("flag_keys", "required"))
    text, is_long = request.context, len(request.context) > CONTEXT_AT_ONCE
    context, keys = await read_long_context(text), tuple(dict.fromkeys(request.flag_keys))
    if request.all:
        return await evaluate_all(call, request, context, is_long=is_long)
    done = await (_evaluated_beside(call, request, context, keys) if is_long else _evaluated(call, request, text, keys))
    if done.session is not NO_SESSION:
        put_on_record(call, done.session, text, all_said(map(one_said, done.evaluations)), done.kept)
    answer = pb.EvaluateBatchResponse(session_key=done.session.key)
    for each in done.evaluations:
        tell(each, done.flags.get(each.flag_key), answer.evaluations.add())
    set_moment(answer.evaluated_at, call.now_ms)
    return answer


def read_context(text: str) -> Context:
    """For whom: a JSON object, or nothing. Raises InvalidInput."""
    if not text:
        return _NOBODY
    return _remember_context(text) if len(text) <= _REMEMBERED_CHARACTERS else _read_context(text)


async def read_long_context(text: str) -> Context:
    """The same, beside the event loop where that takes long."""
    return read_context(text) if len(text) <= CONTEXT_AT_ONCE else await beside(partial(read_context, text))


def _read_context(text: str) -> Context:
    try:
        given: Any = strict_json.parse(text)
    except MalformedJson as error:
        raise InvalidInput(f"context is not JSON: {error}", Fault("context", "json", given=text[:100])) from None
    if not isinstance(given, dict):
        raise InvalidInput("context must be a JSON object", Fault("context", "type", given=text[:100]))
    return context_of(given)


# Who asks for flags asks for several, one after the other, for one and the same user. A context is never changed.
_remember_context = lru_cache(_REMEMBERED_CONTEXTS)(_read_context)


# Nor does a compiled flag ever change: what it has said of somebody it says of him again.
@lru_cache(_REMEMBERED_EVALUATIONS)
def _evaluate_again(flag: CompiledFlag, text: str) -> Evaluation:
    return flag.evaluate(read_context(text))


async def _evaluated(call: Call, named: Named, text: str, keys: Sequence[str]) -> Evaluated:
    context, is_remembered = read_context(text), len(text) <= _REMEMBERED_CHARACTERS

    async def work(tx: Transaction) -> Evaluated:
        session = await find_session(tx, call, named)
        flags = await flags_for(tx, call, session, keys)
        if is_remembered and not session.values:
            known = [(key, flags.get(key)) for key in keys]
            evaluations = [not_found(key) if flag is None else _evaluate_again(flag, text) for key, flag in known]
        else:
            evaluations = [evaluate_flag(flags, key, context, session.values) for key in keys]
        kept = Keeping() if session is NO_SESSION else await keeping(tx, call)
        return Evaluated(session, flags, evaluations, kept)

    return await read_when_ready(call.world.store, work)


async def _evaluated_beside(call: Call, named: Named, context: Context, keys: Sequence[str]) -> Evaluated:
    """The same for a long context: each condition takes as long as what it is about is."""

    async def work(tx: Transaction) -> Evaluated:
        session = await find_session(tx, call, named)
        flags = await flags_for(tx, call, session, keys)
        # As they are now: what is compiled goes on to change.
        known = {key: flags[key] for key in keys if key in flags}
        return Evaluated(session, known, (), Keeping() if session is NO_SESSION else await keeping(tx, call))

    def evaluate_each(seen: Evaluated) -> Sequence[Evaluation]:
        return [evaluate_flag(seen.flags, key, context, seen.session.values) for key in giving_way(keys)]

    seen = await read_when_ready(call.world.store, work)
    return seen._replace(evaluations=await beside(partial(evaluate_each, seen)))
