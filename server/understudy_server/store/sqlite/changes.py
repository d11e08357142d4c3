"""What changed since a version, read in one snapshot for the live view."""

import sqlite3
from collections import defaultdict

from understudy_server.app.times import milliseconds
from understudy_server.live.compile import compile_carriers
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow
from understudy_server.store.sqlite import rows


def load_since(connection: sqlite3.Connection, version: int) -> Changes:
    """Read everything that changed after a version, or everything there is when that is too long ago.

    Call inside a snapshot.
    """
    current, floor = connection.execute("SELECT current, floor FROM version").fetchone()
    if version < max(floor, 1):
        return _everything(connection, current)
    changed: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for kind, environment_id, entity_id in connection.execute(
        "SELECT kind, environment_id, id FROM change WHERE version > ?", (version,)
    ):
        changed[kind].append((environment_id, entity_id))
    # A project has no row of its own in the live view: its slug is part of its environments.
    environment_ids = [entity_id for _, entity_id in changed["environment"]]
    return Changes(
        version=current,
        environments={each: _environment(connection, each) for each in environment_ids},
        mocks={
            name: rows.mock(row) if (row := _one(connection, rows.MOCK, name)) else None for name in changed["mock"]
        },
        scenarios={
            name: rows.scenario(row) if (row := _one(connection, rows.SCENARIO, name)) else None
            for name in changed["scenario"]
        },
        sessions={each: _session(connection, each) for _, each in changed["session"]},
    )


def _everything(connection: sqlite3.Connection, current: int) -> Changes:
    environment_ids = [each for (each,) in connection.execute("SELECT id FROM environment")]
    mocks = connection.execute(f"SELECT environment_id, id, {rows.MOCK}")
    scenarios = connection.execute(f"SELECT scenario.environment_id, scenario.id, {rows.SCENARIO}")
    sessions = connection.execute(f"SELECT {rows.SESSION}")
    return Changes(
        version=current,
        complete=True,
        environments={each: _environment(connection, each) for each in environment_ids},
        mocks={(row[0], row[1]): rows.mock(row[2:]) for row in mocks},
        scenarios={(row[0], row[1]): rows.scenario(row[2:]) for row in scenarios},
        sessions={row[0]: _session_row(row) for row in sessions},
    )


def _one(connection: sqlite3.Connection, columns: str, name: tuple[str, str]) -> rows.Row | None:
    row: rows.Row | None = connection.execute(f"SELECT {columns} WHERE environment_id = ? AND id = ?", name).fetchone()
    return row


def _environment(connection: sqlite3.Connection, environment_id: str) -> EnvironmentRow | None:
    row = connection.execute(f"SELECT {rows.ENVIRONMENT} WHERE environment.id = ?", (environment_id,)).fetchone()
    if row is None:
        return None
    active = connection.execute(
        "SELECT mock_id FROM environment_activation WHERE environment_id = ? ORDER BY position", (environment_id,)
    )
    record = rows.environment(row)
    environment = record.message
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
    )


def _session(connection: sqlite3.Connection, session_id: str) -> SessionRow | None:
    row = connection.execute(f"SELECT {rows.SESSION} WHERE session.id = ?", (session_id,)).fetchone()
    return _session_row(row) if row else None


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
    )
