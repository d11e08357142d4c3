"""Flags of a project, managed: made, read, changed, removed, and set in environments."""

import re
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask
from understudy.v1 import flag_service_pb2 as pb
from understudy.v1.flags_pb2 import Flag, FlagState

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge import members
from understudy_gateway.dialects.flagbridge.asking import Asked, answer, done, environment_slug, project_slug
from understudy_gateway.dialects.flagbridge.flag_view import KINDS, shown_flag, shown_state
from understudy_gateway.dialects.flagbridge.refusals import invalid
from understudy_gateway.dialects.flagbridge.rules import rules_of, shown_rule, variants_of
from understudy_gateway.dialects.flagbridge.texts import raw

_KEY: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
PER_PAGE: Final = 20
PER_PAGE_MAX: Final = 100
_PAGE_MAX: Final = 1_000_000
_WALK: Final = 1000
_ROLLOUT: Final = ("rolloutPercentage", "rollout", "rollout_percentage")
_EVERY_ENVIRONMENT: Final = ""


async def create(asked: Asked) -> Answer:
    """Make a flag; where it is said whether it is on, in all environments."""
    sent = asked.members()
    flag = _flag(sent)
    operations = [pb.FlagOperation(create=pb.CreateFlagRequest(flag=flag))]
    state, paths = FlagState(), list[str]()
    if members.is_there(sent, "enabled"):
        state.enabled = members.flag(sent, "enabled")
        paths.append("enabled")
    if rules := rules_of(sent):
        state.rules.extend(rules)
        paths.append("rules")
    if paths:
        operations.append(_put(flag.key, _EVERY_ENVIRONMENT, state, paths))
    return answer(shown_flag(await _done(asked, operations)), 201)


async def read(asked: Asked) -> Answer:
    """Tell what a flag is."""
    request = pb.GetFlagRequest(project=_project(asked), flag_key=asked.path[1])
    found = await asked.server.call("FlagService.GetFlag", request, pb.GetFlagResponse)
    return answer(shown_flag(found.flag))


async def list_page(asked: Asked) -> Answer:
    """Tell a page of flags, in the order of their keys."""
    query = asked.query()
    page, per_page = (
        _count(query, "page", 1, _PAGE_MAX),
        min(_count(query, "perPage", PER_PAGE, _PAGE_MAX), PER_PAGE_MAX),
    )
    first = (page - 1) * per_page
    request = pb.ListFlagsRequest(
        project=_project(asked),
        in_environment=_environment(asked, query.get("environment", "")),
        search=query.get("q", ""),
        page_size=_WALK,
    )
    seen, found, total = 0, list[Flag](), 0
    while True:
        walked = await asked.server.call("FlagService.ListFlags", request, pb.ListFlagsResponse)
        total = walked.total
        found += walked.flags[max(0, first - seen) : max(0, first + per_page - seen)]
        seen += len(walked.flags)
        if not walked.next_page_token or seen >= first + per_page or first >= total:
            break
        request.page_token = walked.next_page_token
    flags = [shown_flag(each) for each in found]
    return answer({"flags": flags, "total": total, "page": page, "perPage": per_page})


async def change(asked: Asked) -> Answer:
    """Set what is there, all of it or nothing; rules in every environment."""
    sent, key = asked.members(), asked.path[1]
    if "key" in sent and sent["key"] != key:
        raise invalid("The key of a flag cannot be changed.")
    operations = [pb.FlagOperation(update=_changes(sent, key))]
    if members.is_there(sent, "rules"):
        operations.append(_put(key, _EVERY_ENVIRONMENT, FlagState(rules=rules_of(sent)), ["rules"]))
    environments = members.object_in(sent, "environments")
    for name, setting in environments.items():
        if type(setting) is not dict:
            raise invalid(f"environments.{name[:100]} must be an object.")
        if not name:
            raise invalid("environments must not have an empty name.")
        state, paths = _setting(setting)
        if paths:
            operations.append(_put(key, _environment(asked, name), state, paths))
    return answer(shown_flag(await _done(asked, operations)))


async def remove(asked: Asked) -> Answer:
    """Remove a flag."""
    request = pb.DeleteFlagRequest(project=_project(asked), flag_key=asked.path[1])
    await asked.server.call("FlagService.DeleteFlag", request, pb.DeleteFlagResponse)
    return done()


async def read_state(asked: Asked) -> Answer:
    """Tell what a flag is set to in an environment."""
    return answer(shown_state(asked.path[1], _environment(asked, asked.path[2]), await _state(asked)))


async def put_state(asked: Asked) -> Answer:
    """Set what a flag is in an environment; what is not there stays."""
    sent = asked.members()
    members.flag(sent, "enabled")
    state, paths = _setting(sent)
    found = await _put_now(asked, state, paths)
    return answer(shown_state(asked.path[1], _environment(asked, asked.path[2]), found))


