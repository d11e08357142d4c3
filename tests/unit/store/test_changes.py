"""What reading the changes costs: it follows what changed, not what there is or ever was."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.new_store import new_store
from support.records import ENVIRONMENT
from support.store_steps import Change, change, furnish, put_mock, put_scenario, put_session
from understudy_server.store.sqlite import SqliteStore
from understudy_server.store.sqlite.changes import load_since
from understudy_server.store.sqlite.connections import connect_reader


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await new_store(tmp_path)
    await furnish(store)
    yield store
    await store.close()


def _cost(folder: Path, version: int) -> tuple[int, int]:
    """Steps of SQLite's machine, and statements, that loading takes."""
    connection = connect_reader(folder / "control.db")
    steps, statements = [0], list[str]()

    def step() -> None:
        steps[0] += 1

    connection.set_progress_handler(step, 1)
    connection.set_trace_callback(statements.append)
    load_since(connection, version)
    connection.close()
    # Subqueries are told as comments.
    return steps[0], len([each for each in statements if not each.startswith("--")])


@pytest.mark.parametrize("put", [put_session, put_mock, put_scenario])
async def test_what_changed_before_costs_nothing(
    store: SqliteStore, tmp_path: Path, put: Callable[[str], Change]
) -> None:
    async def last_of(count: int) -> tuple[int, int]:
        await change(store, *[put(f"old-{number}") for number in range(count)])
        before = store.known_version
        await change(store, put("new"))
        return _cost(tmp_path, before)

    (few, _), (many, _) = await last_of(10), await last_of(2_000)
    assert many <= few + 10


async def test_a_thousand_changes_are_read_with_as_many_statements_as_ten(store: SqliteStore, tmp_path: Path) -> None:
    async def all_of(count: int) -> int:
        before = store.known_version
        names = range(count)
        await change(
            store,
            *[put_mock(f"ovr_{number}") for number in names],
            *[put_scenario(f"scn_{number}", f"ovr_{number}") for number in names],
            *[put_session(f"ci-{number}", f"ovr_{number}") for number in names],
        )
        return _cost(tmp_path, before)[1]

    assert await all_of(10) == await all_of(1_000)


async def test_a_thing_that_changed_and_is_gone_is_none(store: SqliteStore) -> None:
    await change(store, put_mock("ovr_a"), put_scenario("scn_a"), put_session("ci-42"))
    before = store.known_version
    await change(
        store,
        lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"),
        lambda tx: tx.remove_scenario(ENVIRONMENT, "scn_a"),
        lambda tx: tx.remove_session("ses_ci-42"),
        put_mock("ovr_b"),
    )
    changes = await store.load_since(before)
    assert (changes.scenarios, changes.sessions) == ({(ENVIRONMENT, "scn_a"): None}, {"ses_ci-42": None})
    assert {name: each and each.id for (_, name), each in changes.mocks.items()} == {"ovr_a": None, "ovr_b": "ovr_b"}
