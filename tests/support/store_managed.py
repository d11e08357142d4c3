"""What every store must do about sources of manifests, and with many things at once."""

import pytest
from support import records
from support.records import ENVIRONMENT, PROJECT
from support.store_steps import Change, FullStore, activate, change, changes_of, put_mock, put_scenario, put_session
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.app.ports import (
    Contents,
    EnvironmentRecord,
    OrganisationRecord,
    ProjectRecord,
    SessionUse,
    SourceRecord,
)

TEAM = "team.yaml"


def managed_mock(mock_id: str, scenario: str = "", source: str = TEAM) -> Mock:
    made = records.mock(mock_id, scenario=scenario)
    made.managed_by = source
    return made


def managed_scenario(scenario_id: str, *mocks: str, source: str = TEAM) -> Scenario:
    made = records.scenario(scenario_id, mocks)
    made.managed_by = source
    return made


def managed_project(project: ProjectRecord) -> ProjectRecord:
    project.message.managed_by = TEAM
    return project


def managed_environment(environment: EnvironmentRecord) -> EnvironmentRecord:
    environment.message.managed_by = TEAM
    environment.message.project = "checkout"
    return environment


class Managed:
    """Sources, the organisation, and writes of many things."""

    async def test_who_declares_a_thing_is_read_back(self, store: FullStore) -> None:
        project, environment = managed_project(records.project()), managed_environment(records.environment())
        mock, scenario = managed_mock("ovr_a"), managed_scenario("scn_a")
        await change(
            store,
            lambda tx: tx.put_project(project),
            lambda tx: tx.put_environment(environment),
            lambda tx: tx.put_mock(ENVIRONMENT, mock),
            lambda tx: tx.put_scenario(ENVIRONMENT, scenario),
        )

        assert await store.read(lambda tx: tx.project("checkout")) == project
        assert await store.read(lambda tx: tx.environment_by_id(ENVIRONMENT)) == environment
        assert await store.read(lambda tx: tx.contents(ENVIRONMENT)) == Contents([mock], [scenario])

    async def test_contents_are_in_the_order_of_ids(self, store: FullStore) -> None:
        await change(store, put_scenario("scn_b"), put_scenario("scn_a"), put_mock("ovr_b"), put_mock("ovr_a"))

        contents = await store.read(lambda tx: tx.contents(ENVIRONMENT))

        assert [each.id for each in contents.mocks] == ["ovr_a", "ovr_b"]
        assert [each.id for each in contents.scenarios] == ["scn_a", "scn_b"]

    async def test_the_organisation_is_read_back(self, store: FullStore) -> None:
        record = OrganisationRecord("Example Ltd", 3, TEAM)
        await change(store, lambda tx: tx.put_organisation(record))

        assert await store.read(lambda tx: tx.organisation()) == record
        assert await store.read(lambda tx: tx.plan()) == 3

    async def test_a_source_knows_how_much_it_declares(self, store: FullStore) -> None:
        await change(
            store,
            lambda tx: tx.put_organisation(OrganisationRecord("", 4, TEAM)),
            lambda tx: tx.put_mock(ENVIRONMENT, managed_mock("ovr_a")),
            lambda tx: tx.put_mock(ENVIRONMENT, managed_mock("ovr_b", source="other")),
            put_mock("ovr_c"),
            lambda tx: tx.put_manifest_source(SourceRecord(TEAM, 5, "key_1", digest="a")),
            lambda tx: tx.put_manifest_source(SourceRecord(TEAM, 7, "", digest="b")),
        )

        assert await store.read(lambda tx: tx.manifest_source(TEAM)) == SourceRecord(TEAM, 7, "", 2, "b")
        assert await store.read(lambda tx: tx.manifest_source("other")) is None

    async def test_noting_that_a_source_was_applied_leaves_the_version(self, store: FullStore) -> None:
        before = await store.version()

        await change(store, lambda tx: tx.put_manifest_source(SourceRecord(TEAM, 5, "")))

        assert await store.version() == before

    async def test_the_places_of_a_source_are_where_it_declares_anything(self, store: FullStore) -> None:
        await change(
            store,
            lambda tx: tx.put_project(managed_project(records.project("prj_2", "billing"))),
            lambda tx: tx.put_environment(records.environment("env_2", "a", of="prj_2")),
            lambda tx: tx.put_environment(managed_environment(records.environment("env_3", "b", of="prj_2"))),
            lambda tx: tx.put_environment(records.environment("env_4", "c")),
            lambda tx: tx.put_mock("env_4", managed_mock("ovr_a")),
            lambda tx: tx.put_scenario(ENVIRONMENT, managed_scenario("scn_a")),
            lambda tx: tx.put_mock("env_2", managed_mock("ovr_a", source="other")),
        )

        found = await store.read(lambda tx: tx.places_of(TEAM))

        assert found == [("prj_2", ""), ("prj_2", "env_3"), (PROJECT, "env_4"), (PROJECT, ENVIRONMENT)]
        assert await store.read(lambda tx: tx.places_of("")) == []

    @pytest.mark.parametrize(
        ("what", "in_project", "in_environment"),
        [
            (lambda tx: tx.put_project(managed_project(records.project())), TEAM, ""),
            (lambda tx: tx.put_environment(managed_environment(records.environment())), TEAM, TEAM),
            (lambda tx: tx.put_mock(ENVIRONMENT, managed_mock("ovr_a")), TEAM, TEAM),
            (lambda tx: tx.put_scenario(ENVIRONMENT, managed_scenario("scn_a")), TEAM, TEAM),
            (put_mock("ovr_a"), "", ""),
        ],
        ids=["project", "environment", "mock", "scenario", "nothing"],
    )
    async def test_whose_a_place_holds_something_of_is_known(
        self, store: FullStore, what: Change, in_project: str, in_environment: str
    ) -> None:
        await change(store, lambda tx: tx.put_environment(records.environment("env_2", "other")), what)

        assert await store.read(lambda tx: tx.manager_within(PROJECT)) == in_project
        assert await store.read(lambda tx: tx.manager_within(PROJECT, ENVIRONMENT)) == in_environment
        assert await store.read(lambda tx: tx.manager_within(PROJECT, "env_2")) == ""

    async def test_a_released_source_declares_nothing_and_all_of_it_stays(self, store: FullStore) -> None:
        await change(
            store,
            lambda tx: tx.put_organisation(OrganisationRecord("", 4, TEAM)),
            lambda tx: tx.put_project(managed_project(records.project())),
            lambda tx: tx.put_environment(managed_environment(records.environment())),
            lambda tx: tx.put_mock(ENVIRONMENT, managed_mock("ovr_a")),
            lambda tx: tx.put_mock(ENVIRONMENT, managed_mock("ovr_b", source="other")),
            lambda tx: tx.put_scenario(ENVIRONMENT, managed_scenario("scn_a", "ovr_a")),
            lambda tx: tx.put_manifest_source(SourceRecord(TEAM, 5, "")),
        )
        before = await store.version()

        assert await store.write(lambda tx: tx.release_source(TEAM)) == 5

        assert await store.version() == before + 1
        assert await store.read(lambda tx: tx.manifest_source(TEAM)) is None
        assert await store.read(lambda tx: tx.places_of(TEAM)) == []
        assert await store.read(lambda tx: tx.contents(ENVIRONMENT)) == Contents(
            [records.mock("ovr_a"), managed_mock("ovr_b", source="other")], [records.scenario("scn_a", ["ovr_a"])]
        )
        changes = await store.load_since(before)
        assert set(changes.mocks) == {(ENVIRONMENT, "ovr_a")}
        assert (set(changes.environments), set(changes.scenarios)) == ({ENVIRONMENT}, {(ENVIRONMENT, "scn_a")})

    async def test_releasing_what_declares_nothing_leaves_the_version(self, store: FullStore) -> None:
        before = await store.version()

        assert await store.write(lambda tx: tx.release_source(TEAM)) == 0

        assert await store.version() == before

    async def test_the_use_of_sessions_counts_those_that_are_alive(self, store: FullStore) -> None:
        await change(
            store,
            put_mock("ovr_a"),
            put_mock("ovr_b"),
            put_scenario("scn_a"),
            put_session("ci-1", "ovr_a", "ovr_b", scenario_id="scn_a"),
            put_session("ci-2", "ovr_a", expires_at_ms=11),
            put_session("ci-3", "ovr_a", scenario_id="scn_a", expires_at_ms=10),
        )

        use = await store.read(lambda tx: tx.session_use(ENVIRONMENT, 10))

        assert use == SessionUse(2, {"ovr_a": 2, "ovr_b": 1}, {"scn_a": 1})

    # Many things at once

    async def test_many_mocks_are_put_with_their_scenarios(self, store: FullStore) -> None:
        await change(store, put_scenario("scn_a"), put_scenario("scn_b"), put_mock("ovr_a", scenario="scn_a"))

        changes = await changes_of(
            store,
            lambda tx: tx.put_mocks(
                ENVIRONMENT, [records.mock("ovr_a", scenario="scn_b"), records.mock("ovr_b"), records.mock("ovr_c")]
            ),
        )

        assert {mock_id for _, mock_id in changes.mocks} == {"ovr_a", "ovr_b", "ovr_c"}
        assert {name: each and list(each.local_mocks) for (_, name), each in changes.scenarios.items()} == {
            "scn_a": [],
            "scn_b": ["ovr_a"],
        }

    async def test_many_mocks_that_go_are_one_change_of_what_used_them(self, store: FullStore) -> None:
        await change(
            store,
            *(put_mock(each) for each in ("ovr_a", "ovr_b", "ovr_c")),
            put_scenario("scn_a", "ovr_a", "ovr_b", "ovr_c"),
            put_session("ci-42", "ovr_b", "ovr_a", "ovr_c"),
            activate("ovr_a"),
        )

        changes = await changes_of(store, lambda tx: tx.remove_mocks(ENVIRONMENT, ["ovr_a", "ovr_b", "ovr_unknown"]))

        assert changes.mocks == {(ENVIRONMENT, "ovr_a"): None, (ENVIRONMENT, "ovr_b"): None}
        (session,), (scenario,) = changes.sessions.values(), changes.scenarios.values()
        assert session is not None
        assert scenario is not None
        assert (session.overrides, session.revision) == (("ovr_c",), 2)
        assert (list(scenario.mocks), scenario.revision) == (["ovr_c"], 1)
        assert [each and each.active_mocks for each in changes.environments.values()] == [()]

    async def test_many_scenarios_that_go_take_their_mocks(self, store: FullStore) -> None:
        await change(
            store,
            put_scenario("scn_a"),
            put_scenario("scn_b"),
            put_mock("ovr_a", scenario="scn_a"),
            put_mock("ovr_b", scenario="scn_b"),
            put_session("ci-42", scenario_id="scn_b"),
        )

        changes = await changes_of(store, lambda tx: tx.remove_scenarios(ENVIRONMENT, ["scn_a", "scn_b"]))

        assert set(changes.mocks.values()) == {None}
        assert set(changes.scenarios.values()) == {None}
        assert [each and each.scenario_id for each in changes.sessions.values()] == [""]

    async def test_scenarios_that_are_put_together_may_swap_their_names_for_urls(self, store: FullStore) -> None:
        await change(store, put_scenario("scn_a"), put_scenario("scn_b"))
        one, other = records.scenario("scn_a"), records.scenario("scn_b")
        one.url_id, other.url_id = other.url_id, one.url_id

        await change(store, lambda tx: tx.put_scenarios(ENVIRONMENT, [one, other]))

        assert await store.read(lambda tx: tx.scenario_by_url_id(ENVIRONMENT, "scn_a")) == other

    async def test_environments_that_are_put_together_may_swap_their_hosts(self, store: FullStore) -> None:
        def environments(*hosts: str) -> Change:
            one = records.environment("env_1", "one", hosts=hosts[:1])
            other = records.environment("env_2", "other", hosts=hosts[1:])
            return lambda tx: tx.put_environments([one, other])

        await change(store, environments("a.test", "b.test"))
        await change(store, environments("b.test", "a.test"))

        found = await store.read(lambda tx: tx.environment_by_host("a.test"))
        assert found is not None
        assert found.id == "env_2"

    @pytest.mark.parametrize(
        "nothing",
        [
            lambda tx: tx.put_mocks(ENVIRONMENT, []),
            lambda tx: tx.put_scenarios(ENVIRONMENT, []),
            lambda tx: tx.put_environments([]),
            lambda tx: tx.remove_mocks(ENVIRONMENT, ["ovr_unknown"]),
            lambda tx: tx.remove_scenarios(ENVIRONMENT, []),
            lambda tx: tx.switch_off_mocks(ENVIRONMENT, ["ovr_unknown"]),
        ],
    )
    async def test_nothing_at_once_leaves_the_version(self, store: FullStore, nothing: Change) -> None:
        before = await store.version()

        await change(store, nothing)

        assert await store.version() == before
