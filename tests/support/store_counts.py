"""What every store must tell about how much it holds."""

from support import records
from support.records import ENVIRONMENT, PROJECT
from support.store_steps import FullStore, activate, change, put_key, put_mock, put_scenario, put_session
from understudy.v1.manifest_service_pb2 import Organisation
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT
from understudy.v1.server_service_pb2 import Counts
from understudy_server.core.plans import Plan

NOW_MS = 10_000
OTHER_PROJECT, OTHER_ENVIRONMENT = "prj_other", "env_other"


class HowMuch:
    """Counts of everything, and of what is in one place."""

    async def test_a_new_store_holds_little(self, store: FullStore) -> None:
        assert await store.read(lambda tx: tx.counts(NOW_MS, "", "")) == Counts(projects=1, environments=1)

    async def test_everything_is_counted_once(self, store: FullStore) -> None:
        await _fill(store)

        assert await store.read(lambda tx: tx.counts(NOW_MS, "", "")) == Counts(
            projects=2, environments=2, mocks=4, drafts=1, active_mocks=1, scenarios=1, sessions=2, keys=2
        )

    async def test_of_one_project_only_what_is_in_it_is_counted(self, store: FullStore) -> None:
        await _fill(store)

        assert await store.read(lambda tx: tx.counts(NOW_MS, OTHER_PROJECT, "")) == Counts(
            projects=1, environments=1, mocks=1, sessions=0, keys=0
        )

    async def test_of_one_environment_only_what_is_in_it_is_counted(self, store: FullStore) -> None:
        await _fill(store)

        assert await store.read(lambda tx: tx.counts(NOW_MS, PROJECT, ENVIRONMENT)) == Counts(
            projects=1, environments=1, mocks=3, drafts=1, active_mocks=1, scenarios=1, sessions=2, keys=1
        )

    async def test_sessions_and_keys_that_have_ended_are_not_counted(self, store: FullStore) -> None:
        await _fill(store)

        later = await store.read(lambda tx: tx.counts(NOW_MS + 1, "", ""))

        assert (later.sessions, later.keys) == (1, 1)

    async def test_the_organisation_has_a_plan(self, store: FullStore) -> None:
        await change(store, lambda tx: tx.set_plan(Plan.TEAM))

        assert await store.read(lambda tx: tx.organisation_status()) == Organisation(plan=Plan.TEAM)  # type: ignore[arg-type]

    async def test_a_store_that_was_never_given_a_manifest_has_no_sources(self, store: FullStore) -> None:
        assert await store.read(lambda tx: tx.manifest_statuses()) == []


async def _fill(store: FullStore) -> None:
    bound = records.key("key_ends", project_id=PROJECT, environment_id=ENVIRONMENT, expires_at_ms=NOW_MS + 1)
    await change(
        store,
        lambda tx: tx.put_project(records.project(OTHER_PROJECT, "other")),
        lambda tx: tx.put_environment(records.environment(OTHER_ENVIRONMENT, "other", of=OTHER_PROJECT)),
        lambda tx: tx.put_mock(OTHER_ENVIRONMENT, records.mock("ovr_a")),
        put_mock("ovr_a"),
        put_mock("ovr_draft", state=MOCK_STATE_DRAFT),
        activate("ovr_a"),
        put_scenario("scn_a", "ovr_a"),
        put_mock("ovr_local", scenario="scn_a"),
        put_session("stays", "ovr_a"),
        put_session("ends", expires_at_ms=NOW_MS + 1),
        put_session("ended", expires_at_ms=NOW_MS),
        put_key("key_1"),
        lambda tx: tx.put_key(bound),
        put_key("key_revoked", revoked_at_ms=1),
    )
