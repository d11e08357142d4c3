"""What is put together for a session is kept until a part of it changes, and no longer."""

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import Layers, winner
from understudy_server.live import environment as environment_module
from understudy_server.live import mock as mock_module
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import SessionRow
from understudy_server.live.view import LiveView

_NOW_MS = 1_000
_MANY = [f"ovr_{number}" for number in range(500)]


async def _start(source: FakeSource) -> tuple[LiveView, LiveEnvironment]:
    view = LiveView(source)
    await view.catch_up()
    live = view.live("checkout", "staging")
    assert live is not None
    return view, live


def _row(live: LiveEnvironment, key: str = "ci-42") -> SessionRow:
    row = live.session(key, _NOW_MS)
    assert row is not None
    return row


def _on(layers: Layers) -> list[str]:
    return [found.id for found in layers.matching(Request("GET", "/x"))]


def _two_sessions() -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_c",), hosts=("shop.test",))},
        mocks={name: mock(name) for name in ("ovr_a", "ovr_b", "ovr_c")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_b"])},
        sessions={
            "ses_ci-42": session(scenario="scn_1", overrides=("ovr_a",)),
            "ses_other": session("other", scenario="scn_1"),
        },
    )
    return source


async def test_an_environment_is_the_same_by_slugs_and_by_host_and_stays_so() -> None:
    source = _two_sessions()
    view, live = await _start(source)
    assert view.live_for_host("shop.test") is live
    source.commit(environments={ENVIRONMENT_ID: environment(slug="qa", hosts=("shop.test",))})
    await view.catch_up()
    assert (view.live("checkout", "staging"), view.live("checkout", "qa")) == (None, live)
    assert view.live_for_host("shop.test") is live
    assert live.row == environment(slug="qa", hosts=("shop.test",))


async def test_unknown_slugs_and_hosts_are_no_environment() -> None:
    view, _ = await _start(_two_sessions())
    assert (view.live("checkout", "qa"), view.live_for_host("qa.test")) == (None, None)


async def test_layers_of_a_session_and_of_none_are_put_together_once() -> None:
    _, live = await _start(_two_sessions())
    assert live.layers(_row(live)) is live.layers(_row(live))
    assert live.layers(None) is live.layers(None)


async def test_a_changed_session_leaves_the_layers_of_the_others_as_they_are() -> None:
    source = _two_sessions()
    view, live = await _start(source)
    before = live.layers(_row(live, "other"))
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_b",))})
    await view.catch_up()
    assert live.layers(_row(live, "other")) is before
    assert _on(live.layers(_row(live))) == ["ovr_b", "ovr_c"]


async def test_an_activated_scenario_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={name: mock(name, path=f"/{name}") for name in _MANY},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=_MANY)},
        sessions={"ses_ci-42": session(scenario="scn_1"), "ses_other": session("other")},
    )
    view, live = await _start(source)
    before = live.layers(_row(live))
    live.layers(_row(live, "other"))
    monkeypatch.setattr(environment_module, "Index", _refuse)
    monkeypatch.setattr(mock_module, "compile_mock", _refuse)
    source.commit(sessions={"ses_other": session("other", scenario="scn_1")})
    await view.catch_up()
    after = live.layers(_row(live, "other"))
    assert after.scenario is before.scenario
    found = winner(after, Request("GET", "/ovr_499"))
    assert found is not None


async def test_a_changed_mock_leaves_indexes_without_it_as_they_are() -> None:
    source = _two_sessions()
    view, live = await _start(source)
    before = live.layers(_row(live))
    source.commit(mocks={"ovr_b": mock("ovr_b", path="/elsewhere")})
    await view.catch_up()
    after = live.layers(_row(live))
    assert (after.session is before.session, after.environment is before.environment) == (True, True)
    assert _on(after) == ["ovr_a", "ovr_c"]


async def test_many_mocks_can_change_at_once() -> None:
    source = _two_sessions()
    view, live = await _start(source)
    live.layers(_row(live))
    source.commit(mocks={"ovr_a": None, "ovr_b": mock("ovr_b", draft=True), "ovr_c": mock("ovr_c", path="/elsewhere")})
    await view.catch_up()
    assert _on(live.layers(_row(live))) == []


async def test_a_session_looked_up_before_it_was_changed_gets_what_is_on_now() -> None:
    source = _two_sessions()
    view, live = await _start(source)
    old = _row(live)
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_b",))})
    await view.catch_up()
    assert _on(live.layers(old)) == ["ovr_b", "ovr_c"]
    assert _on(live.layers(_row(live))) == ["ovr_b", "ovr_c"]


@pytest.mark.parametrize(
    "successor", [None, session(session_id="ses_new", overrides=("ovr_b",))], ids=["gone", "new incarnation"]
)
async def test_a_session_that_has_gone_since_it_was_looked_up_has_nothing_of_its_own_on(
    successor: SessionRow | None,
) -> None:
    source = _two_sessions()
    view, live = await _start(source)
    old = _row(live)
    live.layers(old)
    source.commit(sessions={"ses_ci-42": None, "ses_new": successor})
    await view.catch_up()
    assert _on(live.layers(old)) == ["ovr_c"]


def _refuse(*_: object) -> None:
    raise AssertionError("nothing may be compiled")
