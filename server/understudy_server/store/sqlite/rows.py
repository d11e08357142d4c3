"""Reading rows back into records. Every message is parsed from bytes that this project wrote."""

import json
from collections.abc import Iterable
from typing import Any

from understudy.v1.key_service_pb2 import Key
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import Environment, Project
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.session_service_pb2 import Session

from understudy_server.app.ports import EnvironmentRecord, KeyRecord, ProjectRecord, SessionRecord

Row = tuple[Any, ...]

# The form of the bytes in the `message` columns. A new number comes with code that still reads the old ones.
SCHEMA = 1

AMONG = "IN (SELECT value FROM json_each(?))"
"""Some ids: a list of them travels as one argument (`listed`), however long it is."""

KEY = "message, fingerprint, project_id, environment_id"
PROJECT = "id, message, managed_by"
ENVIRONMENT = """
    environment.id, environment.project_id, environment.message, project.slug,
    (SELECT group_concat(name, ' ') FROM (SELECT name FROM host
        WHERE host.environment_id = environment.id ORDER BY position)),
    environment.managed_by
    FROM environment JOIN project ON project.id = environment.project_id
"""
MOCK = """
    mock.message, EXISTS (SELECT 1 FROM environment_activation AS active
        WHERE active.environment_id = mock.environment_id AND active.mock_id = mock.id),
    mock.managed_by
    FROM mock
"""
SCENARIO = """
    scenario.message,
    (SELECT group_concat(mock_id, ' ') FROM (SELECT mock_id FROM scenario_mock
        WHERE scenario_mock.environment_id = scenario.environment_id AND scenario_mock.scenario_id = scenario.id
        ORDER BY position)),
    (SELECT group_concat(id, ' ') FROM (SELECT id FROM mock
        WHERE mock.environment_id = scenario.environment_id AND mock.scenario_id = scenario.id ORDER BY id)),
    scenario.revision, scenario.managed_by
    FROM scenario
"""
SESSION = """
    session.id, session.environment_id, session.updated_at_ms, session.message, session.scenario_id,
    (SELECT group_concat(mock_id, ' ') FROM (SELECT mock_id FROM session_activation
        WHERE session_activation.session_id = session.id ORDER BY position)),
    session_entry.value, session.revision, session.generation
    FROM session JOIN session_entry ON session_entry.session_id = session.id
        AND session_entry.kind IN ('key', 'header_name')
"""


def key(row: Row) -> KeyRecord:
    message, fingerprint, project_id, environment_id = row
    return KeyRecord(Key.FromString(message), fingerprint, project_id, environment_id)


def project(row: Row) -> ProjectRecord:
    project_id, message, managed_by = row
    parsed = Project.FromString(message)
    parsed.managed_by = managed_by
    return ProjectRecord(project_id, parsed)


def environment(row: Row) -> EnvironmentRecord:
    environment_id, project_id, message, project_slug, hosts, managed_by = row
    parsed = Environment.FromString(message)
    parsed.project = project_slug
    parsed.hosts[:] = _names(hosts)
    parsed.managed_by = managed_by
    return EnvironmentRecord(environment_id, project_id, parsed)


def mock(row: Row) -> Mock:
    message, active, managed_by = row
    parsed = Mock.FromString(message)
    parsed.active = bool(active)
    parsed.managed_by = managed_by
    return parsed


def scenario(row: Row) -> Scenario:
    message, mocks, local_mocks, revision, managed_by = row
    parsed = Scenario.FromString(message)
    parsed.mocks[:] = _names(mocks)
    parsed.local_mocks[:] = _names(local_mocks)
    parsed.revision = revision
    parsed.managed_by = managed_by
    return parsed


def session(row: Row) -> SessionRecord:
    session_id, environment_id, updated_at_ms, message, scenario_id, overrides, session_key, revision, generation = row
    parsed = Session.FromString(message)
    parsed.session_key = session_key
    parsed.overrides[:] = _names(overrides)
    parsed.revision = revision
    if scenario_id is not None:
        parsed.scenario = scenario_id
    return SessionRecord(session_id, environment_id, updated_at_ms, parsed, generation)


def session_mock(message: bytes) -> Mock:
    """A session's own mock is always on for it, so it is published and active."""
    parsed = Mock.FromString(message)
    parsed.active = True
    return parsed


def listed(ids: Iterable[str]) -> str:
    """Ids, as the argument of ``AMONG``."""
    return json.dumps(list(ids))


def tags(words: Iterable[str]) -> str:
    """Tags, as a column holds them: each between two spaces, so that any of them is found as a part of the text."""
    joined = " ".join(words)
    return f" {joined} " if joined else ""


def _names(joined: str | None) -> list[str]:
    """Ids and host names hold no space, so that a list of them travels as one text."""
    return joined.split(" ") if joined else []
