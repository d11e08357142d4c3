"""What every store must do when it is asked for lists."""

from collections.abc import Awaitable, Callable

import pytest
from support import records
from support.records import ENVIRONMENT, PROJECT
from support.store_steps import FullStore, change, put_key, put_mock, put_scenario, put_session
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED
from understudy_server.app.ports import MockQuery, Store, Transaction


class Lists:
    """Pages, searches and filters."""

    async def test_pages_of_sessions_join_into_the_whole(self, store: FullStore) -> None:
        keys = ["Z", "a", "b", "ä", "日本", "🎭"]
        await change(store, *(put_session(each) for each in reversed(keys)))

        assert await _paged(store, lambda tx, after: _keys_after(tx, after, limit=2)) == keys

    async def test_pages_of_mocks_join_into_the_whole(self, store: FullStore) -> None:
        ids = [f"ovr_{letter}" for letter in "ABab"]
        await change(store, *(put_mock(each) for each in reversed(ids)))

        async def page(tx: Transaction, after: str) -> list[str]:
            return [each.id for each in await tx.mocks(ENVIRONMENT, MockQuery(), after, 3)]

        assert await _paged(store, page) == ids

    async def test_pages_of_scenarios_go_back_in_time(self, store: FullStore) -> None:
        for scenario_id, moment in (("scn_b", 5), ("scn_a", 5), ("scn_c", 3), ("scn_d", 9)):
            await change(store, put_scenario(scenario_id, created_at_ms=moment))

        first = await store.read(lambda tx: tx.scenarios(ENVIRONMENT, "", None, 2))
        rest = await store.read(lambda tx: tx.scenarios(ENVIRONMENT, "", (5, "scn_b"), 9))

        assert [each.id for each in (*first, *rest)] == ["scn_d", "scn_b", "scn_a", "scn_c"]

    async def test_environments_and_projects_are_listed_by_slug(self, store: FullStore) -> None:
        await change(
            store,
            lambda tx: tx.put_project(records.project("prj_0", "zoo")),
            lambda tx: tx.put_environment(records.environment("env_0", "test")),
            lambda tx: tx.put_environment(records.environment("env_1", "elsewhere", of="prj_0")),
        )

        projects = await store.read(lambda tx: tx.projects("", 9))
        environments = await store.read(lambda tx: tx.environments(PROJECT, "s", 9))

        assert [each.message.slug for each in projects] == ["checkout", "zoo"]
        assert [each.message.slug for each in environments] == ["staging", "test"]
        assert {each.message.project for each in environments} == {"checkout"}

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("STRASSE", ["Straße"]),
            ("ÉTÉ", ["été"]),
            ("日", ["日本"]),
            ("%", []),
            ("_", []),
            ("", ["Straße", "été", "日本"]),
        ],
    )
    async def test_search_finds_parts_of_names_in_any_case(
        self, store: FullStore, search: str, found: list[str]
    ) -> None:
        for number, name in enumerate(("Straße", "été", "日本")):
            await change(store, put_scenario(f"scn-{number}", name=name, created_at_ms=9 - number))

        scenarios = await store.read(lambda tx: tx.scenarios(ENVIRONMENT, search, None, 9))

        assert [each.name for each in scenarios] == found

    async def test_sessions_are_searched_by_key(self, store: FullStore) -> None:
        await change(store, put_session("Nightly-Ü"), put_session("ci-42"))

        found = await store.read(lambda tx: tx.sessions(ENVIRONMENT, "nightly-ü", "", 9))

        assert [each.message.session_key for each in found] == ["Nightly-Ü"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (MockQuery(), ["ovr_a", "ovr_b", "ovr_c"]),
            (MockQuery(search="PAY"), ["ovr_a", "ovr_b"]),
            (MockQuery(search="OVR_C"), ["ovr_c"]),
            (MockQuery(state=MOCK_STATE_PUBLISHED), ["ovr_a"]),
            (MockQuery(drafts_of="key_1"), ["ovr_a", "ovr_b"]),
            (MockQuery(state=MOCK_STATE_DRAFT, drafts_of="key_2"), ["ovr_c"]),
        ],
    )
    async def test_mocks_are_found_by_text_state_and_author(
        self, store: FullStore, query: MockQuery, found: list[str]
    ) -> None:
        await change(
            store,
            put_mock("ovr_a", name="Pay", created_by="key_3"),
            put_mock("ovr_b", name="repay", state=MOCK_STATE_DRAFT),
            put_mock("ovr_c", state=MOCK_STATE_DRAFT, created_by="key_2"),
        )

        listed = await store.read(lambda tx: tx.mocks(ENVIRONMENT, query, "", 9))

        assert [each.id for each in listed] == found

    async def test_keys_are_listed_newest_first_within_a_reach(self, store: FullStore) -> None:
        for number in range(4):
            await change(store, put_key(f"key_{number}", project_id=PROJECT if number % 2 else ""))

        every = await store.read(lambda tx: tx.keys("", 3, "", ""))
        older = await store.read(lambda tx: tx.keys("key_3", 9, PROJECT, ""))

        assert [each.message.id for each in every] == ["key_3", "key_2", "key_1"]
        assert [each.message.id for each in older] == ["key_1"]

    async def test_a_key_counts_until_it_expires(self, store: FullStore) -> None:
        await change(store, put_key("key_1", expires_at_ms=500))

        assert await store.read(lambda tx: tx.active_keys(499)) == 1
        assert await store.read(lambda tx: tx.active_keys(500)) == 0

    async def test_sessions_that_end_are_told_apart(self, store: FullStore) -> None:
        await change(
            store,
            put_session("expired", expires_at_ms=500, updated_at_ms=10),
            put_session("idle", updated_at_ms=10),
            put_session("later", expires_at_ms=501, updated_at_ms=100),
        )

        ending = await store.read(lambda tx: tx.ending(500, 100))

        assert sorted(ending) == [("ses_expired", True), ("ses_idle", False)]


async def _keys_after(tx: Transaction, after: str, limit: int) -> list[str]:
    return [each.message.session_key for each in await tx.sessions(ENVIRONMENT, "", after, limit)]


async def _paged(store: Store, page: Callable[[Transaction, str], Awaitable[list[str]]]) -> list[str]:
    """All that pages hold together, each asked for after the last name of the one before."""
    found: list[str] = []

    async def next_page(tx: Transaction) -> list[str]:
        return await page(tx, found[-1] if found else "")

    while names := await store.read(next_page):
        found += names
    return found
