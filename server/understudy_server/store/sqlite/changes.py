"""What changed since a version, read in one snapshot for the live view."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from understudy.v1.file_service_pb2 import File
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.session_service_pb2 import FOUND_BY_HEADER_NAME

from understudy_server.app.times import milliseconds
from understudy_server.core.giving_way import giving_way
from understudy_server.core.responding.files import FileContent
from understudy_server.definitions.environments import compile_carriers, compile_profile, compile_redaction
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.session_mocks import owned_name

# Columns of `rows` end with the tables that they are of. The index is named because the planner would rather look at
# all that ever changed of a kind, which may be a hundred thousand sessions, than at what changed last.
_CHANGED = {
    kind: f"""
        SELECT change.environment_id, change.id, {columns}
        JOIN change INDEXED BY change_by_version
            ON +change.kind = '{kind}' AND change.environment_id = {kind}.environment_id AND change.id = {kind}.id
        WHERE change.version > ?
    """
    for kind, columns in (("mock", rows.MOCK), ("scenario", rows.SCENARIO), ("session", rows.SESSION))
}


def load_since(connection: sqlite3.Connection, version: int) -> Changes:
    """Read everything that changed after a version, or everything there is when that is too long ago.

    Call inside a snapshot.
    """
    current, floor = connection.execute("SELECT current, floor FROM version").fetchone()
    if version < max(floor, 1):
        return _everything(connection, current)
    changes = Changes(current)
    names: dict[str, list[tuple[str, str]]] = defaultdict(list)
    found = connection.execute("SELECT kind, environment_id, id FROM change WHERE version > ?", (version,))
    for kind, environment_id, entity_id in giving_way(found):
        names[kind].append((environment_id, entity_id))
    # One statement for all of a kind, since each costs more than a row does. What it does not find is gone.
    if mocks := names["mock"]:
        changes.mocks.update((name, None) for name in giving_way(mocks))
        for environment_id, mock_id, *row in _changed(connection, "mock", version):
            changes.mocks[environment_id, mock_id] = rows.mock(tuple(row))
    if scenarios := names["scenario"]:
        changes.scenarios.update(dict.fromkeys(scenarios))
        for environment_id, scenario_id, *row in _changed(connection, "scenario", version):
            changes.scenarios[environment_id, scenario_id] = rows.scenario(tuple(row))
    if sessions := names["session"]:
        changes.sessions.update(dict.fromkeys([session_id for _, session_id in sessions]))
        for _, session_id, *row in _changed(connection, "session", version):
            changes.sessions[session_id] = _session_row(tuple(row))
    if owned := names["session_mock"]:
        changes.session_mocks.update(_session_mocks(connection, owned, version))
    for environment_id, name in names["file"]:
        changes.files[environment_id, name] = _file(connection, environment_id, name)
    for _, environment_id in names["environment"]:
        # A project has no row of its own in the live view: its slug is part of its environments.
        changes.environments[environment_id] = _environment(connection, environment_id)
    return changes


def _changed(connection: sqlite3.Connection, kind: str, version: int) -> Iterator[rows.Row]:
    return giving_way(connection.execute(_CHANGED[kind], (version,)))


def _everything(connection: sqlite3.Connection, current: int) -> Changes:
    environment_ids = [each for (each,) in connection.execute("SELECT id FROM environment")]
    mocks = connection.execute(f"SELECT environment_id, id, {rows.MOCK}")
    scenarios = connection.execute(f"SELECT scenario.environment_id, scenario.id, {rows.SCENARIO}")
    sessions = connection.execute(f"SELECT {rows.SESSION}")
    # In the order in which they were made.
    owned = connection.execute("SELECT session_id, id, message FROM session_mock ORDER BY rowid")
    files = connection.execute("SELECT environment_id, name, message, content FROM file")
    return Changes(
        version=current,
        complete=True,
        environments={each: _environment(connection, each) for each in environment_ids},
        mocks={(row[0], row[1]): rows.mock(row[2:]) for row in giving_way(mocks)},
        scenarios={(row[0], row[1]): rows.scenario(row[2:]) for row in scenarios},
        sessions={row[0]: _session_row(row) for row in giving_way(sessions)},
        session_mocks={(row[0], row[1]): rows.session_mock(row[2]) for row in giving_way(owned)},
        files={(row[0], row[1]): _content(row[2:]) for row in giving_way(files)},
    )


def _environment(connection: sqlite3.Connection, environment_id: str) -> EnvironmentRow | None:
    row = connection.execute(f"SELECT {rows.ENVIRONMENT} WHERE environment.id = ?", (environment_id,)).fetchone()
    if row is None:
        return None
    active = connection.execute(
        "SELECT mock_id FROM environment_activation WHERE environment_id = ? ORDER BY position", (environment_id,)
    )
    record = rows.environment(row)
    environment, limits = record.message, record.message.limits
    return EnvironmentRow(
        id=record.id,
        project_id=record.project_id,
        project_slug=environment.project,
        slug=environment.slug,
        upstream=environment.upstream,
        active_mocks=tuple(mock_id for (mock_id,) in active),
        hosts=tuple(environment.hosts),
        carriers=compile_carriers(environment.carriers),
        strict=environment.strict,
        answers_preflights=not environment.cors.forward_preflights,
        adds_cors_headers=not environment.cors.leave_answers,
        tunnels_upgrades=environment.tunnel_upgrades,
        forwards_session_header=not environment.strip_session_header,
        redaction=compile_redaction(environment.redaction),
        request_body_bytes_max=limits.request_body_bytes_max or None,
        captured_bytes_max=limits.captured_bytes_max if limits.HasField("captured_bytes_max") else None,
        first_byte_ms=limits.first_byte_ms or None,
        session_log_entries_max=limits.session_log_entries_max or None,
        session_log_bytes_max=limits.session_log_bytes_max or None,
        log_entries_max=limits.log_entries_max or None,
        log_bytes_max=limits.log_bytes_max or None,
        log_retention_ms=limits.log_retention_seconds * 1000 or None,
        profile=compile_profile(environment.profile),
    )


def _session_mocks(
    connection: sqlite3.Connection, names: list[tuple[str, str]], version: int
) -> dict[tuple[str, str], Mock | None]:
    """Those that changed, in the order in which they were made, and then those that are gone."""
    changed: dict[tuple[str, str], Mock | None] = {}
    found = connection.execute(
        """
        SELECT session_mock.session_id, session_mock.id, session_mock.message
        FROM change INDEXED BY change_by_version JOIN session_mock
            ON change.id = session_mock.session_id || ' ' || session_mock.id
        WHERE +change.kind = 'session_mock' AND change.version > ?
            AND session_mock.session_id = substr(change.id, 1, instr(change.id, ' ') - 1)
        ORDER BY session_mock.rowid
        """,
        (version,),
    )
    for session_id, mock_id, message in giving_way(found):
        changed[session_id, mock_id] = rows.session_mock(message)
    for _, noted in names:
        changed.setdefault(owned_name(noted), None)
    return changed


def _file(connection: sqlite3.Connection, environment_id: str, name: str) -> FileContent | None:
    row = connection.execute(
        "SELECT message, content FROM file WHERE environment_id = ? AND name = ?", (environment_id, name)
    ).fetchone()
    return _content(row) if row else None


def _content(row: rows.Row) -> FileContent:
    message, content = row
    return FileContent(content, File.FromString(message).content_type)


def _session_row(row: rows.Row) -> SessionRow:
    record = rows.session(row)
    session = record.message
    return SessionRow(
        id=record.id,
        environment_id=record.environment_id,
        key=session.session_key,
        scenario_id=session.scenario,
        overrides=tuple(session.overrides),
        global_delay_ms=session.global_delay_ms,
        global_delay_max_ms=session.global_delay_max_ms,
        expires_at_ms=milliseconds(session.expires_at) if session.HasField("expires_at") else None,
        revision=session.revision,
        state_id=record.state_id,
        seed=session.seed if session.HasField("seed") else None,
        by_header_name=session.found_by == FOUND_BY_HEADER_NAME,
    )
