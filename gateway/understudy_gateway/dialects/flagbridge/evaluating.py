"""Evaluation, as documented and as the published clients ask for it: ``flag_key`` in, ``value`` out."""

from functools import lru_cache
from typing import Any, Final

from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1.flags_pb2 import EVALUATION_REASON_FLAG_NOT_FOUND

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge import members, plain
from understudy_gateway.dialects.flagbridge.asking import Asked, answer, environment_slug, project_slug
from understudy_gateway.dialects.flagbridge.evaluation_view import facts, facts_with_value
from understudy_gateway.dialects.flagbridge.refusals import Refusal, invalid
from understudy_gateway.dialects.flagbridge.texts import moment, raw

FLAGS_MAX: Final = 50
DEFAULT_ENVIRONMENT: Final = "production"
_REMEMBERED_BODIES, _REMEMBERED_BYTES = 512, 1024


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
    caller, body = asked.caller, asked.body
    read = _remembered if len(body) <= _REMEMBERED_BYTES else _plain_request
    known = read(body, caller.project, caller.environment)
    if known is not None:
        request = pb.EvaluateRequest()
        request.CopyFrom(known)
        asked.headers.fill(request)
        return request, False
    sent = asked.members()
    sdk = speaks_sdk(sent)
    request = pb.EvaluateRequest(flag_key=members.required_text(sent, "flag_key" if sdk else "flagKey"))
    _fill_in(asked, sent, request, sdk=sdk)
    return request, sdk


def _plain_request(body: bytes, own_project: str, own_environment: str) -> pb.EvaluateRequest | None:
    """What a plain body asks for with a key of this place; ``None`` when it is to be read in full."""
    given = plain.read(body)
    if given is None:
        return None
    request = pb.EvaluateRequest(flag_key=given.flag_key, context=given.context)
    _name_place(request, given.project, given.environment, own_project, own_environment)
    return request


# Who asks for flags asks for the same few again and again. What is remembered is never changed.
_remembered = lru_cache(_REMEMBERED_BODIES)(_plain_request)


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
    caller = asked.caller
    _name_place(request, project, members.text(sent, "environment"), caller.project, caller.environment)
    asked.headers.fill(request)
    context = members.object_in(sent, "context")
    if sdk and "attributes" in context:
        context = flattened(context)
    if context:
        request.context = raw(context)


def _name_place(request: Any, project: str, environment: str, own_project: str, own_environment: str) -> None:
    """Put where into a request, as it is named by somebody with a key of a place of his own."""
    slug = project_slug(project)
    request.project = slug
    named = environment_slug(slug or own_project, environment)
    request.environment = named if named or own_environment else DEFAULT_ENVIRONMENT


def flattened(context: dict[str, Any]) -> dict[str, Any]:
    """A context whose attributes stand beside the rest. What stands there already goes before them."""
    rest = {name: value for name, value in context.items() if name != "attributes"}
    return {**members.object_in(context, "attributes"), **rest}
