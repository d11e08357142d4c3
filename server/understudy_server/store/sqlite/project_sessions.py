"""Sessions that belong to a project."""

import json
from collections.abc import Sequence
from itertools import accumulate

from understudy.v1.project_session_service_pb2 import ProjectSession

from understudy_server.app.flag_ports import ProjectSessionRecord
from understudy_server.app.ports import ProjectRecord
from understudy_server.app.times import milliseconds
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.unit import Unit, without


class ProjectSessions(Unit):
    """Reads and writes them. Their ids are made by us and unique everywhere, and go up with time."""

    async def project_session(self, project_id: str, session_id: str) -> ProjectSessionRecord | None:
        row = self._row("SELECT message FROM project_session WHERE project_id = ? AND id = ?", project_id, session_id)
        return ProjectSessionRecord(project_id, ProjectSession.FromString(row[0])) if row else None

    async def project_of_session(self, session_id: str) -> ProjectRecord | None:
        # One look for each project, of which there are few: their sessions have no index of their own by id.
        whose = "SELECT 1 FROM project_session WHERE project_session.project_id = project.id AND project_session.id = ?"
        row = self._row(f"SELECT {rows.PROJECT} FROM project WHERE EXISTS ({whose})", session_id)
        return rows.project(row) if row else None

    async def project_sessions(
        self, project_id: str, before: str, limit: int, alive_at_ms: int, bytes_max: int
    ) -> Sequence[ProjectSessionRecord]:
        # How long each is stands in its row's head: those that do not fit are never read.
        lengths = self._rows(
            """
            SELECT id, length(message) FROM project_session
            WHERE project_id = ?1 AND (?2 = '' OR id < ?2) AND expires_at_ms > ?4 ORDER BY id DESC LIMIT ?3
            """,
            project_id, before, limit, alive_at_ms,
        )  # fmt: skip
        totals = accumulate(length for _, length in lengths)
        fitting = [each for (each, _), total in zip(lengths, totals, strict=True) if total <= bytes_max]
        ids = fitting or [each for each, _ in lengths[:1]]
        query = f"SELECT message FROM project_session WHERE project_id = ? AND id {rows.AMONG} ORDER BY id DESC"
        found = self._rows(query, project_id, json.dumps(ids))
        return [ProjectSessionRecord(project_id, ProjectSession.FromString(message)) for (message,) in found]

    async def project_session_count(self, project_id: str, alive_at_ms: int | None = None) -> int:
        query = "SELECT count(*) FROM project_session WHERE project_id = ?"
        if alive_at_ms is None:
            return int(self._value(query, project_id))
        return int(self._value(f"{query} AND expires_at_ms > ?", project_id, alive_at_ms))

    async def put_project_session(self, record: ProjectSessionRecord) -> None:
        session = record.message
        self._upsert(
            "project_session", ("project_id", "id"), project_id=record.project_id, id=session.id,
            expires_at_ms=milliseconds(session.expires_at),
            message=without(session, "project", "warnings").SerializeToString(),
        )  # fmt: skip
        self._note("project_session", record.project_id, session.id)

    async def remove_project_session(self, project_id: str, session_id: str) -> None:
        if self._run("DELETE FROM project_session WHERE project_id = ? AND id = ?", project_id, session_id):
            self._note("project_session", project_id, session_id)

    async def ended_project_sessions(self, now_ms: int, limit: int) -> Sequence[tuple[str, str]]:
        found = self._rows("SELECT project_id, id FROM project_session WHERE expires_at_ms <= ? LIMIT ?", now_ms, limit)
        return [(project_id, session_id) for project_id, session_id in found]
