"""Scenarios: their names for URLs, their mocks, their order, and what becomes of sessions that use them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.desk import Desk
from understudy.v1 import scenario_service_pb2 as pb
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.scenarios import _cursor
from understudy_server.app.times import stamp
from understudy_server.core.errors import InvalidInput

CREATE = "ScenarioService.CreateScenario"
LIST = "ScenarioService.ListScenarios"


@pytest.mark.parametrize(
    ("name", "url_id"),
    [
        ("Payment declined", "payment-declined"),
        ("  Ünïcode -- Ça va?  ", "unicode-ca-va"),
        ("ﬁrst №1", "first-no1"),
        ("支払い拒否", "scenario"),
        (" ", "scenario"),
        ("---", "scenario"),
        ("x" * 200, "x" * 180),
        ("y" * 179 + " tail", "y" * 179),
    ],
)
async def test_a_name_for_urls_is_made_from_the_name(desk: Desk, name: str, url_id: str) -> None:
    assert (await desk.scenario(name)).url_id == url_id


async def test_a_made_name_for_urls_that_is_taken_is_numbered(desk: Desk) -> None:
    made = [(await desk.scenario("Pay!")).url_id for _ in range(3)]
    assert made == ["pay", "pay-2", "pay-3"]


async def test_a_number_that_is_taken_is_passed_over(desk: Desk) -> None:
    await desk.scenario("other", url_id="pay-2")
    await desk.scenario("pay")
    assert (await desk.scenario("pay")).url_id == "pay-3"


async def test_a_name_for_urls_that_is_given_is_kept(desk: Desk) -> None:
    assert (await desk.scenario("Pay", url_id="x-1")).url_id == "x-1"


@pytest.mark.parametrize("url_id", ["Pay", "a--b", "-a", "a-", "a b", "ä", "a\n", "a" * 201])
async def test_a_name_for_urls_of_another_form_is_refused(desk: Desk, url_id: str) -> None:
    request = pb.CreateScenarioRequest(scenario=Scenario(name="a", url_id=url_id))
    assert (await desk.refused(CREATE, request)).field == "scenario.url_id"


async def test_a_given_name_for_urls_is_unique_in_its_environment(desk: Desk) -> None:
    await desk.scenario("a", url_id="pay")
    problem = await desk.refused(CREATE, pb.CreateScenarioRequest(scenario=Scenario(name="b", url_id="pay")))
    assert (problem.reason, problem.field) == ("already_exists", "scenario.url_id")
    assert (await Desk(desk.world, environment="qa").scenario("b", url_id="pay")).url_id == "pay"


async def test_an_id_is_taken_once(desk: Desk) -> None:
    await desk.scenario("a", scenario_id="scn_a")
    problem = await desk.refused(CREATE, pb.CreateScenarioRequest(scenario=Scenario(id="scn_a", name="b")))
    assert (problem.reason, problem.field) == ("already_exists", "scenario.id")


async def test_what_only_the_server_says_is_not_taken_from_a_caller(desk: Desk) -> None:
    given_ = Scenario(name="a", local_mocks=["ovr_x"], created_at=stamp(1), updated_at=stamp(1), revision=9)
    found = await desk.call(CREATE, pb.CreateScenarioRequest(scenario=given_), pb.CreateScenarioResponse)
    assert (list(found.scenario.local_mocks), found.scenario.revision) == ([], 1)
    assert found.scenario.created_at == stamp(desk.world.clock.now_ms)


async def test_mocks_stay_in_the_order_given_without_doubles(desk: Desk) -> None:
    await desk.library("ovr_a", "ovr_b")
    assert (await desk.scenario("s", "ovr_b", "ovr_a", "ovr_b")).mocks == ["ovr_b", "ovr_a"]


@pytest.mark.parametrize(
    ("mock_id", "code"),
    [
        ("ovr_none", "not_found"),
        ("not an id", "invalid_override"),
        ("ovr_draft", "invalid_override"),
        ("ovr_local", "invalid_override"),
    ],
)
async def test_only_published_mocks_of_the_library_can_be_in_it(desk: Desk, mock_id: str, code: str) -> None:
    await desk.create(Mock(id="ovr_draft", name="a"))
    await desk.scenario("other", scenario_id="scn_other")
    await desk.create(Mock(id="ovr_local", name="a", scenario="scn_other"))
    await desk.publish("ovr_local")
    problem = await desk.refused(CREATE, pb.CreateScenarioRequest(scenario=Scenario(name="a", mocks=[mock_id])))
    assert (problem.reason, problem.field) == (code, "scenario.mocks")


async def test_a_mock_of_another_environment_cannot_be_in_it(desk: Desk) -> None:
    await Desk(desk.world, environment="qa").library("ovr_a")
    request = pb.CreateScenarioRequest(scenario=Scenario(name="a", mocks=["ovr_a"]))
    assert await desk.code(CREATE, request) == "not_found"


async def test_an_update_without_a_mask_sets_what_is_populated(desk: Desk) -> None:
    await desk.library("ovr_a")
    made = await desk.scenario("a", "ovr_a")
    scenario = await desk.update_scenario(made.id, Scenario(name="b"))
    assert (scenario.name, scenario.url_id, list(scenario.mocks)) == ("b", "a", ["ovr_a"])
    assert scenario.revision == 2


async def test_a_masked_list_of_mocks_that_is_empty_is_cleared(desk: Desk) -> None:
    await desk.library("ovr_a")
    made = await desk.scenario("a", "ovr_a")
    assert (await desk.update_scenario(made.id, Scenario(), "mocks")).mocks == []


async def test_a_masked_name_for_urls_that_is_empty_is_made_anew(desk: Desk) -> None:
    made = await desk.scenario("New name", url_id="old")
    assert (await desk.update_scenario(made.id, Scenario(), "url_id")).url_id == "new-name"


async def test_a_scenario_may_keep_its_own_name_for_urls_when_it_is_made_anew(desk: Desk) -> None:
    made = await desk.scenario("pay")
    assert (await desk.update_scenario(made.id, Scenario(), "url_id")).url_id == "pay"


async def test_an_update_cannot_take_the_name_of_another(desk: Desk) -> None:
    await desk.scenario("a", url_id="taken")
    made = await desk.scenario("b")
    request = pb.UpdateScenarioRequest(scenario_id=made.id, scenario=Scenario(url_id="taken"))
    assert await desk.code("ScenarioService.UpdateScenario", request) == "already_exists"


@pytest.mark.parametrize("rpc", ["UpdateScenario", "DeleteScenario"])
async def test_a_change_expects_the_revision_that_the_caller_saw(desk: Desk, rpc: str) -> None:
    made = await desk.scenario("a")
    fields = {"scenario": Scenario(name="b")} if rpc == "UpdateScenario" else {}
    request = getattr(pb, f"{rpc}Request")(scenario_id=made.id, expected_revision=2, **fields)
    assert await desk.code(f"ScenarioService.{rpc}", request) == "revision_mismatch"


async def test_a_session_keeps_its_scenario_when_that_changes(desk: Desk) -> None:
    made = await desk.scenario("a")
    await desk.put(PutSessionRequest(scenario=made.id))
    await desk.update_scenario(made.id, Scenario(name="b"))
    assert (await desk.get()).scenario == made.id


async def test_a_session_has_no_scenario_once_that_is_removed_and_keeps_the_rest(desk: Desk) -> None:
    await desk.library("ovr_a")
    made = await desk.scenario("a")
    await desk.put(PutSessionRequest(scenario=made.id, overrides=["ovr_a"], label="CI"))
    await desk.delete_scenario(made.id)
    session = await desk.get()
    assert (session.HasField("scenario"), list(session.overrides), session.label) == (False, ["ovr_a"], "CI")


async def test_removal_takes_a_scenarios_own_mocks_along_and_no_others(desk: Desk) -> None:
    await desk.library("ovr_a")
    made = await desk.scenario("a", "ovr_a")
    await desk.create(Mock(id="ovr_local", name="a", scenario=made.id))
    await desk.delete_scenario(made.id)
    assert await desk.mock_ids() == ["ovr_a"]


async def test_a_scenario_that_is_made_again_is_not_taken_up_by_old_sessions(desk: Desk) -> None:
    await desk.scenario("a", scenario_id="scn_a")
    await desk.put(PutSessionRequest(scenario="scn_a"))
    await desk.delete_scenario("scn_a")
    await desk.scenario("a", scenario_id="scn_a")
    assert not (await desk.get()).HasField("scenario")


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_scenarios_of_one_moment_are_in_the_order_of_ids_and_none_is_lost(desk: Desk, limit: int) -> None:
    for each in ("scn_b", "scn_c", "scn_a"):
        await desk.scenario(each, scenario_id=each)
    desk.world.clock.advance(1)
    await desk.scenario("new", scenario_id="scn_0new")
    pages = await desk.scenario_pages(limit)
    assert [each for page in pages for each in page] == ["scn_0new", "scn_c", "scn_b", "scn_a"]
    assert len(pages) == -(-4 // limit)


async def test_a_change_does_not_move_a_scenario_in_the_list(desk: Desk) -> None:
    old = await desk.scenario("old")
    desk.world.clock.advance(1)
    new = await desk.scenario("new")
    desk.world.clock.advance(1)
    await desk.update_scenario(old.id, Scenario(name="changed"))
    assert await desk.scenario_pages(9) == [[new.id, old.id]]


@pytest.mark.parametrize(("search", "found"), [("PAY", 2), (" pay ", 2), ("  ", 3), ("scn", 0)])
async def test_a_search_looks_into_names_and_goes_with_paging(desk: Desk, search: str, found: int) -> None:
    for each in ("Payment", "repay", "other"):
        await desk.scenario(each)
    pages = await desk.scenario_pages(1, search)
    assert len([each for page in pages for each in page]) == found


@pytest.mark.parametrize(
    "before",
    ["x", "!", "MQ==", "MXNjbl9h"],
)
async def test_a_cursor_that_is_not_ours_gives_an_empty_page(desk: Desk, before: str) -> None:
    await desk.scenario("a")
    found = await desk.call(LIST, pb.ListScenariosRequest(before=before), pb.ListScenariosResponse)
    assert found == pb.ListScenariosResponse()


@given(moment=st.text(max_size=20), rest=st.text(max_size=20))
@example(moment="scn_a", rest="")
@example(moment="²", rest="scn_a")
@example(moment="9" * 16, rest="scn_a")
@example(moment="-1", rest="scn_a")
def test_no_cursor_reaches_the_store_with_a_number_that_it_cannot_hold(moment: str, rest: str) -> None:
    try:
        cursor = _cursor(f"{moment} {rest}")
    except InvalidInput:
        return
    assert cursor is not None
    assert 0 <= cursor[0] < 10**15


async def test_a_cursor_of_another_environment_gives_an_empty_page(desk: Desk) -> None:
    for each in ("a", "b"):
        await desk.scenario(each)
    first = await desk.call(LIST, pb.ListScenariosRequest(limit=1), pb.ListScenariosResponse)
    other = Desk(desk.world, environment="qa")
    await other.scenario("c")
    request = pb.ListScenariosRequest(before=first.next_before)
    assert await other.call(LIST, request, pb.ListScenariosResponse) == pb.ListScenariosResponse()


async def test_a_cursor_goes_on_when_the_list_is_narrowed_meanwhile(desk: Desk) -> None:
    made = [await desk.scenario(each) for each in ("pay", "cart", "repay")]
    first = await desk.call(LIST, pb.ListScenariosRequest(limit=1), pb.ListScenariosResponse)
    request = pb.ListScenariosRequest(before=first.next_before, search="pay")
    rest = await desk.call(LIST, request, pb.ListScenariosResponse)
    assert [each.id for each in rest.scenarios] == [made[0].id]


async def test_an_update_of_what_is_so_already_changes_nothing(desk: Desk) -> None:
    made = await desk.scenario("a")
    desk.world.clock.now_ms += 1000
    assert await desk.update_scenario(made.id, Scenario()) == made
    assert await desk.update_scenario(made.id, Scenario(name="a"), "name", "mocks") == made


async def test_an_empty_environment_has_an_empty_list(desk: Desk) -> None:
    assert await desk.scenario_pages(1) == [[]]
