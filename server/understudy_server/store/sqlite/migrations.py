"""The schema of the files, as numbered steps. A step is never changed once released; a new one amends it.

``control.db`` holds declared state: every transaction that changes it moves the version row. ``state.db`` holds what is
noisy, so that nothing noisy moves the version; so does ``journal.db``, whose steps are in ``journal.migrations``.
"""

import sqlite3

from understudy.v1.key_service_pb2 import Key
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import PROFILE_FLOWMOCK, Environment, Project
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.session_service_pb2 import Session

from understudy_server.store.sqlite.steps import Steps

control = Steps("control")
state = Steps("state")


class NewerSchema(Exception):
    """The file has steps that this release does not know. Only a newer release may open it."""


def migrate(connection: sqlite3.Connection, steps: Steps) -> None:
    """Apply the steps that a file lacks, each in a transaction of its own. Raises NewerSchema."""
    applied, known = steps.applied(connection), set(steps.names)
    if unknown := applied - known:
        raise NewerSchema(f"{steps.name}.db was written by a newer release ({', '.join(sorted(unknown))})")
    if applied != known:
        steps.apply(connection)


@control()
def m0001_declared_state(db: sqlite3.Connection) -> None:
    """Columns hold identity, lifecycle and what is searched; a message is kept as bytes beside its schema version."""
    script(
        db,
        """
        CREATE TABLE version (
            only INTEGER PRIMARY KEY CHECK (only = 1), current INTEGER NOT NULL, floor INTEGER NOT NULL
        )
        """,
        # Version 1 is the empty store, so that 0 can mean "nothing loaded yet".
        "INSERT INTO version VALUES (1, 1, 0)",
        """
        CREATE TABLE change (
            kind TEXT NOT NULL, environment_id TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
            PRIMARY KEY (kind, environment_id, id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX change_by_version ON change (version)",
        "CREATE TABLE organisation (id TEXT PRIMARY KEY, plan INTEGER NOT NULL)",
        "INSERT INTO organisation VALUES ('org_default', 4)",
        """
        CREATE TABLE api_key (
            id TEXT PRIMARY KEY, fingerprint BLOB NOT NULL UNIQUE,
            project_id TEXT NOT NULL, environment_id TEXT NOT NULL,
            expires_at_ms INTEGER, revoked_at_ms INTEGER, schema INTEGER NOT NULL, message BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE project (
            id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE, schema INTEGER NOT NULL, message BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE environment (
            id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project (id), slug TEXT NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL, UNIQUE (project_id, slug)
        )
        """,
        """
        CREATE TABLE scenario (
            environment_id TEXT NOT NULL REFERENCES environment (id), id TEXT NOT NULL, name TEXT NOT NULL,
            url_id TEXT NOT NULL, created_at_ms INTEGER NOT NULL, revision INTEGER NOT NULL, schema INTEGER NOT NULL,
            message BLOB NOT NULL, PRIMARY KEY (environment_id, id), UNIQUE (environment_id, url_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX scenario_by_age ON scenario (environment_id, created_at_ms, id)",
        """
        CREATE TABLE mock (
            environment_id TEXT NOT NULL REFERENCES environment (id), id TEXT NOT NULL, name TEXT NOT NULL,
            scenario_id TEXT, state INTEGER NOT NULL, created_by TEXT NOT NULL, schema INTEGER NOT NULL,
            message BLOB NOT NULL, PRIMARY KEY (environment_id, id),
            FOREIGN KEY (environment_id, scenario_id) REFERENCES scenario (environment_id, id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX mock_by_scenario ON mock (environment_id, scenario_id) WHERE scenario_id IS NOT NULL",
        """
        CREATE TABLE scenario_mock (
            environment_id TEXT NOT NULL, scenario_id TEXT NOT NULL, mock_id TEXT NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (environment_id, scenario_id, mock_id),
            FOREIGN KEY (environment_id, scenario_id) REFERENCES scenario (environment_id, id),
            FOREIGN KEY (environment_id, mock_id) REFERENCES mock (environment_id, id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX scenario_mock_by_mock ON scenario_mock (environment_id, mock_id)",
        """
        CREATE TABLE environment_activation (
            environment_id TEXT NOT NULL, mock_id TEXT NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (environment_id, mock_id),
            FOREIGN KEY (environment_id, mock_id) REFERENCES mock (environment_id, id)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE session (
            id TEXT PRIMARY KEY, environment_id TEXT NOT NULL REFERENCES environment (id), scenario_id TEXT,
            updated_at_ms INTEGER NOT NULL, expires_at_ms INTEGER, revision INTEGER NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL,
            FOREIGN KEY (environment_id, scenario_id) REFERENCES scenario (environment_id, id)
        )
        """,
        "CREATE INDEX session_by_environment ON session (environment_id)",
        "CREATE INDEX session_by_scenario ON session (environment_id, scenario_id) WHERE scenario_id IS NOT NULL",
        "CREATE INDEX session_by_expiry ON session (expires_at_ms) WHERE expires_at_ms IS NOT NULL",
        "CREATE INDEX session_by_update ON session (updated_at_ms)",
        # Who finds which session: `place_id` is an environment's or a project's, `kind` says what the value is (key).
        """
        CREATE TABLE session_entry (
            place_id TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
            session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
            PRIMARY KEY (place_id, kind, value)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX session_entry_by_session ON session_entry (session_id)",
        """
        CREATE TABLE session_activation (
            session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE, environment_id TEXT NOT NULL,
            mock_id TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (session_id, mock_id),
            FOREIGN KEY (environment_id, mock_id) REFERENCES mock (environment_id, id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX session_activation_by_mock ON session_activation (environment_id, mock_id)",
    )


@control()
def m0002_hosts(db: sqlite3.Connection) -> None:
    """Host names are unique over all environments, and found without a scan."""
    script(
        db,
        """
        CREATE TABLE host (
            name TEXT PRIMARY KEY, environment_id TEXT NOT NULL REFERENCES environment (id), position INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX host_by_environment ON host (environment_id, position)",
    )


@control()
def m0003_manifests(db: sqlite3.Connection) -> None:
    """Which source of manifests declares a thing, and when it was last applied; empty for what the API made."""
    managed = "managed_by TEXT NOT NULL DEFAULT ''"
    for table in ("organisation", "project", "environment", "scenario", "mock"):
        script(db, f"ALTER TABLE {table} ADD COLUMN {managed}")
    for table in ("project", "environment", "scenario", "mock"):
        script(db, f"CREATE INDEX {table}_by_source ON {table} (managed_by) WHERE managed_by <> ''")
    script(
        db,
        "ALTER TABLE organisation ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE manifest_source (
            name TEXT PRIMARY KEY, applied_at_ms INTEGER NOT NULL, applied_by TEXT NOT NULL
        ) WITHOUT ROWID
        """,
    )


@control()
def m0004_searched(db: sqlite3.Connection) -> None:
    """What lists search and filter by is in columns of its own: names, labels of sessions, roles of keys."""
    script(
        db,
        "ALTER TABLE project ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE environment ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE session ADD COLUMN label TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE api_key ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE api_key ADD COLUMN role INTEGER NOT NULL DEFAULT 0",
    )
    for table, column, read in (
        ("project", "name", lambda message: Project.FromString(message).name),
        ("environment", "name", lambda message: Environment.FromString(message).name),
        ("session", "label", lambda message: Session.FromString(message).label),
        ("api_key", "name", lambda message: Key.FromString(message).name),
        ("api_key", "role", lambda message: Key.FromString(message).role),
    ):
        kept = db.execute(f"SELECT id, message FROM {table}").fetchall()
        db.executemany(
            f"UPDATE {table} SET {column} = ? WHERE id = ?", [(read(message), name) for name, message in kept]
        )


@control()
def m0005_applied_digest(db: sqlite3.Connection) -> None:
    """What tells the manifest that was applied last from others; empty where that was before this step."""
    script(db, "ALTER TABLE manifest_source ADD COLUMN digest TEXT NOT NULL DEFAULT ''")


@control()
def m0006_session_generation(db: sqlite3.Connection) -> None:
    """Which beginning of a session its state is of: to reset the session is to move this on."""
    script(db, "ALTER TABLE session ADD COLUMN generation INTEGER NOT NULL DEFAULT 1")


@control()
def m0007_session_mocks_and_files(db: sqlite3.Connection) -> None:
    """Mocks that sessions own, which go with them; and the files of environments, whose rows may be long."""
    script(
        db,
        """
        CREATE TABLE session_mock (
            session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE, id TEXT NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL, PRIMARY KEY (session_id, id)
        )
        """,
        """
        CREATE TABLE file (
            environment_id TEXT NOT NULL REFERENCES environment (id), name TEXT NOT NULL, size_bytes INTEGER NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL, content BLOB NOT NULL, PRIMARY KEY (environment_id, name)
        )
        """,
    )


@control()
def m0008_versions(db: sqlite3.Connection) -> None:
    """What mocks and scenarios were, by revision, and which of them are removed; ``number`` tells which went last.

    Tags stand in a column, since lists are filtered by them. The environments that there are have the profile that
    there was.
    """
    script(
        db,
        "ALTER TABLE mock ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE past (
            environment_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL, PRIMARY KEY (environment_id, kind, id, revision)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE removed (
            number INTEGER PRIMARY KEY AUTOINCREMENT, environment_id TEXT NOT NULL, kind TEXT NOT NULL,
            id TEXT NOT NULL, UNIQUE (environment_id, kind, id)
        )
        """,
    )
    for environment_id, message in db.execute("SELECT id, message FROM environment").fetchall():
        environment = Environment.FromString(message)
        environment.profile = PROFILE_FLOWMOCK
        db.execute("UPDATE environment SET message = ? WHERE id = ?", (environment.SerializeToString(), environment_id))
    insert = "INSERT INTO past VALUES (?, ?, ?, ?, 1, ?)"
    mocks = db.execute("SELECT environment_id, id, message FROM mock").fetchall()
    db.executemany(
        insert,
        [(place, "mock", mock_id, Mock.FromString(message).revision, message) for place, mock_id, message in mocks],
    )
    scenarios = db.execute(
        "SELECT environment_id, id, revision, message, (SELECT group_concat(mock_id, ' ') FROM (SELECT mock_id"
        " FROM scenario_mock WHERE scenario_mock.environment_id = scenario.environment_id"
        " AND scenario_mock.scenario_id = scenario.id ORDER BY position)) FROM scenario"
    ).fetchall()
    for place, scenario_id, revision, message, mock_ids in scenarios:
        scenario = Scenario.FromString(message)
        scenario.revision = revision
        scenario.mocks[:] = mock_ids.split(" ") if mock_ids else []
        db.execute(insert, (place, "scenario", scenario_id, revision, scenario.SerializeToString()))


@control()
def m0009_versions_as_written(db: sqlite3.Connection) -> None:
    """Versions lie in the order in which they were written, and are found by small index entries.

    Beside the other versions of the same mock, each changed a page of its own: a manifest of thousands of mocks all
    that had ever been kept of them.
    """
    script(
        db,
        "ALTER TABLE past RENAME TO earlier",
        """
        CREATE TABLE past (
            environment_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL, PRIMARY KEY (environment_id, kind, id, revision)
        )
        """,
        "INSERT INTO past SELECT * FROM earlier ORDER BY revision",
        "DROP TABLE earlier",
    )


@control()
def m0010_sessions_by_header_name(db: sqlite3.Connection) -> None:
    """Of sessions that are found by their key, and those that are found by a header of that name, one has each text."""
    script(
        db,
        "CREATE UNIQUE INDEX session_entry_by_text ON session_entry (place_id, value)"
        " WHERE kind IN ('key', 'header_name')",
    )


@control()
def m0011_flags(db: sqlite3.Connection) -> None:
    """Flags of projects, their states in environments, what sessions have pinned of them, and sessions of projects.

    ``flags_version`` is the version in which the project's flags or their states changed last: what was compiled of
    them is good as long as it stands. Of a snapshot nothing is left when no session has it any more. Rows may be long.
    ``scope`` is that of a key of the kind flagbridge: none is older than this.
    """
    script(
        db,
        "ALTER TABLE project ADD COLUMN flags_version INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE api_key ADD COLUMN scope INTEGER NOT NULL DEFAULT 0",
        """
        CREATE TABLE flag (
            project_id TEXT NOT NULL REFERENCES project (id), key TEXT NOT NULL, name TEXT NOT NULL,
            tags TEXT NOT NULL, managed_by TEXT NOT NULL, schema INTEGER NOT NULL, message BLOB NOT NULL,
            PRIMARY KEY (project_id, key)
        )
        """,
        "CREATE INDEX flag_by_source ON flag (managed_by) WHERE managed_by <> ''",
        """
        CREATE TABLE flag_state (
            environment_id TEXT NOT NULL REFERENCES environment (id), flag_key TEXT NOT NULL,
            project_id TEXT NOT NULL, schema INTEGER NOT NULL, message BLOB NOT NULL,
            PRIMARY KEY (environment_id, flag_key),
            FOREIGN KEY (project_id, flag_key) REFERENCES flag (project_id, key)
        )
        """,
        "CREATE INDEX flag_state_by_flag ON flag_state (project_id, flag_key)",
        """
        CREATE TABLE flag_snapshot (
            id INTEGER PRIMARY KEY AUTOINCREMENT, environment_id TEXT NOT NULL, flags_version INTEGER NOT NULL,
            UNIQUE (environment_id, flags_version)
        )
        """,
        """
        CREATE TABLE pinned_flag (
            snapshot_id INTEGER NOT NULL REFERENCES flag_snapshot (id) ON DELETE CASCADE, key TEXT NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL, state_schema INTEGER, state BLOB,
            PRIMARY KEY (snapshot_id, key)
        )
        """,
        """
        CREATE TABLE frozen_session (
            session_id TEXT PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE, snapshot_id INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX frozen_session_by_snapshot ON frozen_session (snapshot_id)",
        """
        CREATE TRIGGER snapshot_let_go AFTER DELETE ON frozen_session BEGIN
            DELETE FROM flag_snapshot WHERE id = OLD.snapshot_id
                AND NOT EXISTS (SELECT 1 FROM frozen_session WHERE snapshot_id = OLD.snapshot_id);
        END
        """,
        """
        CREATE TABLE project_session (
            project_id TEXT NOT NULL REFERENCES project (id), id TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
            schema INTEGER NOT NULL, message BLOB NOT NULL, PRIMARY KEY (project_id, id)
        )
        """,
        "CREATE INDEX project_session_by_expiry ON project_session (expires_at_ms)",
    )


@state()
def m0001_presence(db: sqlite3.Connection) -> None:
    script(db, "CREATE TABLE presence (session_id TEXT PRIMARY KEY, last_seen_ms INTEGER NOT NULL) WITHOUT ROWID")


@state()
def m0002_session_findings(db: sqlite3.Connection) -> None:
    """What was odd about the exchanges of a session: one row for each code."""
    script(
        db,
        """
        CREATE TABLE finding (
            session_id TEXT NOT NULL, code TEXT NOT NULL, PRIMARY KEY (session_id, code)
        ) WITHOUT ROWID
        """,
    )


@state()
def m0003_kept_between_requests(db: sqlite3.Connection) -> None:
    """Values, machines and uses of mocks, by owner: a session's state, a chain, or (empty) an environment.

    A value is JSON as bytes, of which SQLite knows the length without reading them. Its row may be long, so that the
    key stands in an index of its own.
    """
    owner = "environment_id TEXT NOT NULL, scope TEXT NOT NULL, owner TEXT NOT NULL"
    script(
        db,
        f"""
        CREATE TABLE state_value (
            {owner}, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (environment_id, scope, owner, key)
        )
        """,
        f"""
        CREATE TABLE state_machine (
            {owner}, machine TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (environment_id, scope, owner, machine)
        ) WITHOUT ROWID
        """,
        f"""
        CREATE TABLE mock_use (
            {owner}, mock TEXT NOT NULL, uses INTEGER NOT NULL, PRIMARY KEY (environment_id, scope, owner, mock)
        ) WITHOUT ROWID
        """,
    )


def script(db: sqlite3.Connection, *statements: str) -> None:
    """Run statements, in a step."""
    for statement in statements:
        db.execute(statement)
