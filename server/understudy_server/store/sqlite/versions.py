"""What mocks and scenarios were: a row for each of their revisions, written in the unit of work that makes it.

The revisions of one are consecutive, so that what is too old is known by its number. What is removed keeps its rows,
for a while: until many others were removed after it, or it is made anew.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.rows import AMONG, SCHEMA
from understudy_server.store.sqlite.unit import Unit

VERSIONS_MAX: Final = 50
REMOVED_MAX: Final = 1000

MOCK: Final = "mock"
SCENARIO: Final = "scenario"


class Versions(Unit):
    """Keeps versions and reads them."""

    async def mock_versions(self, environment_id: str, mock_id: str) -> Sequence[Mock]:
        return [Mock.FromString(message) for message in self._versions(environment_id, MOCK, mock_id)]

    async def scenario_versions(self, environment_id: str, scenario_id: str) -> Sequence[Scenario]:
        return [Scenario.FromString(message) for message in self._versions(environment_id, SCENARIO, scenario_id)]

    def _versions(self, environment_id: str, kind: str, entity_id: str) -> list[bytes]:
        found = self._rows(
            "SELECT message FROM past WHERE environment_id = ? AND kind = ? AND id = ? ORDER BY revision DESC",
            environment_id, kind, entity_id,
        )  # fmt: skip
        return [message for (message,) in found]

    def _keep_mock_versions(self, environment_id: str, kept: Iterable[tuple[str, int, bytes]]) -> None:
        """Keep mocks as they are now: id, revision and message."""
        self._keep(environment_id, MOCK, list(kept))

    def _keep_scenario_versions(self, environment_id: str, scenario_ids: Collection[str]) -> None:
        """Keep scenarios as they are now."""
        if not scenario_ids:
            return
        found = self._rows(
            f"SELECT {rows.SCENARIO} WHERE environment_id = ? AND id {AMONG}",
            environment_id, rows.listed(scenario_ids),
        )  # fmt: skip
        scenarios = map(rows.scenario, found)
        kept = []
        for scenario in scenarios:
            scenario.ClearField("local_mocks")
            scenario.ClearField("managed_by")
            kept.append((scenario.id, scenario.revision, scenario.SerializeToString()))
        self._keep(environment_id, SCENARIO, kept)

    def _keep(self, environment_id: str, kind: str, kept: Sequence[tuple[str, int, bytes]]) -> None:
        self._take_back(environment_id, kind, kept)
        self._run_many(
            f"INSERT OR REPLACE INTO past VALUES (?, ?, ?, ?, {SCHEMA}, ?)",
            ((environment_id, kind, entity_id, revision, message) for entity_id, revision, message in kept),
        )
        self._run_many(
            "DELETE FROM past WHERE environment_id = ? AND kind = ? AND id = ? AND revision <= ?",
            (
                (environment_id, kind, entity_id, revision - VERSIONS_MAX)
                for entity_id, revision, _ in kept
                if revision > VERSIONS_MAX
            ),
        )

    def _take_back(self, environment_id: str, kind: str, kept: Sequence[tuple[str, int, bytes]]) -> None:
        """Note that some of what was removed is there again."""
        here = (environment_id, kind)
        if not self._row("SELECT 1 FROM removed WHERE environment_id = ? AND kind = ? LIMIT 1", *here):
            return
        # What is made anew under the id of something that was removed has nothing to do with it.
        new = rows.listed([entity_id for entity_id, revision, _ in kept if revision == 1])
        again = "SELECT id FROM removed WHERE environment_id = ? AND kind = ? AND id " + AMONG
        self._forget(environment_id, kind, rows.listed([entity_id for (entity_id,) in self._rows(again, *here, new)]))
        listed = rows.listed([entity_id for entity_id, _, _ in kept])
        self._run(f"DELETE FROM removed WHERE environment_id = ? AND kind = ? AND id {AMONG}", *here, listed)

    def _keep_removed(self, environment_id: str, kind: str, entity_ids: Sequence[str]) -> None:
        """Note that things are gone, and let go of what went long before them."""
        self._run_many(
            "INSERT OR REPLACE INTO removed (environment_id, kind, id) VALUES (?, ?, ?)",
            ((environment_id, kind, entity_id) for entity_id in entity_ids),
        )
        old = self._rows(
            "SELECT id FROM removed WHERE environment_id = ? AND kind = ? ORDER BY number DESC LIMIT -1 OFFSET ?",
            environment_id, kind, REMOVED_MAX,
        )  # fmt: skip
        if old:
            gone = rows.listed([entity_id for (entity_id,) in old])
            self._forget(environment_id, kind, gone)
            self._run(
                f"DELETE FROM removed WHERE environment_id = ? AND kind = ? AND id {AMONG}",
                environment_id, kind, gone,
            )  # fmt: skip

    def _forget(self, environment_id: str, kind: str, listed: str) -> None:
        self._run(
            f"DELETE FROM past WHERE environment_id = ? AND kind = ? AND id {AMONG}", environment_id, kind, listed
        )
