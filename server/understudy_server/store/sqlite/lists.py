"""Lists of what ``control.db`` holds: filtered, searched, in pages.

A condition is part of a statement only when it filters, so that each question is answered by the index that fits it.
"""

from collections.abc import Sequence
from typing import Any

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.ports import (
    EnvironmentRecord,
    KeyQuery,
    KeyRecord,
    MockQuery,
    ProjectRecord,
    SessionQuery,
    SessionRecord,
)
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.unit import Unit

_EVERY_KEY = KeyQuery()


class Where:
    """Conditions that must all hold, and what their question marks stand for."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.arguments: list[Any] = []

    def add(self, condition: str, *arguments: Any) -> None:
        self._conditions.append(condition)
        self.arguments += arguments

    def search(self, text: str, *columns: str) -> None:
        """One of the columns contains a text, if there is one."""
        if text:
            found = " OR ".join(f"contains_text({column}, ?)" for column in columns)
            self.add(f"({found})", *[text] * len(columns))

    def __str__(self) -> str:
        return "WHERE " + " AND ".join(self._conditions) if self._conditions else ""


class Lists(Unit):
    """The lists of ``app.ports.Transaction``."""

    async def keys(
        self, before: str, limit: int, project_id: str, environment_id: str, query: KeyQuery | None = None
    ) -> Sequence[KeyRecord]:
        query, where = query or _EVERY_KEY, Where()
        if before:
            where.add("id < ?", before)
        if project_id:
            where.add("project_id = ?", project_id)
        if environment_id:
            where.add("environment_id = ?", environment_id)
        if query.role:
            where.add("role = ?", query.role)
        if query.scopes is not None:
            where.add(f"scope IN ({', '.join('?' * len(query.scopes))})", *sorted(query.scopes))
        if query.active is not None:
            works = "(revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?))"
            where.add(works if query.active else f"NOT {works}", query.now_ms)
        where.search(query.search, "name")
        found = self._listed(f"SELECT {rows.KEY} FROM api_key", where, "id DESC", limit)
        return [rows.key(row) for row in found]

    async def projects(self, after: str, limit: int, search: str = "") -> Sequence[ProjectRecord]:
        where = Where()
        where.add("slug > ?", after)
        where.search(search, "slug", "name")
        return [rows.project(row) for row in self._listed(f"SELECT {rows.PROJECT} FROM project", where, "slug", limit)]

    async def environments(
        self, project_id: str, after: str, limit: int, search: str = ""
    ) -> Sequence[EnvironmentRecord]:
        where = Where()
        where.add("environment.project_id = ? AND environment.slug > ?", project_id, after)
        where.search(search, "environment.slug", "environment.name")
        found = self._listed(f"SELECT {rows.ENVIRONMENT}", where, "environment.slug", limit)
        return [rows.environment(row) for row in found]

    async def mocks(self, environment_id: str, query: MockQuery, after: str, limit: int) -> Sequence[Mock]:
        where = Where()
        # As with sessions: few are on for the whole environment.
        where.add(f"environment_id = ? AND {'+' if query.active else ''}id > ?", environment_id, after)
        if query.state:
            where.add("state = ?", query.state)
        if query.drafts_of is not None:
            where.add("(state = ? OR created_by = ?)", MOCK_STATE_PUBLISHED, query.drafts_of)
        if query.active is not None:
            which = "IN" if query.active else "NOT IN"
            where.add(
                f"id {which} (SELECT mock_id FROM environment_activation WHERE environment_id = ?)", environment_id
            )
        if query.scenario:
            where.add("scenario_id = ?", query.scenario)
        if query.library_only:
            where.add("scenario_id IS NULL")
        for tag in query.tags:
            # Between spaces, of which no tag has any: what has one is no tag.
            where.add("instr(tags, ?) > 0 AND instr(?, ' ') = 0 AND ? <> ''", f" {tag} ", tag, tag)
        where.search(query.search, "id", "name")
        return [rows.mock(row) for row in self._listed(f"SELECT {rows.MOCK}", where, "id", limit)]

    async def scenarios(
        self, environment_id: str, search: str, before: tuple[int, str] | None, limit: int, mock: str = ""
    ) -> Sequence[Scenario]:
        where = Where()
        where.add("environment_id = ?", environment_id)
        if before:
            where.add("(created_at_ms, id) < (?, ?)", *before)
        if mock:
            where.add(
                "id IN (SELECT scenario_id FROM scenario_mock WHERE environment_id = ? AND mock_id = ?"
                " UNION SELECT scenario_id FROM mock WHERE environment_id = ? AND id = ?)",
                environment_id, mock, environment_id, mock,
            )  # fmt: skip
        where.search(search, "name")
        found = self._listed(f"SELECT {rows.SCENARIO}", where, "created_at_ms DESC, id DESC", limit)
        return [rows.scenario(row) for row in found]

    async def sessions(
        self, environment_id: str, query: SessionQuery, after: str, limit: int
    ) -> Sequence[SessionRecord]:
        where = Where()
        if query.scenario or query.override:
            # The plus keeps the order of keys from being the way in, as it is for all sessions: then few that fit would
            # be looked for among all that there are.
            where.add("+session_entry.place_id = ? AND +session_entry.value > ?", environment_id, after)
        else:
            where.add("session_entry.place_id = ? AND session_entry.value > ?", environment_id, after)
        if query.scenario:
            where.add("session.environment_id = ? AND session.scenario_id = ?", environment_id, query.scenario)
        if query.override:
            where.add(
                "session.id IN (SELECT session_id FROM session_activation WHERE environment_id = ? AND mock_id = ?)",
                environment_id, query.override,
            )  # fmt: skip
        if query.alive_at_ms is not None:
            where.add("(expires_at_ms IS NULL OR expires_at_ms > ?)", query.alive_at_ms)
        where.search(query.search, "session_entry.value", "session.label")
        found = self._listed(f"SELECT {rows.SESSION}", where, "session_entry.value", limit)
        return [rows.session(row) for row in found]

    def _listed(self, selection: str, where: Where, order: str, limit: int) -> list[rows.Row]:
        return self._rows(f"{selection} {where} ORDER BY {order} LIMIT ?", *where.arguments, limit)
