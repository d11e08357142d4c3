"""What every store must keep of what mocks and scenarios were."""

from pathlib import Path

import pytest
from support import records
from support.records import ENVIRONMENT
from support.store_steps import Change, FullStore, Opener, Refused, change, fail, furnish
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario

VERSIONS_MAX = 50
REMOVED_MAX = 1000


def mock_at(revision: int, mock_id: str = "ovr_a") -> Mock:
    mock = records.mock(mock_id, name=f"at {revision}")
    mock.revision = revision
    return mock


def at(revision: int, mock_id: str = "ovr_a", environment: str = ENVIRONMENT) -> Change:
    return lambda tx: tx.put_mock(environment, mock_at(revision, mock_id))


def scenario_at(revision: int, *mocks: str) -> Scenario:
    scenario = records.scenario("scn_a", mocks, name=f"at {revision}")
    scenario.revision = revision
    return scenario


async def revisions(store: FullStore, mock_id: str = "ovr_a", environment: str = ENVIRONMENT) -> list[int]:
    return [each.revision for each in await store.read(lambda tx: tx.mock_versions(environment, mock_id))]


class Past:
    """A version for each revision, the latest of them; of what is removed for a while, and never of what had its id."""

    async def test_every_revision_of_a_mock_is_kept_the_newest_first(self, store: FullStore) -> None:
        await change(store, at(1))
        await change(store, at(2), at(3))

        found = await store.read(lambda tx: tx.mock_versions(ENVIRONMENT, "ovr_a"))

        assert list(found) == [mock_at(3), mock_at(2), mock_at(1)]
        assert await revisions(store, "ovr_b") == []
        assert await revisions(store, environment="env_other") == []

    async def test_whose_it_is_and_whether_it_is_on_is_no_part_of_a_version(self, store: FullStore) -> None:
        managed = mock_at(1)
        managed.managed_by, managed.active = "file.yaml", True

        await change(store, lambda tx: tx.put_mock(ENVIRONMENT, managed))

        assert list(await store.read(lambda tx: tx.mock_versions(ENVIRONMENT, "ovr_a"))) == [mock_at(1)]

    async def test_of_many_revisions_the_latest_are_kept(self, store: FullStore) -> None:
        await change(store, *(at(number) for number in range(1, VERSIONS_MAX + 4)))

        assert await revisions(store) == list(range(VERSIONS_MAX + 3, 3, -1))

    async def test_what_was_removed_has_its_versions(self, store: FullStore) -> None:
        await change(store, at(1), at(2))
        await change(store, lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"))

        assert await revisions(store) == [2, 1]

    async def test_what_is_made_again_goes_on(self, store: FullStore) -> None:
        await change(store, at(1), at(2))
        await change(store, lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"))
        await change(store, at(3))

        assert await revisions(store) == [3, 2, 1]

    async def test_what_is_made_anew_under_an_old_id_has_nothing_of_it(self, store: FullStore) -> None:
        await change(store, at(1), at(2))
        await change(store, lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"))
        await change(store, at(1))

        assert await revisions(store) == [1]

    async def test_the_same_in_one_unit(self, store: FullStore) -> None:
        await change(store, at(1), at(2), lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"), at(1), at(2))

        assert await revisions(store) == [2, 1]

    async def test_of_many_that_were_removed_the_latest_have_versions(self, store: FullStore) -> None:
        ids = [f"ovr_{number:04}" for number in range(REMOVED_MAX + 2)]
        await change(store, lambda tx: tx.put_mocks(ENVIRONMENT, [mock_at(1, each) for each in [*ids, "ovr_stays"]]))
        await change(store, lambda tx: tx.remove_mocks(ENVIRONMENT, ids[:2]))
        await change(store, lambda tx: tx.remove_mocks(ENVIRONMENT, ids[2:]))

        assert [await revisions(store, each) for each in ids[:3]] == [[], [], [1]]
        assert await revisions(store, "ovr_stays") == [1]

    async def test_what_was_made_again_is_not_among_the_removed(self, store: FullStore) -> None:
        ids = [f"ovr_{number:04}" for number in range(REMOVED_MAX)]
        await change(store, at(1), lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"), at(2))
        await change(store, lambda tx: tx.put_mocks(ENVIRONMENT, [mock_at(1, each) for each in ids]))
        await change(store, lambda tx: tx.remove_mocks(ENVIRONMENT, ids))

        assert await revisions(store) == [2, 1]

    async def test_a_unit_that_fails_keeps_no_version(self, store: FullStore) -> None:
        await change(store, at(1))

        with pytest.raises(Refused):
            await change(store, at(2), fail)

        assert await revisions(store) == [1]

    async def test_a_scenario_is_kept_with_the_mocks_in_it_and_without_its_own(self, store: FullStore) -> None:
        local = records.mock("ovr_own", scenario="scn_a")
        await change(
            store, at(1), at(1, "ovr_b"), lambda tx: tx.put_scenario(ENVIRONMENT, scenario_at(1, "ovr_b", "ovr_a")),
            lambda tx: tx.put_mock(ENVIRONMENT, local), lambda tx: tx.put_scenario(ENVIRONMENT, scenario_at(2)),
        )  # fmt: skip

        found = await store.read(lambda tx: tx.scenario_versions(ENVIRONMENT, "scn_a"))

        assert list(found) == [scenario_at(2), scenario_at(1, "ovr_b", "ovr_a")]

    async def test_a_scenario_that_loses_a_mock_has_a_version_of_it(self, store: FullStore) -> None:
        await change(store, at(1), lambda tx: tx.put_scenario(ENVIRONMENT, scenario_at(1, "ovr_a")))
        await change(store, lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_a"))

        found = await store.read(lambda tx: tx.scenario_versions(ENVIRONMENT, "scn_a"))

        assert [(each.revision, list(each.mocks)) for each in found] == [(2, []), (1, ["ovr_a"])]

    async def test_a_removed_scenario_and_its_own_mocks_have_their_versions(self, store: FullStore) -> None:
        local = records.mock("ovr_own", scenario="scn_a")
        local.revision = 1
        await change(
            store, lambda tx: tx.put_scenario(ENVIRONMENT, scenario_at(1)), lambda tx: tx.put_mock(ENVIRONMENT, local)
        )
        await change(store, lambda tx: tx.remove_scenario(ENVIRONMENT, "scn_a"))

        assert len(await store.read(lambda tx: tx.scenario_versions(ENVIRONMENT, "scn_a"))) == 1
        assert await revisions(store, "ovr_own") == [1]

    async def test_a_removed_environment_takes_its_past_with_it(self, store: FullStore) -> None:
        await change(store, at(1), at(1, "ovr_b"), lambda tx: tx.remove_mock(ENVIRONMENT, "ovr_b"))
        await change(store, lambda tx: tx.remove_environment(ENVIRONMENT))

        assert (await revisions(store), await revisions(store, "ovr_b")) == ([], [])

    async def test_the_past_survives_a_restart(self, open_store: Opener, tmp_path: Path) -> None:
        store = await open_store(tmp_path / "again")
        await furnish(store)
        await change(store, at(1), at(2))
        await store.close()

        store = await open_store(tmp_path / "again")

        assert await revisions(store) == [2, 1]
        await store.close()
