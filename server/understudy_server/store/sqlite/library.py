"""The mocks and scenarios of an environment, written many at a time.

What is done to many is a fixed number of statements, so that a large manifest holds the writer's thread only briefly.
"""

from collections.abc import Sequence

from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.ports import Contents
from understudy_server.app.times import milliseconds
from understudy_server.core.giving_way import giving_way, let_go, taking
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.rows import AMONG, SCHEMA
from understudy_server.store.sqlite.unit import without
from understudy_server.store.sqlite.versions import MOCK, SCENARIO, Versions

# What a row of a mock holds beside its key and its message.
_BESIDE_MESSAGE = ("name", "scenario_id", "state", "created_by", "managed_by", "tags")
_SAY_ELSE = f"UPDATE mock SET message = ?, schema = {SCHEMA} WHERE environment_id = ? AND id = ? AND " + " AND ".join(
    f"{column} IS ?" for column in _BESIDE_MESSAGE
)


class Library(Versions):
    """Writes mocks and scenarios. What one call does is one change of each session and scenario that it touches."""

    async def contents(self, environment_id: str) -> Contents:
        mocks = self._rows(f"SELECT {rows.MOCK} WHERE environment_id = ? ORDER BY id", environment_id)
        scenarios = self._rows(f"SELECT {rows.SCENARIO} WHERE environment_id = ? ORDER BY id", environment_id)
        return Contents([rows.mock(row) for row in taking(mocks)], [rows.scenario(row) for row in taking(scenarios)])

    # Mocks

    async def put_mock(self, environment_id: str, mock: Mock) -> None:
        await self.put_mocks(environment_id, (mock,))

    async def put_mocks(self, environment_id: str, mocks: Sequence[Mock]) -> None:
        homes_before = self._homes(environment_id, rows.listed([mock.id for mock in giving_way(mocks)]))
        kept = [
            (mock.id, mock.revision, without(mock, "active", "managed_by").SerializeToString())
            for mock in giving_way(mocks)
        ]
        made, changed = list[rows.Row](), list[rows.Row]()
        for mock, (_, revision, message) in giving_way(zip(mocks, kept, strict=True)):
            (made if revision == 1 else changed).append(_mock_row(environment_id, mock, message))
        # Most of what changes says something else and is the same in all other columns: to write that alone is half the
        # work, for nothing that refers to it or is found by it can be concerned.
        if self._run_many(_SAY_ELSE, changed) < len(changed):
            self._put_mock_rows(changed)
        self._put_mock_rows(made)
        let_go(made, changed)
        self._keep_mock_versions(environment_id, kept)
        let_go(kept)
        names = [(environment_id, mock.id) for mock in giving_way(mocks)]
        self._note_all("mock", names)
        let_go(names)
        moved = {(homes_before.get(mock.id, ""), mock.scenario) for mock in giving_way(mocks)}
        touched = {home for before, after in moved if before != after for home in (before, after) if home}
        self._note_all("scenario", [(environment_id, home) for home in touched])

    def _put_mock_rows(self, found: list[rows.Row]) -> None:
        columns = ("message", "environment_id", "id", *_BESIDE_MESSAGE)
        self._upsert_all("mock", ("environment_id", "id"), columns, found)

    async def remove_mock(self, environment_id: str, mock_id: str) -> None:
        await self.remove_mocks(environment_id, (mock_id,))

    async def remove_mocks(self, environment_id: str, mock_ids: Sequence[str]) -> None:
        await self.switch_off_mocks(environment_id, mock_ids)
        listed = rows.listed(mock_ids)
        homes = self._homes(environment_id, listed)
        self._note_rows(
            "mock", f"SELECT environment_id, id FROM mock WHERE environment_id = ? AND id {AMONG}",
            environment_id, listed,
        )  # fmt: skip
        there = self._rows(f"SELECT id FROM mock WHERE environment_id = ? AND id {AMONG}", environment_id, listed)
        self._run(f"DELETE FROM mock WHERE environment_id = ? AND id {AMONG}", environment_id, listed)
        self._keep_removed(environment_id, MOCK, [mock_id for (mock_id,) in there])
        self._note_all("scenario", [(environment_id, home) for home in set(homes.values())])

    def _homes(self, environment_id: str, listed: str) -> dict[str, str]:
        """The scenarios that mocks belong to, by the ids of those that belong to one."""
        return dict(
            self._rows(
                f"SELECT id, scenario_id FROM mock "
                f"WHERE environment_id = ? AND id {AMONG} AND scenario_id IS NOT NULL",
                environment_id, listed,
            )
        )  # fmt: skip

    async def switch_off(self, environment_id: str, mock_id: str) -> None:
        await self.switch_off_mocks(environment_id, (mock_id,))

    async def switch_off_mocks(self, environment_id: str, mock_ids: Sequence[str]) -> None:
        here = (environment_id, rows.listed(mock_ids))
        where = f"WHERE environment_id = ? AND mock_id {AMONG}"
        self._revise("session", f"SELECT DISTINCT environment_id, session_id FROM session_activation {where}", *here)
        revised = self._revise(
            "scenario", f"SELECT DISTINCT environment_id, scenario_id FROM scenario_mock {where}", *here
        )
        active = self._rows(f"SELECT environment_id, mock_id FROM environment_activation {where}", *here)
        for table in ("session_activation", "scenario_mock", "environment_activation"):
            self._run(f"DELETE FROM {table} {where}", *here)
        self._keep_scenario_versions(environment_id, [scenario_id for _, scenario_id in revised])
        self._note_active(environment_id, active)

    async def set_active(self, environment_id: str, mock_id: str, *, active: bool) -> None:
        if active:
            changed = self._run(
                """
                INSERT OR IGNORE INTO environment_activation (environment_id, mock_id, position)
                SELECT ?1, ?2, coalesce(max(position), 0) + 1 FROM environment_activation WHERE environment_id = ?1
                """,
                environment_id, mock_id,
            )  # fmt: skip
        else:
            changed = self._run(
                "DELETE FROM environment_activation WHERE environment_id = ? AND mock_id = ?", environment_id, mock_id
            )
        if changed:
            self._note_active(environment_id, [(environment_id, mock_id)])

    def _note_active(self, environment_id: str, names: list[rows.Row]) -> None:
        """Note mocks that were switched on or off for the whole environment: it changes with them."""
        if names:
            self._note("environment", environment_id, environment_id)
            self._note_all("mock", names)

    # Scenarios

    async def put_scenario(self, environment_id: str, scenario: Scenario) -> None:
        await self.put_scenarios(environment_id, (scenario,))

    async def put_scenarios(self, environment_id: str, scenarios: Sequence[Scenario]) -> None:
        listed = rows.listed([scenario.id for scenario in scenarios])
        if len(scenarios) > 1:
            # A name that no scenario can have: what one of them had is free for the next before it is given out.
            self._run(
                f"UPDATE scenario SET url_id = ' ' || id WHERE environment_id = ? AND id {AMONG}",
                environment_id, listed,
            )  # fmt: skip
        self._upsert_all(
            "scenario",
            ("environment_id", "id"),
            ("environment_id", "id", "name", "url_id", "created_at_ms", "revision", "managed_by", "message"),
            (
                (
                    environment_id,
                    scenario.id,
                    scenario.name,
                    scenario.url_id,
                    milliseconds(scenario.created_at),
                    scenario.revision,
                    scenario.managed_by,
                    without(scenario, "mocks", "local_mocks", "revision", "managed_by").SerializeToString(),
                )
                for scenario in scenarios
            ),
        )
        self._run(f"DELETE FROM scenario_mock WHERE environment_id = ? AND scenario_id {AMONG}", environment_id, listed)
        self._run_many(
            "INSERT INTO scenario_mock (environment_id, scenario_id, mock_id, position) VALUES (?, ?, ?, ?)",
            (
                (environment_id, scenario.id, mock_id, position)
                for scenario in scenarios
                for position, mock_id in enumerate(scenario.mocks)
            ),
        )
        self._keep_scenario_versions(environment_id, [scenario.id for scenario in scenarios])
        self._note_all("scenario", [(environment_id, scenario.id) for scenario in scenarios])

    async def remove_scenario(self, environment_id: str, scenario_id: str) -> None:
        await self.remove_scenarios(environment_id, (scenario_id,))

    async def remove_scenarios(self, environment_id: str, scenario_ids: Sequence[str]) -> None:
        here = (environment_id, rows.listed(scenario_ids))
        where = f"WHERE environment_id = ? AND scenario_id {AMONG}"
        local = self._rows(f"SELECT id FROM mock {where}", *here)
        await self.remove_mocks(environment_id, [mock_id for (mock_id,) in local])
        self._revise("session", f"SELECT environment_id, id FROM session {where}", *here)
        self._run(f"UPDATE session SET scenario_id = NULL {where}", *here)
        self._run(f"DELETE FROM scenario_mock {where}", *here)
        here_by_id = f"WHERE environment_id = ? AND id {AMONG}"
        self._note_rows("scenario", f"SELECT environment_id, id FROM scenario {here_by_id}", *here)
        there = self._rows(f"SELECT id FROM scenario {here_by_id}", *here)
        self._run(f"DELETE FROM scenario {here_by_id}", *here)
        self._keep_removed(environment_id, SCENARIO, [scenario_id for (scenario_id,) in there])


def _mock_row(environment_id: str, mock: Mock, message: bytes) -> rows.Row:
    """The values of message, environment, id and ``_BESIDE_MESSAGE``."""
    home, tags = mock.scenario or None, rows.tags(mock.tags)
    return message, environment_id, mock.id, mock.name, home, mock.state, mock.created_by, mock.managed_by, tags
