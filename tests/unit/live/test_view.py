"""What is on for a session, after any change."""

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.live.view import LiveView

_NOW_MS = 1_000


async def _view(source: FakeSource) -> LiveView:
    view = LiveView(source)
    await view.catch_up()
    return view


async def _winner(source: FakeSource, view: LiveView, key: str = "ci-42") -> str:
    """The id of the mock that answers a request of the session now, empty when none does."""
    await view.catch_up()
    found = view.session(ENVIRONMENT_ID, key, _NOW_MS)
    mock_found = winner(view.layers(ENVIRONMENT_ID, found), Request("GET", "/x"))
    return mock_found.id if mock_found else ""


async def test_environment_is_found_by_both_slugs() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    view = await _view(source)
    assert view.environment("checkout", "staging") == environment()
    assert view.environment("checkout", "qa") is None
    assert view.environment("staging", "checkout") is None


async def test_removed_environment_is_gone_with_its_sessions() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session()})
    view = await _view(source)
    source.commit(environments={ENVIRONMENT_ID: None})
    await view.catch_up()
    assert view.environment("checkout", "staging") is None
    assert view.session(ENVIRONMENT_ID, "ci-42", _NOW_MS) is None


async def test_a_slug_can_pass_to_another_environment_within_one_change() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    view = await _view(source)
    successor = environment()
    successor = type(successor)("env_2", "prj_2", "checkout", "staging", "", ())
    source.commit(environments={"env_2": successor, ENVIRONMENT_ID: None})
    await view.catch_up()
    assert view.environment("checkout", "staging") == successor


async def test_session_is_found_until_it_expires() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session(expires_at_ms=1_000)})
    view = await _view(source)
    assert view.session(ENVIRONMENT_ID, "ci-42", 999) is not None
    assert view.session(ENVIRONMENT_ID, "ci-42", 1_000) is None


async def test_session_key_is_case_sensitive() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session()})
    assert (await _view(source)).session(ENVIRONMENT_ID, "CI-42", _NOW_MS) is None


async def test_new_incarnation_of_a_key_outlives_the_removal_of_the_old_one() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_old": session(session_id="ses_old")})
    view = await _view(source)
    source.commit(sessions={"ses_new": session(session_id="ses_new"), "ses_old": None})
    await view.catch_up()
    found = view.session(ENVIRONMENT_ID, "ci-42", _NOW_MS)
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
    layers = view.layers(ENVIRONMENT_ID, view.session(ENVIRONMENT_ID, "ci-42", _NOW_MS))
    assert [found.id for found in layers.matching(Request("GET", "/x"))] == ["ovr_library", "ovr_local"]


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
    before = view.layers(ENVIRONMENT_ID, view.session(ENVIRONMENT_ID, "other", _NOW_MS))
    source.commit(
        mocks={"ovr_a": mock("ovr_a", path="/new")}, sessions={"ses_ci-42": session(overrides=("ovr_a", "ovr_b"))}
    )
    await view.catch_up()
    after = view.layers(ENVIRONMENT_ID, view.session(ENVIRONMENT_ID, "other", _NOW_MS))
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
    one, other = [view.layers(ENVIRONMENT_ID, view.session(ENVIRONMENT_ID, key, _NOW_MS)) for key in ("ci-42", "other")]
    assert one.scenario is other.scenario


async def test_complete_change_replaces_everything() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session()})
    view = await _view(source)
    source.restore({"env_9": environment(slug="qa")})
    await view.catch_up()
    assert view.environment("checkout", "staging") is None
