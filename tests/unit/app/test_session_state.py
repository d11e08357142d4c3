"""What a session holds: partial updates by mask, and the revision that counts them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.desk import Desk
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DELETE_MODE_RESET,
    ActivateOverrideRequest,
    ActivateOverrideResponse,
    DeactivateOverrideRequest,
    DeactivateOverrideResponse,
    DeleteSessionRequest,
    ListSessionsRequest,
    ListSessionsResponse,
    PutSessionRequest,
    Session,
)

PUT = "SessionService.PutSession"


def full() -> PutSessionRequest:
    return PutSessionRequest(
        session_key="ci-42",
        scenario="scn_a",
        overrides=["ovr_a", "ovr_b"],
        global_delay_ms=10,
        global_delay_max_ms=20,
        label="CI",
        ttl_seconds=60,
    )


@pytest.fixture
async def furnished(desk: Desk) -> Desk:
    """A desk with two mocks, a scenario and a session that has everything."""
    await desk.library("ovr_a", "ovr_b", "ovr_c")
    await desk.scenario("a", scenario_id="scn_a")
    await desk.put(full())
    return desk


def facts(session: Session) -> tuple[str, list[str], int, int, str, bool]:
    return (
        session.scenario,
        list(session.overrides),
        session.global_delay_ms,
        session.global_delay_max_ms,
        session.label,
        session.HasField("expires_at"),
    )


async def test_without_a_mask_what_is_populated_is_set_and_the_rest_stays(furnished: Desk) -> None:
    session = await furnished.put(PutSessionRequest(label="new"))
    assert facts(session) == ("scn_a", ["ovr_a", "ovr_b"], 10, 20, "new", True)


async def test_without_a_mask_an_empty_list_clears_nothing(furnished: Desk) -> None:
    assert (await furnished.put(PutSessionRequest(overrides=[]))).overrides == ["ovr_a", "ovr_b"]


async def test_without_a_mask_a_zero_that_is_present_is_set(furnished: Desk) -> None:
    assert (await furnished.put(PutSessionRequest(global_delay_ms=0))).global_delay_ms == 0


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("scenario", ("", ["ovr_a", "ovr_b"], 10, 20, "CI", True)),
        ("overrides", ("scn_a", [], 10, 20, "CI", True)),
        ("global_delay_ms", ("scn_a", ["ovr_a", "ovr_b"], 0, 20, "CI", True)),
        ("global_delay_max_ms", ("scn_a", ["ovr_a", "ovr_b"], 10, 0, "CI", True)),
        ("label", ("scn_a", ["ovr_a", "ovr_b"], 10, 20, "", True)),
        ("ttl_seconds", ("scn_a", ["ovr_a", "ovr_b"], 10, 20, "CI", False)),
    ],
)
async def test_a_masked_field_that_is_unset_is_cleared_and_no_other(
    furnished: Desk, path: str, expected: tuple[object, ...]
) -> None:
    assert facts(await furnished.put(PutSessionRequest(), path)) == expected


async def test_what_the_mask_does_not_name_is_not_set(furnished: Desk) -> None:
    session = await furnished.put(PutSessionRequest(label="new", global_delay_ms=99), "label")
    assert (session.label, session.global_delay_ms) == ("new", 10)


async def test_a_cleared_label_and_scenario_are_absent_and_not_empty(furnished: Desk) -> None:
    session = await furnished.put(PutSessionRequest(), "label", "scenario")
    assert (session.HasField("label"), session.HasField("scenario")) == (False, False)


@pytest.mark.parametrize("path", ["revision", "session_key", "labels", "", "overrides.0", "scenario.name", "*"])
async def test_a_mask_names_only_what_can_be_set_and_only_whole(furnished: Desk, path: str) -> None:
    request = PutSessionRequest(session_key="ci-42", label="new")
    request.update_mask.paths.append(path)
    problem = await furnished.refused(PUT, request)
    assert (problem.reason, problem.field) == ("invalid_field", "update_mask")
    assert (await furnished.get()).label == "CI"


async def test_overrides_stand_in_the_order_in_which_they_were_switched_on(furnished: Desk) -> None:
    session = await furnished.put(PutSessionRequest(overrides=["ovr_c", "ovr_b", "ovr_a", "ovr_c"]))
    assert session.overrides == ["ovr_a", "ovr_b", "ovr_c"]


async def test_a_put_that_is_refused_for_one_override_changes_nothing(furnished: Desk) -> None:
    before = await furnished.get()
    request = PutSessionRequest(session_key="ci-42", label="new", overrides=["ovr_c", "ovr_none"])
    assert await furnished.code(PUT, request) == "invalid_override"
    assert await furnished.get() == before


async def test_a_refused_put_makes_no_session(desk: Desk) -> None:
    assert await desk.code(PUT, PutSessionRequest(session_key="ci-42", scenario="scn_none")) == "not_found"
    assert not await desk.has_session()


async def test_the_first_revision_is_one(desk: Desk) -> None:
    assert (await desk.put()).revision == 1


async def test_the_same_put_again_leaves_the_revision(furnished: Desk) -> None:
    assert (await furnished.put(full())).revision == 1


async def test_a_put_that_names_nothing_leaves_the_revision(furnished: Desk) -> None:
    assert (await furnished.put()).revision == 1


@pytest.mark.parametrize(
    "change",
    [
        PutSessionRequest(label="new"),
        PutSessionRequest(global_delay_ms=11),
        PutSessionRequest(overrides=["ovr_a"]),
        PutSessionRequest(ttl_seconds=61),
    ],
    ids=["label", "delay", "overrides", "ttl"],
)
async def test_a_put_that_changes_something_moves_the_revision_by_one(
    furnished: Desk, change: PutSessionRequest
) -> None:
    assert (await furnished.put(change)).revision == 2


async def test_switching_a_mock_on_that_is_on_leaves_the_revision(furnished: Desk) -> None:
    request = ActivateOverrideRequest(session_key="ci-42", override_id="ovr_a")
    await furnished.call("SessionService.ActivateOverride", request, ActivateOverrideResponse)
    assert (await furnished.get()).revision == 1


async def test_switching_a_mock_off_moves_the_revision_once(furnished: Desk) -> None:
    for _ in range(2):
        request = DeactivateOverrideRequest(session_key="ci-42", override_id="ovr_a")
        await furnished.call("SessionService.DeactivateOverride", request, DeactivateOverrideResponse)
    session = await furnished.get()
    assert (list(session.overrides), session.revision) == (["ovr_b"], 2)


async def test_a_reset_moves_the_revision_once(furnished: Desk) -> None:
    await furnished.end(DELETE_MODE_RESET)
    await furnished.end(DELETE_MODE_RESET)
    assert (await furnished.get()).revision == 2


async def test_being_seen_moves_no_revision(furnished: Desk) -> None:
    (session_id,) = await furnished.world.store.read(lambda tx: tx.session_ids())
    furnished.world.presence.seen[session_id] = furnished.world.clock.now_ms
    session = await furnished.get()
    assert (session.HasField("last_seen_at"), session.revision) == (True, 1)


async def test_keys_differ_by_environment(desk: Desk) -> None:
    await desk.put(PutSessionRequest(label="staging"))
    assert not await Desk(desk.world, environment="qa").has_session()


async def test_a_list_is_paged_in_the_order_of_keys(desk: Desk) -> None:
    for each in ("b", "ü", "a", "C", "d"):
        await desk.put(PutSessionRequest(session_key=each))
    pages, token = [], ""
    while True:
        request = ListSessionsRequest(page_size=2, page_token=token)
        found = await desk.call("SessionService.ListSessions", request, ListSessionsResponse)
        pages.append([each.session.session_key for each in found.sessions])
        if not (token := found.next_page_token):
            break
    assert pages == [["C", "a"], ["b", "d"], ["ü"]]


async def test_a_page_goes_on_though_its_last_session_was_removed(desk: Desk) -> None:
    for each in "abc":
        await desk.put(PutSessionRequest(session_key=each))
    request = ListSessionsRequest(page_size=2)
    first = await desk.call("SessionService.ListSessions", request, ListSessionsResponse)
    await desk.end(DELETE_MODE_DELETE, "b")
    request = ListSessionsRequest(page_size=2, page_token=first.next_page_token)
    rest = await desk.call("SessionService.ListSessions", request, ListSessionsResponse)
    assert [each.session.session_key for each in rest.sessions] == ["c"]


@pytest.mark.parametrize(("search", "expected"), [("CI-", ["ci-1", "ci-2"]), ("%", []), ("", ["ci-1", "ci-2", "qa"])])
async def test_a_list_is_searched_by_any_part_of_the_key_in_any_case(
    desk: Desk, search: str, expected: list[str]
) -> None:
    for each in ("qa", "ci-2", "ci-1"):
        await desk.put(PutSessionRequest(session_key=each))
    assert await desk.session_keys(search) == expected


async def test_a_list_goes_on_after_the_longest_key_there_can_be(desk: Desk) -> None:
    longest = "\U0001f3ad" * 200
    for each in (longest, "a"):
        await desk.put(PutSessionRequest(session_key=each))
    first = await desk.call("SessionService.ListSessions", ListSessionsRequest(page_size=1), ListSessionsResponse)
    await desk.put(PutSessionRequest(session_key=longest + "z"))
    await desk.put(PutSessionRequest(session_key="\U0001f3af"))
    request = ListSessionsRequest(page_size=1, page_token=first.next_page_token)
    second = await desk.call("SessionService.ListSessions", request, ListSessionsResponse)
    request = ListSessionsRequest(page_size=1, page_token=second.next_page_token)
    third = await desk.call("SessionService.ListSessions", request, ListSessionsResponse)
    keys = [each.sessions[0].session.session_key for each in (first, second, third)]
    assert keys == ["a", longest, "\U0001f3af"]


@pytest.mark.parametrize("expected", [2, -1, 7])
async def test_a_session_that_somebody_else_has_changed_stays_as_it_is(desk: Desk, expected: int) -> None:
    before = await desk.put(PutSessionRequest(label="mine"))
    change = PutSessionRequest(session_key=before.session_key, label="yours", expected_revision=expected)
    problem = await desk.refused("SessionService.PutSession", change)
    assert (problem.reason, problem.field, problem.limit) == ("revision_mismatch", "expected_revision", "1")
    for mode in (DELETE_MODE_RESET, DELETE_MODE_DELETE):
        end = DeleteSessionRequest(session_key=before.session_key, mode=mode, expected_revision=expected)
        assert await desk.code("SessionService.DeleteSession", end) == "revision_mismatch"
    assert await desk.get() == before


async def test_a_session_that_was_seen_and_is_gone_is_not_made_anew(desk: Desk) -> None:
    request = PutSessionRequest(session_key="ci-42", label="mine", expected_revision=1)
    assert await desk.code("SessionService.PutSession", request) == "revision_mismatch"
    assert not await desk.has_session()


async def test_a_list_refuses_a_page_token_that_is_not_its_own(desk: Desk) -> None:
    problem = await desk.refused("SessionService.ListSessions", ListSessionsRequest(page_token="no token!"))
    assert (problem.reason, problem.field) == ("invalid_field", "page_token")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip())))
async def test_any_key_with_something_in_it_finds_its_session_again(desk: Desk, key: str) -> None:
    session = await desk.put(PutSessionRequest(session_key=key))
    assert (await desk.get(key)).session_key == session.session_key
    assert session.session_key in await desk.session_keys()
