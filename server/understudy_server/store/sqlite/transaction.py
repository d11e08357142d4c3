"""One unit of work on ``control.db``. Its coroutines never suspend: they only look like those that a network needs."""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from understudy.v1.flags_pb2 import FlagState
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.ports import EnvironmentRecord, KeyRecord, ProjectRecord
from understudy_server.app.times import milliseconds
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.counting import Counting
from understudy_server.store.sqlite.flags import Flags
from understudy_server.store.sqlite.library import Library
from understudy_server.store.sqlite.lists import Lists
from understudy_server.store.sqlite.project_sessions import ProjectSessions
from understudy_server.store.sqlite.session_mocks import SessionMocks
from understudy_server.store.sqlite.sessions import Sessions
from understudy_server.store.sqlite.sources import Sources
from understudy_server.store.sqlite.stored_files import StoredFiles
from understudy_server.store.sqlite.unit import without

T = TypeVar("T")

# Mocks of sessions go with these.
_OF_ENVIRONMENTS = (
    "session", "environment_activation", "scenario_mock", "mock", "scenario", "file", "past", "removed", "host",
    "flag_state", "flag_snapshot",
)  # fmt: skip


class SqliteTransaction(Lists, Counting, Library, Sessions, SessionMocks, StoredFiles, Sources, Flags, ProjectSessions):
    """Fills ``app.ports.Transaction``.

    The first change of a unit moves the version, and every change notes what it touched. To put something is a change,
    even when it is there already; to remove or to switch what is not there is none.
    """

    def __init__(
        self, connection: sqlite3.Connection, version: int = 0, answers: dict[Hashable, Any] | None = None
    ) -> None:
        """``answers``: what was worked out before and still holds, to which more is added; ``None`` when nothing is."""
        super().__init__(connection, version)
        self._answers = answers

    async def recall(self, question: Hashable, answer: Callable[[], Awaitable[T]]) -> T:
        answers = self._answers
        if answers is None or self.is_lasting:
            return await answer()
        found: T
        if question in answers:
            found = answers[question]
        else:
            found = answers[question] = await answer()
        return found

    # The organisation and its keys

    async def plan(self) -> int:
        return int(self._value("SELECT plan FROM organisation"))

    async def set_plan(self, plan: int) -> None:
        if self._run("UPDATE organisation SET plan = ?1 WHERE plan <> ?1", plan):
            self._note("organisation", "", "")

    async def key_by_fingerprint(self, fingerprint: bytes) -> KeyRecord | None:
        row = self._row(f"SELECT {rows.KEY} FROM api_key WHERE fingerprint = ?", fingerprint)
        return rows.key(row) if row else None

    async def key(self, key_id: str) -> KeyRecord | None:
        row = self._row(f"SELECT {rows.KEY} FROM api_key WHERE id = ?", key_id)
        return rows.key(row) if row else None

    async def active_keys(self, now_ms: int) -> int:
        return int(
            self._value(
                "SELECT count(*) FROM api_key "
                "WHERE revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?)",
                now_ms,
            )
        )

    async def put_key(self, record: KeyRecord) -> None:
        key = record.message
        self._upsert(
            "api_key", ("id",), id=key.id, name=key.name, role=key.role, scope=key.scope,
            fingerprint=record.fingerprint, project_id=record.project_id, environment_id=record.environment_id,
            expires_at_ms=milliseconds(key.expires_at) if key.HasField("expires_at") else None,
            revoked_at_ms=milliseconds(key.revoked_at) if key.HasField("revoked_at") else None,
            message=key.SerializeToString(),
        )  # fmt: skip
        self._note("key", "", key.id)

    # Projects and environments

    async def project(self, slug: str) -> ProjectRecord | None:
        row = self._row(f"SELECT {rows.PROJECT} FROM project WHERE slug = ?", slug)
        return rows.project(row) if row else None

    async def project_by_id(self, project_id: str) -> ProjectRecord | None:
        row = self._row(f"SELECT {rows.PROJECT} FROM project WHERE id = ?", project_id)
        return rows.project(row) if row else None

    async def put_project(self, record: ProjectRecord) -> None:
        message = record.message
        # A project's slug is part of its environments, as those who load them see it.
        self._note_rows(
            "environment",
            "SELECT environment.id, environment.id FROM environment "
            "JOIN project ON project.id = environment.project_id WHERE project.id = ? AND project.slug <> ?",
            record.id, message.slug,
        )  # fmt: skip
        self._upsert(
            "project", ("id",), id=record.id, slug=message.slug, name=message.name, managed_by=message.managed_by,
            message=without(message, "managed_by").SerializeToString(),
        )  # fmt: skip
        self._note("project", "", record.id)

    async def remove_project(self, project_id: str) -> None:
        for table in ("flag", "project_session"):
            self._run(f"DELETE FROM {table} WHERE project_id = ?", project_id)
        if self._run("DELETE FROM project WHERE id = ?", project_id):
            self._note("project", "", project_id)

    async def environment(self, project_id: str, slug: str) -> EnvironmentRecord | None:
        row = self._row(
            f"SELECT {rows.ENVIRONMENT} WHERE environment.project_id = ? AND environment.slug = ?", project_id, slug
        )
        return rows.environment(row) if row else None

    async def environment_by_id(self, environment_id: str) -> EnvironmentRecord | None:
        row = self._row(f"SELECT {rows.ENVIRONMENT} WHERE environment.id = ?", environment_id)
        return rows.environment(row) if row else None

    async def environment_by_host(self, host: str) -> EnvironmentRecord | None:
        row = self._row(
            f"SELECT {rows.ENVIRONMENT} WHERE environment.id = (SELECT environment_id FROM host WHERE name = ?)", host
        )
        return rows.environment(row) if row else None

    async def environment_slugs(self, project_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        query = f"SELECT project_id, slug FROM environment WHERE project_id {rows.AMONG} ORDER BY slug"
        found: dict[str, list[str]] = {}
        for project_id, slug in self._rows(query, json.dumps(list(project_ids))):
            found.setdefault(project_id, []).append(slug)
        return found

    async def environment_ids(self) -> Collection[str]:
        return {environment_id for (environment_id,) in self._rows("SELECT id FROM environment")}

    async def put_environment(self, record: EnvironmentRecord) -> None:
        await self.put_environments((record,))

    async def put_environments(self, records: Sequence[EnvironmentRecord]) -> None:
        for record in records:
            kept = without(record.message, "project", "hosts", "managed_by")
            self._upsert(
                "environment", ("id",), id=record.id, project_id=record.project_id, slug=kept.slug,
                name=kept.name, managed_by=record.message.managed_by, message=kept.SerializeToString(),
            )  # fmt: skip
            self._run("DELETE FROM host WHERE environment_id = ?", record.id)
        # A host that another environment has is refused by the table, as with the keys of sessions.
        self._run_many(
            "INSERT INTO host (name, environment_id, position) VALUES (?, ?, ?)",
            ((host, record.id, position) for record in records for position, host in enumerate(record.message.hosts)),
        )
        self._note_all("environment", [(record.id, record.id) for record in records])

    async def remove_environment(self, environment_id: str) -> None:
        for kind in ("session", "scenario", "mock"):
            self._note_rows(kind, f"SELECT environment_id, id FROM {kind} WHERE environment_id = ?", environment_id)
        for table in _OF_ENVIRONMENTS:
            self._run(f"DELETE FROM {table} WHERE environment_id = ?", environment_id)
        if self._run("DELETE FROM environment WHERE id = ?", environment_id):
            self._note("environment", environment_id, environment_id)

    async def is_empty(self, environment_id: str, now_ms: int) -> bool:
        alive = "AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)"
        questions = [f"{table} WHERE environment_id = :id" for table in ("mock", "scenario", "file")]
        if any(
            self._connection.execute(
                f"SELECT 1 FROM {each} LIMIT 1", {"id": environment_id, "now_ms": now_ms}
            ).fetchone()
            for each in (*questions, f"session WHERE environment_id = :id {alive}")
        ):
            return False
        states = self._rows("SELECT message FROM flag_state WHERE environment_id = ?", environment_id)
        return not any(_says_something(FlagState.FromString(message)) for (message,) in states)

    # Mocks

    async def mock(self, environment_id: str, mock_id: str) -> Mock | None:
        row = self._row(f"SELECT {rows.MOCK} WHERE environment_id = ? AND id = ?", environment_id, mock_id)
        return rows.mock(row) if row else None

    # Scenarios

    async def scenario(self, environment_id: str, scenario_id: str) -> Scenario | None:
        row = self._row(f"SELECT {rows.SCENARIO} WHERE environment_id = ? AND id = ?", environment_id, scenario_id)
        return rows.scenario(row) if row else None

    async def scenario_by_url_id(self, environment_id: str, url_id: str) -> Scenario | None:
        row = self._row(f"SELECT {rows.SCENARIO} WHERE environment_id = ? AND url_id = ?", environment_id, url_id)
        return rows.scenario(row) if row else None


def _says_something(state: FlagState) -> bool:
    """True for a state that is another than that of a flag which was never set."""
    is_valued = state.HasField("value") or state.HasField("rollout_percentage")
    return state.enabled or is_valued or bool(state.rules)
