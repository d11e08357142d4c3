"""Of a session that was read only what differs is written, and it is found and read as it was written last."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import records
from support.new_store import new_store
from support.records import ENVIRONMENT, session
from support.store_steps import change, furnish, put_mock, put_scenario
from understudy.v1.session_service_pb2 import FOUND_BY_HEADER_NAME
from understudy_server.app.ports import SessionQuery, SessionRecord, Transaction
from understudy_server.store.sqlite import SqliteStore

KEY, OTHER_KEY = "ci-42", "ci-43"
LATE_MS = 10_000


def _found_by_a_header(name: str) -> SessionRecord:
    record = session("ses_1", name)
    record.message.found_by = FOUND_BY_HEADER_NAME
    return record


STATES = {
    "plain": session("ses_1", KEY),
    "labelled": session("ses_1", KEY, label="CI"),
    "with overrides": session("ses_1", KEY, overrides=("ovr_a", "ovr_b")),
    "in another order": session("ses_1", KEY, overrides=("ovr_b", "ovr_a")),
    "in a scenario": session("ses_1", KEY, scenario_id="scn_1"),
    "that expires": session("ses_1", KEY, expires_at_ms=5_000),
    "with all of it": session("ses_1", KEY, overrides=("ovr_b",), scenario_id="scn_1", label="CI", expires_at_ms=7_000),
    "under another key": session("ses_1", OTHER_KEY),
    "found by a header": _found_by_a_header("x-user"),
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await new_store(tmp_path)
    await furnish(store)
    await change(store, put_mock("ovr_a"), put_mock("ovr_b"), put_scenario("scn_1"))
    yield store
    await store.close()


async def _check(tx: Transaction, expected: SessionRecord) -> None:
    message = expected.message
    assert await tx.session(ENVIRONMENT, message.session_key) == expected
    keys = {each.message.session_key for each in STATES.values()} - {message.session_key}
    assert [await tx.session(ENVIRONMENT, key) for key in keys] == [None] * len(keys)
    for query, is_listed in (
        (SessionQuery(scenario="scn_1"), message.scenario == "scn_1"),
        (SessionQuery(override="ovr_b"), "ovr_b" in message.overrides),
        (SessionQuery(search="CI"), message.label == "CI" or "ci" in message.session_key),
        (SessionQuery(alive_at_ms=6_000), message.expires_at.seconds != 5),
    ):
        assert bool(await tx.sessions(ENVIRONMENT, query, "", 10)) == is_listed
    expired = [session_id for session_id, has_expired in await tx.ending(LATE_MS, 0) if has_expired]
    assert expired == (["ses_1"] if message.HasField("expires_at") else [])


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(STATES, 2)))
async def test_a_session_becomes_what_is_written(store: SqliteStore, before: str, after: str) -> None:
    async def read_and_write(tx: Transaction) -> None:
        await tx.session(ENVIRONMENT, STATES[before].message.session_key)
        await tx.put_session(STATES[after])
        await _check(tx, STATES[after])

    await change(store, lambda tx: tx.put_session(STATES[before]))
    await change(store, read_and_write)
    await store.read(lambda tx: _check(tx, STATES[after]))


@pytest.mark.parametrize(("before", "after"), [("plain", "with all of it"), ("with all of it", "in another order")])
async def test_one_that_was_not_read_is_written_all_the_same(store: SqliteStore, before: str, after: str) -> None:
    await change(store, lambda tx: tx.put_session(STATES[before]))
    await change(store, lambda tx: tx.put_session(STATES[after]))
    await store.read(lambda tx: _check(tx, STATES[after]))


async def test_all_states_one_after_the_other_in_one_unit(store: SqliteStore) -> None:
    async def work(tx: Transaction) -> None:
        for record in [*STATES.values(), *reversed(STATES.values())]:
            await tx.put_session(record)
            await _check(tx, record)

    await change(store, work)


async def test_one_that_was_removed_after_it_was_read_is_made_anew(store: SqliteStore) -> None:
    record = STATES["with all of it"]

    async def work(tx: Transaction) -> None:
        await tx.session(ENVIRONMENT, KEY)
        await tx.remove_session("ses_1")
        await tx.put_session(record)

    await change(store, lambda tx: tx.put_session(record))
    await change(store, work)
    await store.read(lambda tx: _check(tx, record))


async def test_what_a_removed_mock_took_with_it_after_the_read_can_be_put_again(store: SqliteStore) -> None:
    record = STATES["with overrides"]

    async def work(tx: Transaction) -> None:
        await tx.session(ENVIRONMENT, KEY)
        await tx.remove_mock(ENVIRONMENT, "ovr_b")
        await tx.put_mock(ENVIRONMENT, records.mock("ovr_b"))
        await tx.put_session(record)

    await change(store, lambda tx: tx.put_session(record))
    await change(store, work)
    await store.read(lambda tx: _check(tx, record))
