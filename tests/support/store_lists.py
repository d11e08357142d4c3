"""What every store must do when it is asked for lists."""

from collections.abc import Awaitable, Callable

import pytest
from support import records
from support.records import ENVIRONMENT, PROJECT
from support.store_steps import FullStore, activate, change, put_key, put_mock, put_scenario, put_session
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI
from understudy.v1.key_service_pb2 import KEY_SCOPE_FULL, KEY_SCOPE_TEST
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED
from understudy.v1.session_service_pb2 import FOUND_BY_HEADER_NAME
from understudy_server.app.ports import KeyQuery, MockQuery, SessionQuery, Store, Transaction


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

    async def test_the_slugs_of_environments_are_told_for_several_projects(self, store: FullStore) -> None:
        await change(
            store,
            lambda tx: tx.put_project(records.project("prj_0", "zoo")),
            lambda tx: tx.put_project(records.project("prj_1", "bare")),
            lambda tx: tx.put_environment(records.environment("env_0", "a-test")),
            lambda tx: tx.put_environment(records.environment("env_1", "elsewhere", of="prj_0")),
        )

        found = await store.read(lambda tx: tx.environment_slugs([PROJECT, "prj_1"]))

        assert found == {PROJECT: ["a-test", "staging"]}

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

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (SessionQuery(), ["Nightly-Ü", "ci-42", "ci-43", "ended"]),
            (SessionQuery(search="nightly-ü"), ["Nightly-Ü"]),
            (SessionQuery(search="RUN 4"), ["ci-42", "ci-43"]),
            (SessionQuery(scenario="scn_a"), ["Nightly-Ü", "ci-42"]),
            (SessionQuery(scenario="scn_none"), []),
            (SessionQuery(override="ovr_a"), ["ci-42", "ci-43"]),
            (SessionQuery(override="ovr_b"), ["ci-43"]),
            (SessionQuery(search="ci", scenario="scn_a", override="ovr_a"), ["ci-42"]),
            (SessionQuery(alive_at_ms=499), ["Nightly-Ü", "ci-42", "ci-43", "ended"]),
            (SessionQuery(alive_at_ms=500), ["Nightly-Ü", "ci-42", "ci-43"]),
        ],
        ids=str,
    )
    async def test_sessions_are_found_by_text_scenario_override_and_expiry(
        self, store: FullStore, query: SessionQuery, found: list[str]
    ) -> None:
        await change(
            store,
            put_mock("ovr_a"),
            put_mock("ovr_b"),
            # On by its scenario, and so not switched on by itself.
            put_scenario("scn_a", "ovr_b"),
            put_session("Nightly-Ü", scenario_id="scn_a"),
            put_session("ci-42", "ovr_a", scenario_id="scn_a", label="CI run 42"),
            put_session("ci-43", "ovr_b", "ovr_a", label="run 43"),
            put_session("ended", expires_at_ms=500),
        )

        listed = await store.read(lambda tx: tx.sessions(ENVIRONMENT, query, "", 9))

        assert [each.message.session_key for each in listed] == found

    async def test_the_names_of_headers_that_find_sessions_are_told(self, store: FullStore) -> None:
        scoped = records.session("ses_scope", "team-a")
        scoped.message.found_by = FOUND_BY_HEADER_NAME
        await change(store, put_session("ci-42"), lambda tx: tx.put_session(scoped))

        assert await store.read(lambda tx: tx.header_names(ENVIRONMENT)) == {"team-a"}
        assert await store.read(lambda tx: tx.header_names("env_none")) == set()
        await change(store, lambda tx: tx.remove_session("ses_scope"))
        assert await store.read(lambda tx: tx.header_names(ENVIRONMENT)) == set()

    async def test_filtered_pages_are_full_until_the_last(self, store: FullStore) -> None:
        for number in range(9):
            await change(store, put_session(f"ci-{number}", label="odd" if number % 2 else None))
        query = SessionQuery(search="ODD")

        first = await store.read(lambda tx: tx.sessions(ENVIRONMENT, query, "", 3))
        rest = await store.read(lambda tx: tx.sessions(ENVIRONMENT, query, "ci-5", 3))

        assert [each.message.session_key for each in first] == ["ci-1", "ci-3", "ci-5"]
        assert [each.message.session_key for each in rest] == ["ci-7"]

    async def test_a_label_that_was_changed_is_found_by_what_it_is_now(self, store: FullStore) -> None:
        await change(store, put_session("ci-42", label="before"))
        await change(store, put_session("ci-42", label="after"))

        before = await store.read(lambda tx: tx.sessions(ENVIRONMENT, SessionQuery(search="before"), "", 9))
        after = await store.read(lambda tx: tx.sessions(ENVIRONMENT, SessionQuery(search="after"), "", 9))

        assert (len(before), len(after)) == (0, 1)

    async def test_nothing_of_another_environment_is_listed(self, store: FullStore) -> None:
        elsewhere = records.environment("env_2", "test")
        await change(
            store,
            lambda tx: tx.put_environment(elsewhere),
            lambda tx: tx.put_mock("env_2", records.mock("ovr_a", scenario="")),
            lambda tx: tx.set_active("env_2", "ovr_a", active=True),
            lambda tx: tx.put_scenario("env_2", records.scenario("scn_a", ["ovr_a"])),
            lambda tx: tx.put_session(
                records.session("ses_2", "ci-42", overrides=["ovr_a"], scenario_id="scn_a", of="env_2")
            ),
            put_mock("ovr_a"),
        )

        async def found(tx: Transaction) -> list[int]:
            return [
                len(await tx.mocks(ENVIRONMENT, MockQuery(active=True), "", 9)),
                len(await tx.scenarios(ENVIRONMENT, "", None, 9, "ovr_a")),
                len(await tx.sessions(ENVIRONMENT, SessionQuery(scenario="scn_a"), "", 9)),
                len(await tx.sessions(ENVIRONMENT, SessionQuery(override="ovr_a"), "", 9)),
            ]

        assert await store.read(found) == [0, 0, 0, 0]

    @pytest.mark.parametrize(
        ("search", "projects", "environments"),
        [("SHOP", ["b-shop"], []), ("ß", ["checkout"], ["test"]), ("", ["b-shop", "checkout"], ["staging", "test"])],
    )
    async def test_projects_and_environments_are_searched_by_slug_and_name(
        self, store: FullStore, search: str, projects: list[str], environments: list[str]
    ) -> None:
        await change(
            store,
            lambda tx: tx.put_project(records.project(name="Große Kasse")),
            lambda tx: tx.put_project(records.project("prj_0", "b-shop", name="Zoo")),
            lambda tx: tx.put_environment(records.environment("env_0", "test", name="Spaß")),
        )

        found = await store.read(lambda tx: tx.projects("", 9, search))
        within = await store.read(lambda tx: tx.environments(PROJECT, "", 9, search))

        assert [each.message.slug for each in found] == projects
        assert [each.message.slug for each in within] == environments

    @pytest.mark.parametrize(
        ("mock", "search", "found"),
        [
            ("ovr_a", "", ["scn_c", "scn_a"]),
            ("ovr_local", "", ["scn_b"]),
            ("ovr_none", "", []),
            ("ovr_a", "SCN_A", ["scn_a"]),
        ],
    )
    async def test_scenarios_are_found_by_a_mock_that_they_list_or_that_is_theirs_alone(
        self, store: FullStore, mock: str, search: str, found: list[str]
    ) -> None:
        await change(
            store,
            put_mock("ovr_a"),
            put_scenario("scn_a", "ovr_a", created_at_ms=1),
            put_scenario("scn_b", created_at_ms=2),
            put_scenario("scn_c", "ovr_a", created_at_ms=3),
            put_mock("ovr_local", scenario="scn_b"),
        )

        listed = await store.read(lambda tx: tx.scenarios(ENVIRONMENT, search, None, 9, mock))

        assert [each.id for each in listed] == found

    async def test_pages_of_scenarios_with_a_mock_join(self, store: FullStore) -> None:
        await change(store, put_mock("ovr_a"))
        for number in range(5):
            await change(store, put_scenario(f"scn_{number}", *(["ovr_a"] * (number % 2)), created_at_ms=number))

        first = await store.read(lambda tx: tx.scenarios(ENVIRONMENT, "", None, 1, "ovr_a"))
        rest = await store.read(lambda tx: tx.scenarios(ENVIRONMENT, "", (3, "scn_3"), 9, "ovr_a"))

        assert [each.id for each in (*first, *rest)] == ["scn_3", "scn_1"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (MockQuery(), ["ovr_a", "ovr_b", "ovr_c"]),
            (MockQuery(search="PAY"), ["ovr_a", "ovr_b"]),
            (MockQuery(search="OVR_C"), ["ovr_c"]),
            (MockQuery(state=MOCK_STATE_PUBLISHED), ["ovr_a"]),
            (MockQuery(drafts_of="key_1"), ["ovr_a", "ovr_b"]),
            (MockQuery(state=MOCK_STATE_DRAFT, drafts_of="key_2"), ["ovr_c"]),
            (MockQuery(active=True), ["ovr_a"]),
            (MockQuery(active=False), ["ovr_b", "ovr_c"]),
            (MockQuery(scenario="scn_a"), ["ovr_c"]),
            (MockQuery(scenario="scn_b"), []),
            (MockQuery(library_only=True), ["ovr_a", "ovr_b"]),
            (MockQuery(scenario="scn_a", library_only=True), []),
            (MockQuery(active=False, library_only=True, search="pay"), ["ovr_b"]),
        ],
        ids=str,
    )
    async def test_mocks_are_found_by_text_state_author_activation_and_home(
        self, store: FullStore, query: MockQuery, found: list[str]
    ) -> None:
        await change(
            store,
            put_mock("ovr_a", name="Pay", created_by="key_3"),
            put_mock("ovr_b", name="repay", state=MOCK_STATE_DRAFT),
            put_scenario("scn_a"),
            put_mock("ovr_c", state=MOCK_STATE_DRAFT, created_by="key_2", scenario="scn_a"),
            activate("ovr_a"),
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

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (KeyQuery(search="ci"), ["key_3", "key_1"]),
            (KeyQuery(role=ROLE_ADMIN), ["key_2"]),
            (KeyQuery(active=True, now_ms=499), ["key_3", "key_1"]),
            (KeyQuery(active=True, now_ms=500), ["key_1"]),
            (KeyQuery(active=False, now_ms=500), ["key_3", "key_2"]),
            (KeyQuery(search="CI", active=True, role=ROLE_CI, now_ms=500), ["key_1"]),
            (KeyQuery(scopes=frozenset({KEY_SCOPE_TEST, KEY_SCOPE_FULL})), ["key_3"]),
            (KeyQuery(scopes=frozenset({0})), ["key_2", "key_1"]),
            (KeyQuery(scopes=frozenset()), []),
        ],
        ids=str,
    )
    async def test_keys_are_found_by_name_role_scope_and_whether_they_work(
        self, store: FullStore, query: KeyQuery, found: list[str]
    ) -> None:
        await change(
            store,
            put_key("key_1", name="CI"),
            put_key("key_2", name="Operator", role=ROLE_ADMIN, revoked_at_ms=10),
            put_key("key_3", name="ci of checkout", scope=KEY_SCOPE_TEST, expires_at_ms=500),
        )

        listed = await store.read(lambda tx: tx.keys("", 9, "", "", query))

        assert [each.message.id for each in listed] == found

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
    return [each.message.session_key for each in await tx.sessions(ENVIRONMENT, SessionQuery(), after, limit)]


async def _paged(store: Store, page: Callable[[Transaction, str], Awaitable[list[str]]]) -> list[str]:
    """All that pages hold together, each asked for after the last name of the one before."""
    found: list[str] = []

    async def next_page(tx: Transaction) -> list[str]:
        return await page(tx, found[-1] if found else "")

    while names := await store.read(next_page):
        found += names
    return found
