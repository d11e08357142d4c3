"""One environment as the proxy sees it: its mocks, scenarios and sessions, and the indexes made of them."""

from collections.abc import Iterable, Mapping, Set
from typing import Final

from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.precedence import Layers
from understudy_server.live.mock import LiveMock
from understudy_server.live.prepared import NO_MOCKS, MockChanges, Rebuilt
from understudy_server.live.source import EnvironmentRow, SessionRow

_NO_SESSION: Final = ""
_EVERYWHERE: Final = ""

# An index of so many mocks takes about half a millisecond to build; a smaller one is built when it is asked for.
REBUILT_AHEAD_MIN = 100


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
        self._library: dict[str, LiveMock] = {}
        self._local: dict[str, dict[str, LiveMock]] = {}
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

    def set_mocks(self, changed: MockChanges) -> list[LiveMock | None]:
        """Take in mocks as they are now. Returns those that they replace: to free many takes longer than the rest."""
        ids, library = changed.ids, self._library
        for mock_id in self._home.keys() & ids:
            self._forget_local(mock_id)
        replaced = [library.pop(mock_id, None) for mock_id in changed.gone]
        replaced += map(library.get, changed.library)
        library.update(changed.library)
        for scenario_id, mocks in changed.local.items():
            self._local.setdefault(scenario_id, {}).update(mocks)
            self._home.update(dict.fromkeys(mocks, scenario_id))
            self._scenario_indexes.pop(scenario_id, None)
        self._drop_indexes_with(ids)
        return replaced

    def _forget_local(self, mock_id: str) -> None:
        scenario_id = self._home.pop(mock_id)
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

    def has_needed(self, mock_id: str) -> bool:
        """Whether an index has needed a mock of the library as it was until now."""
        known = self._library.get(mock_id)
        return known is not None and known.is_compiled

    def rebuilt(
        self, row: EnvironmentRow, changed: MockChanges, scenarios: Mapping[str, Scenario | None]
    ) -> list[Rebuilt]:
        """Build the indexes that a change will make necessary, of those that are in use and take long to build.

        May run in another thread. What it gives is good for `use` if nothing else was taken in meanwhile.
        """
        found = []
        active, old = row.active_mocks, self._everywhere_index
        is_changed = active != self.row.active_mocks or not changed.ids.isdisjoint(active)
        if old is not None and is_changed and len(active) >= REBUILT_AHEAD_MIN:
            found.append(_like(old, _EVERYWHERE, self._index_in_order(active, changed)))
        for scenario_id, index in self._scenario_indexes.copy().items():
            message = scenarios.get(scenario_id)
            if message is not None or scenario_id not in scenarios:
                found += self._rebuilt_scenario(scenario_id, index, message, changed)
        return found

    def _rebuilt_scenario(
        self, scenario_id: str, old: Index, message: Scenario | None, changed: MockChanges
    ) -> list[Rebuilt]:
        """The index of a scenario that stays, if it changes; ``message``: the scenario, if that itself does."""
        listed = tuple(message.mocks) if message else self._scenarios.get(scenario_id, ())
        before = self._local.get(scenario_id, {}).copy()
        local = {mock_id: mock for mock_id, mock in before.items() if mock_id not in changed.ids}
        local |= changed.local.get(scenario_id, {})
        is_changed = message is not None or not changed.ids.isdisjoint((*listed, *before, *local))
        if not is_changed or len(listed) + len(local) < REBUILT_AHEAD_MIN:
            return []
        return [_like(old, scenario_id, self._index_of_scenario(listed, local, changed))]

    def use(self, rebuilt: Iterable[Rebuilt]) -> None:
        """Put indexes in place that were built for what has just been taken in."""
        for each in rebuilt:
            if each.scenario_id == _EVERYWHERE:
                self._everywhere_index = each.index
            else:
                self._scenario_indexes[each.scenario_id] = each.index

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
            local = self._local.get(scenario_id, {})
            index = self._index_of_scenario(self._scenarios[scenario_id], local)
            self._scenario_indexes[scenario_id] = index
        return index

    def _index_of_scenario(
        self, listed: Iterable[str], local: Mapping[str, LiveMock], changed: MockChanges = NO_MOCKS
    ) -> Index:
        # All of a scenario is switched on in one moment, so none of its mocks is later than another.
        mocks = (*self._from_library(listed, changed), *[mock.compiled() for mock in local.values()])
        return Index([Candidate(mock) for mock in mocks])

    def _index_in_order(self, mock_ids: Iterable[str], changed: MockChanges = NO_MOCKS) -> Index:
        mocks = self._from_library(mock_ids, changed)
        return Index([Candidate(mock, activated) for activated, mock in enumerate(mocks)])

    def _from_library(self, mock_ids: Iterable[str], changed: MockChanges) -> list[Mock]:
        """The mocks of the library that there are of some ids, as they are when a change has been taken in."""
        after, ids, before = changed.library, changed.ids, self._library
        found = [after.get(mock_id) if mock_id in ids else before.get(mock_id) for mock_id in mock_ids]
        return [mock.compiled() for mock in found if mock is not None]


def _like(old: Index, scenario_id: str, index: Index) -> Rebuilt:
    """An index that has been asked nothing yet makes its tables when it is: here those that the old one had made."""
    index.make_as(old)
    return Rebuilt(scenario_id, index)
