"""Changes in the form in which they are taken in.

Sorting out what changed takes longer than taking it in, and needs nothing of the view: so it can be done beforehand and
in another thread, and what is left for the event loop is to put dictionaries into dictionaries.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED
from understudy.v1.mock_service_pb2 import Mock as MockMessage
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.giving_way import giving_way
from understudy_server.core.profiles import Profile
from understudy_server.core.responding.files import Files
from understudy_server.live.mock import LiveMock
from understudy_server.live.places import Place
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow

if TYPE_CHECKING:
    from understudy_server.live.contents import Contents

OwnMocks = Mapping[str, LiveMock | None]
"""Mocks of one session's own by id, as they are now; ``None``: it is gone."""


@dataclass(frozen=True, slots=True)
class MockChanges:
    """The mocks of one environment that changed: those of the library by id, those of scenarios by scenario and id.

    ``ids`` names all of these that changed, and ``gone`` those that are not in the library now. ``own`` are those that
    sessions own, by session. Not changed once it is made.
    """

    ids: Set[str] = frozenset()
    library: Mapping[str, LiveMock] = field(default_factory=dict)
    local: Mapping[str, Mapping[str, LiveMock]] = field(default_factory=dict)
    gone: Sequence[str] = ()
    own: Mapping[str, OwnMocks] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        messages: Mapping[str, MockMessage | None],
        own: Mapping[str, Mapping[str, MockMessage | None]],
        files: Files,
        profile: Profile = Profile.FLOWMOCK,
    ) -> "MockChanges":
        """Sort mocks as they are now, by id, and sessions' own by session and id.

        ``files`` and ``profile`` are the environment's. ``None`` and a draft are the same: it no longer applies. A
        session's own is never a draft.
        """
        library: dict[str, LiveMock] = {}
        local: dict[str, dict[str, LiveMock]] = {}
        for mock_id, message in giving_way(messages.items()):
            if message is None or message.state != MOCK_STATE_PUBLISHED:
                continue
            home = local.setdefault(message.scenario, {}) if message.scenario else library
            home[mock_id] = LiveMock(message, files, "", profile)
        gone = [mock_id for mock_id in messages if mock_id not in library]
        return cls(messages.keys(), library, local, gone, _own_mocks(own, files, profile))


def _own_mocks(
    own: Mapping[str, Mapping[str, MockMessage | None]], files: Files, profile: Profile
) -> dict[str, OwnMocks]:
    return {
        session_id: {
            name: None if message is None else LiveMock(message, files, session_id, profile)
            for name, message in messages.items()
        }
        for session_id, messages in giving_way(own.items())
    }


NO_MOCKS = MockChanges()


@dataclass(frozen=True, slots=True)
class EnvironmentChange:
    """What changes in one environment that stays: its settings if they do, mocks, scenarios by id, and sessions.

    Sessions that are gone are not named.
    """

    row: EnvironmentRow | None = None
    mocks: MockChanges = NO_MOCKS
    scenarios: Mapping[str, Scenario | None] = field(default_factory=dict)
    sessions: Sequence[SessionRow] = ()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What is on in a place of an environment after a change.

    ``name`` is the id of the scenario or of the session, empty for the whole environment.
    """

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Prepared:
    """What changed since a version. ``mocks`` and ``indexes`` are by environment.

    It may be taken in at any version from ``since`` on, for everything is as it is at the version of ``changes``. But
    the indexes were built on what was there at ``since``, and are good there alone. ``contents``: all of it, taken in
    already, for changes that are complete.
    """

    since: int
    changes: Changes
    mocks: Mapping[str, MockChanges]
    indexes: Mapping[str, Sequence[Rebuilt]] = field(default_factory=dict)
    contents: "Contents | None" = None


def sorted_mocks(
    changes: Changes,
    home_of: Callable[[str], str | None],
    files_of: Callable[[str], Files],
    profile_of: Callable[[str], Profile],
) -> dict[str, MockChanges]:
    """The mocks that changed, by environment.

    ``home_of`` tells the environment of a session that is known already, ``files_of`` the files of an environment, and
    ``profile_of`` the profile of one that is known already.
    """

    def profile(environment_id: str) -> Profile:
        row = changes.environments.get(environment_id)
        return row.profile if row else profile_of(environment_id)

    mocks: dict[str, dict[str, MockMessage | None]] = defaultdict(dict)
    for (environment_id, mock_id), message in giving_way(changes.mocks.items()):
        mocks[environment_id][mock_id] = message
    own: dict[str, dict[str, dict[str, MockMessage | None]]] = defaultdict(lambda: defaultdict(dict))
    for (session_id, mock_id), message in giving_way(changes.session_mocks.items()):
        session = changes.sessions.get(session_id)
        home = session.environment_id if session else home_of(session_id)
        if home is not None:
            own[home][session_id][mock_id] = message
    return {
        home: MockChanges.of(mocks.get(home, {}), own.get(home, {}), files_of(home), profile(home))
        for home in [*mocks, *[each for each in own if each not in mocks]]
    }
