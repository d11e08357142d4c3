"""What requests leave behind, read, set and cleared from outside."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from understudy.v1 import state_service_pb2 as pb

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.ports import SessionRecord, Transaction
from understudy_server.app.sessions import existing_session, session_key
from understudy_server.core.errors import Conflict, Fault, InvalidInput, LimitReached, NotFound
from understudy_server.core.state import (
    MACHINE_START,
    MACHINES_MAX,
    VALUES_BYTES_MAX,
    VALUES_MAX,
    NotANumber,
    Owner,
    Scope,
    StateFull,
)

_PAGE_BYTES_MAX = 1024 * 1024
"""A page ends behind the value with which it has so many characters: a message has its limit too."""


class _Whose(Protocol):
    """The part of a request that says whose state it is about."""

    session_key: str
    chain: str


async def list_state_values(call: Call, request: pb.ListStateValuesRequest) -> pb.ListStateValuesResponse:
    """List values in the order of their keys. Raises NotFound for a session that there is not."""
    owner = await _owner(call, request)
    pages = paging.pages(call.place, request)
    after = pages.name_before(request.page_token)
    found = call.world.state.texts(owner, prefix=request.prefix, after=after, limit=request.page_size + 1)
    response = pb.ListStateValuesResponse()
    size = 0
    for key, text in found:
        if len(response.values) == request.page_size or size >= _PAGE_BYTES_MAX:
            response.next_page_token = pages.token_after(response.values[-1].key)
            break
        response.values.add(key=key, value=text)
        size += len(text)
    return response


async def get_state_value(call: Call, request: pb.GetStateValueRequest) -> pb.GetStateValueResponse:
    """Read one value. Raises NotFound."""
    text = call.world.state.text(await _owner(call, request), request.key)
    if text is None:
        raise NotFound(f"there is no value {request.key[:100]!r} here", Fault("key", given=request.key[:100]))
    return pb.GetStateValueResponse(value=pb.StateValue(key=request.key, value=text))


async def set_state_value(call: Call, request: pb.SetStateValueRequest) -> pb.SetStateValueResponse:
    """Set one value. Raises LimitReached (state_full) and NotFound for a session that there is not."""
    owner = await _owner(call, request)
    with _refusing():
        call.world.state.set_text(owner, request.key, request.value)
    return pb.SetStateValueResponse(value=pb.StateValue(key=request.key, value=request.value))


async def increment_state_value(call: Call, request: pb.IncrementStateValueRequest) -> pb.IncrementStateValueResponse:
    """Add to a number. Raises Conflict (not_a_number), LimitReached (state_full) and NotFound, likewise."""
    owner = await _owner(call, request)
    with _refusing():
        total = call.world.state.increment(owner, request.key, request.by if request.HasField("by") else 1)
    return pb.IncrementStateValueResponse(value=pb.StateValue(key=request.key, value=json.dumps(total)))


async def delete_state_value(call: Call, request: pb.DeleteStateValueRequest) -> pb.DeleteStateValueResponse:
    """Let go of one value, if there is one. Raises NotFound for a session that there is not."""
    call.world.state.delete_value(await _owner(call, request), request.key)
    return pb.DeleteStateValueResponse()


async def get_state(call: Call, request: pb.GetStateRequest) -> pb.GetStateResponse:
    """List machines and uses. Raises NotFound for a session that there is not."""
    owner = await _owner(call, request)
    machines, uses = call.world.state.machines(owner), call.world.state.uses(owner)
    # A session's own mocks are counted by a name that has the session in front, and what the service answers by none.
    by_id = sorted((mock.rpartition("/")[2], number) for mock, number in uses if mock)
    return pb.GetStateResponse(
        machines=[pb.Machine(machine=machine, state=state) for machine, state in machines],
        uses=[pb.MockUse(mock_id=mock_id, uses=number) for mock_id, number in by_id],
    )


async def set_machine(call: Call, request: pb.SetMachineRequest) -> pb.SetMachineResponse:
    """Put a machine into a state. Raises LimitReached (state_full) and NotFound for a session that there is not."""
    owner = await _owner(call, request)
    state = request.state or MACHINE_START
    with _refusing():
        call.world.state.set_machine(owner, request.machine, state)
    return pb.SetMachineResponse(machine=pb.Machine(machine=request.machine, state=state))


async def reset_state(call: Call, request: pb.ResetStateRequest) -> pb.ResetStateResponse:
    """Clear the state of one owner, or all of an environment. Raises NotFound for a session that there is not."""
    if not request.everything:
        call.world.state.reset(await _owner(call, request))
        return pb.ResetStateResponse()
    for name in ("session_key", "chain"):
        if getattr(request, name):
            raise InvalidInput(f"everything excludes {name}", Fault(name, "exclusive", "everything"))
    call.world.state.reset_environment(call.place.environment_id)
    return pb.ResetStateResponse()


async def _owner(call: Call, request: _Whose) -> Owner:
    """Whose state a request is about. Raises InvalidInput and NotFound."""
    environment_id = call.place.environment_id
    if not request.session_key:
        return Owner(environment_id, Scope.CHAIN if request.chain else Scope.ENVIRONMENT, request.chain)
    if request.chain:
        raise InvalidInput("session_key and chain exclude each other", Fault("chain", "exclusive", "session_key"))
    key = session_key(request.session_key)

    async def find(tx: Transaction) -> SessionRecord:
        return await existing_session(tx, call, key)

    return Owner(environment_id, Scope.SESSION, (await call.world.store.read(find)).state_id)


@contextmanager
def _refusing() -> Iterator[None]:
    """Tell the caller why nothing was changed."""
    try:
        yield
    except NotANumber as error:
        message = "the value is not a number, or not one that can be added to; set it first"
        raise Conflict("not_a_number", message, Fault("key", "number")) from error
    except StateFull as error:
        message = (
            f"there is no room for more: {VALUES_MAX} values of {VALUES_BYTES_MAX // 1024**2} MiB together, and "
            f"{MACHINES_MAX} machines, for each session, chain and environment"
        )
        raise LimitReached("state_full", message) from error
