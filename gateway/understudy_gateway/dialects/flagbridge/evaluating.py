"""Evaluation, as documented and as the published clients ask for it: ``flag_key`` in, ``value`` out."""

from typing import Any, Final

from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1.flags_pb2 import EVALUATION_REASON_FLAG_NOT_FOUND

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge import members, plain
from understudy_gateway.dialects.flagbridge.asking import Asked, answer, environment_slug, project_slug
from understudy_gateway.dialects.flagbridge.evaluation_view import facts, facts_with_value
from understudy_gateway.dialects.flagbridge.refusals import Refusal, invalid
from understudy_gateway.dialects.flagbridge.texts import moment, raw
from understudy_gateway.dialects.session_headers import Wanted
from understudy_gateway.transcoding.operations import AUTHORIZATION

FLAGS_MAX: Final = 50
DEFAULT_ENVIRONMENT: Final = "production"
_WANTED: Final = Wanted(own=(AUTHORIZATION,))


def speaks_sdk(sent: members.Members) -> bool:
    """True for a request in the spelling of the published clients."""
    return not members.is_there(sent, "flagKey", "flags") and members.is_there(sent, "flag_key", "flag_keys")


async def evaluate(asked: Asked) -> Answer:
    """Tell what one flag is."""
    request, sdk = _asked_for(asked)
    found = await asked.server.call("EvaluationService.Evaluate", request, pb.EvaluateResponse)
    evaluated_at = moment(found.evaluated_at)
    if not sdk:
        return answer(facts(found.evaluation, evaluated_at))
    if found.evaluation.reason == EVALUATION_REASON_FLAG_NOT_FOUND:
        raise Refusal(404, "FLAG_NOT_FOUND", f"There is no flag {request.flag_key[:100]!r}.")
    shown = facts_with_value(found.evaluation, evaluated_at)
    return answer({**shown, "data": shown})


def _asked_for(asked: Asked) -> tuple[pb.EvaluateRequest, bool]:
    """What is asked for, and whether in the spelling of the published clients."""
    given = plain.read(asked.body)
    if given is not None:
        request = pb.EvaluateRequest(flag_key=given.flag_key, context=given.context)
        _name_place(asked, request, given.project, given.environment)
        return request, False
    sent = asked.members()
    sdk = speaks_sdk(sent)
    request = pb.EvaluateRequest(flag_key=members.required_text(sent, "flag_key" if sdk else "flagKey"))
    _fill_in(asked, sent, request, sdk=sdk)
    return request, sdk


async def evaluate_batch(asked: Asked) -> Answer:
    """Tell what several flags are."""
    sent = asked.members()
    sdk = speaks_sdk(sent)
    name = "flag_keys" if sdk else "flags"
    keys = members.texts(sent, name)
    if len(keys) > FLAGS_MAX:
        raise invalid(f"At most {FLAGS_MAX} flags at a time.")
    # The published clients ask for all flags by an empty list, and by nothing else.
    if not keys and (not sdk or sent.get(name) is None):
        raise invalid(f"{name} must name at least one flag.")
    request = pb.EvaluateBatchRequest(flag_keys=dict.fromkeys(keys), all=not keys)
    _fill_in(asked, sent, request, sdk=sdk)
    found = await asked.server.call("EvaluationService.EvaluateBatch", request, pb.EvaluateBatchResponse)
    evaluated_at = moment(found.evaluated_at)
    if not sdk:
        results = {each.flag_key: facts(each, evaluated_at) for each in found.evaluations}
        return answer({"results": results, "evaluatedAt": evaluated_at})
    flags = {
        each.flag_key: facts_with_value(each, evaluated_at)
        for each in found.evaluations
        if each.reason != EVALUATION_REASON_FLAG_NOT_FOUND
    }
    shown = {"flags": flags, "evaluatedAt": evaluated_at}
    return answer({**shown, "data": shown})


def _fill_in(asked: Asked, sent: members.Members, request: Any, *, sdk: bool) -> None:
    """Put where, for whom and in which session into a request."""
    project = members.text(sent, "project", "projectId", "project_id")
    _name_place(asked, request, project, members.text(sent, "environment"))
    context = members.object_in(sent, "context")
    if sdk and "attributes" in context:
        context = flattened(context)
    if context:
        request.context = raw(context)


def _name_place(asked: Asked, request: Any, project: str, environment: str) -> None:
    """Put where and in which session into a request."""
    caller, slug = asked.caller, project_slug(project)
    request.project = slug
    named = environment_slug(slug or caller.project, environment)
    request.environment = named if named or caller.environment else DEFAULT_ENVIRONMENT
    _WANTED.read(asked.lines).fill(request)


def flattened(context: dict[str, Any]) -> dict[str, Any]:
    """A context whose attributes stand beside the rest. What stands there already goes before them."""
    rest = {name: value for name, value in context.items() if name != "attributes"}
    return {**members.object_in(context, "attributes"), **rest}
