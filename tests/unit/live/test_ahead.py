"""A change that is shown to the view before it is published: what is left to do then, and what when it is not used."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.matching.index import Index
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.live import mock as mock_module
from understudy_server.live import places as places_module
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.rebuilding import REBUILT_AHEAD_MIN
from understudy_server.live.view import LiveView

_MANY = tuple(f"ovr_{number}" for number in range(REBUILT_AHEAD_MIN))


def _mocks(path: str = "") -> dict[str, Mock | None]:
    return {name: mock(name, path=f"{path}/{name}") for name in _MANY}


def _active(mock_id: str, path: str) -> Mock:
    message = mock(mock_id, path=path)
    message.active = True
    return message


def _live(view: LiveView) -> LiveEnvironment:
    live = view.live("checkout", "staging")
    assert live is not None
    return live


def _winner(view: LiveView, path: str, key: str = "") -> str:
    live = _live(view)
    found = winner(live.layers(live.session(key, 0)), Request("GET", path))
    return found.mock.id if found else ""


async def _view(source: FakeSource) -> LiveView:
    view = LiveView(source)
    await view.catch_up()
    return view


def _everywhere() -> FakeSource:
    """Many mocks, all of them on for the environment."""
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(active_mocks=_MANY)}, mocks=_mocks())
    return source


def _in_a_scenario() -> FakeSource:
    """Many mocks, half of them listed by a scenario and half its own, and a session in it."""
    source = FakeSource()
    half = len(_MANY) // 2
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={**_mocks(), **{name: mock(name, path=f"/{name}", scenario="scn_1") for name in _MANY[half:]}},
        scenarios={"scn_1": Scenario(id="scn_1", mocks=_MANY[:half])},
        sessions={"ses_ci-42": session(scenario="scn_1")},
    )
    return source


def _refuse(*_: object) -> None:
    raise AssertionError("nothing may be compiled or built")


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def begin() -> None:
        monkeypatch.setattr(places_module, "Index", _refuse)
        monkeypatch.setattr(Index, "changed", _refuse)
        monkeypatch.setattr(mock_module, "compile_mock", _refuse)

    return begin


async def test_what_was_shown_is_not_loaded_again() -> None:
    source = _everywhere()
    view = await _view(source)
    source.commit(mocks=_mocks("/new"), ahead=True)
    await view.catch_up()
    assert source.loads == [0]
    assert (_winner(view, "/ovr_7"), _winner(view, "/new/ovr_7")) == ("", "ovr_7")


async def test_what_was_shown_is_taken_in_without_anybody_asking() -> None:
    source = _everywhere()
    view = await _view(source)
    source.commit(mocks=_mocks("/new"), ahead=True)
    await asyncio.sleep(0)
    assert view.is_current()


async def test_what_is_shown_is_not_in_force_before_it_is_published() -> None:
    source = _everywhere()
    view = await _view(source)
    publish = source.show(mocks=_mocks("/new"))
    await view.catch_up()
    assert (_winner(view, "/ovr_7"), _winner(view, "/new/ovr_7")) == ("ovr_7", "")
    publish()
    await view.catch_up()
    assert (_winner(view, "/ovr_7"), _winner(view, "/new/ovr_7")) == ("", "ovr_7")


async def test_what_was_shown_and_never_published_leaves_no_trace() -> None:
    source = _everywhere()
    view = await _view(source)
    source.show(mocks=_mocks("/never"))
    source.commit(mocks={"ovr_0": mock("ovr_0", path="/new")})
    await view.catch_up()
    assert [_winner(view, path) for path in ("/never/ovr_7", "/ovr_7", "/new")] == ["", "ovr_7", "ovr_0"]


async def test_an_index_in_use_is_built_before_it_counts(nothing_is_built: Callable[[], None]) -> None:
    source = _everywhere()
    view = await _view(source)
    _winner(view, "/ovr_7")
    publish = source.show(mocks={"ovr_7": _active("ovr_7", "/new")})
    nothing_is_built()
    publish()
    await view.catch_up()
    assert (_winner(view, "/ovr_7"), _winner(view, "/new"), _winner(view, "/ovr_8")) == ("", "ovr_7", "ovr_8")


async def test_an_index_is_built_ahead_with_the_tables_that_requests_have_used() -> None:
    source = _everywhere()
    view = await _view(source)
    _winner(view, "/ovr_7")
    before = _live(view).layers(None).environment
    source.commit(mocks={"ovr_7": mock("ovr_7", path="/new")}, ahead=True)
    await view.catch_up()
    after = _live(view).layers(None).environment
    assert after is not before
    assert after._others.made  # no request may have to wait for it


async def test_activations_that_change_are_in_the_index_built_ahead(nothing_is_built: Callable[[], None]) -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=_MANY)},
        mocks={**_mocks(), "ovr_same_1": mock("ovr_same_1", path="/x"), "ovr_same_2": mock("ovr_same_2", path="/x")},
    )
    view = await _view(source)
    _winner(view, "/ovr_7")
    active = (*_MANY[1:], "ovr_same_2", "ovr_same_1")
    publish = source.show(environments={ENVIRONMENT_ID: environment(active_mocks=active)})
    nothing_is_built()
    publish()
    await view.catch_up()
    assert (_winner(view, "/ovr_0"), _winner(view, "/x")) == ("", "ovr_same_1")


async def test_a_scenario_in_use_is_built_before_it_counts(nothing_is_built: Callable[[], None]) -> None:
    source = _in_a_scenario()
    view = await _view(source)
    _winner(view, "/ovr_0", "ci-42")
    listed, own, moved = _MANY[0], _MANY[-1], _MANY[-2]
    publish = source.show(
        mocks={
            listed: mock(listed, path="/listed"),
            own: mock(own, path="/own", scenario="scn_1"),
            moved: mock(moved, path="/moved"),
            "ovr_new": mock("ovr_new", path="/new", scenario="scn_1"),
        }
    )
    nothing_is_built()
    publish()
    await view.catch_up()
    found = [_winner(view, path, "ci-42") for path in ("/listed", "/own", "/moved", "/new", "/ovr_1")]
    assert found == [listed, own, "", "ovr_new", "ovr_1"]


async def test_a_scenario_that_a_session_is_put_into_is_built_before_it_counts(
    nothing_is_built: Callable[[], None],
) -> None:
    source = _in_a_scenario()
    view = await _view(source)
    assert _winner(view, "/ovr_0") == ""
    publish = source.show(sessions={"ses_other": session("other", scenario="scn_1")})
    nothing_is_built()
    publish()
    await view.catch_up()
    assert [_winner(view, f"/{name}", "other") for name in (_MANY[0], _MANY[-1])] == [_MANY[0], _MANY[-1]]


@pytest.mark.parametrize("count", [1, len(_MANY)])
async def test_what_is_switched_on_for_a_session_is_compiled_before_it_counts(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, mocks=_mocks())
    view = await _view(source)
    publish = source.show(sessions={"ses_ci-42": session(overrides=_MANY[:count])})
    monkeypatch.setattr(mock_module, "compile_mock", _refuse)
    publish()
    await view.catch_up()
    assert _winner(view, "/ovr_0", "ci-42") == "ovr_0"


async def test_a_scenario_that_goes_has_nothing_on_any_more() -> None:
    source = _in_a_scenario()
    view = await _view(source)
    _winner(view, "/ovr_0", "ci-42")
    source.commit(scenarios={"scn_1": None}, ahead=True)
    await view.catch_up()
    assert _winner(view, "/ovr_0", "ci-42") == ""


async def test_a_mock_that_is_on_nowhere_is_never_compiled(nothing_is_built: Callable[[], None]) -> None:
    source = FakeSource()
    nothing_is_built()
    source.commit(environments={ENVIRONMENT_ID: environment()}, mocks=_mocks())
    view = await _view(source)
    source.commit(mocks=_mocks("/new"), ahead=True)
    await view.catch_up()
    assert view.version == source.current


@pytest.mark.parametrize(
    "how",
    [
        {
            "mocks": {"ovr_1": _active("ovr_1", "/x")},
            "environments": {ENVIRONMENT_ID: environment(active_mocks=("ovr_1",))},
        },
        {"mocks": {"ovr_1": mock("ovr_1", path="/x")}, "sessions": {"ses_ci-42": session(overrides=("ovr_1",))}},
        {"mocks": {"ovr_1": mock("ovr_1", path="/x")}, "scenarios": {"scn_1": Scenario(id="scn_1", mocks=["ovr_1"])}},
        {"mocks": {"ovr_1": mock("ovr_1", path="/x", scenario="scn_1")}},
    ],
    ids=["everywhere", "a session", "a scenario", "a scenario's own"],
)
async def test_a_mock_that_is_switched_on_with_its_change_is_compiled_before_it_counts(
    how: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        scenarios={"scn_1": Scenario(id="scn_1")},
        sessions={"ses_ci-42": session(scenario="scn_1")},
    )
    view = await _view(source)
    publish = source.show(**how)  # type: ignore[arg-type]
    monkeypatch.setattr(mock_module, "compile_mock", _refuse)
    publish()
    await view.catch_up()
    if "sessions" not in how:
        source.commit(sessions={"ses_ci-42": session(scenario="scn_1")})
        await view.catch_up()
    assert _winner(view, "/x", "ci-42") == "ovr_1"


async def test_an_index_built_on_what_has_changed_since_is_not_used() -> None:
    source = _everywhere()
    view = await _view(source)
    _winner(view, "/ovr_7")
    source.commit(mocks={"ovr_1": mock("ovr_1", path="/between")})
    publish = source.show(mocks={"ovr_7": mock("ovr_7", path="/new")})
    # The view lagged by a version when it was shown the next one, and takes it in only now.
    await view.catch_up()
    publish()
    await view.catch_up()
    assert [_winner(view, path) for path in ("/between", "/new", "/ovr_1", "/ovr_7")] == ["ovr_1", "ovr_7", "", ""]


async def test_a_view_that_nobody_has_asked_is_shown_all_in_one_and_takes_it_in() -> None:
    source = _everywhere()
    view = LiveView(source)
    publish = view.look_ahead(0, await source.load_since(0))
    publish()
    await asyncio.sleep(0)
    assert view.version == 0
    await view.catch_up()
    assert (source.loads, _winner(view, "/ovr_7")) == ([0], "ovr_7")


async def test_a_change_published_during_a_check_does_not_take_the_view_back() -> None:
    source = FakeSource(alone=False)
    source.commit(environments={ENVIRONMENT_ID: environment()}, mocks=_mocks())
    view = await _view(source)
    source.gate = asyncio.Event()
    waiting = asyncio.create_task(view.catch_up())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.commit(environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_7",))}, ahead=True)
    source.gate.set()
    await waiting
    await view.catch_up()
    assert (view.version, _winner(view, "/ovr_7")) == (source.current, "ovr_7")


async def test_replaced_mocks_are_let_go_of_a_few_at_a_time() -> None:
    source = FakeSource()
    names = [f"ovr_{number}" for number in range(5_000)]
    source.commit(environments={ENVIRONMENT_ID: environment()}, mocks={name: mock(name) for name in names})
    view = await _view(source)
    source.commit(mocks=dict.fromkeys(names))
    await view.catch_up()
    left = [len(view._replaced)]
    while view._replaced:
        await asyncio.sleep(0)
        left.append(len(view._replaced))
    assert len(left) > 10
    assert max(before - after for before, after in pairwise(left)) <= 200