async def read_rules(asked: Asked) -> Answer:
    """Tell the rules of a flag in an environment."""
    return answer({"rules": [shown_rule(each) for each in (await _state(asked)).rules]})


async def put_rules(asked: Asked) -> Answer:
    """Replace the rules of a flag in an environment."""
    sent = asked.members()
    if type(sent.get("rules")) is not list:
        raise invalid("rules must be a list.")
    found = await _put_now(asked, FlagState(rules=rules_of(sent)), ["rules"])
    return answer({"rules": [shown_rule(each) for each in found.rules]})


def _flag(sent: members.Members) -> Flag:
    key = members.required_text(sent, "key")
    if not _KEY.fullmatch(key):
        raise invalid("key must be lower-case letters and digits, with single dashes between them.")
    kind = members.text(sent, "type") or "boolean"
    if kind not in KINDS:
        raise invalid(f"type must be one of {', '.join(KINDS)}.")
    flag = Flag(
        key=key,
        name=members.required_text(sent, "name"),
        description=members.text(sent, "description"),
        kind=KINDS[kind],
        variants=variants_of(sent),
        tags=members.texts(sent, "tags"),
    )
    default = members.first(sent, "defaultValue", "default_value")
    # The source sends false for a flag of any type when nothing is chosen: that says no more than nothing does.
    if default is not None and not (default is False and kind != "boolean"):
        flag.default_value = raw(default)
    return flag


def _changes(sent: members.Members, key: str) -> pb.UpdateFlagRequest:
    request = pb.UpdateFlagRequest(flag_key=key)
    request.changes.SetInParent()
    paths = []
    for name in ("name", "description"):
        if members.is_there(sent, name):
            setattr(request.changes, name, members.text(sent, name))
            paths.append(name)
    if members.is_there(sent, "variants"):
        request.changes.variants.extend(variants_of(sent))
        paths.append("variants")
    if members.is_there(sent, "tags"):
        request.changes.tags.extend(members.texts(sent, "tags"))
        paths.append("tags")
    if members.is_there(sent, "defaultValue", "default_value"):
        default = members.first(sent, "defaultValue", "default_value")
        if default is not None:
            request.changes.default_value = raw(default)
        paths.append("default_value")
    request.update_mask.paths.extend(paths)
    return request


def _setting(sent: members.Members) -> tuple[FlagState, list[str]]:
    """What is said of a flag in an environment, and the names of the fields that are."""
    state, paths = FlagState(), list[str]()
    if members.is_there(sent, "enabled"):
        state.enabled = members.flag(sent, "enabled")
        paths.append("enabled")
    if members.is_there(sent, *_ROLLOUT):
        percentage = members.whole(sent, 0, 100, *_ROLLOUT)
        if percentage is not None:
            state.rollout_percentage = percentage
        paths.append("rollout_percentage")
    if members.is_there(sent, "value"):
        if sent["value"] is not None:
            state.value = raw(sent["value"])
        paths.append("value")
    return state, paths


def _put(key: str, environment: str, state: FlagState, paths: list[str]) -> pb.FlagOperation:
    request = pb.PutFlagStateRequest(environment=environment, flag_key=key, state=state)
    request.state.SetInParent()
    request.update_mask.CopyFrom(FieldMask(paths=paths))
    return pb.FlagOperation(put_state=request)


async def _put_now(asked: Asked, state: FlagState, paths: list[str]) -> FlagState:
    request = pb.PutFlagStateRequest(
        project=_project(asked),
        environment=_environment(asked, asked.path[2]),
        flag_key=asked.path[1],
        state=state,
        update_mask=FieldMask(paths=paths),
    )
    found = await asked.server.call("FlagService.PutFlagState", request, pb.PutFlagStateResponse)
    return found.state


async def _state(asked: Asked) -> FlagState:
    request = pb.GetFlagStateRequest(
        project=_project(asked), environment=_environment(asked, asked.path[2]), flag_key=asked.path[1]
    )
    found = await asked.server.call("FlagService.GetFlagState", request, pb.GetFlagStateResponse)
    return found.state


async def _done(asked: Asked, operations: list[pb.FlagOperation]) -> Flag:
    request = pb.BatchFlagsRequest(project=_project(asked), operations=operations)
    found = await asked.server.call("FlagService.BatchFlags", request, pb.BatchFlagsResponse)
    return found.flags[-1]


def _project(asked: Asked) -> str:
    return project_slug(asked.path[0])


def _environment(asked: Asked, name: str) -> str:
    return environment_slug(_project(asked), name)


def _count(query: Any, name: str, default: int, most: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:10]) <= most):
        raise invalid(f"{name} must be a whole number from 1.")
    return int(text[:10])
