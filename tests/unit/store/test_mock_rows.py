"""Of a mock that is put again, whatever changed is written: what it says, and what lists look at."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support import records
from support.new_store import new_store
from support.records import ENVIRONMENT
from support.store_steps import change, furnish
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, Mock
from understudy_server.app.ports import MockQuery
from understudy_server.store.sqlite import SqliteStore

Edit = Callable[[Mock], object]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await new_store(tmp_path)
    await furnish(store)
    await change(store, lambda tx: tx.put_scenario(ENVIRONMENT, records.scenario("scn_a")))
    yield store
    await store.close()


def _mock(mock_id: str, revision: int = 1) -> Mock:
    mock = records.mock(mock_id, name=f"Mock {mock_id}")
    mock.revision = revision
    return mock


async def _put(store: SqliteStore, *mocks: Mock) -> None:
    await change(store, lambda tx: tx.put_mocks(ENVIRONMENT, mocks))


async def _found(store: SqliteStore, query: MockQuery) -> list[str]:
    return [mock.id for mock in await store.read(lambda tx: tx.mocks(ENVIRONMENT, query, "", 9))]


async def _kept(store: SqliteStore) -> dict[str, Mock]:
    contents = await store.read(lambda tx: tx.contents(ENVIRONMENT))
    return {mock.id: mock for mock in contents.mocks}


@pytest.mark.parametrize(
    ("edit", "query"),
    [
        (lambda mock: setattr(mock, "name", "Another"), MockQuery(search="another")),
        (lambda mock: setattr(mock, "state", MOCK_STATE_DRAFT), MockQuery(state=MOCK_STATE_DRAFT)),
        (lambda mock: setattr(mock, "created_by", "key_2"), MockQuery(state=MOCK_STATE_DRAFT, drafts_of="key_2")),
        (lambda mock: mock.tags.append("slow"), MockQuery(tags=("slow",))),
        (lambda mock: setattr(mock, "scenario", "scn_a"), MockQuery(scenario="scn_a")),
    ],
)
async def test_lists_find_a_mock_by_what_it_is_now(store: SqliteStore, edit: Edit, query: MockQuery) -> None:
    same, changed, new = _mock("ovr_a", 2), _mock("ovr_b", 2), _mock("ovr_c")
    await _put(store, _mock("ovr_a"), _mock("ovr_b"))
    same.matcher.path = "/elsewhere"
    edit(changed)
    if query.drafts_of:
        changed.state = MOCK_STATE_DRAFT

    await _put(store, same, changed, new)

    assert await _found(store, query) == ["ovr_b"]
    assert await _kept(store) == {"ovr_a": same, "ovr_b": changed, "ovr_c": new}


async def test_a_mock_that_says_something_else_is_all_that_it_was_to_lists(store: SqliteStore) -> None:
    before, after = _mock("ovr_a"), _mock("ovr_a", 2)
    for mock in (before, after):
        mock.tags.append("slow")
    after.matcher.path = "/elsewhere"
    await _put(store, before)
    await _put(store, after)

    assert await _found(store, MockQuery(search="mock", tags=("slow",), library_only=True)) == ["ovr_a"]
    assert await _kept(store) == {"ovr_a": after}


async def test_a_mock_of_another_source_is_that_ones(store: SqliteStore) -> None:
    before, after = _mock("ovr_a"), _mock("ovr_a", 2)
    before.managed_by, after.managed_by = "one.yaml", "other.yaml"
    await _put(store, before)
    await _put(store, after)

    assert (await _kept(store))["ovr_a"].managed_by == "other.yaml"
    places = await store.read(lambda tx: tx.places_of("one.yaml"))
    assert list(places) == []


async def test_a_mock_that_is_put_at_a_later_revision_may_be_new(store: SqliteStore) -> None:
    """So it is with one that was removed and comes back."""
    await _put(store, _mock("ovr_a", 7))

    assert await _kept(store) == {"ovr_a": _mock("ovr_a", 7)}


async def test_what_is_put_again_as_it_was_stays(store: SqliteStore) -> None:
    await _put(store, _mock("ovr_a"))
    await _put(store, _mock("ovr_a"))

    assert await _kept(store) == {"ovr_a": _mock("ovr_a")}
