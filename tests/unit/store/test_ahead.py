"""Followers are shown what takes long to take in before it is anyone's, and what was promised to readers holds."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support import records
from support.records import ENVIRONMENT
from support.store_steps import activate, change, furnish, put_mock, put_session
from understudy_server.app.ports import Transaction
from understudy_server.core.errors import StorageFailure
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.live.source import Changes
from understudy_server.live.view import LiveView
from understudy_server.store.sqlite import SqliteStore
from understudy_server.store.sqlite.ahead import look_ahead
from understudy_server.store.sqlite.connections import connect_reader
from understudy_server.store.sqlite.unit import LARGE

_MANY = [f"ovr_{number}" for number in range(500)]


class _Follower:
    """Has a version, and notes what it is shown. ``while_shown`` runs in the writer's thread."""

    def __init__(self, version: int = 0, while_shown: Callable[[], object] = lambda: None) -> None:
        self.version = version
        self.shown: list[tuple[int, Changes]] = []
        self.published: list[int] = []
        self.seen: list[object] = []
        self._while_shown = while_shown

    def look_ahead(self, since: int, changes: Changes) -> Callable[[], None]:
        self.shown.append((since, changes))
        self.seen.append(self._while_shown())
        return lambda: self.published.append(changes.version)


class _Broken(_Follower):
    def look_ahead(self, since: int, changes: Changes) -> Callable[[], None]:
        super().look_ahead(since, changes)
        raise ValueError("not today")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path)
    await furnish(store)
    yield store
    await store.close()


async def _put_many(store: SqliteStore, path: str, *, active: bool = False) -> None:
    async def work(tx: Transaction) -> None:
        for name in _MANY:
            await tx.put_mock(ENVIRONMENT, records.mock(name, path=f"{path}/{name}"))
            if active:
                await activate(name)(tx)

    await store.write(work)


def _answer(view: LiveView, path: str) -> str:
    live = view.live("checkout", "staging")
    assert live is not None
    found = winner(live.layers(None), Request("POST", path))
    return found.mock.id if found else ""


async def test_a_follower_is_shown_all_since_what_it_has(store: SqliteStore) -> None:
    follower = _Follower(store.known_version)
    store.follow(follower)
    await change(store, put_session("ci-42"))
    await change(store, put_mock("ovr_a"))
    [(since, changes)] = follower.shown
    assert since == follower.version
    assert changes == await store.load_since(since)
    assert follower.published == [store.known_version]


async def test_what_is_shown_is_nobody_elses_yet(store: SqliteStore, tmp_path: Path) -> None:
    def look() -> object:
        reader = connect_reader(tmp_path / "control.db")
        try:
            return store.known_version, reader.execute("SELECT count(*) FROM mock").fetchone()[0]
        finally:
            reader.close()

    before = store.known_version
    follower = _Follower(before, while_shown=look)
    store.follow(follower)
    await change(store, put_mock("ovr_a"))
    assert follower.seen == [(before, 0)]


async def test_one_that_has_nothing_yet_is_shown_nothing(store: SqliteStore) -> None:
    follower = _Follower()
    store.follow(follower)
    await change(store, put_mock("ovr_a"))
    assert follower.shown == []


@pytest.mark.parametrize(("count", "shown"), [(1, 0), (LARGE - 1, 0), (LARGE, 1)])
async def test_a_few_sessions_are_not_worth_showing(store: SqliteStore, count: int, shown: int) -> None:
    follower = _Follower(store.known_version)
    store.follow(follower)
    await change(store, *[put_session(f"ci-{number}") for number in range(count)])
    assert len(follower.shown) == shown


async def test_keys_and_plans_are_not_shown(store: SqliteStore) -> None:
    follower = _Follower(store.known_version)
    store.follow(follower)
    await change(store, lambda tx: tx.put_key(records.key("key_2")), lambda tx: tx.set_plan(1))
    assert follower.shown == []


async def test_a_write_that_fails_after_it_was_shown_is_never_published(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = _Follower(store.known_version)
    store.follow(follower)

    def and_fail(*arguments: object) -> object:
        look_ahead(*arguments)  # type: ignore[arg-type]
        raise sqlite3.OperationalError("the disk is gone")

    monkeypatch.setattr("understudy_server.store.sqlite.store.look_ahead", and_fail)
    with pytest.raises(StorageFailure):
        await change(store, put_mock("ovr_a"))
    assert (len(follower.shown), follower.published) == (1, [])


async def test_a_follower_that_fails_hurts_neither_the_write_nor_the_others(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = _Broken(store.known_version), _Follower(store.known_version)
    store.follow(broken)
    store.follow(sound)
    await change(store, put_mock("ovr_a"))
    assert (len(broken.shown), broken.published, sound.published) == (1, [], [store.known_version])
    assert "could not be prepared" in caplog.text


def test_a_fault_that_ended_the_transaction_fails_the_write() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        # Outside of any transaction, as after a fault of the disk.
        look_ahead(connection, [_Follower(1)])
    connection.close()


async def test_a_view_has_a_large_change_when_the_write_is_acknowledged(store: SqliteStore) -> None:
    await _put_many(store, "/old", active=True)
    view = LiveView(store)
    await view.catch_up()
    assert _answer(view, "/old/ovr_7") == "ovr_7"
    for path in ("/one", "/two", "/three"):
        await _put_many(store, path)
        assert view.is_current()
        assert (_answer(view, f"{path}/ovr_7"), _answer(view, "/old/ovr_7")) == ("ovr_7", "")


async def test_no_request_meets_half_of_a_large_change(store: SqliteStore) -> None:
    await _put_many(store, "/0", active=True)
    view = LiveView(store)
    await view.catch_up()

    async def write() -> None:
        for number in range(1, 6):
            await _put_many(store, f"/{number}")

    writing = asyncio.create_task(write())
    met = []
    while not writing.done():
        await view.catch_up()
        met.append([[_answer(view, f"/{number}/{name}") for name in _MANY[::99]] for number in range(6)])
        await asyncio.sleep(0)
    whole, nothing = _MANY[::99], [""] * len(_MANY[::99])
    assert all(sorted(each) == sorted([whole, *[nothing] * 5]) for each in met)
    assert met[0] != met[-1]


async def test_a_view_that_lags_takes_in_what_it_missed_with_a_large_change(store: SqliteStore) -> None:
    view = LiveView(store)
    await view.catch_up()
    await change(store, put_session("ci-42"))
    assert not view.is_current()
    await _put_many(store, "/new", active=True)
    assert view.is_current()
    live = view.live("checkout", "staging")
    assert live is not None
    assert live.session("ci-42", 0) is not None
    assert _answer(view, "/new/ovr_7") == "ovr_7"


async def test_a_view_that_cannot_get_ready_takes_a_change_in_when_it_is_asked(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("not today")

    view = LiveView(store)
    await view.catch_up()
    monkeypatch.setattr(view, "look_ahead", fail)
    await _put_many(store, "/new", active=True)
    assert not view.is_current()
    await view.catch_up()
    assert _answer(view, "/new/ovr_7") == "ovr_7"
