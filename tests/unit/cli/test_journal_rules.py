"""The rules of the journal, as the live view has them."""

from dataclasses import replace
from pathlib import Path

from support import records
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from understudy_server.cli.embedded import open_rooms
from understudy_server.cli.journal_rules import ViewRules
from understudy_server.core.record import Lost, Quota, Standing
from understudy_server.journal.memory import MemoryLimits
from understudy_server.live.view import LiveView

SERVER = Quota(100, 1_000, 500, 5_000, 60_000)
SESSION_ID = session().id


async def _rules(source: FakeSource, now_ms: int = 0) -> ViewRules:
    view = LiveView(source)
    await view.catch_up()
    rules = ViewRules(SERVER, lambda: now_ms)
    rules.follow(view)
    return rules


def _source() -> FakeSource:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={SESSION_ID: session()})
    return source


async def test_an_environment_without_limits_has_those_of_the_server() -> None:
    assert (await _rules(_source())).quota(ENVIRONMENT_ID) == SERVER


async def test_limits_of_an_environment_count_where_they_are_lower() -> None:
    source = FakeSource()
    row = replace(
        environment(), session_log_entries_max=10, session_log_bytes_max=9_999, log_entries_max=50, log_retention_ms=1
    )
    source.commit(environments={ENVIRONMENT_ID: row})

    assert (await _rules(source)).quota(ENVIRONMENT_ID) == Quota(10, 1_000, 50, 5_000, 1)


async def test_limits_that_change_count_from_then_on() -> None:
    source = _source()
    view = LiveView(source)
    await view.catch_up()
    rules = ViewRules(SERVER, lambda: 0)
    rules.follow(view)
    assert rules.quota(ENVIRONMENT_ID) == SERVER

    source.commit(environments={ENVIRONMENT_ID: replace(environment(), log_entries_max=7)})
    await view.catch_up()

    assert rules.quota(ENVIRONMENT_ID).entries == 7


async def test_an_environment_that_is_gone_has_the_limits_of_the_server() -> None:
    assert (await _rules(FakeSource())).quota("env_gone") == SERVER


async def test_a_session_goes_on_until_it_is_removed() -> None:
    source = _source()
    assert (await _rules(source)).is_live(ENVIRONMENT_ID, SESSION_ID)

    source.commit(sessions={SESSION_ID: None})

    assert not (await _rules(source)).is_live(ENVIRONMENT_ID, SESSION_ID)


async def test_a_session_goes_on_until_it_expires() -> None:
    source = FakeSource()
    row = replace(session(), expires_at_ms=1_000)
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={SESSION_ID: row})

    assert (await _rules(source, 999)).is_live(ENVIRONMENT_ID, SESSION_ID)
    assert not (await _rules(source, 1_000)).is_live(ENVIRONMENT_ID, SESSION_ID)


async def test_requests_without_a_session_go_on_while_there_is_the_environment() -> None:
    source = _source()
    assert (await _rules(source)).is_live(ENVIRONMENT_ID, "")

    source.commit(environments={ENVIRONMENT_ID: None})

    assert not (await _rules(source)).is_live(ENVIRONMENT_ID, "")


def test_without_a_view_nothing_has_ended() -> None:
    assert ViewRules(SERVER, lambda: 0).is_live("env_1", "ses_1")


async def test_before_the_view_has_looked_nothing_has_ended() -> None:
    rules = ViewRules(SERVER, lambda: 0)
    rules.follow(LiveView(_source()))

    assert rules.is_live("env_1", "ses_1")


async def test_what_was_lost_by_which_reason_is_told(tmp_path: Path) -> None:
    quota = replace(SERVER, session_entries=2, session_bytes=1 << 20)
    async with open_rooms(tmp_path, "normal", MemoryLimits(), quota) as rooms:
        for number in range(5):
            rooms.journal.record(records.exchange(number))
        standing = await rooms.journal.standing(records.exchange(1).stream)
        status = rooms.host()().journal

    assert standing == Standing(5, 2, {Lost.SESSION_QUOTA: 3})
    assert [(each.reason, each.count) for each in status.losses] == [("session_quota", 3)]
    assert (status.waiting, status.dropped) == (0, 0)
