"""What is on for single sessions, compiled: an index for each session that has anything of its own on."""

from collections.abc import Sequence, Set
from weakref import WeakValueDictionary

from understudy_server.core.matching.index import Index
from understudy_server.core.matching.mock import Mock
from understudy_server.core.profiles import Profile
from understudy_server.live.places import index_of_session


class SessionIndexes:
    """Keeps indexes by session id, and knows which of them a mock of the library is in.

    So a mock that changes costs as much as there are sessions that have it on, and not as there are sessions.
    """

    def __init__(self) -> None:
        self._indexes: dict[str, tuple[Index, tuple[str, ...]]] = {}
        self._users: dict[str, set[str]] = {}
        # By the identities of their mocks in order: as long as an index is there, so are these, and nothing else has
        # their identities.
        self._shared: WeakValueDictionary[tuple[int, ...], Index] = WeakValueDictionary()

    def made_of(self, mocks: Sequence[Mock], profile: Profile) -> Index:
        """The index of these mocks, switched on in this order: sessions that have the same on share one.

        ``profile`` is the same in every call.
        """
        made_of = tuple(map(id, mocks))
        index = self._shared.get(made_of)
        if index is None:
            index = self._shared[made_of] = index_of_session(mocks, profile)
        return index

    def get(self, session_id: str) -> Index | None:
        """The index of a session, if it is kept."""
        found = self._indexes.get(session_id)
        return found[0] if found else None

    def keep(self, session_id: str, index: Index, mock_ids: tuple[str, ...]) -> None:
        """Keep an index; ``mock_ids`` are those of the library that it was made of, there or not."""
        self.drop(session_id)
        self._indexes[session_id] = (index, mock_ids)
        for mock_id in mock_ids:
            self._users.setdefault(mock_id, set()).add(session_id)

    def drop(self, session_id: str) -> None:
        """Forget the index of a session."""
        _, mock_ids = self._indexes.pop(session_id, (None, ()))
        for mock_id in mock_ids:
            users = self._users.get(mock_id, set())
            users.discard(session_id)
            if not users:
                self._users.pop(mock_id, None)

    def with_any(self, mock_ids: Set[str]) -> set[str]:
        """The sessions whose index was made of any of these mocks."""
        return set[str]().union(*[self._users[mock_id] for mock_id in self._users.keys() & mock_ids])
