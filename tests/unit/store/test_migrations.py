import re
import sqlite3
from pathlib import Path

import pytest
from support.store_steps import change, furnish
from support.store_versions import at, revisions
from understudy_server.journal import migrations as journal_migrations
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite import NewerSchema, SqlitePresence, SqliteStore, migrations
from understudy_server.store.sqlite.files import prepare
from understudy_server.store.sqlite.steps import Steps

_EVERY_SET = [migrations.control, migrations.state, journal_migrations.journal]


@pytest.mark.parametrize("steps", _EVERY_SET, ids=lambda steps: steps.name)
def test_steps_are_numbered_without_gaps(steps: Steps) -> None:
    numbers = [re.match(r"m(\d{4})_\w+", name) for name in steps.names]

    assert [number and int(number[1]) for number in numbers] == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("opened", "name"), [(SqliteStore, "control"), (SqlitePresence, "state"), (SqliteJournal, "journal")]
)
async def test_a_file_of_a_newer_release_is_refused(
    opened: type[SqliteStore | SqlitePresence | SqliteJournal], name: str, tmp_path: Path
) -> None:
    await (await opened.open(tmp_path)).close()
    _pretend_newer(tmp_path / f"{name}.db", name)

    with pytest.raises(NewerSchema, match=rf"{name}.db was written by a newer release \(m9999_future\)"):
        await opened.open(tmp_path)


async def test_a_refused_file_is_left_as_it_was(tmp_path: Path) -> None:
    await (await SqliteStore.open(tmp_path)).close()
    _pretend_newer(tmp_path / "control.db", "control")
    before = (tmp_path / "control.db").read_bytes()

    with pytest.raises(NewerSchema):
        await SqliteStore.open(tmp_path)

    assert (tmp_path / "control.db").read_bytes() == before


async def test_a_step_that_fails_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    steps, path = Steps("steps"), tmp_path / "steps.db"
    broken = True

    @steps()
    def m0001_two_tables(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE first (x)")
        if broken:
            raise sqlite3.OperationalError("disk I/O error")
        db.execute("CREATE TABLE second (x)")

    with pytest.raises(sqlite3.OperationalError):
        await prepare(path, "normal", steps, _tables)
    broken = False

    assert await prepare(path, "normal", steps, _tables) >= {"first", "second"}


async def test_steps_are_applied_once(tmp_path: Path) -> None:
    await (await SqliteStore.open(tmp_path)).close()

    await (await SqliteStore.open(tmp_path)).close()

    with sqlite3.connect(tmp_path / "control.db") as connection:
        applied = connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id").fetchall()
    connection.close()
    assert [name for (name,) in applied] == migrations.control.names


async def test_versions_of_before_they_lay_as_written_are_kept(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await furnish(store)
    for revision in (1, 2, 3):
        await change(store, at(revision), at(revision, "ovr_b"))
    await store.close()
    _as_before(tmp_path / "control.db", "m0009_versions_as_written")

    store = await SqliteStore.open(tmp_path)

    try:
        await change(store, at(4))
        assert [await revisions(store, mock_id) for mock_id in ("ovr_a", "ovr_b")] == [[4, 3, 2, 1], [3, 2, 1]]
    finally:
        await store.close()


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _pretend_newer(path: Path, name: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, 'm9999_future', '')", (name,)
        )
    connection.close()


def _as_before(path: Path, step: str) -> None:
    """Let versions lie by mock and revision, as they did before a step."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("ALTER TABLE past RENAME TO later")
        connection.execute(
            """
            CREATE TABLE past (
                environment_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
                schema INTEGER NOT NULL, message BLOB NOT NULL, PRIMARY KEY (environment_id, kind, id, revision)
            ) WITHOUT ROWID
            """
        )
        connection.execute("INSERT INTO past SELECT * FROM later")
        connection.execute("DROP TABLE later")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = ?", (step,))
    connection.close()
