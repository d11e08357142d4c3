"""Finds the mocks of one layer that a request is for, the strongest first.

The cost does not grow with the number of mocks. Each method has a table of its own, made when the first request of that
method comes. In it patterns without parameters stand in a dict, by the texts in which they are usually sent, so that
most paths are found without being split; the others in a tree of segments; what has a criterion on the path, or asks
for none, stands behind. So a table holds groups, each of the mocks of one pattern, sorted when it is made, and a
request has few groups that fit it.

In most tables the path is the first part of the order (`profiles.Order.by_path`): then groups are met in order, and the
first match is the winner. In the others, where priorities differ or the profile has it so, the groups that fit are
merged by their keys.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from understudy_server.core.matching.mock import Candidate
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.table import Named, Table
from understudy_server.core.profiles import ORDERS, Profile


class Index:
    """The mocks that are on in one layer. Never changes: what changes is made anew and put in its place.

    No two of them have the same name (`Mock.state_name`). ``is_plain``: all of them are.
    """

    __slots__ = ("__weakref__", "_by_method", "_order", "_others", "_profile", "_size", "_tables", "is_plain")

    def __init__(self, candidates: Iterable[Candidate] = (), profile: Profile = Profile.FLOWMOCK) -> None:
        self._profile = profile
        self._order = ORDERS[profile]
        self._by_method: dict[str, Named] = {"": {}}
        for candidate in candidates:
            mock = candidate.mock
            self._by_method.setdefault(mock.matcher.method, {})[mock.state_name] = candidate
        self._size = sum(map(len, self._by_method.values()))
        any_method = self._by_method[""]
        self._others = Table(self._order, any_method)
        self._tables = {
            method: Table(self._order, named, any_method) for method, named in self._by_method.items() if method
        }
        self.is_plain = _are_plain(self)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Candidate]:
        """All of them, in no order."""
        return chain.from_iterable(map(dict.values, self._by_method.values()))

    def get(self, name: str) -> Candidate | None:
        """The candidate of this name, if it is in here."""
        found = (named.get(name) for named in self._by_method.values())
        return next((candidate for candidate in found if candidate is not None), None)

    def changed(self, gone: Iterable[str], new: Iterable[Candidate]) -> "Index":
        """The index without some, by name, and with others, in place of those of the same names.

        Costs little where few change, however many there are: what did not change is shared, and tables that this one
        has made are made.
        """
        arriving = list(new)
        changes = self._changes(set(gone), arriving)
        for_any = changes.get("", _NO_CHANGE)
        made = Index(profile=self._profile)
        for method in self._by_method | changes:
            named = _with(self._by_method.get(method, {}), changes.get(method, _NO_CHANGE))
            if named or not method:
                made._by_method[method] = named
        made._size = sum(map(len, made._by_method.values()))
        made.is_plain = _are_plain(arriving if self.is_plain else made)
        any_method = made._by_method[""]
        made._others = _changed(self._others, (any_method,), for_any)
        for method, named in made._by_method.items():
            if method in self._tables:
                both = changes.get(method, _NO_CHANGE).and_also(for_any)
                made._tables[method] = _changed(self._tables[method], (named, any_method), both)
            elif method:
                made._tables[method] = Table(self._order, named, any_method)
        return made

    def _changes(self, gone: set[str], new: list[Candidate]) -> dict[str, "_Change"]:
        changes: dict[str, _Change] = {}
        for name in gone.union([each.mock.state_name for each in new]):
            known = self.get(name)
            if known is not None:
                changes.setdefault(known.mock.matcher.method, _Change([], [])).gone.append(known)
        for candidate in new:
            changes.setdefault(candidate.mock.matcher.method, _Change([], [])).new.append(candidate)
        return changes

    def make(self) -> None:
        """Make the tables of all methods that mocks name, so that no request has to wait for them."""
        for table in (*self._tables.values(), self._others):
            if not table.made:
                table.make()

    def make_as(self, other: "Index") -> None:
        """Make the tables now that another index has had to make, so that no request has to wait for them."""
        if other._others.made and not self._others.made:
            self._others.make()
        for method, table in self._tables.items():
            known = other._tables.get(method)
            if known is not None and known.made and not table.made:
                table.make()

    def table(self, method: str) -> Table:
        """What is for requests of a method, made."""
        table = self._tables.get(method, self._others)
        if not table.made:
            table.make()
        return table

    def names(self, method: str) -> bool:
        """Whether any mock asks for this method, by its name."""
        return method in self._tables

    def first(self, request: Request) -> Candidate | None:
        """Return the first that `matching` would yield, or ``None``. Raises BodyWanted as that does."""
        return self.table(request.method).first(request)

    def matching(self, request: Request) -> Iterator[Candidate]:
        """Yield the mocks that the request is for, the strongest first. Raises BodyWanted: see `Table.matching`."""
        return self.table(request.method).matching(request)


class _Change(NamedTuple):
    """What changes among the mocks of one method."""

    gone: list[Candidate]
    new: list[Candidate]

    def and_also(self, other: "_Change") -> "_Change":
        """Both changes."""
        if self is _NO_CHANGE or other is _NO_CHANGE:
            return other if self is _NO_CHANGE else self
        return _Change(self.gone + other.gone, self.new + other.new)


_NO_CHANGE: Final = _Change([], [])


def _changed(table: Table, sources: tuple[Named, ...], change: _Change) -> Table:
    return table if change is _NO_CHANGE else table.changed(sources, change.gone, change.new)


def _are_plain(candidates: Iterable[Candidate]) -> bool:
    return all(candidate.mock.is_plain for candidate in candidates)


def _with(named: Named, change: _Change) -> Named:
    if change is _NO_CHANGE:
        return named
    made = named.copy()
    for candidate in change.gone:
        del made[candidate.mock.state_name]
    made.update([(candidate.mock.state_name, candidate) for candidate in change.new])
    return made


EMPTY: Final = Index()
"""The index of a layer in which nothing is on."""
