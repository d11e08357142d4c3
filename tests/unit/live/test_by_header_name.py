"""Sessions that are found by the name of a header are not found by their key, and the other way round."""

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.view import LiveView

_NOW_MS = 1_000


async def _live(source: FakeSource) -> tuple[LiveView, LiveEnvironment]:
    view = LiveView(source)
    await view.catch_up()
    live = view.live("checkout", "staging")
    assert live is not None
    return view, live


async def test_each_is_found_in_its_own_way_alone() -> None:
    source = FakeSource()
    by_header = session("team-a", by_header_name=True)
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        sessions={"ses_ci-42": session("ci-42"), "ses_team-a": by_header},
    )

    _, live = await _live(source)

    assert live.session("team-a", _NOW_MS) is None
    assert dict(live.by_header_name) == {b"team-a": by_header}
    assert live.has_session("ses_team-a", _NOW_MS)


async def test_one_that_is_gone_is_found_no_more_and_its_name_is_free() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        sessions={"ses_team-a": session("team-a", by_header_name=True)},
    )
    view, live = await _live(source)

    source.commit(sessions={"ses_team-a": None, "ses_later": session("team-a", session_id="ses_later")})
    await view.catch_up()

    found = live.session("team-a", _NOW_MS)
    assert (found and found.id, dict(live.by_header_name)) == ("ses_later", {})
