"""Places where many mocks are on: a scenario, and the whole environment. What is on there changes little at a time."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from understudy_server.core.giving_way import giving_way
from understudy_server.core.matching.index import Index
from understudy_server.core.matching.mock import Candidate, Layer, Mock
from understudy_server.core.profiles import Profile

Find = Callable[[str], Mock | None]
"""Finds the mock that applies under an id, compiled."""

# An index in which more than this part changes is built anew: that costs less than to change it.
_CHANGED_PART_MAX: Final = 1 / 8


@dataclass(frozen=True, slots=True)
class Members:
    """The ids of the mocks that are on, in order, and the number of each one's activation.

    Not all need be there, or apply.
    """

    ids: tuple[str, ...]
    numbers: Mapping[str, int]

    @classmethod
    def in_order(cls, ids: tuple[str, ...]) -> "Members":
        """Those that were switched on one after the other."""
        return cls(ids, {mock_id: number for number, mock_id in enumerate(ids)})

    @classmethod
    def at_once(cls, ids: tuple[str, ...]) -> "Members":
        """Those that are switched on in one moment, so that none is later than another."""
        return cls(ids, dict.fromkeys(ids, 0))

    def followed_by(self, ids: tuple[str, ...]) -> "Members":
        """Those that are on now: who stays keeps its number, if that leaves all in order."""
        if ids == self.ids:
            return self
        numbers: dict[str, int] = {}
        last = -1
        for mock_id in ids:
            known = self.numbers.get(mock_id)
            if known is not None and known <= last:
                # What was on is on again, later than others.
                return Members.in_order(ids)
            last = last + 1 if known is None else known
            numbers[mock_id] = last
        return Members(ids, numbers)


@dataclass(frozen=True, slots=True)
class Place:
    """Who is on, and the index of those that are there and apply."""

    layer: Layer
    profile: Profile
    members: Members
    index: Index

    @classmethod
    def of(cls, layer: Layer, profile: Profile, members: Members, find: Find) -> "Place":
        """Build the index of a place."""
        found = [(find(mock_id), number) for mock_id, number in giving_way(members.numbers.items())]
        index = Index([Candidate(mock, number, layer) for mock, number in found if mock is not None], profile)
        return cls(layer, profile, members, index)

    def is_touched(self, members: Members, changed: Set[str]) -> bool:
        """Whether a change is of any concern here: of who is on, or of mocks named by ``changed``."""
        return members.ids != self.members.ids or not members.numbers.keys().isdisjoint(changed)

    def changed(self, members: Members, changed: Set[str], find: Find) -> "Place | None":
        """The place after such a change; ``None`` when so much of it changes that it has to be built anew.

        Tables that the index had made are made.
        """
        touched = set(members.numbers.keys() & changed)
        if members is not self.members:
            touched |= {mock_id for mock_id, _ in members.numbers.items() ^ self.members.numbers.items()}
        if len(touched) > max(1, len(self.index) * _CHANGED_PART_MAX):
            return None
        found = [(find(mock_id), members.numbers[mock_id]) for mock_id in touched if mock_id in members.numbers]
        new = [Candidate(mock, number, self.layer) for mock, number in found if mock is not None]
        return Place(self.layer, self.profile, members, self.index.changed(touched, new))

    def rebuilt(self, members: Members, changed: Set[str], find: Find) -> "Place":
        """The same, however much of it changes."""
        place = self.changed(members, changed, find)
        if place is None:
            place = Place.of(self.layer, self.profile, members, find)
            place.index.make_as(self.index)
        return place


def index_of_session(mocks: Iterable[Mock], profile: Profile) -> Index:
    """Build the index of what is on for one session alone, in the order in which it was switched on."""
    return Index([Candidate(mock, number, Layer.SESSION) for number, mock in enumerate(mocks)], profile)
