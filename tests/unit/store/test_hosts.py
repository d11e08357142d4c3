"""Host names in ``control.db``: one owner each, found by an index."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support import records
from support.records import ENVIRONMENT
from support.release_files import RELEASES
from support.store_steps import change, furnish
from understudy_server.store.sqlite import SqliteStore, rows


async def test_a_host_that_another_environment_has_is_refused_whole(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await furnish(store)
    await change(store, lambda tx: tx.put_environment(records.environment(hosts=("a.test",))))

    with pytest.raises(sqlite3.IntegrityError):
        await change(store, lambda tx: tx.put_environment(records.environment("env_2", "test", hosts=("a.test",))))

    assert await store.read(lambda tx: tx.environment_by_id("env_2")) is None
    found = await store.read(lambda tx: tx.environment_by_host("a.test"))
    await store.close()
    assert found is not None
    assert found.id == ENVIRONMENT


async def test_an_environment_is_found_by_its_host_without_a_scan(tmp_path: Path) -> None:
    await (await SqliteStore.open(tmp_path)).close()
    query = f"SELECT {rows.ENVIRONMENT} WHERE environment.id = (SELECT environment_id FROM host WHERE name = ?)"

    with closing(sqlite3.connect(tmp_path / "control.db")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", ("a.test",))]

    assert [step for step in plan if step.startswith("SCAN") and "subquery" not in step] == []


@pytest.mark.parametrize("release", sorted(path.name for path in RELEASES.iterdir()))
async def test_environments_of_an_earlier_release_can_have_hosts(release: str, tmp_path: Path) -> None:
    shutil.copytree(RELEASES / release, tmp_path / "old")
    store = await SqliteStore.open(tmp_path / "old")
    old = await store.read(lambda tx: tx.environment_by_id(ENVIRONMENT))
    assert old is not None
    old.message.hosts.append("a.test")

    await change(store, lambda tx: tx.put_environment(old))

    found = await store.read(lambda tx: tx.environment_by_host("a.test"))
    await store.close()
    assert found == old
