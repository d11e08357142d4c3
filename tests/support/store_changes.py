"""What every store must tell of its version and of what changed since one."""

from dataclasses import replace

import pytest
from support import records
from support.mirror import Mirror, full
from support.records import ENVIRONMENT, PROJECT
from support.store_steps import Change, FullStore, activate, change, changes_of, put_mock, put_scenario, put_session
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.definitions.environments import compile_redaction
from understudy_server.live.source import Changes, EnvironmentRow


class VersionsAndChanges:
    """The version moves exactly with each change, and what changed since one is exactly that."""

    @pytest.mark.parametrize(
        "what",
        [
            lambda tx: tx.set_plan(2),
            lambda tx: tx.put_key(records.key("key_2")),
            lambda tx: tx.put_project(records.project("prj_2", "billing")),
            lambda tx: tx.put_environment(records.environment(upstream="http://127.0.0.1:10")),
            put_mock("ovr_a"),
            put_scenario("scn_a"),
            put_session("ci-42"),
            lambda tx: tx.remove_environment(ENVIRONMENT),
        ],
    )
    async def test_a_change_moves_the_version_by_one(self, store: FullStore, what: Change) -> None:
        before = await store.version()

        await change(store, what)

        assert await store.version() == before + 1

    async def test_many_changes_of_one_unit_move_the_version_by_one(self, store: FullStore) -> None:
        before = await store.version()

        await change(store, put_mock("ovr_a"), put_scenario("scn_a", "ovr_a"), put_session("ci-42", "ovr_a"))

        assert await store.version() == before + 1

    @pytest.mark.parametrize(
        "nothing",
        [
            lambda tx: tx.plan(),
            lambda tx: tx.set_plan(4),
            lambda tx: tx.remove_project("prj_unknown"),
            lambda tx: tx.remove_environment("env_unknown"),
            lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_unknown"),
            lambda tx: tx.switch_off(ENVIRONMENT, "ovr_unknown"),
            lambda tx: tx.set_active(ENVIRONMENT, "ovr_unknown", active=False),
            lambda tx: tx.remove_scenario(ENVIRONMENT, "scn_unknown"),
            lambda tx: tx.remove_session("ses_unknown"),
        ],
    )
    async def test_what_changes_nothing_leaves_the_version(self, store: FullStore, nothing: Change) -> None:
        before = await store.version()

        await change(store, nothing)

        assert await store.version() == before

    async def test_switching_on_what_is_on_leaves_the_version(self, store: FullStore) -> None:
        await change(store, put_mock("ovr_a"), activate("ovr_a"))
        before = await store.version()

        await change(store, activate("ovr_a"))

        assert await store.version() == before

    async def test_the_version_known_without_asking_is_the_current_one(self, store: FullStore) -> None:
        await change(store, put_session("ci-42"))

        assert store.known_version in (None, await store.version())

    async def test_everything_is_loaded_at_first(self, store: FullStore) -> None:
        await change(store, put_mock("ovr_a"), put_scenario("scn_a", "ovr_a"), put_session("ci-42", "ovr_a"))

        changes = await store.load_since(0)

        assert changes.complete
        assert changes.version == await store.version()
        assert set(changes.environments) == {ENVIRONMENT}
        assert set(changes.mocks) == {(ENVIRONMENT, "ovr_a")}
        assert set(changes.scenarios) == {(ENVIRONMENT, "scn_a")}
        assert set(changes.sessions) == {"ses_ci-42"}

    async def test_nothing_is_loaded_when_nothing_changed(self, store: FullStore) -> None:
        version = await store.version()

        assert await store.load_since(version) == Changes(version)

    async def test_only_what_changed_is_loaded(self, store: FullStore) -> None:
        await change(store, put_mock("ovr_a"), put_session("ci-1"), put_session("ci-2"))

        changes = await changes_of(store, put_session("ci-2", "ovr_a"))

        assert not changes.complete
        assert (changes.environments, changes.mocks, changes.scenarios) == ({}, {}, {})
        assert [each and each.overrides for each in changes.sessions.values()] == [("ovr_a",)]

    async def test_a_thing_changed_twice_is_loaded_as_it_is_now(self, store: FullStore) -> None:
        before = await store.version()
        await change(store, put_session("ci-42"))
        await change(store, lambda tx: tx.remove_session("ses_ci-42"))

        assert (await store.load_since(before)).sessions == {"ses_ci-42": None}

    async def test_keys_and_plans_are_no_part_of_what_is_loaded(self, store: FullStore) -> None:
        changes = await changes_of(store, lambda tx: tx.put_key(records.key("key_2")), lambda tx: tx.set_plan(1))

        assert changes == Changes(await store.version())

    async def test_a_removed_session_is_gone(self, store: FullStore) -> None:
        await change(store, put_session("ci-42"))

        changes = await changes_of(store, lambda tx: tx.remove_session("ses_ci-42"))

        assert changes.sessions == {"ses_ci-42": None}

    async def test_a_session_that_begins_anew_has_another_state(self, store: FullStore) -> None:
        first = records.session("ses_1", "ci-42")
        before = await changes_of(store, lambda tx: tx.put_session(first))
        after = await changes_of(store, lambda tx: tx.put_session(replace(first, generation=2)))

        rows = [each.sessions["ses_1"] for each in (before, after)]
        assert [row and row.state_id for row in rows] == ["ses_1.1", "ses_1.2"]
        assert await store.read(lambda tx: tx.session(ENVIRONMENT, "ci-42")) == replace(first, generation=2)
        assert await store.read(lambda tx: tx.state_ids()) == {"ses_1.2"}

    async def test_the_states_of_all_sessions_and_the_ids_of_all_environments_are_known(self, store: FullStore) -> None:
        other = records.environment("env_other", "other")
        await change(
            store,
            lambda tx: tx.put_environment(other),
            lambda tx: tx.put_session(records.session("ses_1", "a")),
            lambda tx: tx.put_session(records.session("ses_2", "a", of="env_other")),
        )

        assert await store.read(lambda tx: tx.environment_ids()) == {ENVIRONMENT, "env_other"}
        assert await store.read(lambda tx: tx.state_ids()) == {"ses_1.1", "ses_2.1"}
        await change(store, lambda tx: tx.remove_environment("env_other"))
        assert await store.read(lambda tx: tx.environment_ids()) == {ENVIRONMENT}
        assert await store.read(lambda tx: tx.state_ids()) == {"ses_1.1"}

    async def test_a_removed_environment_takes_all_with_it(self, store: FullStore) -> None:
        await change(
            store,
            put_mock("ovr_a"),
            put_scenario("scn_a", "ovr_a"),
            put_mock("ovr_local", scenario="scn_a"),
            put_session("ci-42", "ovr_a", scenario_id="scn_a"),
            activate("ovr_a"),
        )

        changes = await changes_of(store, lambda tx: tx.remove_environment(ENVIRONMENT))

        assert changes.environments == {ENVIRONMENT: None}
        assert changes.mocks == {(ENVIRONMENT, "ovr_a"): None, (ENVIRONMENT, "ovr_local"): None}
        assert changes.scenarios == {(ENVIRONMENT, "scn_a"): None}
        assert changes.sessions == {"ses_ci-42": None}
        assert await full(store) == Mirror(changes.version)

    async def test_a_removed_mock_is_taken_from_everything_that_uses_it(self, store: FullStore) -> None:
        await _use_everywhere(store, "ovr_a")

        changes = await changes_of(store, lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"))

        assert changes.mocks == {(ENVIRONMENT, "ovr_a"): None}
        _assert_unused(changes)

    async def test_a_mock_switched_off_is_taken_from_everything_that_uses_it(self, store: FullStore) -> None:
        await _use_everywhere(store, "ovr_a")

        changes = await changes_of(
            store,
            lambda tx: tx.switch_off(ENVIRONMENT, "ovr_a"),
            lambda tx: tx.put_mock(ENVIRONMENT, records.mock("ovr_a", state=MOCK_STATE_DRAFT)),
        )

        assert [each and each.state for each in changes.mocks.values()] == [MOCK_STATE_DRAFT]
        _assert_unused(changes)

    async def test_a_mock_switched_on_changes_with_its_environment(self, store: FullStore) -> None:
        await change(store, put_mock("ovr_b"), put_mock("ovr_a"), activate("ovr_b"))

        changes = await changes_of(store, activate("ovr_a"))

        environment = changes.environments[ENVIRONMENT]
        assert environment is not None
        assert environment.active_mocks == ("ovr_b", "ovr_a")
        assert [each and each.active for each in changes.mocks.values()] == [True]

    async def test_a_local_mock_changes_its_scenario(self, store: FullStore) -> None:
        await change(store, put_scenario("scn_a"))

        changes = await changes_of(store, put_mock("ovr_local", scenario="scn_a"))

        assert [each and each.local_mocks for each in changes.scenarios.values()] == [["ovr_local"]]

    async def test_a_local_mock_that_goes_changes_its_scenario(self, store: FullStore) -> None:
        await change(store, put_scenario("scn_a"), put_mock("ovr_local", scenario="scn_a"))

        changes = await changes_of(store, lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_local"))

        assert [each and each.local_mocks for each in changes.scenarios.values()] == [[]]

    async def test_a_mock_that_moves_changes_both_scenarios(self, store: FullStore) -> None:
        await change(store, put_scenario("scn_a"), put_scenario("scn_b"), put_mock("ovr_local", scenario="scn_a"))

        changes = await changes_of(store, put_mock("ovr_local", scenario="scn_b"))

        local = {name: each and each.local_mocks for (_, name), each in changes.scenarios.items()}
        assert local == {"scn_a": [], "scn_b": ["ovr_local"]}

    async def test_a_removed_scenario_takes_its_mocks_and_leaves_its_sessions(self, store: FullStore) -> None:
        await change(
            store,
            put_mock("ovr_a"),
            put_scenario("scn_a", "ovr_a"),
            put_mock("ovr_local", scenario="scn_a"),
            put_session("ci-42", scenario_id="scn_a"),
        )

        changes = await changes_of(store, lambda tx: tx.remove_scenario(ENVIRONMENT, "scn_a"))

        assert changes.scenarios == {(ENVIRONMENT, "scn_a"): None}
        assert changes.mocks == {(ENVIRONMENT, "ovr_local"): None}
        assert [each and each.scenario_id for each in changes.sessions.values()] == [""]

    async def test_the_settings_of_an_environment_are_loaded_with_it(self, store: FullStore) -> None:
        put = records.environment(hosts=("b.test", "a.test"))
        put.message.carriers.add(query="run")
        put.message.carriers.add(jwt_claim="user.session")
        put.message.strict = put.message.tunnel_upgrades = put.message.strip_session_header = True
        put.message.cors.forward_preflights = put.message.cors.leave_answers = True
        put.message.redaction.headers.append("X-Token")
        put.message.redaction.query.append("token")
        put.message.redaction.json_paths.append("$.card.number")
        put.message.limits.request_body_bytes_max = 1
        put.message.limits.captured_bytes_max = 0
        put.message.limits.first_byte_ms = 2
        put.message.limits.session_log_entries_max = 3
        put.message.limits.session_log_bytes_max = 4
        put.message.limits.log_entries_max = 5
        put.message.limits.log_bytes_max = 6
        put.message.limits.log_retention_seconds = 7

        changes = await changes_of(store, lambda tx: tx.put_environment(put))

        assert changes.environments[ENVIRONMENT] == EnvironmentRow(
            ENVIRONMENT,
            PROJECT,
            "checkout",
            "staging",
            put.message.upstream,
            active_mocks=(),
            hosts=("b.test", "a.test"),
            carriers=(Carrier(CarrierKind.QUERY, "run"), Carrier(CarrierKind.JWT_CLAIM, "user.session")),
            strict=True,
            answers_preflights=False,
            adds_cors_headers=False,
            tunnels_upgrades=True,
            forwards_session_header=False,
            redaction=compile_redaction(put.message.redaction),
            request_body_bytes_max=1,
            captured_bytes_max=0,
            first_byte_ms=2,
            session_log_entries_max=3,
            session_log_bytes_max=4,
            log_entries_max=5,
            log_bytes_max=6,
            log_retention_ms=7_000,
        )

    async def test_settings_that_were_never_set_are_the_defaults(self, store: FullStore) -> None:
        changes = await changes_of(store, lambda tx: tx.put_environment(records.environment(upstream="")))

        row = EnvironmentRow(ENVIRONMENT, PROJECT, "checkout", "staging", "", active_mocks=())
        assert changes.environments == {ENVIRONMENT: row}

    async def test_a_host_that_passes_on_changes_both_environments(self, store: FullStore) -> None:
        await change(
            store,
            lambda tx: tx.put_environment(records.environment(hosts=("a.test",))),
            lambda tx: tx.put_environment(records.environment("env_2", "test")),
        )

        changes = await changes_of(
            store,
            lambda tx: tx.put_environment(records.environment()),
            lambda tx: tx.put_environment(records.environment("env_2", "test", hosts=("a.test",))),
        )

        assert {name: each and each.hosts for name, each in changes.environments.items()} == {
            ENVIRONMENT: (),
            "env_2": ("a.test",),
        }

    async def test_a_project_that_is_renamed_changes_its_environments(self, store: FullStore) -> None:
        changes = await changes_of(store, lambda tx: tx.put_project(records.project(slug="till")))

        assert [each and each.project_slug for each in changes.environments.values()] == ["till"]

    async def test_a_reader_behind_what_was_trimmed_loads_everything(self, store: FullStore) -> None:
        before = await store.version()
        await change(store, put_session("ci-1"))
        await change(store, put_session("ci-2"))

        await store.trim(0)

        assert (await store.load_since(before)).complete

    async def test_a_reader_within_what_is_kept_loads_what_changed(self, store: FullStore) -> None:
        await change(store, put_session("ci-1"))
        before = await store.version()
        await change(store, put_session("ci-2"))

        await store.trim(1)

        changes = await store.load_since(before)
        assert not changes.complete
        assert set(changes.sessions) == {"ses_ci-2"}

    async def test_trimming_leaves_the_version(self, store: FullStore) -> None:
        before = await full(store)

        await store.trim(0)

        assert await full(store) == before


async def _use_everywhere(store: FullStore, mock_id: str) -> None:
    await change(
        store,
        put_mock(mock_id),
        put_scenario("scn_a", mock_id),
        put_session("ci-42", mock_id),
        put_session("bystander"),
        activate(mock_id),
    )


def _assert_unused(changes: Changes) -> None:
    assert [each and each.overrides for each in changes.sessions.values()] == [()]
    assert [each and list(each.mocks) for each in changes.scenarios.values()] == [[]]
    assert [each and each.active_mocks for each in changes.environments.values()] == [()]
