"""What flags are set to in environments."""

from typing import Final

from understudy.v1 import flag_service_pb2 as pb
from understudy.v1.flags_pb2 import FlagState

from understudy_server.app.call import Call
from understudy_server.app.flags import changeable_flag, existing_flag
from understudy_server.app.masks import fields_to_set, set_fields
from understudy_server.app.ports import Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.core.errors import Fault, InvalidInput

CONDITIONS_MAX: Final = 2000
"""How many conditions the rules of one state have at most, all together: one evaluation may ask all of them."""

_SETTABLE = ("enabled", "value", "rollout_percentage", "rules")


async def get_flag_state(tx: Transaction, call: Call, request: pb.GetFlagStateRequest) -> pb.GetFlagStateResponse:
    """Read what a flag is set to; off when it never was set. Raises NotFound."""
    flag = await existing_flag(tx, call, request.flag_key)
    state = await tx.flag_state(call.place.environment_id, flag.key) or FlagState(enabled=False)
    state.environment = call.place.environment
    return pb.GetFlagStateResponse(state=state)


async def put_flag_state(tx: Transaction, call: Call, request: pb.PutFlagStateRequest) -> pb.PutFlagStateResponse:
    """Set what is present. Raises NotFound, Conflict and InvalidInput."""
    flag = await changeable_flag(tx, call, request.flag_key)
    return pb.PutFlagStateResponse(state=await set_state(tx, call, flag.key, request))


async def set_state(tx: Transaction, call: Call, key: str, request: pb.PutFlagStateRequest) -> FlagState:
    """Set what is present of a flag's state in the environment of the call; returns the state.

    Raises Conflict (revision_mismatch) and InvalidInput.
    """
    state = await tx.flag_state(call.place.environment_id, key) or FlagState()
    check_revision(state.revision, request.expected_revision)
    before = copied(state)
    fields = fields_to_set(request.state, request.update_mask, _SETTABLE)
    set_fields(state, request.state, fields)
    if state.value == "null":
        state.ClearField("value")
    state.enabled = state.enabled
    if "rules" in fields:
        check_rules(state, "state")
        name_rules(call, state)
    if state != before:
        touched(state, call.now_ms)
        await tx.put_flag_state(call.place.project_id, call.place.environment_id, key, state)
    state.environment = call.place.environment
    return state


def name_rules(call: Call, state: FlagState) -> None:
    """Give the rules that have no id one of their own."""
    for rule in state.rules:
        rule.id = rule.id or call.world.new_id("rule_")


def check_rules(state: FlagState, path: str) -> None:
    """Raise InvalidInput for two rules of one id and for too many conditions. ``path`` is that of the state."""
    seen, conditions = set[str](), 0
    for number, rule in enumerate(state.rules):
        place = f"{path}.rules[{number}]"
        if rule.id in seen:
            raise InvalidInput(f"{place}.id is there twice", Fault(f"{place}.id", "unique", given=rule.id))
        if rule.id:
            seen.add(rule.id)
        conditions += len(rule.conditions)
        if conditions > CONDITIONS_MAX:
            complaint = f"{place}.conditions brings the state to more than {CONDITIONS_MAX} conditions"
            raise InvalidInput(complaint, Fault(f"{place}.conditions", "max_items", str(CONDITIONS_MAX)))
