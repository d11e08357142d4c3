"""The sources of manifests: who declares what, and the organisation, which one of them may declare."""

from collections.abc import Sequence

from understudy_server.app.ports import OrganisationRecord, SourceRecord
from understudy_server.store.sqlite.rows import Row
from understudy_server.store.sqlite.unit import Unit

# The names under which changes are noted are those of the tables. A project has no environment.
_NAMES = {
    "organisation": "'', ''",
    "project": "'', id",
    "environment": "id, id",
    "scenario": "environment_id, id",
    "mock": "environment_id, id",
    "flag": "project_id, key",
}
# The second condition says what the index on the column holds, so that it is used.
_MANAGED = "managed_by = ?1 AND managed_by <> ''"
_RESOURCES = " + ".join(
    f"(SELECT count(*) FROM {table} WHERE managed_by = manifest_source.name AND managed_by <> '')" for table in _NAMES
)


class Sources(Unit):
    """Reads and writes who declares what."""

    async def organisation(self) -> OrganisationRecord:
        (row,) = self._rows("SELECT name, plan, managed_by FROM organisation")
        return OrganisationRecord(*row)

    async def put_organisation(self, record: OrganisationRecord) -> None:
        self._run(
            "UPDATE organisation SET name = ?, plan = ?, managed_by = ?", record.name, record.plan, record.managed_by
        )
        self._note("organisation", "", "")

    async def manifest_source(self, name: str) -> SourceRecord | None:
        row = self._row(
            f"SELECT name, applied_at_ms, applied_by, {_RESOURCES}, digest FROM manifest_source WHERE name = ?", name
        )
        return SourceRecord(*row) if row else None

    async def put_manifest_source(self, record: SourceRecord) -> None:
        self._run(
            "INSERT INTO manifest_source (name, applied_at_ms, applied_by, digest) VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (name) DO UPDATE SET applied_at_ms = ?2, applied_by = ?3, digest = ?4",
            record.name, record.applied_at_ms, record.applied_by, record.digest,
        )  # fmt: skip

    async def release_source(self, name: str) -> int:
        self._run("DELETE FROM manifest_source WHERE name = ?", name)
        released = 0
        for table, names in _NAMES.items():
            self._note_rows(table, f"SELECT {names} FROM {table} WHERE {_MANAGED}", name)
            released += self._run(f"UPDATE {table} SET managed_by = '' WHERE {_MANAGED}", name)
        return released

    async def places_of(self, source: str) -> Sequence[tuple[str, str]]:
        found: list[Row] = self._rows(
            f"""
            SELECT id, '' FROM project WHERE {_MANAGED}
            UNION SELECT project_id, '' FROM flag WHERE {_MANAGED}
            UNION SELECT project_id, id FROM environment WHERE {_MANAGED}
            UNION SELECT project_id, id FROM environment
                WHERE EXISTS (SELECT 1 FROM mock WHERE {_MANAGED} AND environment_id = environment.id)
                OR EXISTS (SELECT 1 FROM scenario WHERE {_MANAGED} AND environment_id = environment.id)
            ORDER BY 1, 2
            """,
            source,
        )
        return [(project_id, environment_id) for project_id, environment_id in found]

    async def manager_within(self, project_id: str, environment_id: str = "") -> str:
        inside = "(SELECT id FROM environment WHERE project_id = ?1 AND (?2 = '' OR id = ?2))"
        row = self._row(
            f"""
            SELECT managed_by FROM project WHERE id = ?1 AND ?2 = '' AND managed_by <> ''
            UNION ALL SELECT managed_by FROM flag WHERE project_id = ?1 AND ?2 = '' AND managed_by <> ''
            UNION ALL SELECT managed_by FROM environment WHERE id IN {inside} AND managed_by <> ''
            UNION ALL SELECT managed_by FROM mock WHERE environment_id IN {inside} AND managed_by <> ''
            UNION ALL SELECT managed_by FROM scenario WHERE environment_id IN {inside} AND managed_by <> ''
            LIMIT 1
            """,
            project_id, environment_id,
        )  # fmt: skip
        return str(row[0]) if row else ""
