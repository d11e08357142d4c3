"""Mocks that a session owns: on for it and nobody else, and gone with it."""

from collections.abc import Callable

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from understudy_server.core.matching.index import Index
from understudy_server.core.matching.mock import Mock
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.core.profiles import Profile
from understudy_server.live import mock as mock_module
from understudy_server.live import places as places_module
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.rebuilding import REBUILT_AHEAD_MIN
from understudy_server.live.view import LiveView

_NOW_MS = 1_000
_SESSION = "ses_ci-42"


def _live(view: LiveView) -> LiveEnvironment:
    live = view.live("checkout", "staging")
    assert live is not None
    return live


async def _winner(source: FakeSource, view: LiveView, key: str = "ci-42", path: str = "/x") -> Mock | None:
    await view.catch_up()
    live = _live(view)
    found = winner(live.layers(live.session(key, _NOW_MS)), Request("GET", path))
    return found.mock if found else None


async def _winner_id(source: FakeSource, view: LiveView, key: str = "ci-42", path: str = "/x") -> str:
    found = await _winner(source, view, key, path)
    return found.id if found else ""


async def _start(profile: Profile = Profile.FLOWMOCK) -> tuple[FakeSource, LiveView]:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_env",), profile=profile)},
        mocks={"ovr_env": mock("ovr_env"), "ovr_on": mock("ovr_on")},
        sessions={_SESSION: session(), "ses_other": session("other")},
    )
    view = LiveView(source)
    await view.catch_up()
    return source, view


async def test_it_is_on_for_its_session_alone() -> None:
    source, view = await _start()
    source.commit(session_mocks={(_SESSION, "ovr_own"): mock("ovr_own")})
    found = await _winner(source, view)
    assert found is not None
    assert (found.id, found.owner, found.state_name) == ("ovr_own", _SESSION, "ses_ci-42/ovr_own")
    assert [await _winner_id(source, view, key) for key in ("other", "unknown")] == ["ovr_env", "ovr_env"]


async def test_it_comes_with_the_session_that_owns_it() -> None:
    source, view = await _start()
    source.commit(sessions={"ses_new": session("new")}, session_mocks={("ses_new", "ovr_own"): mock("ovr_own")})
    assert await _winner_id(source, view, "new") == "ovr_own"


async def test_a_changed_one_and_a_removed_one_are_so_at_once() -> None:
    source, view = await _start()
    source.commit(session_mocks={(_SESSION, "ovr_own"): mock("ovr_own")})
    assert await _winner_id(source, view) == "ovr_own"
    source.commit(session_mocks={(_SESSION, "ovr_own"): mock("ovr_own", path="/y")})
    assert [await _winner_id(source, view, path=path) for path in ("/x", "/y")] == ["ovr_env", "ovr_own"]
    source.commit(session_mocks={(_SESSION, "ovr_own"): None})
    assert await _winner_id(source, view, path="/y") == "ovr_env"


async def test_they_go_with_their_session() -> None:
    source, view = await _start()
    source.commit(session_mocks={(_SESSION, "ovr_own"): mock("ovr_own")})
    await _winner_id(source, view)
    source.commit(sessions={_SESSION: None, "ses_again": session(session_id="ses_again")})
    assert await _winner_id(source, view) == "ovr_env"


async def test_those_of_a_session_that_is_not_there_are_on_nowhere() -> None:
    source, view = await _start()
    source.commit(sessions={_SESSION: None}, session_mocks={(_SESSION, "ovr_own"): mock("ovr_own")})
    source.commit(session_mocks={("ses_never", "ovr_own"): mock("ovr_own")})
    assert [await _winner_id(source, view, key) for key in ("ci-42", "other")] == ["ovr_env", "ovr_env"]


async def test_an_id_can_be_that_of_a_mock_of_the_environment_which_stays_on_beside_it() -> None:
    source, view = await _start()
    source.commit(
        sessions={_SESSION: session(overrides=("ovr_on",))},
        session_mocks={(_SESSION, "ovr_on"): mock("ovr_on", path="/y")},
    )
    assert [(await _winner(source, view, path=path)) is not None for path in ("/x", "/y")] == [True, True]
    owners = [found.owner for path in ("/x", "/y") if (found := await _winner(source, view, path=path))]
    assert owners == ["", _SESSION]


async def test_among_equals_it_is_later_than_what_was_switched_on_and_the_newest_is_the_latest() -> None:
    source, view = await _start()
    source.commit(
        sessions={_SESSION: session(overrides=("ovr_on",))},
        session_mocks={
            (_SESSION, "ovr_new"): mock("ovr_new", created_ms=2),
            (_SESSION, "ovr_old"): mock("ovr_old", created_ms=1),
        },
    )
    await view.catch_up()
    live = _live(view)
    layers = live.layers(live.session("ci-42", _NOW_MS))
    assert [found.mock.id for found in layers.matching(Request("GET", "/"))] == [
        "ovr_new",
        "ovr_old",
        "ovr_on",
        "ovr_env",
    ]


async def test_in_the_profile_of_assertive_the_oldest_answers() -> None:
    source, view = await _start(Profile.ASSERTIVE)
    source.commit(session_mocks={(_SESSION, "ovr_z"): mock("ovr_z", created_ms=1)})
    source.commit(session_mocks={(_SESSION, "ovr_a"): mock("ovr_a", created_ms=2)})
    assert await _winner_id(source, view) == "ovr_z"


async def test_what_it_changes_leaves_other_sessions_as_they_are() -> None:
    source, view = await _start()
    live = _live(view)
    before = live.layers(live.session("other", _NOW_MS))
    source.commit(session_mocks={(_SESSION, "ovr_own"): mock("ovr_own")})
    await view.catch_up()
    assert live.layers(live.session("other", _NOW_MS)) is before


def _refuse(*_: object) -> None:
    raise AssertionError("nothing may be compiled or built")


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def begin() -> None:
        monkeypatch.setattr(places_module, "Index", _refuse)
        monkeypatch.setattr(Index, "changed", _refuse)
        monkeypatch.setattr(mock_module, "compile_mock", _refuse)

    return begin


@pytest.mark.parametrize("is_new", [False, True], ids=["known session", "new session"])
async def test_many_are_compiled_and_built_before_they_count(
    nothing_is_built: Callable[[], None], *, is_new: bool
) -> None:
    source, view = await _start()
    await _winner_id(source, view)
    key = "new" if is_new else "ci-42"
    names = [f"ovr_{number}" for number in range(REBUILT_AHEAD_MIN)]
    publish = source.show(
        sessions={"ses_new": session("new")} if is_new else None,
        session_mocks={(f"ses_{key}", name): mock(name, path=f"/{name}") for name in names},
    )
    nothing_is_built()
    publish()
    assert await _winner_id(source, view, key, "/ovr_7") == "ovr_7"
