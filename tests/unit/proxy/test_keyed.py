"""Requests alike but for their session keys share what is decided, and nobody can tell: each has what it would have had
by itself, and stands on record as its session's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.requests_alike import PATHS, ROWS, START_MS, Played, all_mocks, play, request
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.matching.mock import Candidate
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.table import Table
from understudy_server.core.profiles import Profile
from understudy_server.live.source import EnvironmentRow, SessionRow

_KEYS = ("same", "also", "less", "none", "late", "soon", "own", "scenario", "nobody", "", " ", " same ", "caf\xe9")
"""What the sessions have on says `_sessions`; some are found by none, one has blanks around it, one is no key."""

Change = Callable[[FakeSource, EnvironmentRow], None]
"""Changes something in the environment, which has had this row until now."""


def _sessions(mocks: Sequence[str]) -> dict[str, SessionRow]:
    on = tuple(mocks)
    rows = [
        session("same", overrides=on, revision=3),
        session("also", overrides=on, seed=7),
        session("less", overrides=on[: len(on) // 2]),
        session("none"),
        session("late", overrides=on, delay_ms=30),
        session("soon", overrides=on, expires_at_ms=START_MS + 650),
        session("own", overrides=on),
        session("scenario", scenario="scn_1"),
    ]
    return {row.id: row for row in rows}


def _own() -> Mock:
    return mock("ovr_own", path="/fixed", json='"its own"')


def _source(row: EnvironmentRow, changes: Sequence[Change] = ()) -> FakeSource:
    source, mocks = FakeSource(), all_mocks()
    # What a template says of the session is each one's own.
    said = mock("ovr_said", path="/said")
    said.action.respond.template = "{{ session.key }} {{ request.headers['x-flowmock-session'] }}"
    keyed = mock("ovr_keyed", path="/keyed", json='"the same"')
    keyed.matcher.headers["x-flowmock-session"].equals = "same"
    mocks |= {each.id: each for each in (said, keyed)}
    source.commit(
        environments={ENVIRONMENT_ID: row},
        mocks=dict(mocks),
        scenarios={"scn_1": Scenario(id="scn_1", mocks=["ovr_fixed", "ovr_echo"])},
        sessions=dict(_sessions(list(mocks))),
    )
    source.commit(session_mocks={("ses_own", "ovr_own"): _own()})
    for change in changes:
        change(source, row)
    return source


def _again(source: FakeSource, _: EnvironmentRow) -> None:
    """A new incarnation of a session."""
    source.commit(
        sessions={"ses_less": None, "ses_new": session("less", session_id="ses_new", overrides=("ovr_fixed",))}
    )


_CHANGES: dict[str, Change] = {
    "nothing": lambda source, _: source.commit(sessions={"ses_x": session("x")}),
    "mock": lambda source, _: source.commit(mocks={"ovr_fixed": mock("ovr_fixed", path="/fixed", status=418)}),
    "overrides": lambda source, _: source.commit(sessions={"ses_also": session("also", overrides=("ovr_echo",))}),
    "revision": lambda source, _: source.commit(sessions={"ses_none": session("none", revision=9)}),
    "delay": lambda source, _: source.commit(
        sessions={"ses_same": session("same", overrides=("ovr_fixed",), delay_ms=5)}
    ),
    "gone": lambda source, _: source.commit(sessions={"ses_also": None}),
    "again": _again,
    "come": lambda source, _: source.commit(sessions={"ses_nobody": session("nobody", overrides=("ovr_fixed",))}),
    "strict": lambda source, row: source.commit(environments={ENVIRONMENT_ID: replace(row, strict=True)}),
    "named": lambda source, _: source.commit(
        sessions={"ses_x-tenant": session("x-tenant", overrides=("ovr_fixed",), by_header_name=True)}
    ),
    "own": lambda source, _: source.commit(session_mocks={("ses_none", "ovr_own"): _own()}),
    "active": lambda source, row: source.commit(
        environments={ENVIRONMENT_ID: replace(row, active_mocks=("ovr_fixed",))}
    ),
}


def _asked(method: str, target: str, key: str, number: int, lines: Sequence[str], body: bytes = b"") -> bytes:
    keyed = [f"x-flowmock-session: {key}"] if key else []
    return request(method, target, *keyed, f"traceparent: {number}", *lines, body=body)


def _played(
    row: EnvironmentRow, asked: Sequence[bytes | Change], changes: Sequence[Change] = (), after_ms: int = 0
) -> list[tuple[Played, list[str]]]:
    """What comes of requests on one connection, and whose each was found to be, with changes before and in between."""
    found, source = [], _source(row, changes)
    with VirtualProxy(source) as proxy:
        proxy.pass_ms(after_ms)
        client = proxy.connect()
        for step in asked:
            if isinstance(step, bytes):
                seen = len(proxy.seen)
                found.append((play(proxy, client, step), proxy.seen[seen:]))
            else:
                step(source, row)
    return found


def _each_anew(row: EnvironmentRow, asked: Sequence[bytes | Change]) -> list[tuple[Played, list[str]]]:
    """The same, each by a proxy that has met nothing yet, at the same moment."""
    found, changes = list[tuple[Played, list[str]]](), list[Change]()
    for step in asked:
        if isinstance(step, bytes):
            found += _played(row, [step], changes, 100 * len(found))
        else:
            changes.append(step)
    return found


_STEPS = st.lists(st.sampled_from(_KEYS) | st.sampled_from(list(_CHANGES.values())), min_size=6, max_size=18)


@given(
    st.sampled_from([*ROWS, environment(profile=Profile.MOCKARTY), environment(profile=Profile.ASSERTIVE)]),
    st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS", "POST"]),
    st.sampled_from([*PATHS, "/said", "/keyed"]),
    st.sampled_from([(), ("x-tenant: blue",), ("Cookie: sid=1; qa=less",), ("Origin: http://a", "Cookie: sid=1")]),
    st.sampled_from([b"", b"", b'{"a": 1}']),
    _STEPS,
)
def test_whose_keys_differ_shares_nothing_that_anybody_can_tell(
    row: EnvironmentRow, method: str, path: str, lines: tuple[str, ...], body: bytes, steps: list[str | Change]
) -> None:
    numbers = count()
    # In the beginning it is learnt what differs.
    known = [_asked(method, path, key, next(numbers), lines, body) for key in ("same", "also", "less", "same")]
    asked: list[bytes | Change] = [*known]
    asked += [
        _asked(method, path, each, next(numbers), lines, body) if isinstance(each, str) else each for each in steps
    ]
    assert _played(row, asked) == _each_anew(row, asked)


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES)
@pytest.mark.parametrize("path", ["/fixed", "/late", "/echo", "/said", "/keyed", "/real"])
def test_what_changes_is_in_force_for_all_of_them(change: Change, path: str) -> None:
    keys = ["same", "also", "less", "none", "nobody", "own", "same", "also", "soon", "scenario", "late", "nobody"]
    before = [_asked("GET", path, key, number, ()) for number, key in enumerate(keys * 2)]
    after = [_asked("GET", path, key, number, ()) for number, key in enumerate(keys[::-1] * 2, 100)]
    asked: list[bytes | Change] = [*before, change, *after]
    assert _played(ROWS[0], asked) == _each_anew(ROWS[0], asked)


@pytest.mark.parametrize("second", ["x-flowmock-session: also", "X-Flowmock-Session: also", "X-Flowmock-Session: none"])
def test_second_key_is_found_whatever_is_known_of_one(second: str) -> None:
    lines = [*[()] * 8, *[(second,)] * 6]
    asked = [_asked("GET", "/fixed", ["same", "less"][number % 2], number, each) for number, each in enumerate(lines)]
    played = _played(ROWS[0], asked)
    assert played == _each_anew(ROWS[0], asked)
    findings = [each.exchange.findings for each, _ in played if each.exchange]
    assert findings == [()] * 8 + [("session_header_repeated",)] * 6


@pytest.mark.parametrize("row", ROWS[:4], ids=["plain", "masked", "cookie", "strict"])
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("line", ["Cookie: qa=less", "x-tenant: also", "Cookie: sid=1"])
def test_what_else_says_whose_it_is_counts_for_each(row: EnvironmentRow, line: str, *, named: bool) -> None:
    """Another carrier, a session that is found by the name of a header, and that there must be a key."""
    keys = ["same", "same", "also", "less", " ", "none", "nobody", ""]
    numbered = enumerate([*keys, *keys, *keys[::-1], *keys])
    requests = [_asked("GET", "/fixed", key, number, (line,)) for number, key in numbered]
    asked: list[bytes | Change] = [_CHANGES["named" if named else "nothing"], *requests]
    assert _played(row, asked) == _each_anew(row, asked)


def _lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths for which mocks are looked for from now on."""
    looked_up: list[str] = []
    first = Table.first

    def noted(table: Table, asked: Request) -> Candidate | None:
        looked_up.append(asked.path)
        return first(table, asked)

    monkeypatch.setattr(Table, "first", noted)
    return looked_up


