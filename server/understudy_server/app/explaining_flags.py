"""Why a flag is what it is."""

from functools import partial
from typing import NamedTuple

from understudy.v1 import evaluation_service_pb2 as pb

from understudy_server.app.beside import beside
from understudy_server.app.call import Call
from understudy_server.app.evaluating import read_long_context
from understudy_server.app.evaluation_sessions import EvaluationSession, find_session, flags_for
from understudy_server.app.not_yet import read_when_ready
from understudy_server.app.ports import Transaction
from understudy_server.core.flags import explanation_words as words
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.flags.explanation import ConditionVerdict, RolloutVerdict, RuleVerdict, explain
from understudy_server.core.flags.model import Context
from understudy_server.core.giving_way import giving_way
from understudy_server.definitions.flags import tell


class _Seen(NamedTuple):
    """The session that counts, and the flag as it sees it, if there is one."""

    session: EvaluationSession
    flag: CompiledFlag | None


async def explain_flag(call: Call, request: pb.ExplainFlagRequest) -> pb.ExplainFlagResponse:
    """Evaluate a flag and tell why it is what it is. Raises InvalidInput for a context that is no object."""
    context = await read_long_context(request.context)

    async def work(tx: Transaction) -> _Seen:
        session = await find_session(tx, call, request)
        flags = await flags_for(tx, call, session, (request.flag_key,))
        return _Seen(session, flags.get(request.flag_key))

    seen = await read_when_ready(call.world.store, work)
    # A flag may have thousands of conditions, of each of which there is something to say.
    return await beside(partial(_explained, request.flag_key, seen, context))


def _explained(key: str, seen: _Seen, context: Context) -> pb.ExplainFlagResponse:
    session, flag = seen
    found = explain({key: flag} if flag else {}, key, context, session.values)
    instead = found.evaluation.would_have_been
    answer = pb.ExplainFlagResponse(
        summary=words.summary(found),
        session_key=session.key,
        frozen=session.snapshot_id is not None,
        rules=[_rule(each) for each in giving_way(found.rules)],
        rollout=_rollout(found.rollout) if found.rollout else None,
    )
    tell(found.evaluation, flag, answer.evaluation)
    if instead:
        tell(instead, flag, answer.would_have_been)
    return answer


def _rule(verdict: RuleVerdict) -> pb.ExplainedRule:
    return pb.ExplainedRule(
        rule_id=verdict.rule.id,
        name=verdict.rule.name,
        decision=verdict.decision,
        summary=words.rule_words(verdict),
        conditions=[_condition(each) for each in giving_way(verdict.conditions)],
    )


def _condition(verdict: ConditionVerdict) -> pb.ExplainedCondition:
    return pb.ExplainedCondition(
        attribute=verdict.condition.attribute,
        holds=verdict.holds,
        code=verdict.failure or "",
        summary=words.condition_words(verdict),
    )


def _rollout(verdict: RolloutVerdict) -> pb.ExplainedRollout:
    return pb.ExplainedRollout(
        percentage=verdict.percentage,
        bucket=verdict.bucket,
        includes=verdict.includes,
        decides=verdict.is_decisive,
        summary=words.rollout_words(verdict),
    )
