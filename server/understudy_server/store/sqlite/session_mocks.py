"""The mocks that sessions own."""

from collections.abc import Sequence

from understudy.v1.mock_service_pb2 import Mock

from understudy_server.app.ports import SessionRecord
from understudy_server.store.sqlite import rows
from understudy_server.store.sqlite.unit import Unit, without


class SessionMocks(Unit):
    """Reads and writes them. They go with their session, which takes no note of its own for each."""

    async def session_mock(self, session_id: str, mock_id: str) -> Mock | None:
        row = self._row("SELECT message FROM session_mock WHERE session_id = ? AND id = ?", session_id, mock_id)
        return rows.session_mock(row[0]) if row else None

    async def session_mocks(self, session_id: str) -> Sequence[Mock]:
        found = self._rows("SELECT message FROM session_mock WHERE session_id = ? ORDER BY id", session_id)
        return [rows.session_mock(message) for (message,) in found]

    async def session_mock_count(self, session_id: str) -> int:
        return int(self._value("SELECT count(*) FROM session_mock WHERE session_id = ?", session_id))

    async def put_session_mock(self, record: SessionRecord, mock: Mock) -> None:
        kept = without(mock, "active", "session").SerializeToString()
        self._upsert("session_mock", ("session_id", "id"), session_id=record.id, id=mock.id, message=kept)
        self._note("session_mock", record.environment_id, _name(record.id, mock.id))

    async def remove_session_mocks(self, record: SessionRecord, mock_ids: Sequence[str]) -> None:
        self._run_many(
            "DELETE FROM session_mock WHERE session_id = ? AND id = ?", ((record.id, mock_id) for mock_id in mock_ids)
        )
        self._note_all("session_mock", [(record.environment_id, _name(record.id, mock_id)) for mock_id in mock_ids])


def _name(session_id: str, mock_id: str) -> str:
    """What a change of one is noted by; neither id holds a space."""
    return f"{session_id} {mock_id}"


def owned_name(noted: str) -> tuple[str, str]:
    """The session and the mock of a noted change."""
    session_id, _, mock_id = noted.partition(" ")
    return session_id, mock_id
