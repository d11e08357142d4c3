"""Which mock answers a request: the strongest, by the environment's profile, of those that are on and match.

What makes one stronger than another says `profiles`. Between layers of FlowMock: what was switched on for the session
or is its own, then the session's scenario, then what is on for the whole environment; the first layer that holds a
match wins. In the other profiles the layer is a later part of the order, and all layers are looked at as one.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

from understudy_server.core.matching.index import Index
from understudy_server.core.matching.merging import Entry, merged
from understudy_server.core.matching.mock import Candidate, Layer, Mock
from understudy_server.core.matching.request import BodyWanted, Request
from understudy_server.core.matching.table import Table
from understudy_server.core.profiles import ORDERS, Profile

_USUAL: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = ""


# Of two that were made of the same, one is kept (`live.environment`): they are told apart by identity.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Layers:
    """What is on for a request, in order of strength: three indexes of the same profile.

    ``filled`` are those in which anything is. ``in_turn``: the first of them that holds a match holds the winner.
    ``is_plain``: all mocks are, so that `winner` will do; else it takes `claimed`. ``tables`` are those of the methods
    that were asked for, from the strongest; those in which nothing is are left out.
    """

    session: Index
    scenario: Index
    environment: Index
    profile: Profile = Profile.FLOWMOCK
    filled: tuple[Index, ...] = field(init=False, repr=False, compare=False)
    in_turn: bool = field(init=False, repr=False, compare=False)
    is_plain: bool = field(init=False, repr=False, compare=False)
    tables: dict[str, tuple[Table, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        filled = tuple([index for index in (self.session, self.scenario, self.environment) if len(index)])
        object.__setattr__(self, "filled", filled)
        object.__setattr__(self, "in_turn", len(filled) < 2 or ORDERS[self.profile].by_layer)
        object.__setattr__(self, "is_plain", all(index.is_plain for index in filled))
        object.__setattr__(self, "tables", {})

    def __iter__(self) -> Iterator[Candidate]:
        """All that is on, in no order within a layer."""
        return chain.from_iterable(self.filled)

    def tables_of(self, method: str) -> tuple[Table, ...]:
        """What is for requests of a method, from the strongest layer."""
        if method not in _USUAL and not any(index.names(method) for index in self.filled):
            # It can be any, and there can be so many that they would fill the memory.
            method = _OTHER
        tables = self.tables.get(method)
        if tables is None:
            tables = self.tables[method] = tuple([table for index in self.filled if len(table := index.table(method))])
        return tables

    def matching(self, request: Request) -> Iterator[Candidate]:
        """Yield what the request is for, strongest first. Raises BodyWanted on reaching one that needs it."""
        for _, candidate, holds in self.fitting(request):
            if holds is None or holds(request):
                yield candidate

    def fitting(self, request: Request) -> Iterable[Entry]:
        """What is on for the method and the path of the request, strongest first, with the test of all else."""
        tables = self.tables_of(request.method)
        if self.in_turn:
            return chain.from_iterable(table.fitting(request) for table in tables)
        return merged([group for table in tables for group in table.groups(request) if group])


def winner(layers: Layers, request: Request) -> Candidate | None:
    """Return the mock that answers the request, and where it is on, or ``None`` when no layer holds one.

    Good for layers that are plain: neither state nor time is asked. Raises BodyWanted when the body is not here yet and
    decides: a mock whose criteria on all else hold asks for it, and no stronger one matches. So it does when the winner
    makes its answer of the body.
    """
    if not layers.in_turn:
        first = next(layers.matching(request), None)
        if first is not None:
            _with_body(first.mock, request)
        return first
    method = request.method
    tables = layers.tables.get(method)
    for table in layers.tables_of(method) if tables is None else tables:
        found = table.first(request)
        if found is not None:
            if found.mock.answer is not None:
                _with_body(found.mock, request)
            return found
    return None


class Claimed(NamedTuple):
    """What `claimed` found.

    ``mock`` answers the request, for the ``occurrence``-th time (0 when nobody counts). ``lasts``: the same request
    again would be decided in the same way, because neither time nor state was asked. ``layer`` is where the mock is on,
    and says nothing without one.
    """

    mock: Mock | None
    occurrence: int = 0
    lasts: bool = True
    layer: Layer = Layer.ENVIRONMENT


def claimed(
    layers: Layers,
    request: Request,
    claims: Callable[[Mock], int | None],
    now_ms: int,
    fits: Callable[[Mock], bool] | None = None,
) -> Claimed:
    """Return the mock that answers the request, after it has been claimed.

    ``claims`` takes the claim of a mock whose usage `is_claimed`, and returns which use it is, or ``None`` when it is
    lost: then the next one is tried. ``fits`` narrows the choice, to mocks for OPTIONS for example.

    Raises BodyWanted as `winner` does. Nothing has been claimed then.
    """
    lasts = True
    for _, candidate, holds in layers.fitting(request):
        mock = candidate.mock
        if fits is not None and not fits(mock):
            continue
        if holds is not None:
            if not mock.is_plain and mock.matcher.looks_at_state:
                lasts = False
            if not holds(request):
                continue
        usage = mock.usage
        if usage is None:
            _with_body(mock, request)
            return Claimed(mock, 0, lasts, candidate.layer)
        lasts = False
        if usage.is_open(now_ms):
            _with_body(mock, request)
            occurrence = claims(mock) if usage.is_claimed else 0
            if occurrence is not None:
                return Claimed(mock, occurrence, lasts, candidate.layer)
    return Claimed(None, 0, lasts)


def _with_body(mock: Mock, request: Request) -> None:
    """See that the body is here that a mock makes its answer of, and that now is the time to make it.

    Raises BodyWanted and TurnOver.
    """
    answer = mock.answer
    if answer is not None:
        wants_body = answer.wants_body
        if wants_body and request.body is None:
            raise BodyWanted
        request.before_answer(wants_body=wants_body)


def order_of(layers: Layers, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sort candidates of one request as `winner` would meet them."""
    return sorted(candidates, key=ORDERS[layers.profile].key)
