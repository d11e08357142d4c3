"""A session that is frozen sees flags as they were."""

import pytest
from support.desk import Desk
from support.dispatching import World
from support.evaluating import OVERRIDE, batch, evaluate, put, set_flag
from understudy.v1.flag_service_pb2 import DeleteFlagRequest, DeleteFlagResponse
from understudy.v1.flags_pb2 import FlagState
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DELETE_MODE_RESET,
    FreezeSessionRequest,
    FreezeSessionResponse,
    Session,
    UnfreezeSessionRequest,
)


async def freeze(desk: Desk, key: str = "ci-42") -> Session:
    request = FreezeSessionRequest(session_key=key)
    return (await desk.call("SessionService.FreezeSession", request, FreezeSessionResponse)).session


async def test_a_frozen_session_sees_flags_as_they_were(desk: Desk) -> None:
    await set_flag(desk, "on", state=FlagState(enabled=True))
    await set_flag(desk, "gone", state=FlagState(enabled=True))
    session = await freeze(desk)
    await set_flag(desk, "on", state=FlagState(enabled=False))
    await set_flag(desk, "new", state=FlagState(enabled=True))
    await desk.call("FlagService.DeleteFlag", DeleteFlagRequest(flag_key="gone"), DeleteFlagResponse)

    found = {each.flag_key: each.enabled for each in (await batch(desk, all=True, session_key="ci-42")).evaluations}
    single = {key: (await evaluate(desk, key, session_key="ci-42")).enabled for key in ("on", "gone", "new")}

    assert session.HasField("frozen_at")
    assert found == {"on": True, "gone": True}
    assert single == {"on": True, "gone": True, "new": False}
    assert not (await evaluate(desk, "on")).enabled


async def test_what_a_frozen_session_sets_goes_first(desk: Desk) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await freeze(desk)

    await put(desk, {"new-checkout": False})

    assert (await evaluate(desk, session_key="ci-42")).reason == OVERRIDE
    assert (await desk.get()).HasField("frozen_at")


async def test_to_freeze_again_pins_what_is_so_then(desk: Desk) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await freeze(desk)
    await freeze(desk)
    assert (await evaluate(desk, session_key="ci-42")).enabled
    await set_flag(desk, state=FlagState(enabled=False))
    await freeze(desk)

    assert not (await evaluate(desk, session_key="ci-42")).enabled


@pytest.mark.parametrize("between", ["nothing", "reset", "unfreeze", "delete"])
async def test_a_session_that_was_evaluated_and_is_frozen_again_sees_what_is_so_then(
    desk: Desk, here: World, between: str
) -> None:
    for enabled in (True, False, True):
        await set_flag(desk, state=FlagState(enabled=enabled))
        await freeze(desk)
        await set_flag(desk, state=FlagState(enabled=not enabled))

        assert (await evaluate(desk, session_key="ci-42")).enabled is enabled
        assert [each.enabled for each in (await batch(desk, all=True, session_key="ci-42")).evaluations] == [enabled]
        if between == "unfreeze":
            request = UnfreezeSessionRequest(project="checkout", environment="staging", session_key="ci-42")
            await here.call("SessionService.UnfreezeSession", request)
        elif between != "nothing":
            await desk.end(DELETE_MODE_RESET if between == "reset" else DELETE_MODE_DELETE)
        if between != "nothing":
            assert (await evaluate(desk, session_key="ci-42")).enabled is not enabled


@pytest.mark.parametrize("how", ["unfreeze", "reset"])
async def test_flags_that_are_let_go_of_are_as_for_everybody(desk: Desk, here: World, how: str) -> None:
    await set_flag(desk, state=FlagState(enabled=True))
    await freeze(desk)
    await freeze(desk, "other")
    await set_flag(desk, state=FlagState(enabled=False))

    if how == "unfreeze":
        request = UnfreezeSessionRequest(project="checkout", environment="staging", session_key="ci-42")
        await here.call("SessionService.UnfreezeSession", request)
    else:
        await desk.end(DELETE_MODE_RESET)

    assert not (await evaluate(desk, session_key="ci-42")).enabled
    assert (await evaluate(desk, session_key="other")).enabled
    assert not (await desk.get()).HasField("frozen_at")
