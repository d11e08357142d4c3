"""How much a store holds, each answer by one statement."""

from collections.abc import Sequence

from understudy.v1.manifest_service_pb2 import PLAN_UNSPECIFIED, Organisation
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT
from understudy.v1.server_service_pb2 import Counts, ManifestStatus

from understudy_server.app.times import stamp
from understudy_server.store.sqlite.unit import Unit

_MANAGED = ("organisation", "project", "environment", "scenario", "mock", "flag")


class Counting(Unit):
    """The part of ``app.ports.Transaction`` that the server's status asks."""

    async def counts(self, now_ms: int, project_id: str, environment_id: str) -> Counts:
        here = "environment_id IN place"
        row = self._row(
            f"""
            WITH place AS (
                SELECT id FROM environment WHERE (?3 = '' OR project_id = ?3) AND (?4 = '' OR id = ?4)
            )
            SELECT
                (SELECT count(*) FROM project WHERE ?3 = '' OR id = ?3),
                (SELECT count(*) FROM place),
                (SELECT count(*) FROM mock WHERE {here}),
                (SELECT count(*) FROM mock WHERE {here} AND state = ?1),
                (SELECT count(*) FROM environment_activation WHERE {here}),
                (SELECT count(*) FROM scenario WHERE {here}),
                (SELECT count(*) FROM session WHERE {here} AND (expires_at_ms IS NULL OR expires_at_ms > ?2)),
                (SELECT count(*) FROM api_key
                 WHERE revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?2)
                     AND (?3 = '' OR project_id = ?3) AND (?4 = '' OR environment_id = ?4))
            """,
            MOCK_STATE_DRAFT, now_ms, project_id, environment_id,
        ) or (0,) * 8  # fmt: skip
        projects, environments, mocks, drafts, active_mocks, scenarios, sessions, keys = row
        return Counts(
            projects=projects,
            environments=environments,
            mocks=mocks,
            drafts=drafts,
            active_mocks=active_mocks,
            scenarios=scenarios,
            sessions=sessions,
            keys=keys,
        )

    async def organisation_status(self) -> Organisation:
        name, plan = self._row("SELECT name, plan FROM organisation") or ("", PLAN_UNSPECIFIED)
        return Organisation(name=name, plan=plan)

    async def manifest_statuses(self) -> Sequence[ManifestStatus]:
        managed = " UNION ALL ".join(f"SELECT managed_by FROM {table} WHERE managed_by <> ''" for table in _MANAGED)
        found = self._rows(
            f"""
            SELECT name, applied_at_ms, applied_by, count(managed_by)
            FROM manifest_source LEFT JOIN ({managed}) ON managed_by = name
            GROUP BY name ORDER BY name
            """
        )
        return [
            ManifestStatus(source=source, applied_at=stamp(applied_at_ms), applied_by=applied_by, resources=resources)
            for source, applied_at_ms, applied_by, resources in found
        ]