def test_sessions_that_have_the_same_on_share_what_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    source = _source(ROWS[0])
    keys = [f"ci-{number}" for number in range(50)]
    source.commit(sessions={f"ses_{key}": session(key, overrides=("ovr_fixed",)) for key in keys})
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number, key in enumerate(keys[:8]):
            play(proxy, client, _asked("GET", "/fixed", key, number, ()))
        looked_up = _lookups(monkeypatch)
        for number, key in enumerate(keys, 100):
            play(proxy, client, _asked("GET", "/fixed", key, number, ()))
        assert looked_up == []
        assert [each.session_id for each in proxy.exchanges[8:]] == [f"ses_{key}" for key in keys]
        assert proxy.seen[8:] == [f"ses_{key}" for key in keys]


@pytest.mark.parametrize("path", ["/fixed", "/keyed"])
def test_where_a_session_has_a_delay_of_its_own_its_requests_are_known(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _source(ROWS[0])
    source.commit(sessions={"ses_idle": session("idle", overrides=("ovr_fixed",), delay_ms=20)})
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(12):
            play(proxy, client, _asked("GET", path, ["late", "idle"][number % 2], number, ()))
        looked_up = _lookups(monkeypatch)
        for number in range(12, 18):
            play(proxy, client, _asked("GET", path, ["late", "idle"][number % 2], number, ()))
        assert looked_up == []
        assert [each.duration_ms for each in proxy.exchanges[12:]] == [30, 20] * 3


def test_session_expires_while_what_it_shares_stands() -> None:
    source = FakeSource()
    rows = [session("soon", overrides=("ovr_x",), expires_at_ms=START_MS + 550), session("same", overrides=("ovr_x",))]
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/fixed")},
        sessions={row.id: row for row in rows},
    )
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(10):
            play(proxy, client, _asked("GET", "/fixed", ["soon", "same"][number % 2], number, ()))
        assert [each.mock_id for each in proxy.exchanges] == ["ovr_x"] * 6 + ["", "ovr_x"] * 2
        assert [each.session_id for each in proxy.exchanges[6:]] == ["", "ses_same"] * 2


