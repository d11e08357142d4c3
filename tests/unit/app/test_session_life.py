"""How long sessions live: time to live, to the millisecond of the clock that is passed in."""

import pytest
from support.desk import Desk
from support.dispatching import START_MS
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DELETE_MODE_RESET,
    ActivateOverrideRequest,
    ActivateOverrideResponse,
    DeleteSessionRequest,
    PutSessionRequest,
)
from understudy_server.app.times import milliseconds


def living(seconds: int, session_key: str = "ci-42") -> PutSessionRequest:
    return PutSessionRequest(session_key=session_key, ttl_seconds=seconds)


async def test_a_session_lives_until_the_last_millisecond_of_its_time(desk: Desk) -> None:
    await desk.put(living(60))
    desk.world.clock.now_ms = START_MS + 59_999
    assert await desk.has_session()


async def test_a_session_ends_in_the_very_millisecond_in_which_its_time_is_over(desk: Desk) -> None:
    await desk.put(living(60))
    desk.world.clock.now_ms = START_MS + 60_000
    assert not await desk.has_session()


async def test_the_end_is_told_in_the_answer(desk: Desk) -> None:
    assert milliseconds((await desk.put(living(60))).expires_at) == START_MS + 60_000


async def test_a_session_without_a_time_to_live_has_no_end(desk: Desk) -> None:
    assert not (await desk.put()).HasField("expires_at")
    desk.world.clock.advance(100 * 365 * 86_400)
    assert await desk.has_session()


async def test_a_put_after_the_end_starts_afresh(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=1, label="old", global_delay_ms=5))
    desk.world.clock.advance(1)
    session = await desk.put(PutSessionRequest(global_delay_max_ms=9))
    assert (session.revision, session.global_delay_ms, session.HasField("label")) == (1, 0, False)
    assert not session.HasField("expires_at")


async def test_the_session_after_the_end_is_another_one_that_was_never_seen(desk: Desk) -> None:
    await desk.put(living(1))
    (old,) = await ids_of(desk)
    desk.world.presence.seen[old] = START_MS
    desk.world.clock.advance(1)
    assert not (await desk.put()).HasField("last_seen_at")
    assert await ids_of(desk) != [old]


async def test_switching_a_mock_on_after_the_end_starts_afresh_too(desk: Desk) -> None:
    await desk.library("ovr_a", "ovr_b")
    await desk.put(PutSessionRequest(ttl_seconds=1, overrides=["ovr_a"]))
    desk.world.clock.advance(1)
    request = ActivateOverrideRequest(session_key="ci-42", override_id="ovr_b")
    await desk.call("SessionService.ActivateOverride", request, ActivateOverrideResponse)
    assert (await desk.get()).overrides == ["ovr_b"]


@pytest.mark.parametrize("mode", [DELETE_MODE_RESET, DELETE_MODE_DELETE])
async def test_a_session_that_has_ended_cannot_be_reset_or_removed(desk: Desk, mode: int) -> None:
    await desk.put(living(1))
    desk.world.clock.advance(1)
    request = DeleteSessionRequest(session_key="ci-42", mode=mode)  # type: ignore[arg-type]
    assert await desk.code("SessionService.DeleteSession", request) == "not_found"


async def test_the_list_leaves_out_what_has_ended(desk: Desk) -> None:
    await desk.put(living(1, "short"))
    await desk.put(living(2, "long"))
    desk.world.clock.advance(1)
    assert await desk.session_keys() == ["long"]


async def test_time_is_counted_anew_by_each_put_that_names_it(desk: Desk) -> None:
    await desk.put(living(60))
    desk.world.clock.advance(50)
    assert milliseconds((await desk.put(living(60))).expires_at) == START_MS + 110_000


async def test_time_runs_on_when_a_put_does_not_name_it(desk: Desk) -> None:
    await desk.put(living(60))
    desk.world.clock.advance(50)
    assert milliseconds((await desk.put(PutSessionRequest(label="x"))).expires_at) == START_MS + 60_000


async def test_a_time_to_live_that_is_masked_and_unset_ends_the_counting(desk: Desk) -> None:
    await desk.put(living(60))
    assert not (await desk.put(PutSessionRequest(), "ttl_seconds")).HasField("expires_at")


async def test_a_reset_leaves_the_time_to_live_and_the_label(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=60, label="CI"))
    await desk.end(DELETE_MODE_RESET)
    session = await desk.get()
    assert (session.HasField("expires_at"), session.label) == (True, "CI")


async def test_a_removed_session_comes_back_empty(desk: Desk) -> None:
    await desk.put(PutSessionRequest(label="CI", global_delay_ms=7))
    await desk.end(DELETE_MODE_DELETE)
    session = await desk.put(PutSessionRequest())
    assert (session.HasField("label"), session.global_delay_ms, session.revision) == (False, 0, 1)


async def test_a_refused_put_does_not_bring_the_end_of_a_session_forward(desk: Desk) -> None:
    await desk.put(PutSessionRequest(label="CI", ttl_seconds=60))
    before = await desk.get()
    request = PutSessionRequest(session_key="ci-42", ttl_seconds=1, overrides=["ovr_none"])
    assert await desk.code("SessionService.PutSession", request) == "invalid_override"
    assert await desk.get() == before


async def ids_of(desk: Desk) -> list[str]:
    """The ids of all sessions, which callers never see."""
    return sorted(await desk.world.store.read(lambda tx: tx.session_ids()))
