"""The flags of projects, what they are set to in environments, and what sessions have pinned of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from understudy.v1.flags_pb2 import Flag, FlagState

from understudy_server.app.flag_ports import FlagQuery, FlagRecord
from understudy_server.app.ports import SessionRecord
from understudy_server.core.giving_way import giving_way
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.lists import Where
from understudy_server.store.sqlite.rows import AMONG, Row
from understudy_server.store.sqlite.unit import Unit, without

_FLAG = "message, managed_by FROM flag"
_IN_ENVIRONMENT = "flag LEFT JOIN flag_state ON flag_state.environment_id = ?1 AND flag_state.flag_key = flag.key"
_WITH_STATE = f"flag.key, flag.message, flag_state.message FROM {_IN_ENVIRONMENT}"
_CHANGED = """
    SELECT id FROM change WHERE kind = {} AND environment_id = {} AND id > ?4 AND version > ?3 ORDER BY id LIMIT ?5
"""
_PINNED = "key, message, state FROM pinned_flag"
# So many bytes of flags are read in one go, on the event loop: a fraction of a millisecond.
_PAGE_BYTES = 65_536
_COLUMNS = ("project_id", "key", "name", "tags", "managed_by", "message")


class Flags(Unit):
    """Reads and writes them. Every change of a project's flags makes its ``flags_version`` the version of the unit."""

    async def flags_version(self, project_id: str) -> int:
        row = self._row("SELECT flags_version FROM project WHERE id = ?", project_id)
        return int(row[0]) if row else 0

    async def flag(self, project_id: str, key: str) -> Flag | None:
        row = self._row(f"SELECT {_FLAG} WHERE project_id = ? AND key = ?", project_id, key)
        return _flag(row) if row else None

    async def flags(self, project_id: str, query: FlagQuery, after: str, limit: int) -> Sequence[Flag]:
        where = _filtered(project_id, query)
        where.add("key > ?", after)
        found = self._rows(f"SELECT {_FLAG} {where} ORDER BY key LIMIT ?", *where.arguments, limit)
        return [_flag(row) for row in found]

    async def flags_named(self, project_id: str, keys: Collection[str]) -> Mapping[str, Flag]:
        found = self._rows(f"SELECT {_FLAG} WHERE project_id = ? AND key {AMONG}", project_id, rows.listed(keys))
        flags = [_flag(row) for row in found]
        return {each.key: each for each in flags}

    async def flag_count(self, project_id: str, query: FlagQuery) -> int:
        where = _filtered(project_id, query)
        return int(self._value(f"SELECT count(*) FROM flag {where}", *where.arguments))

    async def put_flag(self, project_id: str, flag: Flag) -> None:
        message = without(flag, "managed_by", "states").SerializeToString()
        found = (project_id, flag.key, flag.name, rows.tags(flag.tags), flag.managed_by, message)
        self._upsert_all("flag", ("project_id", "key"), _COLUMNS, (found,))
        self._changed(project_id, "flag", project_id, flag.key)

    async def remove_flag(self, project_id: str, key: str) -> None:
        self._run("DELETE FROM flag_state WHERE project_id = ? AND flag_key = ?", project_id, key)
        if self._run("DELETE FROM flag WHERE project_id = ? AND key = ?", project_id, key):
            self._changed(project_id, "flag", project_id, key)

    async def flag_state(self, environment_id: str, key: str) -> FlagState | None:
        row = self._row("SELECT message FROM flag_state WHERE environment_id = ? AND flag_key = ?", environment_id, key)
        return FlagState.FromString(row[0]) if row else None

    async def flag_states(
        self, project_id: str, keys: Collection[str], environment_id: str = ""
    ) -> Mapping[str, Sequence[FlagState]]:
        found = self._rows(
            f"""
            SELECT flag_state.flag_key, environment.slug, flag_state.message
            FROM flag_state JOIN environment ON environment.id = flag_state.environment_id
            WHERE flag_state.project_id = ?1 AND flag_state.flag_key {AMONG.replace("?", "?2")}
                AND (?3 = '' OR flag_state.environment_id = ?3)
            ORDER BY environment.slug
            """,
            project_id, rows.listed(keys), environment_id,
        )  # fmt: skip
        states: dict[str, list[FlagState]] = {}
        for key, slug, message in giving_way(found):
            state = FlagState.FromString(message)
            state.environment = slug
            states.setdefault(key, []).append(state)
        return states

    async def put_flag_state(self, project_id: str, environment_id: str, key: str, state: FlagState) -> None:
        self._upsert(
            "flag_state", ("environment_id", "flag_key"), environment_id=environment_id, project_id=project_id,
            flag_key=key, message=without(state, "environment").SerializeToString(),
        )  # fmt: skip
        self._changed(project_id, "flag_state", environment_id, key)

    async def environment_flag(self, project_id: str, environment_id: str, key: str) -> FlagRecord | None:
        return self._record(
            f"SELECT {_WITH_STATE} WHERE flag.project_id = ?2 AND flag.key = ?3", environment_id, project_id, key
        )

    async def environment_flags(
        self, project_id: str, environment_id: str, after: str, limit: int
    ) -> Sequence[FlagRecord]:
        return self._records(
            f"SELECT {_WITH_STATE} WHERE flag.project_id = ?2 AND flag.key > ?3 ORDER BY flag.key LIMIT ?4",
            environment_id, project_id, after, limit,
        )  # fmt: skip

    async def flags_changed(
        self, project_id: str, environment_id: str, since: int, after: str, limit: int
    ) -> Sequence[str] | None:
        if since < self._value("SELECT floor FROM version"):
            return None
        found = self._rows(
            f"""
            SELECT * FROM ({_CHANGED.format("'flag'", "?1")})
            UNION SELECT * FROM ({_CHANGED.format("'flag_state'", "?2")}) ORDER BY id LIMIT ?5
            """,
            project_id, environment_id, since, after, limit,
        )  # fmt: skip
        return [key for (key,) in found]

    def _changed(self, project_id: str, kind: str, place_id: str, key: str) -> None:
        """Note that a flag changed, or its state in an environment, and in which version that was."""
        self._note(kind, place_id, key)
        self._run("UPDATE project SET flags_version = ? WHERE id = ?", self.version, project_id)

    def _record(self, query: str, *arguments: Any) -> FlagRecord | None:
        row = self._row(query, *arguments)
        return FlagRecord(*row) if row else None

    def _records(self, query: str, *arguments: Any) -> Sequence[FlagRecord]:
        """What a query finds, up to where it becomes much to be read in one go."""
        found, read_bytes = [], 0
        for row in giving_way(self._connection.execute(query, arguments)):
            found.append(FlagRecord(*row))
            read_bytes += found[-1].size_bytes
            if read_bytes > _PAGE_BYTES:
                break
        return found

    # What sessions have pinned: one row for all sessions of an environment that pinned the same.

    async def freeze_session(self, project_id: str, record: SessionRecord) -> None:
        await self.unfreeze_session(record)
        snapshot_id = await self._snapshot_of_now(project_id, record.environment_id)
        self._run("INSERT INTO frozen_session (session_id, snapshot_id) VALUES (?, ?)", record.id, snapshot_id)
        self._note("session", record.environment_id, record.id)

    async def _snapshot_of_now(self, project_id: str, environment_id: str) -> int:
        here = (environment_id, await self.flags_version(project_id))
        found = self._row("SELECT id FROM flag_snapshot WHERE environment_id = ? AND flags_version = ?", *here)
        if found is not None:
            return int(found[0])
        self._run("INSERT INTO flag_snapshot (environment_id, flags_version) VALUES (?, ?)", *here)
        snapshot_id = int(self._value("SELECT last_insert_rowid()"))
        self._run(
            f"""
            INSERT INTO pinned_flag (snapshot_id, key, schema, message, state_schema, state)
            SELECT ?3, flag.key, flag.schema, flag.message, flag_state.schema, flag_state.message
            FROM {_IN_ENVIRONMENT} WHERE flag.project_id = ?2 ORDER BY flag.key
            """,
            environment_id, project_id, snapshot_id,
        )  # fmt: skip
        return snapshot_id

    async def unfreeze_session(self, record: SessionRecord) -> None:
        if self._run("DELETE FROM frozen_session WHERE session_id = ?", record.id):
            self._note("session", record.environment_id, record.id)

    async def snapshot_of(self, session_id: str) -> int | None:
        row = self._row("SELECT snapshot_id FROM frozen_session WHERE session_id = ?", session_id)
        return int(row[0]) if row else None

    async def pinned_flag(self, snapshot_id: int, key: str) -> FlagRecord | None:
        return self._record(f"SELECT {_PINNED} WHERE snapshot_id = ? AND key = ?", snapshot_id, key)

    async def pinned_flags(self, snapshot_id: int, after: str, limit: int) -> Sequence[FlagRecord]:
        return self._records(
            f"SELECT {_PINNED} WHERE snapshot_id = ? AND key > ? ORDER BY key LIMIT ?", snapshot_id, after, limit
        )


def _flag(row: Row) -> Flag:
    message, managed_by = row
    flag = Flag.FromString(message)
    flag.managed_by = managed_by
    return flag


def _filtered(project_id: str, query: FlagQuery) -> Where:
    where = Where()
    where.add("project_id = ?", project_id)
    for tag in query.tags:
        # As with mocks: what has a space is no tag.
        where.add("instr(tags, ?) > 0 AND instr(?, ' ') = 0 AND ? <> ''", f" {tag} ", tag, tag)
    where.search(query.search, "key", "name")
    return where
