"""One environment as the proxy sees it: its mocks, scenarios and sessions, and the indexes made of them."""

from collections.abc import Iterable, Mapping, Set
from typing import Final

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED
from understudy.v1.mock_service_pb2 import Mock as MockMessage
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.precedence import Layers
from understudy_server.live.compile import compile_mock
from understudy_server.live.source import EnvironmentRow, SessionRow

_NO_SESSION: Final = ""


class LiveEnvironment:
    """Takes in what changed, and compiles an index when it is first asked for.

    Only published mocks are kept. A mock of the library applies where it is switched on or where a scenario lists it; a
    mock that belongs to a scenario applies in that scenario and nowhere else. ``row`` holds the environment's settings
    as they are now; only `set_row` changes it.

    What is on for a session is put together of indexes that many sessions share, and kept until a part of it changes.
    Indexes go only when a mock in them does, so putting together anew costs about as much as looking up three times.
    """

    def __init__(self, row: EnvironmentRow) -> None:
        self.row = row
        self._library: dict[str, Mock] = {}
        self._local: dict[str, dict[str, Mock]] = {}
        self._home: dict[str, str] = {}
        self._scenarios: dict[str, tuple[str, ...]] = {}
        self._by_key: dict[str, SessionRow] = {}
        self._everywhere_index: Index | None = None
        self._scenario_indexes: dict[str, Index] = {}
        self._session_indexes: dict[str, Index] = {}
        self._layers: dict[str, Layers] = {}

    def set_row(self, row: EnvironmentRow) -> None:
        """Take in the environment's new settings."""
        if row.active_mocks != self.row.active_mocks:
            self._everywhere_index = None
            self._layers.clear()
        self.row = row

    def set_mocks(self, messages: Mapping[str, MockMessage | None]) -> None:
        """Take in mocks as they are now, by id; ``None`` and a draft are the same: it no longer applies."""
        for mock_id, message in messages.items():
            self._forget(mock_id)
            if message is not None and message.state == MOCK_STATE_PUBLISHED:
                self._keep(mock_id, message)
        self._drop_indexes_with(messages.keys())

    def _keep(self, mock_id: str, message: MockMessage) -> None:
        mock = compile_mock(message)
        if message.scenario:
            self._local.setdefault(message.scenario, {})[mock_id] = mock
            self._home[mock_id] = message.scenario
            self._scenario_indexes.pop(message.scenario, None)
        else:
            self._library[mock_id] = mock

    def _forget(self, mock_id: str) -> None:
        self._library.pop(mock_id, None)
        scenario_id = self._home.pop(mock_id, "")
        if scenario_id:
            del self._local[scenario_id][mock_id]
            self._scenario_indexes.pop(scenario_id, None)

    def _drop_indexes_with(self, mock_ids: Set[str]) -> None:
        # One walk over all that may be compiled, however many mocks changed: mocks change seldom, and a reverse table
        # would have to be kept at every PUT of a session.
        self._layers.clear()
        if not mock_ids.isdisjoint(self.row.active_mocks):
            self._everywhere_index = None
        for scenario_id in list(self._scenario_indexes):
            if not mock_ids.isdisjoint(self._scenarios[scenario_id]):
                del self._scenario_indexes[scenario_id]
        for session in self._by_key.values():
            if session.overrides and not mock_ids.isdisjoint(session.overrides):
                self._session_indexes.pop(session.id, None)

    def set_scenario(self, scenario_id: str, message: Scenario | None) -> None:
        """Take in a scenario as it is now. ``None``: sessions that name it have none from now on."""
        self._layers.clear()
        self._scenario_indexes.pop(scenario_id, None)
        if message is None:
            self._scenarios.pop(scenario_id, None)
        else:
            self._scenarios[scenario_id] = tuple(message.mocks)

    def set_session(self, row: SessionRow) -> None:
        """Take in a session as it is now."""
        known = self._by_key.get(row.key)
        if known:
            self._layers.pop(known.id, None)
            if (known.id, known.overrides) != (row.id, row.overrides):
                self._session_indexes.pop(known.id, None)
        self._by_key[row.key] = row

    def remove_session(self, row: SessionRow) -> None:
        """Let go of a session, unless another incarnation has its key already."""
        self._layers.pop(row.id, None)
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
        """What is on now for requests of a session, or of none. A session that has gone has nothing of its own on."""
        layers = self._layers.get(_NO_SESSION if session is None else session.id)
        return self._put_together(session) if layers is None else layers

    def _put_together(self, session: SessionRow | None) -> Layers:
        # The row as it is now: the one given may have been looked up before it was changed, and must not be kept.
        row = self._by_key.get(session.key) if session else None
        if session is None or row is None or row.id != session.id:
            layers = self._layers[_NO_SESSION] = Layers(EMPTY, EMPTY, self._everywhere())
            return layers
        layers = self._layers[row.id] = Layers(
            self._activated(row), self._scenario(row.scenario_id), self._everywhere()
        )
        return layers

    def _everywhere(self) -> Index:
        if self._everywhere_index is None:
            self._everywhere_index = self._index_in_order(self.row.active_mocks)
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
