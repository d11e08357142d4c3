"""What a session key stands for is found once, and holds until something changes."""

import math

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.core.record import Whose
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import EnvironmentRow, SessionRow
from understudy_server.live.view import LiveView

_NOW_MS = 1_000


async def _start(*sessions: SessionRow, row: EnvironmentRow | None = None) -> tuple[FakeSource, LiveView]:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: row or environment()}, sessions={session.id: session for session in sessions}
    )
    view = LiveView(source)
    await view.catch_up()
    return source, view


def _live(view: LiveView) -> LiveEnvironment:
    live = view.live("checkout", "staging")
    assert live is not None
    return live


async def test_key_has_its_session_and_what_is_on_for_it() -> None:
    _, view = await _start(session(revision=4))
    live = _live(view)
    seat = live.seat(b"ci-42", _NOW_MS)
    assert seat.session is live.session("ci-42", _NOW_MS)
    assert (seat.whose, seat.until_ms) == (Whose("ci-42", "ses_ci-42", 4), math.inf)
    assert seat.layers is live.layers(seat.session)
    assert live.seat(b"ci-42", _NOW_MS) is seat


@pytest.mark.parametrize("raw", [b"unknown", b"", b" ", b"ci-42x"])
async def test_key_without_a_session_has_what_is_on_for_all(raw: bytes) -> None:
    _, view = await _start(session())
    seat = _live(view).seat(raw, _NOW_MS)
    assert (seat.session, seat.whose) == (None, Whose(raw.decode().strip()))
    assert seat.layers is _live(view).layers(None)


async def test_no_more_is_kept_than_sessions_whatever_is_asked_for() -> None:
    _, view = await _start(session(), session("caf\xe9"))
    live = _live(view)
    for raw in (b"ci-42", b" ci-42", b"ci-42 ", b"unknown", "caf\xe9".encode(), b"caf\xe9"):
        for _ in range(2):
            assert live.seat(raw, _NOW_MS).whose.session_id == ("" if raw == b"unknown" else f"ses_{_key(raw)}")
    assert list(live.seats.by_raw) == [b"ci-42", "caf\xe9".encode()]


def _key(raw: bytes) -> str:
    return "ci-42" if b"ci" in raw else "caf\xe9"


async def test_nothing_is_kept_of_a_session_that_is_gone() -> None:
    source, view = await _start(session())
    _live(view).seat(b"ci-42", _NOW_MS)
    source.commit(sessions={"ses_ci-42": None})
    await view.catch_up()
    assert _live(view).seats.by_raw == {}
    assert _live(view).seat(b"ci-42", _NOW_MS).session is None


async def test_what_changes_is_in_force_at_once() -> None:
    source, view = await _start(session())
    before = _live(view).seat(b"ci-42", _NOW_MS)
    source.commit(sessions={"ses_ci-42": session(revision=2)})
    await view.catch_up()
    assert before.whose.session_revision == 1
    assert _live(view).seat(b"ci-42", _NOW_MS).whose.session_revision == 2


async def test_session_holds_until_it_expires() -> None:
    _, view = await _start(session(expires_at_ms=_NOW_MS + 10))
    live = _live(view)
    found = [live.seat(b"ci-42", _NOW_MS + after_ms).session for after_ms in (0, 9, 10, 11, 9)]
    assert [each is not None for each in found] == [True, True, False, False, True]


@pytest.mark.parametrize(
    ("row", "sessions", "raw", "shares"),
    [
        (environment(), [session()], b"ci-42", True),
        (environment(), [session()], b"unknown", True),
        (environment(), [session(delay_ms=1)], b"ci-42", False),
        (environment(), [session(delay_max_ms=1)], b"ci-42", False),
        (environment(strict=True), [session()], b"ci-42", True),
        (environment(strict=True), [session()], b" ", False),
        (environment(carriers=(Carrier(CarrierKind.COOKIE, "a"),)), [session()], b"ci-42", False),
        (environment(), [session(), session("x-a", by_header_name=True)], b"ci-42", False),
    ],
)
async def test_it_says_where_requests_may_be_decided_together(
    row: EnvironmentRow, sessions: list[SessionRow], raw: bytes, *, shares: bool
) -> None:
    _, view = await _start(*sessions, row=row)
    assert _live(view).seat(raw, _NOW_MS).shares is shares
