"""What is on for a session, after any change."""

from dataclasses import replace

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, row_of, session
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.view import LiveView

_NOW_MS = 1_000


async def _view(source: FakeSource) -> LiveView:
    view = LiveView(source)
    await view.catch_up()
    return view


def _live(view: LiveView) -> LiveEnvironment:
    live = view.live("checkout", "staging")
    assert live is not None
    return live


async def _winner(source: FakeSource, view: LiveView, key: str = "ci-42") -> str:
    """The id of the mock that answers a request of the session now, empty when none does."""
    await view.catch_up()
    found = _live(view).session(key, _NOW_MS)
    mock_found = winner(_live(view).layers(found), Request("GET", "/x"))
    return mock_found.mock.id if mock_found else ""


async def test_environment_is_found_by_both_slugs() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    view = await _view(source)
    assert row_of(view.live("checkout", "staging")) == environment()
    assert row_of(view.live("checkout", "qa")) is None
    assert row_of(view.live("staging", "checkout")) is None


async def test_removed_environment_is_gone_with_its_sessions() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session()})
    view = await _view(source)
    source.commit(environments={ENVIRONMENT_ID: None})
    await view.catch_up()
    assert view.live("checkout", "staging") is None
    source.commit(environments={ENVIRONMENT_ID: environment()})
    await view.catch_up()
    assert _live(view).session("ci-42", _NOW_MS) is None


async def test_a_slug_can_pass_to_another_environment_within_one_change() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    view = await _view(source)
    successor = environment()
    successor = type(successor)("env_2", "prj_2", "checkout", "staging", "", ())
    source.commit(environments={"env_2": successor, ENVIRONMENT_ID: None})
    await view.catch_up()
    assert row_of(view.live("checkout", "staging")) == successor


async def test_environment_is_found_by_each_of_its_hosts() -> None:
    source = FakeSource()
    row = environment(hosts=("shop.test", "www.shop.test"))
    source.commit(environments={ENVIRONMENT_ID: row})
    view = await _view(source)
    assert row_of(view.live_for_host("shop.test")) == row
    assert row_of(view.live_for_host("www.shop.test")) == row
    assert row_of(view.live_for_host("test")) is None
    assert row_of(view.live("checkout", "staging")) == row


async def test_a_host_that_was_taken_away_finds_nothing() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(hosts=("a.test", "b.test"))})
    view = await _view(source)
    source.commit(environments={ENVIRONMENT_ID: environment(hosts=("b.test", "c.test"))})
    await view.catch_up()
    found = {host: row_of(view.live_for_host(host)) is not None for host in ("a.test", "b.test", "c.test")}
    assert found == {"a.test": False, "b.test": True, "c.test": True}


async def test_hosts_of_a_removed_environment_find_nothing() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(hosts=("a.test",))})
    view = await _view(source)
    source.commit(environments={ENVIRONMENT_ID: None})
    await view.catch_up()
    assert row_of(view.live_for_host("a.test")) is None


@pytest.mark.parametrize("order", [(ENVIRONMENT_ID, "env_2"), ("env_2", ENVIRONMENT_ID)], ids=["giver first", "last"])
@pytest.mark.parametrize("giver_goes", [False, True], ids=["giver stays", "giver goes"])
async def test_a_host_can_pass_to_another_environment_within_one_change(
    order: tuple[str, str], giver_goes: bool
) -> None:
    source = FakeSource()
    heir = environment(environment_id="env_2", slug="qa")
    source.commit(environments={ENVIRONMENT_ID: environment(hosts=("a.test",)), "env_2": heir})
    view = await _view(source)
    after = {ENVIRONMENT_ID: None if giver_goes else environment(), "env_2": replace(heir, hosts=("a.test",))}
    source.commit(environments={each: after[each] for each in order})
    await view.catch_up()
    assert row_of(view.live_for_host("a.test")) == after["env_2"]


