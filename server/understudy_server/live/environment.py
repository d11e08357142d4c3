"""One environment as the proxy sees it: its mocks, scenarios and sessions, and the indexes made of them."""

from collections.abc import Iterable

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED
from understudy.v1.mock_service_pb2 import Mock as MockMessage
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.precedence import Layers
from understudy_server.live.compile import compile_mock
from understudy_server.live.source import EnvironmentRow, SessionRow


class LiveEnvironment:
    """Takes in what changed, and compiles an index when it is first asked for.

    Only published mocks are kept. A mock of the library applies where it is switched on or where a scenario lists it; a
    mock that belongs to a scenario applies in that scenario and nowhere else.
    """

    def __init__(self, row: EnvironmentRow) -> None:
        self._row = row
        self._library: dict[str, Mock] = {}
        self._local: dict[str, dict[str, Mock]] = {}
        self._home: dict[str, str] = {}
        self._scenarios: dict[str, tuple[str, ...]] = {}
        self._by_key: dict[str, SessionRow] = {}
        self._everywhere_index: Index | None = None
        self._scenario_indexes: dict[str, Index] = {}
        self._session_indexes: dict[str, Index] = {}

    @property
    def row(self) -> EnvironmentRow:
        """The environment's settings as they are now."""
        return self._row

    def set_row(self, row: EnvironmentRow) -> None:
        """Take in the environment's new settings."""
        if row.active_mocks != self._row.active_mocks:
            self._everywhere_index = None
        self._row = row

    def set_mock(self, mock_id: str, message: MockMessage | None) -> None:
        """Take in a mock as it is now; ``None`` and a draft are the same: it no longer applies."""
        self._forget(mock_id)
        if message is None or message.state != MOCK_STATE_PUBLISHED:
            return
        mock = compile_mock(message)
        if message.scenario:
            self._local.setdefault(message.scenario, {})[mock_id] = mock
            self._home[mock_id] = message.scenario
            self._scenario_indexes.pop(message.scenario, None)
        else:
            self._library[mock_id] = mock
            self._drop_indexes_with(mock_id)

    def _forget(self, mock_id: str) -> None:
        scenario_id = self._home.pop(mock_id, "")
        if scenario_id:
            del self._local[scenario_id][mock_id]
            self._scenario_indexes.pop(scenario_id, None)
        elif self._library.pop(mock_id, None):
            self._drop_indexes_with(mock_id)

    def _drop_indexes_with(self, mock_id: str) -> None:
        # A walk over all that is compiled: mocks change seldom, and a reverse table would have to be kept at every PUT.
        if mock_id in self._row.active_mocks:
            self._everywhere_index = None
        for scenario_id, mock_ids in self._scenarios.items():
            if mock_id in mock_ids:
                self._scenario_indexes.pop(scenario_id, None)
        for session in self._by_key.values():
            if mock_id in session.overrides:
                self._session_indexes.pop(session.id, None)

    def set_scenario(self, scenario_id: str, message: Scenario | None) -> None:
        """Take in a scenario as it is now. ``None``: sessions that name it have none from now on."""
        self._scenario_indexes.pop(scenario_id, None)
        if message is None:
            self._scenarios.pop(scenario_id, None)
        else:
            self._scenarios[scenario_id] = tuple(message.mocks)

    def set_session(self, row: SessionRow) -> None:
        """Take in a session as it is now."""
        known = self._by_key.get(row.key)
        if known and (known.id, known.overrides) != (row.id, row.overrides):
            self._session_indexes.pop(known.id, None)
        self._by_key[row.key] = row

    def remove_session(self, row: SessionRow) -> None:
        """Let go of a session, unless another incarnation has its key already."""
        self._session_indexes.pop(row.id, None)
        known = self._by_key.get(row.key)
        if known and known.id == row.id:
            del self._by_key[row.key]

    def session(self, key: str, now_ms: int) -> SessionRow | None:
        """The session of a normalised key, unless it has expired by ``now_ms``."""
        row = self._by_key.get(key)
        if row is None or (row.expires_at_ms is not None and row.expires_at_ms <= now_ms):
            return None
        return row

    def layers(self, session: SessionRow | None) -> Layers:
        """What is on for requests of a session, or of none."""
        if session is None:
            return Layers(EMPTY, EMPTY, self._everywhere())
        return Layers(self._activated(session), self._scenario(session.scenario_id), self._everywhere())

    def _everywhere(self) -> Index:
        if self._everywhere_index is None:
            self._everywhere_index = self._index_in_order(self._row.active_mocks)
        return self._everywhere_index

    def _activated(self, session: SessionRow) -> Index:
        if not session.overrides:
            return EMPTY
        index = self._session_indexes.get(session.id)
        if index is None:
            index = self._session_indexes[session.id] = self._index_in_order(session.overrides)
        return index

    def _scenario(self, scenario_id: str) -> Index:
        if scenario_id not in self._scenarios:
            return EMPTY
        index = self._scenario_indexes.get(scenario_id)
        if index is None:
            listed = self._from_library(self._scenarios[scenario_id])
            local = self._local.get(scenario_id, {}).values()
            # All of a scenario is switched on in one moment, so none of its mocks is later than another.
            index = self._scenario_indexes[scenario_id] = Index([Candidate(mock) for mock in (*listed, *local)])
        return index

    def _index_in_order(self, mock_ids: Iterable[str]) -> Index:
        mocks = self._from_library(mock_ids)
        return Index([Candidate(mock, activated) for activated, mock in enumerate(mocks)])

    def _from_library(self, mock_ids: Iterable[str]) -> list[Mock]:
        return [self._library[mock_id] for mock_id in mock_ids if mock_id in self._library]
