"""The mocks of an environment and its scenarios, as they are now: what can be on, not what is."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.matching.mock import Mock
from understudy_server.live.mock import LiveMock
from understudy_server.live.places import Find, Members
from understudy_server.live.prepared import NO_MOCKS, MockChanges, OwnMocks
from understudy_server.live.source import SessionRow

_created: Final = attrgetter("created_ms")


class Mocks:
    """Takes in what changed, and finds what applies where.

    Only published mocks are kept. A mock of the library applies where it is switched on or where a scenario lists it; a
    mock that belongs to a scenario applies in that scenario and nowhere else, and one that a session owns in that
    session. What is asked `after` a change is as if that had been taken in, and may be asked in another thread.
    """

    def __init__(self) -> None:
        self._library: dict[str, LiveMock] = {}
        self._local: dict[str, dict[str, LiveMock]] = {}
        self._home: dict[str, str] = {}
        self._own: dict[str, dict[str, LiveMock]] = {}
        self._scenarios: dict[str, tuple[str, ...]] = {}

    def set(self, changed: MockChanges) -> tuple[set[str], list[object]]:
        """Take in mocks of the library and of scenarios as they are now.

        Returns the scenarios of which mocks changed that belong to them, and the mocks that were replaced.
        """
        ids, library, scenarios = changed.ids, self._library, set[str]()
        replaced: list[object] = []
        for mock_id in self._home.keys() & ids:
            scenario_id = self._home.pop(mock_id)
            replaced.append(self._local[scenario_id].pop(mock_id))
            scenarios.add(scenario_id)
        replaced += [library.pop(mock_id, None) for mock_id in changed.gone]
        replaced += map(library.get, changed.library)
        library.update(changed.library)
        for scenario_id, mocks in changed.local.items():
            self._local.setdefault(scenario_id, {}).update(mocks)
            self._home.update(dict.fromkeys(mocks, scenario_id))
            scenarios.add(scenario_id)
        return scenarios, replaced

    def set_scenario(self, scenario_id: str, message: Scenario | None) -> None:
        """Take in a scenario as it is now, ``None`` when there is none any more."""
        if message is None:
            self._scenarios.pop(scenario_id, None)
        else:
            self._scenarios[scenario_id] = tuple(message.mocks)

    def set_own(self, session_id: str, mocks: OwnMocks) -> list[object]:
        """Take in what a session owns. Returns the mocks that were replaced."""
        own = self._own.setdefault(session_id, {})
        replaced: list[object] = []
        for mock_id, mock in mocks.items():
            replaced.append(own.get(mock_id) if mock else own.pop(mock_id, None))
            if mock:
                own[mock_id] = mock
        if not own:
            del self._own[session_id]
        return replaced

    def forget_own(self, session_id: str) -> Iterable[object]:
        """Let go of what a session owns. Returns it."""
        return self._own.pop(session_id, {}).values()

    def has_scenario(self, scenario_id: str) -> bool:
        """Whether there is such a scenario."""
        return scenario_id in self._scenarios

    def has_own(self, session_id: str) -> bool:
        """Whether a session owns any."""
        return session_id in self._own

    def has_needed(self, mock_id: str) -> bool:
        """Whether an index has needed a mock of the library as it is."""
        known = self._library.get(mock_id)
        return known is not None and known.is_compiled

    def all(self) -> list[LiveMock]:
        """All that can be on, without those that sessions own."""
        return [*self._library.values(), *[mock for local in self._local.values() for mock in local.values()]]

    def members(self, scenario_id: str, after: MockChanges = NO_MOCKS, message: Scenario | None = None) -> Members:
        """Who is on in a scenario; ``message`` if it changes itself."""
        listed = tuple(message.mocks) if message else self._scenarios.get(scenario_id, ())
        local = [mock_id for mock_id in self._local.get(scenario_id, {}).copy() if mock_id not in after.ids]
        # All of a scenario is switched on in one moment, so none of its mocks is later than another.
        return Members.at_once((*listed, *local, *after.local.get(scenario_id, ())))

    def finder(self, scenario_id: str = "", after: MockChanges = NO_MOCKS) -> Find:
        """Finds what applies under an id: a mock of the library, or one of this scenario."""
        library, local, changed = self._library, self._local.get(scenario_id, {}), after.ids
        new_library, new_local = after.library, after.local.get(scenario_id, {})

        def find(mock_id: str) -> Mock | None:
            if mock_id in changed:
                found = new_library.get(mock_id) or new_local.get(mock_id)
            else:
                found = library.get(mock_id) or local.get(mock_id)
            return found.compiled() if found else None

        return find

    def of_session(self, session: SessionRow, after: MockChanges = NO_MOCKS) -> list[Mock]:
        """What was switched on for a session, in that order, and behind it what it owns, the oldest first."""
        find = self.finder("", after)
        own = {**self._own.get(session.id, {}), **after.own.get(session.id, {})}
        owned = [mock.compiled() for mock in own.values() if mock is not None]
        library = [find(mock_id) for mock_id in session.overrides]
        return [*[mock for mock in library if mock], *sorted([mock for mock in owned if mock], key=_created)]