async def test_two_environments_can_change_hosts_with_each_other_within_one_change() -> None:
    source = FakeSource()
    one, two = environment(hosts=("a.test",)), environment(environment_id="env_2", slug="qa", hosts=("b.test",))
    source.commit(environments={ENVIRONMENT_ID: one, "env_2": two})
    view = await _view(source)
    one, two = replace(one, hosts=two.hosts), replace(two, hosts=one.hosts)
    source.commit(environments={ENVIRONMENT_ID: one, "env_2": two})
    await view.catch_up()
    assert (row_of(view.live_for_host("b.test")), row_of(view.live_for_host("a.test"))) == (one, two)


async def test_session_is_found_until_it_expires() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session(expires_at_ms=1_000)})
    view = await _view(source)
    assert _live(view).session("ci-42", 999) is not None
    assert _live(view).session("ci-42", 1_000) is None


async def test_session_key_is_case_sensitive() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session()})
    assert _live(await _view(source)).session("CI-42", _NOW_MS) is None


async def test_new_incarnation_of_a_key_outlives_the_removal_of_the_old_one() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_old": session(session_id="ses_old")})
    view = await _view(source)
    source.commit(sessions={"ses_new": session(session_id="ses_new"), "ses_old": None})
    await view.catch_up()
    found = _live(view).session("ci-42", _NOW_MS)
    assert found is not None
    assert found.id == "ses_new"


async def test_override_applies_to_its_session_alone() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a")},
        sessions={"ses_ci-42": session(overrides=("ovr_a",)), "ses_other": session("other")},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    assert await _winner(source, view, "other") == ""
    assert await _winner(source, view, "unknown") == ""


async def test_latest_override_wins_between_equal_ones() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a"), "ovr_b": mock("ovr_b")},
        sessions={"ses_ci-42": session(overrides=("ovr_b", "ovr_a"))},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"


async def test_changed_overrides_are_in_force_at_once() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a"), "ovr_b": mock("ovr_b")},
        sessions={"ses_ci-42": session(overrides=("ovr_a",))},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_b",))})
    assert await _winner(source, view) == "ovr_b"
    source.commit(sessions={"ses_ci-42": session()})
    assert await _winner(source, view) == ""


async def test_edited_mock_is_in_force_at_once() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a", path="/x")},
        sessions={"ses_ci-42": session(overrides=("ovr_a",))},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    source.commit(mocks={"ovr_a": mock("ovr_a", path="/y")})
    assert await _winner(source, view) == ""


async def test_unpublished_override_stops_applying_and_comes_back_when_published() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a")},
        sessions={"ses_ci-42": session(overrides=("ovr_a",))},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    source.commit(mocks={"ovr_a": mock("ovr_a", draft=True)})
    assert await _winner(source, view) == ""
    source.commit(mocks={"ovr_a": mock("ovr_a")})
    assert await _winner(source, view) == "ovr_a"


async def test_deleted_mock_stops_applying_in_every_layer() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_a",))},
        mocks={"ovr_a": mock("ovr_a")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_a"])},
        sessions={"ses_ci-42": session(scenario="scn_1", overrides=("ovr_a",))},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    source.commit(mocks={"ovr_a": None})
    assert await _winner(source, view) == ""


async def test_published_mock_that_is_not_switched_on_does_not_apply() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a")},
        sessions={"ses_ci-42": session()},
    )
    assert await _winner(source, await _view(source)) == ""


async def test_environment_wide_mock_applies_with_and_without_a_session() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_a",))},
        mocks={"ovr_a": mock("ovr_a")},
        sessions={"ses_ci-42": session()},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    assert await _winner(source, view, "unknown") == "ovr_a"
    source.commit(environments={ENVIRONMENT_ID: environment()})
    assert await _winner(source, view, "unknown") == ""


