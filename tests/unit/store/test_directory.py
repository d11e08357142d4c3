import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.store_steps import furnish
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite import SqlitePresence, SqliteStore, StoreLocked


@contextmanager
def _holding(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder while the block runs."""
    command = [sys.executable, str(Path(__file__).with_name("holder.py")), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.kill()


async def test_a_directory_that_another_process_holds_is_refused(tmp_path: Path) -> None:
    with _holding(tmp_path) as process, pytest.raises(StoreLocked, match=f"process {process.pid} holds"):
        await SqliteStore.open(tmp_path)


async def test_a_killed_process_frees_its_directory(tmp_path: Path) -> None:
    with _holding(tmp_path) as process:
        process.kill()
        process.wait()

        await (await SqliteStore.open(tmp_path)).close()


async def test_one_process_cannot_open_a_directory_twice(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    with pytest.raises(StoreLocked):
        await SqliteStore.open(tmp_path)
    await store.close()


async def test_a_closed_store_frees_its_directory(tmp_path: Path) -> None:
    await (await SqliteStore.open(tmp_path)).close()

    await (await SqliteStore.open(tmp_path)).close()


async def test_a_store_that_cannot_be_opened_frees_its_directory(tmp_path: Path) -> None:
    (tmp_path / "control.db").write_bytes(b"not a database" * 100)
    with pytest.raises(Exception, match="not a database"):
        await SqliteStore.open(tmp_path)
    (tmp_path / "control.db").unlink()

    await (await SqliteStore.open(tmp_path)).close()


async def test_all_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store, presence, journal = (
        await SqliteStore.open(folder),
        await SqlitePresence.open(folder),
        await SqliteJournal.open(folder),
    )
    await furnish(store)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {"control.db", "control.db-wal", "control.db-shm", "state.db", "journal.db", "lock"} <= set(modes)
    assert set(modes.values()) == {0o600}
    for each in (journal, presence, store):
        await each.close()


async def test_a_closed_store_is_one_file(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await furnish(store)
    await store.close()

    assert _names(tmp_path) == {"control.db", "lock"}


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
