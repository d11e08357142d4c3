"""What is put together for a session is kept until a part of it changes, and no longer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from threading import get_ident
from typing import Any

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.matching.mock import Mock as CompiledMock
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import Layers, winner
from understudy_server.core.responding.files import FileContent
from understudy_server.definitions.mocks import compile_mock
from understudy_server.live import mock as mock_module
from understudy_server.live import places as places_module
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import Changes, SessionRow
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
    return [found.mock.id for found in layers.matching(Request("GET", "/x"))]


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
    monkeypatch.setattr(places_module, "Index", _refuse)
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


async def test_a_changed_mock_leaves_the_layers_of_sessions_without_it_as_they_are() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_c",))},
        mocks={name: mock(name) for name in ("ovr_a", "ovr_b", "ovr_c")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_b"])},
        sessions={
            "ses_ci-42": session(overrides=("ovr_a",)),
            "ses_other": session("other", overrides=("ovr_b",)),
            "ses_third": session("third", scenario="scn_1"),
        },
    )
    view, live = await _start(source)
    keys = ("ci-42", "other", "third")
    before = [live.layers(_row(live, key)) for key in keys]
    source.commit(mocks={"ovr_b": mock("ovr_b", path="/elsewhere")})
    await view.catch_up()
    after = [live.layers(_row(live, key)) for key in keys]
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, False]
    assert [_on(layers) for layers in after] == [["ovr_a", "ovr_c"], ["ovr_c"], ["ovr_c"]]


async def test_a_changed_scenario_leaves_the_layers_of_sessions_in_others_as_they_are() -> None:
    source = _two_sessions()
    source.commit(
        scenarios={"scn_2": Scenario(id="scn_2", mocks=["ovr_a"])},
        sessions={"ses_third": session("third", scenario="scn_2")},
    )
    view, live = await _start(source)
    before = live.layers(_row(live, "third"))
    source.commit(scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_a"])})
    await view.catch_up()
    assert live.layers(_row(live, "third")) is before
    assert _on(live.layers(_row(live, "other"))) == ["ovr_a", "ovr_c"]


async def test_sessions_with_nothing_of_their_own_on_share_what_is_put_together() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        sessions={"ses_ci-42": session(), "ses_other": session("other")},
    )
    _, live = await _start(source)
    assert live.layers(_row(live)) is live.layers(_row(live, "other"))
    assert live.layers(_row(live)) is live.layers(None)


async def test_a_mock_of_many_that_are_on_is_changed_without_building_the_others_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=tuple(_MANY))},
        mocks={name: mock(name, path=f"/{name}") for name in _MANY},
    )
    view, live = await _start(source)
    assert winner(live.layers(None), Request("GET", "/ovr_7")) is not None
    monkeypatch.setattr(places_module, "Index", _refuse)
    source.commit(mocks={"ovr_7": mock("ovr_7", path="/new")})
    await view.catch_up()
    found = [winner(live.layers(None), Request("GET", path)) for path in ("/ovr_7", "/new", "/ovr_8")]
    assert [each and each.mock.id for each in found] == [None, "ovr_7", "ovr_8"]
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=(*_MANY[1:], "ovr_more"))},
        mocks={"ovr_more": mock("ovr_more", path="/ovr_8")},
    )
    await view.catch_up()
    found = [winner(live.layers(None), Request("GET", path)) for path in ("/ovr_0", "/ovr_8", "/ovr_9")]
    assert [each and each.mock.id for each in found] == [None, "ovr_more", "ovr_9"]


async def test_a_mock_that_cannot_be_used_is_left_out_and_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeSource()
    broken = mock("ovr_broken")
    broken.matcher.body.pattern = "("
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_broken", "ovr_a"))},
        mocks={"ovr_a": mock("ovr_a"), "ovr_broken": broken},
    )
    _, live = await _start(source)
    assert _on(live.layers(None)) == ["ovr_a"]
    assert "ovr_broken" in caplog.text


async def test_everything_there_is_is_compiled_and_built_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=tuple(_MANY[:250]))},
        mocks={name: mock(name, path=f"/{name}") for name in _MANY},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=_MANY[250:])},
        sessions={"ses_ci-42": session(scenario="scn_1")},
    )
    whole = replace(await source.load_since(0), complete=True)
    monkeypatch.setattr(source, "load_since", _giving(whole))
    threads: list[int] = []

    def compiled(message: Mock, **named: Any) -> CompiledMock:
        threads.append(get_ident())
        return compile_mock(message, **named)

    monkeypatch.setattr(mock_module, "compile_mock", compiled)
    _, live = await _start(source)
    assert threads
    assert get_ident() not in threads
    monkeypatch.setattr(places_module, "Index", _refuse)
    monkeypatch.setattr(mock_module, "compile_mock", _refuse)
    layers = live.layers(_row(live))
    found = [winner(layers, Request("GET", path)) for path in ("/ovr_7", "/ovr_300")]
    assert [each and each.mock.id for each in found] == ["ovr_7", "ovr_300"]


def _giving(changes: Changes) -> Callable[[int], Awaitable[Changes]]:
    async def load_since(_version: int) -> Changes:
        return changes

    return load_since


async def test_a_file_is_found_as_it_is_when_it_is_asked_for() -> None:
    source = FakeSource()
    answering = mock("ovr_a")
    answering.action.respond.file = "a.txt"
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_a",))},
        mocks={"ovr_a": answering},
        files={"a.txt": FileContent(b"one", "text/plain")},
    )
    view, live = await _start(source)
    find = view._contents.files_of(ENVIRONMENT_ID)
    assert find("a.txt") == FileContent(b"one", "text/plain")
    source.commit(files={"a.txt": FileContent(b"two", "text/plain")})
    await view.catch_up()
    assert find("a.txt") == FileContent(b"two", "text/plain")
    source.commit(files={"a.txt": None})
    await view.catch_up()
    assert find("a.txt") is None
    assert live.layers(None).is_plain


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


def _alike(*more: SessionRow) -> FakeSource:
    """Sessions that have the same on, and others."""
    source = FakeSource()
    rows = [session("a", overrides=("ovr_a", "ovr_b")), session("b", overrides=("ovr_a", "ovr_b")), *more]
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_c",))},
        mocks={name: mock(name) for name in ("ovr_a", "ovr_b", "ovr_c")},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_b"])},
        sessions={row.id: row for row in rows},
    )
    return source


async def test_sessions_that_have_the_same_on_share_what_is_put_together() -> None:
    _, live = await _start(_alike())
    assert live.layers(_row(live, "a")) is live.layers(_row(live, "b"))


@pytest.mark.parametrize(
    "other",
    [
        session("c", overrides=("ovr_b", "ovr_a")),
        session("c", overrides=("ovr_a",)),
        session("c", overrides=("ovr_a", "ovr_b"), scenario="scn_1"),
        session("c"),
    ],
    ids=["order", "fewer", "scenario", "none"],
)
async def test_sessions_that_have_anything_else_on_share_nothing(other: SessionRow) -> None:
    _, live = await _start(_alike(other))
    assert live.layers(_row(live, "a")) is not live.layers(_row(live, "c"))


async def test_session_with_a_mock_of_its_own_shares_nothing() -> None:
    source = _alike()
    source.commit(session_mocks={("ses_b", "ovr_own"): mock("ovr_own")})
    _, live = await _start(source)
    assert _on(live.layers(_row(live, "a"))) == ["ovr_b", "ovr_a", "ovr_c"]
    assert _on(live.layers(_row(live, "b"))) == ["ovr_own", "ovr_b", "ovr_a", "ovr_c"]


async def test_nothing_is_shared_with_what_was_before_a_mock_changed() -> None:
    """Even where somebody still holds it, and no session has it on any more."""
    source = _alike()
    view, live = await _start(source)
    before = live.layers(_row(live, "a"))
    source.commit(sessions={"ses_a": session("a"), "ses_b": session("b")})
    await view.catch_up()
    source.commit(mocks={"ovr_b": mock("ovr_b", path="/elsewhere")})
    await view.catch_up()
    source.commit(sessions={"ses_c": session("c", overrides=("ovr_a", "ovr_b"))})
    await view.catch_up()
    assert _on(before) == ["ovr_b", "ovr_a", "ovr_c"]
    assert _on(live.layers(_row(live, "c"))) == ["ovr_a", "ovr_c"]
