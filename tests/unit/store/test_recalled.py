"""What is recalled holds from one lasting change to the next, and sessions come and go in between."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support import records
from support.new_store import new_store
from support.records import ENVIRONMENT
from support.store_steps import Change, Refused, change, fail, furnish, put_mock, put_session
from understudy_server.app.ports import Store, Transaction
from understudy_server.store.sqlite import SqliteStore, remembered


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await new_store(tmp_path)
    await furnish(store)
    yield store
    await store.close()


class _Slug:
    """Asks for the slug of the environment, and counts how often it had to look."""

    def __init__(self) -> None:
        self.looks = 0

    async def __call__(self, tx: Transaction) -> str:
        return await tx.recall("slug", lambda: self._look(tx))

    async def _look(self, tx: Transaction) -> str:
        self.looks += 1
        found = await tx.environment_by_id(ENVIRONMENT)
        return found.message.slug if found else ""


def _renamed(slug: str) -> Change:
    return lambda tx: tx.put_environment(records.environment(slug=slug))


async def _read(store: Store, slug: _Slug) -> str:
    return await store.read(slug)


async def test_it_is_worked_out_once_for_reads_and_writes(store: SqliteStore) -> None:
    slug = _Slug()
    await store.write(slug)
    await store.write(slug)
    assert [await _read(store, slug), store.recalled("slug")] == ["staging", "staging"]
    assert slug.looks == 1


@pytest.mark.parametrize(
    "passing",
    [
        put_session("ci-42"),
        lambda tx: tx.remove_session("ses_ci-1"),
        lambda tx: tx.put_session_mock(records.session("ses_ci-1", "ci-1"), records.mock("ovr_own")),
    ],
    ids=["made", "removed", "given a mock"],
)
async def test_it_holds_while_sessions_change(store: SqliteStore, passing: Change) -> None:
    slug = _Slug()
    await change(store, put_session("ci-1"))
    await _read(store, slug)
    await change(store, passing)

    assert await _read(store, slug) == "staging"
    assert slug.looks == 1


@pytest.mark.parametrize(
    "lasting", [put_mock("ovr_a"), lambda tx: tx.put_key(records.key("key_1")), lambda tx: tx.set_plan(1)]
)
async def test_it_is_looked_up_again_after_any_other_change(store: SqliteStore, lasting: Change) -> None:
    slug = _Slug()
    await _read(store, slug)
    await change(store, lasting, put_session("ci-42"))

    assert store.recalled("slug") is None
    await _read(store, slug)
    assert slug.looks == 2


async def test_work_sees_its_own_change_and_what_was_before_it(store: SqliteStore) -> None:
    slug, seen = _Slug(), list[str]()

    async def work(tx: Transaction) -> None:
        seen.append(await slug(tx))
        await _renamed("live")(tx)
        seen.append(await slug(tx))

    await store.write(work)
    assert [*seen, await _read(store, slug)] == ["staging", "live", "live"]


async def test_a_change_that_failed_is_seen_by_nobody(store: SqliteStore) -> None:
    slug = _Slug()

    async def work(tx: Transaction) -> None:
        await _renamed("live")(tx)
        await slug(tx)
        await fail(tx)

    with pytest.raises(Refused):
        await store.write(work)
    assert await _read(store, slug) == "staging"


async def test_who_is_next_in_a_batch_sees_what_those_before_changed(store: SqliteStore) -> None:
    slug, seen = _Slug(), list[str]()
    await _read(store, slug)

    async def first(tx: Transaction) -> None:
        await _renamed("live")(tx)

    async def second(tx: Transaction) -> None:
        seen.append(await slug(tx))

    await asyncio.gather(store.write(first), store.write(second))
    assert seen == ["live"]


async def test_no_more_is_remembered_than_a_bound(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "ANSWERS_MAX", 10)

    async def answer() -> int:
        return 1

    for number in range(100):
        await store.write(lambda tx, number=number: tx.recall(number, answer))  # type: ignore[misc]
    assert sum(store.recalled(number) is not None for number in range(100)) <= 10


async def test_when_there_are_too_many_the_younger_half_stays(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "ANSWERS_MAX", 10)

    async def answer() -> int:
        return 1

    for number in range(11):
        await store.read(lambda tx, number=number: tx.recall(number, answer))  # type: ignore[misc]
    assert [number for number in range(11) if store.recalled(number) is not None] == [5, 6, 7, 8, 9, 10]


async def test_when_too_many_sessions_were_asked_for_the_younger_half_is_known_still(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "ANSWERS_MAX", 10)
    for number in range(11):
        await store.read(lambda tx, number=number: tx.session(ENVIRONMENT, f"ci-{number}"))  # type: ignore[misc]
    asked = _asked_of_the_file(store, monkeypatch)
    for number in range(10, -1, -1):
        await store.read(lambda tx, number=number: tx.session(ENVIRONMENT, f"ci-{number}"))  # type: ignore[misc]
    assert len(asked) == 5


def _asked_of_the_file(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each time that somebody asks the file from now on."""
    asked, ask = list[None](), store._reader.ask

    def counted(question: Callable[[sqlite3.Connection], Any]) -> Any:
        asked.append(None)
        return ask(question)

    monkeypatch.setattr(store._reader, "ask", counted)
    return asked


async def test_of_work_that_fails_nothing_is_remembered(store: SqliteStore) -> None:
    with pytest.raises(Refused):
        await store.read(lambda tx: tx.recall("unknown", lambda: fail(tx)))
    assert not store._remembered.lasting(store._at.lasting)
