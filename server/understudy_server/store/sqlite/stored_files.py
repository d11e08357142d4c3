"""The files of environments."""

from collections.abc import Collection, Iterator, Sequence

from understudy.v1.file_service_pb2 import File
from understudy.v1.mock_service_pb2 import Mock

from understudy_server.app.ports import FileRecord, FileUse
from understudy_server.core.giving_way import giving_way
from understudy_server.definitions.actions import file_names_of
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.unit import Unit


class StoredFiles(Unit):
    """Reads and writes them. What they hold stands apart, so that a list reads none of it."""

    async def file(self, environment_id: str, name: str) -> FileRecord | None:
        row = self._row("SELECT message, content FROM file WHERE environment_id = ? AND name = ?", environment_id, name)
        return FileRecord(File.FromString(row[0]), row[1]) if row else None

    async def files(self, environment_id: str, search: str = "") -> Sequence[File]:
        found = self._rows(
            "SELECT message FROM file WHERE environment_id = ?1 AND (?2 = '' OR contains_text(name, ?2)) ORDER BY name",
            environment_id, search,
        )  # fmt: skip
        return [File.FromString(message) for (message,) in found]

    async def file_names(self, environment_id: str) -> Collection[str]:
        return {name for (name,) in self._rows("SELECT name FROM file WHERE environment_id = ?", environment_id)}

    async def put_file(self, environment_id: str, record: FileRecord) -> None:
        file = record.message
        self._upsert(
            "file", ("environment_id", "name"), environment_id=environment_id, name=file.name,
            size_bytes=file.size_bytes, message=file.SerializeToString(), content=record.content,
        )  # fmt: skip
        self._note("file", environment_id, file.name)

    async def remove_file(self, environment_id: str, name: str) -> None:
        if self._run("DELETE FROM file WHERE environment_id = ? AND name = ?", environment_id, name):
            self._note("file", environment_id, name)

    async def file_use(self, environment_id: str, but: str) -> FileUse:
        question = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM file WHERE environment_id = ? AND name <> ?"
        (found,) = self._rows(question, environment_id, but)
        return FileUse(*found)

    async def file_users(self, environment_id: str, name: str, now_ms: int) -> Sequence[Mock]:
        # Files go seldom, so that no table is kept of who uses them.
        return [mock for mock in self._all_mocks(environment_id, now_ms) if name in file_names_of(mock.action)]

    def _all_mocks(self, environment_id: str, now_ms: int) -> Iterator[Mock]:
        found = self._connection.execute(f"SELECT {rows.MOCK} WHERE environment_id = ? ORDER BY id", (environment_id,))
        for row in giving_way(found):
            yield rows.mock(row)
        found = self._connection.execute(
            """
            SELECT session_entry.value, session_mock.message
            FROM session_mock JOIN session ON session.id = session_mock.session_id
                JOIN session_entry ON session_entry.session_id = session.id
                    AND session_entry.kind IN ('key', 'header_name')
            WHERE session.environment_id = ? AND (session.expires_at_ms IS NULL OR session.expires_at_ms > ?)
            ORDER BY session_entry.value, session_mock.id
            """,
            (environment_id, now_ms),
        )
        for session_key, message in giving_way(found):
            mock = rows.session_mock(message)
            mock.session = session_key
            yield mock