async def test_scenario_holds_its_published_mocks_and_its_local_ones() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={
            "ovr_library": mock("ovr_library", path="/x"),
            "ovr_local": mock("ovr_local", scenario="scn_1"),
            "ovr_draft": mock("ovr_draft", path="/x", draft=True),
        },
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_draft", "ovr_library"])},
        sessions={"ses_ci-42": session(scenario="scn_1")},
    )
    view = await _view(source)
    layers = _live(view).layers(_live(view).session("ci-42", _NOW_MS))
    assert [found.mock.id for found in layers.matching(Request("GET", "/x"))] == ["ovr_library", "ovr_local"]


async def test_local_mock_of_another_scenario_never_applies() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_local",))},
        mocks={"ovr_local": mock("ovr_local", scenario="scn_2")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_local"]), "scn_2": Scenario(id="scn_2")},
        sessions={"ses_ci-42": session(scenario="scn_1", overrides=("ovr_local",))},
    )
    assert await _winner(source, await _view(source)) == ""


async def test_local_mock_made_later_joins_its_scenario() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        scenarios={"scn_1": Scenario(id="scn_1")},
        sessions={"ses_ci-42": session(scenario="scn_1")},
    )
    view = await _view(source)
    assert await _winner(source, view) == ""
    source.commit(mocks={"ovr_local": mock("ovr_local", scenario="scn_1")})
    assert await _winner(source, view) == "ovr_local"
    source.commit(mocks={"ovr_local": mock("ovr_local", scenario="scn_1", draft=True)})
    assert await _winner(source, view) == ""


async def test_switched_scenario_takes_the_former_ones_mocks_along() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a"), "ovr_b": mock("ovr_b")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_a"]), "scn_2": Scenario(id="scn_2", mocks=["ovr_b"])},
        sessions={"ses_ci-42": session(scenario="scn_1")},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    source.commit(sessions={"ses_ci-42": session(scenario="scn_2")})
    assert await _winner(source, view) == "ovr_b"


async def test_edited_scenario_is_in_force_at_once_and_a_deleted_one_is_none() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a"), "ovr_b": mock("ovr_b")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_a"])},
        sessions={"ses_ci-42": session(scenario="scn_1")},
    )
    view = await _view(source)
    assert await _winner(source, view) == "ovr_a"
    source.commit(scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_b"])})
    assert await _winner(source, view) == "ovr_b"
    source.commit(scenarios={"scn_1": None})
    assert await _winner(source, view) == ""


async def test_only_what_changed_is_compiled_again() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_c",))},
        mocks={name: mock(name) for name in ("ovr_a", "ovr_b", "ovr_c")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_b"])},
        sessions={
            "ses_ci-42": session(scenario="scn_1", overrides=("ovr_a",)),
            "ses_other": session("other", scenario="scn_1", overrides=("ovr_b",)),
        },
    )
    view = await _view(source)
    before = _live(view).layers(_live(view).session("other", _NOW_MS))
    source.commit(
        mocks={"ovr_a": mock("ovr_a", path="/new")}, sessions={"ses_ci-42": session(overrides=("ovr_a", "ovr_b"))}
    )
    await view.catch_up()
    after = _live(view).layers(_live(view).session("other", _NOW_MS))
    assert after.session is before.session
    assert after.scenario is before.scenario
    assert after.environment is before.environment


async def test_scenario_is_compiled_once_for_all_its_sessions() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_a": mock("ovr_a")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_a"])},
        sessions={"ses_ci-42": session(scenario="scn_1"), "ses_other": session("other", scenario="scn_1")},
    )
    view = await _view(source)
    one, other = [_live(view).layers(_live(view).session(key, _NOW_MS)) for key in ("ci-42", "other")]
    assert one.scenario is other.scenario


async def test_complete_change_replaces_everything() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(hosts=("a.test",))}, sessions={"ses_ci-42": session()})
    view = await _view(source)
    source.restore({"env_9": environment(environment_id="env_9", slug="qa")})
    await view.catch_up()
    assert row_of(view.live("checkout", "staging")) is None
    assert row_of(view.live_for_host("a.test")) is None
