"""Flags of a project: make, read, list, change, remove."""

from collections.abc import Sequence

from understudy.v1 import flag_service_pb2 as pb
from understudy.v1.flags_pb2 import FLAG_KIND_BOOLEAN, Flag, FlagVariant

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.flag_ports import FlagQuery
from understudy_server.app.masks import fields_to_set, set_fields
from understudy_server.app.ownership import check_unmanaged
from understudy_server.app.ports import Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.times import stamp
from understudy_server.core import strict_json
from understudy_server.core.errors import Conflict, Fault, Forbidden, InvalidInput, LimitReached, NotFound
from understudy_server.core.flags.misfits import is_of_kind
from understudy_server.definitions.flags import flag_of

FLAGS_MAX = 10_000
_SETTABLE = ("name", "description", "default_value", "variants", "tags")
_EVERY = FlagQuery()


async def create_flag(tx: Transaction, call: Call, request: pb.CreateFlagRequest) -> pb.CreateFlagResponse:
    """Make a flag, off everywhere. Raises Conflict, LimitReached (flags_full), Forbidden and InvalidInput."""
    check_is_project_wide(call)
    given, project_id = request.flag, call.place.project_id
    if await tx.flag(project_id, given.key):
        fault = Fault("flag.key", "unique", given=given.key)
        raise Conflict("already_exists", f"there is a flag {given.key!r} already", fault)
    if await tx.flag_count(project_id, _EVERY) >= FLAGS_MAX:
        raise LimitReached("flags_full", f"a project has at most {FLAGS_MAX} flags", Fault("", "max", str(FLAGS_MAX)))
    flag = Flag(id=call.world.new_id("flag_"), key=given.key, kind=given.kind or FLAG_KIND_BOOLEAN)
    set_fields(flag, given, _SETTABLE)
    _fill_in(flag)
    check_flag(flag, "flag")
    flag.created_at.CopyFrom(stamp(call.now_ms))
    flag.updated_at.CopyFrom(stamp(call.now_ms))
    flag.revision = 1
    await tx.put_flag(project_id, flag)
    return pb.CreateFlagResponse(flag=flag)


async def get_flag(tx: Transaction, call: Call, request: pb.GetFlagRequest) -> pb.GetFlagResponse:
    """Read a flag with its states. Raises NotFound."""
    flag = await existing_flag(tx, call, request.flag_key)
    await add_states(tx, call, (flag,))
    return pb.GetFlagResponse(flag=flag)


async def list_flags(tx: Transaction, call: Call, request: pb.ListFlagsRequest) -> pb.ListFlagsResponse:
    """List flags in the order of their keys. Raises NotFound for an environment that is not there."""
    environment_id = ""
    if request.in_environment:
        environment = await tx.environment(call.place.project_id, request.in_environment)
        if environment is None or call.caller.environment_id not in ("", environment.id):
            told = f"there is no environment {request.in_environment!r} in project {call.place.project!r}"
            raise NotFound(told, Fault("in_environment", given=request.in_environment))
        environment_id = environment.id
    pages = paging.pages(call.place, request)
    query = FlagQuery(search=request.search, tags=tuple(request.tags))
    after = pages.name_before(request.page_token)
    found = await tx.flags(call.place.project_id, query, after, request.page_size + 1)
    page = found[: request.page_size]
    await add_states(tx, call, page, environment_id)
    token = pages.token_after(page[-1].key) if len(found) > len(page) else ""
    total = await tx.flag_count(call.place.project_id, query)
    return pb.ListFlagsResponse(flags=page, next_page_token=token, total=total)


async def update_flag(tx: Transaction, call: Call, request: pb.UpdateFlagRequest) -> pb.UpdateFlagResponse:
    """Set what is present. Raises NotFound, Conflict, Forbidden and InvalidInput."""
    check_is_project_wide(call)
    flag = await changeable_flag(tx, call, request.flag_key)
    check_revision(flag.revision, request.expected_revision)
    before = copied(flag)
    set_fields(flag, request.changes, fields_to_set(request.changes, request.update_mask, _SETTABLE))
    _fill_in(flag)
    check_flag(flag, "changes")
    if flag != before:
        touched(flag, call.now_ms)
        await tx.put_flag(call.place.project_id, flag)
    await add_states(tx, call, (flag,))
    return pb.UpdateFlagResponse(flag=flag)


async def delete_flag(tx: Transaction, call: Call, request: pb.DeleteFlagRequest) -> pb.DeleteFlagResponse:
    """Remove a flag with its states. Raises NotFound, Conflict and Forbidden."""
    check_is_project_wide(call)
    flag = await changeable_flag(tx, call, request.flag_key)
    check_revision(flag.revision, request.expected_revision)
    await tx.remove_flag(call.place.project_id, flag.key)
    return pb.DeleteFlagResponse()


async def existing_flag(tx: Transaction, call: Call, key: str) -> Flag:
    """The flag of a key, without its states. Raises NotFound."""
    flag = await tx.flag(call.place.project_id, key)
    if flag is None:
        raise NotFound(f"there is no flag {key[:100]!r} in project {call.place.project!r}")
    return flag


async def changeable_flag(tx: Transaction, call: Call, key: str) -> Flag:
    """The flag of a key, which no manifest declares. Raises NotFound and Conflict (managed_by_file)."""
    flag = await existing_flag(tx, call, key)
    check_unmanaged(flag.managed_by, f"flag {flag.key!r}")
    return flag


async def add_states(tx: Transaction, call: Call, flags: Sequence[Flag], environment_id: str = "") -> None:
    """Give flags their states: in one environment, or in all that the key is for."""
    only = environment_id or call.caller.environment_id
    states = await tx.flag_states(call.place.project_id, [each.key for each in flags], only)
    for each in flags:
        each.states.extend(states.get(each.key, ()))


def check_is_project_wide(call: Call) -> None:
    """Raise Forbidden (scope_mismatch) for a key that is for one environment."""
    if call.caller.environment_id:
        raise Forbidden("scope_mismatch", "the key is for one environment; this needs a wider key")


def check_flag(flag: Flag, path: str) -> None:
    """Raise InvalidInput for what no field's own limits show. ``path`` is that of the flag."""
    if flag.HasField("default_value"):
        value = strict_json.parse(flag.default_value)
        kind = flag_of(flag).kind
        if not is_of_kind(kind, value) and not _is_variant(flag.variants, value):
            place = f"{path}.default_value"
            complaint = f"{place} must be of the flag's kind, which is {kind}, or the key of a variant"
            raise InvalidInput(complaint, Fault(place, "type", kind, flag.default_value[:100]))
    seen = set[str]()
    for number, variant in enumerate(flag.variants):
        if variant.key in seen:
            place = f"{path}.variants[{number}].key"
            raise InvalidInput(f"{place} is there twice", Fault(place, "unique", given=variant.key[:100]))
        seen.add(variant.key)


def _is_variant(variants: Sequence[FlagVariant], value: object) -> bool:
    return isinstance(value, str) and any(each.key == value for each in variants)


def _fill_in(flag: Flag) -> None:
    if flag.default_value == "null":
        # Over gRPC null may stand as JSON, and says the same as nothing.
        flag.ClearField("default_value")
    flag.name = flag.name or flag.key
    flag.tags[:] = dict.fromkeys(flag.tags)
