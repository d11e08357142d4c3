"""One unit of work on ``control.db``. Its coroutines never suspend: they only look like those that a network needs."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from typing import TypeVar

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.session_service_pb2 import Session

from understudy_server.app.ports import EnvironmentRecord, KeyRecord, MockQuery, ProjectRecord, SessionRecord
from understudy_server.app.times import milliseconds
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.unit import Unit, without

T = TypeVar("T")


class SqliteTransaction(Unit):
    """Fills ``app.ports.Transaction``.

    The first change of a unit moves the version, and every change notes what it touched. To put something is a change,
    even when it is there already; to remove or to switch what is not there is none.
    """

    async def recall(self, question: Hashable, answer: Callable[[], Awaitable[T]]) -> T:  # noqa: ARG002
        return await answer()

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

    async def keys(self, before: str, limit: int, project_id: str, environment_id: str) -> Sequence[KeyRecord]:
        found = self._rows(
            f"""
            SELECT {rows.KEY} FROM api_key
            WHERE (?1 = '' OR id < ?1) AND (?2 = '' OR project_id = ?2) AND (?3 = '' OR environment_id = ?3)
            ORDER BY id DESC LIMIT ?4
            """,
            before, project_id, environment_id, limit,
        )  # fmt: skip
        return [rows.key(row) for row in found]

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
            "api_key", ("id",), id=key.id, fingerprint=record.fingerprint, project_id=record.project_id,
            environment_id=record.environment_id,
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

    async def projects(self, after: str, limit: int) -> Sequence[ProjectRecord]:
        found = self._rows(f"SELECT {rows.PROJECT} FROM project WHERE slug > ? ORDER BY slug LIMIT ?", after, limit)
        return [rows.project(row) for row in found]

    async def put_project(self, record: ProjectRecord) -> None:
        message = record.message
        # A project's slug is part of its environments, as those who load them see it.
        self._note_rows(
            "environment",
            "SELECT environment.id, environment.id FROM environment "
            "JOIN project ON project.id = environment.project_id WHERE project.id = ? AND project.slug <> ?",
            record.id, message.slug,
        )  # fmt: skip
        self._upsert("project", ("id",), id=record.id, slug=message.slug, message=message.SerializeToString())
        self._note("project", "", record.id)

    async def remove_project(self, project_id: str) -> None:
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

    async def environments(self, project_id: str, after: str, limit: int) -> Sequence[EnvironmentRecord]:
        found = self._rows(
            f"SELECT {rows.ENVIRONMENT} WHERE environment.project_id = ? AND environment.slug > ? "
            "ORDER BY environment.slug LIMIT ?",
            project_id, after, limit,
        )  # fmt: skip
        return [rows.environment(row) for row in found]

    async def put_environment(self, record: EnvironmentRecord) -> None:
        kept = without(record.message, "project", "hosts")
        self._upsert(
            "environment", ("id",), id=record.id, project_id=record.project_id, slug=kept.slug,
            message=kept.SerializeToString(),
        )  # fmt: skip
        # A host that another environment has is refused by the table, as with the keys of sessions.
        self._run("DELETE FROM host WHERE environment_id = ?", record.id)
        self._run_many(
            "INSERT INTO host (name, environment_id, position) VALUES (?, ?, ?)",
            ((host, record.id, position) for position, host in enumerate(record.message.hosts)),
        )
        self._note("environment", record.id, record.id)

    async def remove_environment(self, environment_id: str) -> None:
        for kind in ("session", "scenario", "mock"):
            self._note_rows(kind, f"SELECT environment_id, id FROM {kind} WHERE environment_id = ?", environment_id)
        for table in ("session", "environment_activation", "scenario_mock", "mock", "scenario", "host"):
            self._run(f"DELETE FROM {table} WHERE environment_id = ?", environment_id)
        if self._run("DELETE FROM environment WHERE id = ?", environment_id):
            self._note("environment", environment_id, environment_id)

    async def is_empty(self, environment_id: str, now_ms: int) -> bool:
        alive = "AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)"
        questions = ("mock WHERE environment_id = :id", "scenario WHERE environment_id = :id")
        return not any(
            self._connection.execute(
                f"SELECT 1 FROM {each} LIMIT 1", {"id": environment_id, "now_ms": now_ms}
            ).fetchone()
            for each in (*questions, f"session WHERE environment_id = :id {alive}")
        )

    # Mocks

    async def mock(self, environment_id: str, mock_id: str) -> Mock | None:
        row = self._row(f"SELECT {rows.MOCK} WHERE environment_id = ? AND id = ?", environment_id, mock_id)
        return rows.mock(row) if row else None

    async def mocks(self, environment_id: str, query: MockQuery, after: str, limit: int) -> Sequence[Mock]:
        found = self._rows(
            f"""
            SELECT {rows.MOCK} WHERE environment_id = ?1 AND id > ?2 AND (?3 = 0 OR state = ?3)
                AND (?4 = '' OR contains_text(id, ?4) OR contains_text(name, ?4))
                AND (state = ?5 OR ?6 IS NULL OR created_by = ?6)
            ORDER BY id LIMIT ?7
            """,
            environment_id, after, query.state, query.search, MOCK_STATE_PUBLISHED, query.drafts_of, limit,
        )  # fmt: skip
        return [rows.mock(row) for row in found]

    async def put_mock(self, environment_id: str, mock: Mock) -> None:
        kept = without(mock, "active")
        home_before = self._home(environment_id, mock.id)
        self._upsert(
            "mock", ("environment_id", "id"), environment_id=environment_id, id=mock.id, name=mock.name,
            scenario_id=mock.scenario or None, state=mock.state, created_by=mock.created_by,
            message=kept.SerializeToString(),
        )  # fmt: skip
        self._note("mock", environment_id, mock.id)
        if home_before != mock.scenario:
            for scenario_id in filter(None, (home_before, mock.scenario)):
                self._note("scenario", environment_id, scenario_id)

    async def remove_mock(self, environment_id: str, mock_id: str) -> None:
        await self.switch_off(environment_id, mock_id)
        home = self._home(environment_id, mock_id)
        if self._run("DELETE FROM mock WHERE environment_id = ? AND id = ?", environment_id, mock_id):
            self._note("mock", environment_id, mock_id)
        if home:
            self._note("scenario", environment_id, home)

    def _home(self, environment_id: str, mock_id: str) -> str:
        """The scenario that a mock belongs to, empty for none."""
        row = self._row("SELECT scenario_id FROM mock WHERE environment_id = ? AND id = ?", environment_id, mock_id)
        return (row[0] or "") if row else ""

    async def switch_off(self, environment_id: str, mock_id: str) -> None:
        where = "WHERE environment_id = ? AND mock_id = ?"
        self._revise(
            "session", f"SELECT environment_id, session_id FROM session_activation {where}", environment_id, mock_id
        )
        self._revise(
            "scenario", f"SELECT environment_id, scenario_id FROM scenario_mock {where}", environment_id, mock_id
        )
        for table in ("session_activation", "scenario_mock"):
            self._run(f"DELETE FROM {table} {where}", environment_id, mock_id)
        await self.set_active(environment_id, mock_id, active=False)

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
            self._note("environment", environment_id, environment_id)
            self._note("mock", environment_id, mock_id)

    # Scenarios

    async def scenario(self, environment_id: str, scenario_id: str) -> Scenario | None:
        row = self._row(f"SELECT {rows.SCENARIO} WHERE environment_id = ? AND id = ?", environment_id, scenario_id)
        return rows.scenario(row) if row else None

    async def scenario_by_url_id(self, environment_id: str, url_id: str) -> Scenario | None:
        row = self._row(f"SELECT {rows.SCENARIO} WHERE environment_id = ? AND url_id = ?", environment_id, url_id)
        return rows.scenario(row) if row else None

    async def scenarios(
        self, environment_id: str, search: str, before: tuple[int, str] | None, limit: int
    ) -> Sequence[Scenario]:
        moment, scenario_id = before or (None, "")
        found = self._rows(
            f"""
            SELECT {rows.SCENARIO} WHERE environment_id = ?1 AND (?2 = '' OR contains_text(name, ?2))
                AND (?3 IS NULL OR (created_at_ms, id) < (?3, ?4))
            ORDER BY created_at_ms DESC, id DESC LIMIT ?5
            """,
            environment_id, search, moment, scenario_id, limit,
        )  # fmt: skip
        return [rows.scenario(row) for row in found]

    async def put_scenario(self, environment_id: str, scenario: Scenario) -> None:
        kept = without(scenario, "mocks", "local_mocks", "revision")
        self._upsert(
            "scenario", ("environment_id", "id"), environment_id=environment_id, id=scenario.id, name=scenario.name,
            url_id=scenario.url_id, created_at_ms=milliseconds(scenario.created_at),
            revision=scenario.revision, message=kept.SerializeToString(),
        )  # fmt: skip
        self._run("DELETE FROM scenario_mock WHERE environment_id = ? AND scenario_id = ?", environment_id, scenario.id)
        self._run_many(
            "INSERT INTO scenario_mock (environment_id, scenario_id, mock_id, position) VALUES (?, ?, ?, ?)",
            ((environment_id, scenario.id, mock_id, position) for position, mock_id in enumerate(scenario.mocks)),
        )
        self._note("scenario", environment_id, scenario.id)

    async def remove_scenario(self, environment_id: str, scenario_id: str) -> None:
        where = "WHERE environment_id = ? AND scenario_id = ?"
        for (mock_id,) in self._rows(f"SELECT id FROM mock {where}", environment_id, scenario_id):
            await self.remove_mock(environment_id, mock_id)
        self._revise("session", f"SELECT environment_id, id FROM session {where}", environment_id, scenario_id)
        self._run(f"UPDATE session SET scenario_id = NULL {where}", environment_id, scenario_id)
        self._run(f"DELETE FROM scenario_mock {where}", environment_id, scenario_id)
        if self._run("DELETE FROM scenario WHERE environment_id = ? AND id = ?", environment_id, scenario_id):
            self._note("scenario", environment_id, scenario_id)

    # Sessions

    async def session(self, environment_id: str, session_key: str) -> SessionRecord | None:
        row = self._row(
            f"SELECT {rows.SESSION} WHERE session_entry.place_id = ? AND session_entry.value = ?",
            environment_id, session_key,
        )  # fmt: skip
        return rows.session(row) if row else None

    async def sessions(self, environment_id: str, search: str, after: str, limit: int) -> Sequence[SessionRecord]:
        found = self._rows(
            f"""
            SELECT {rows.SESSION} WHERE session_entry.place_id = ?1 AND session_entry.value > ?2
                AND (?3 = '' OR contains_text(session_entry.value, ?3))
            ORDER BY session_entry.value LIMIT ?4
            """,
            environment_id, after, search, limit,
        )  # fmt: skip
        return [rows.session(row) for row in found]

    async def session_ids(self) -> Collection[str]:
        return {session_id for (session_id,) in self._rows("SELECT id FROM session")}

    async def put_session(self, record: SessionRecord) -> None:
        session = record.message
        kept = without(session, "session_key", "overrides", "scenario", "revision")
        self._upsert(
            "session", ("id",), id=record.id, environment_id=record.environment_id,
            scenario_id=session.scenario if session.HasField("scenario") else None,
            updated_at_ms=record.updated_at_ms,
            expires_at_ms=milliseconds(session.expires_at) if session.HasField("expires_at") else None,
            revision=session.revision, message=kept.SerializeToString(),
        )  # fmt: skip
        # A key that another session has is refused by the table: silence would leave a session that nobody finds.
        self._run("DELETE FROM session_entry WHERE session_id = ? AND kind = 'key'", record.id)
        self._run(
            "INSERT INTO session_entry (place_id, kind, value, session_id) VALUES (?, 'key', ?, ?)",
            record.environment_id, session.session_key, record.id,
        )  # fmt: skip
        self._put_activations(record.id, record.environment_id, session)
        self._note("session", record.environment_id, record.id)

    def _put_activations(self, session_id: str, environment_id: str, session: Session) -> None:
        self._run("DELETE FROM session_activation WHERE session_id = ?", session_id)
        self._run_many(
            "INSERT INTO session_activation (session_id, environment_id, mock_id, position) VALUES (?, ?, ?, ?)",
            ((session_id, environment_id, mock_id, position) for position, mock_id in enumerate(session.overrides)),
        )

    async def remove_session(self, session_id: str) -> None:
        self._note_rows("session", "SELECT environment_id, id FROM session WHERE id = ?", session_id)
        self._run("DELETE FROM session WHERE id = ?", session_id)

    async def ending(self, now_ms: int, updated_before_ms: int) -> Sequence[tuple[str, bool]]:
        found = self._rows(
            """
            SELECT id, 1 FROM session WHERE expires_at_ms <= ?1
            UNION ALL
            SELECT id, 0 FROM session WHERE updated_at_ms < ?2 AND expires_at_ms IS NULL
            """,
            now_ms, updated_before_ms,
        )  # fmt: skip
        return [(session_id, bool(expired)) for session_id, expired in found]
