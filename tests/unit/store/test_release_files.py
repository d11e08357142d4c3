import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from support import records
from support.mirror import full
from support.release_files import EXCHANGES, LAST_SEEN, RELEASES, fill
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy_server.app.ports import KeyQuery, SessionQuery, Transaction
from understudy_server.core.state import Owner, Scope
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.state.kept import KeptState
from understudy_server.store.sqlite import SqlitePresence, SqliteStore

RELEASED = sorted(path.name for path in RELEASES.iterdir())


@dataclass
class Rooms:
    store: SqliteStore
    presence: SqlitePresence
    journal: SqliteJournal

    @classmethod
    async def open(cls, folder: Path) -> "Rooms":
        return cls(await SqliteStore.open(folder), await SqlitePresence.open(folder), await SqliteJournal.open(folder))

    async def close(self) -> None:
        await self.journal.close()
        await self.presence.close()
        await self.store.close()


@pytest.fixture(params=RELEASED)
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rooms]:
    """The data directory of an earlier release, opened by this one."""
    shutil.copytree(RELEASES / request.param, tmp_path / "old")
    rooms = await Rooms.open(tmp_path / "old")
    yield rooms
    await rooms.close()


@pytest.fixture
async def new(tmp_path: Path) -> AsyncIterator[Rooms]:
    """The same, made by this release."""
    rooms = await Rooms.open(tmp_path / "new")
    await fill(rooms.store, rooms.presence, rooms.journal)
    yield rooms
    await rooms.close()


def test_this_release_has_its_files() -> None:
    assert version("understudy-server") in RELEASED


async def test_declared_state_is_as_it_was(old: Rooms, new: Rooms) -> None:
    assert await full(old.store) == await full(new.store)


async def test_sessions_are_as_they_were(old: Rooms, new: Rooms) -> None:
    assert await old.store.read(lambda tx: tx.session("env_staging", "ci-42")) == await new.store.read(
        lambda tx: tx.session("env_staging", "ci-42")
    )


async def test_plan_and_keys_are_as_they_were(old: Rooms, new: Rooms) -> None:
    assert await old.store.read(lambda tx: tx.plan()) == 3
    assert await old.store.read(lambda tx: tx.keys("", 9, "", "")) == await new.store.read(
        lambda tx: tx.keys("", 9, "", "")
    )


async def test_what_changed_is_still_known(old: Rooms, new: Rooms) -> None:
    assert await old.store.load_since(3) == await new.store.load_since(3)


async def test_last_seen_times_are_as_they_were(old: Rooms) -> None:
    assert {each: old.presence.last_seen(each) for each in LAST_SEEN} == LAST_SEEN


async def test_exchanges_are_as_they_were(old: Rooms) -> None:
    numbered = [*records.numbered(EXCHANGES[:2]), *records.numbered(EXCHANGES[2:])]
    assert [await old.journal.exchange(each.id) for each in EXCHANGES] == numbered


async def test_old_exchanges_count_and_are_read_by_number(old: Rooms) -> None:
    stream = EXCHANGES[0].stream
    standing = await old.journal.standing(stream)

    assert (standing.last_number, standing.kept, standing.doubtful_after) == (2, 2, None)
    assert await old.journal.read(stream, 1, 9) == [EXCHANGES[1]._replace(number=2)]


async def test_old_files_can_be_written(old: Rooms) -> None:
    await old.store.write(lambda tx: tx.remove_environment("env_staging"))

    assert set((await full(old.store)).environments) == {"env_empty"}


async def test_old_sessions_projects_and_keys_are_found_by_what_is_searched_now(old: Rooms) -> None:
    async def found(tx: Transaction) -> list[int]:
        return [
            len(await tx.sessions("env_staging", SessionQuery(search="NIGHTLY"), "", 9)),
            len(await tx.projects("", 9, "Checkout")),
            len(await tx.environments("prj_checkout", "", 9, "Staging")),
            len(await tx.keys("", 9, "", "", KeyQuery(search="KEY_1", role=ROLE_CI))),
        ]

    assert await old.store.read(found) == [1, 1, 1, 1]


async def test_old_sessions_begin_without_state_and_can_have_some(old: Rooms, tmp_path: Path) -> None:
    state = await KeptState.open(tmp_path / "old", old.presence.writer)
    record = await old.store.read(lambda tx: tx.session("env_staging", "ci-42"))
    assert record
    owner = Owner("env_staging", Scope.SESSION, record.state_id)

    assert (list(state.owners()), record.generation) == ([], 1)
    state.increment(owner, "n", 1)
    await state.close()
    assert list((await KeptState.open(tmp_path / "old", old.presence.writer)).owners()) == [owner]


async def test_old_sessions_have_no_findings(old: Rooms) -> None:
    assert {each: old.presence.findings(each) for each in LAST_SEEN} == {each: [] for each in LAST_SEEN}