def test_key_of_another_spelling_has_the_session_and_its_own_spelling_on_record() -> None:
    source = _source(ROWS[0])
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number, key in enumerate(["same", "also", "none"] * 2 + ["\tsame", "x" * 300, "x" * 200]):
            play(proxy, client, _asked("GET", "/fixed", key, number, ()))
        assert [each.session_key for each in proxy.exchanges[6:]] == ["same", "x" * 200, "x" * 200]
        assert [each.session_id for each in proxy.exchanges[6:]] == ["ses_same", "", ""]


def test_environment_is_found_anew_for_those_that_are_known() -> None:
    """An environment takes the slug of another one."""
    source = _source(ROWS[0])
    other = replace(environment(upstream="http://192.0.2.1", active_mocks=("ovr_y",)), id="env_2", slug="other")
    source.commit(environments={"env_2": other}, sessions={})
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        for number in range(8):
            play(proxy, client, _asked("GET", "/fixed", ["same", "also"][number % 2], number, ()))
        source.commit(environments={ENVIRONMENT_ID: environment(slug="gone"), "env_2": replace(other, slug="staging")})
        for number in range(4):
            play(proxy, client, _asked("GET", "/fixed", ["same", "also"][number % 2], number, ()))
        found = [(each.environment_id, each.session_id) for each in proxy.exchanges]
        assert found == [(ENVIRONMENT_ID, "ses_same"), (ENVIRONMENT_ID, "ses_also")] * 4 + [("env_2", "")] * 4
