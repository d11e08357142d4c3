"""Several things done to flags at once, whole or not at all."""

from dataclasses import replace
from typing import Any, Final

from understudy.v1 import flag_service_pb2 as pb
from understudy.v1.flags_pb2 import Flag

from understudy_server.app.batches import UseCase, run_all
from understudy_server.app.call import Call
from understudy_server.app.flag_states import name_rules, set_state
from understudy_server.app.flags import (
    add_states,
    changeable_flag,
    check_is_project_wide,
    create_flag,
    delete_flag,
    update_flag,
)
from understudy_server.app.ports import EnvironmentRecord, Transaction
from understudy_server.app.revisions import copied
from understudy_server.core.errors import Fault, Forbidden, NotFound

_EVERY = 1_000_000


async def batch_flags(tx: Transaction, call: Call, request: pb.BatchFlagsRequest) -> pb.BatchFlagsResponse:
    """Do several things, whole or not at all. Raises what one of them raises, its field named within the batch."""
    done = await run_all(tx, call, request.operations, _USE_CASES, ("project",))
    return pb.BatchFlagsResponse(flags=[_flag(asked, answer) for asked, answer in done])


async def _put_state(tx: Transaction, call: Call, request: pb.PutFlagStateRequest) -> pb.UpdateFlagResponse:
    """Set a state in the environment that is named, or in every one. Raises as PutFlagState does, and Forbidden."""
    flag = await changeable_flag(tx, call, request.flag_key)
    request = copied(request)
    # Before they are told apart by environment: everywhere it is the same rule.
    name_rules(call, request.state)
    for environment in await _environments(tx, call, request.environment):
        place = replace(call.place, environment_id=environment.id, environment=environment.message.slug)
        await set_state(tx, call._replace(place=place), flag.key, request)
    await add_states(tx, call, (flag,))
    return pb.UpdateFlagResponse(flag=flag)


async def _environments(tx: Transaction, call: Call, slug: str) -> list[EnvironmentRecord]:
    if not slug:
        check_is_project_wide(call)
        return list(await tx.environments(call.place.project_id, "", _EVERY))
    environment = await tx.environment(call.place.project_id, slug)
    fault = Fault("environment", "scope", given=slug[:100])
    if call.caller.environment_id and (environment is None or environment.id != call.caller.environment_id):
        raise Forbidden("scope_mismatch", "the key is for another environment", fault)
    if environment is None:
        raise NotFound(f"there is no environment {slug[:100]!r} in project {call.place.project!r}", fault)
    return [environment]


def _flag(asked: Any, answer: Any) -> Flag:
    return Flag(key=asked.flag_key) if isinstance(answer, pb.DeleteFlagResponse) else answer.flag


_USE_CASES: Final[dict[str, UseCase]] = {
    "create": create_flag,
    "update": update_flag,
    "delete": delete_flag,
    "put_state": _put_state,
}
