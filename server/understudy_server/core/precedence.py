"""Which mock wins. This is the only place that knows.

Between layers: what was switched on for the session, then the session's scenario, then what is on for the whole
environment; the first layer that holds a match wins. Within a layer, in this order: the path (the leftmost segment that
differs decides, literal over `:name`, and any pattern over none), a criterion on the body and the number of its leaves,
the number of criteria on the query, a method over any, the latest activation, the id (the first in the order of
characters).
Source: the FlowMock contract on matching and on precedence between layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.request import Request

Order = tuple[tuple[int, ...], int, int, int, int, int, str]


def order_in_layer(candidate: Candidate) -> Order:
    """The sort key of a candidate: the least one wins. Paths compare as they should when both match one request."""
    matcher = candidate.mock.matcher
    return (
        # Every rank is at least 0, so what is negated never exceeds 0, and any path comes last.
        (1,) if matcher.path is None else tuple([-rank for rank in matcher.path.rank]),
        0 if matcher.body else 1,
        -matcher.body.leaves if matcher.body else 0,
        -len(matcher.query),
        0 if matcher.method else 1,
        -candidate.activated,
        candidate.mock.id,
    )


class Layer(Protocol):
    """The mocks that are on in one place."""

    def __len__(self) -> int:
        """How many there are."""

    def first(self, request: Request) -> Candidate | None:
        """Return the first that `matching` would yield, or ``None``. Raises BodyWanted."""

    def matching(self, request: Request) -> Iterator[Candidate]:
        """Yield those that a request is for, by `order_in_layer`. Raises BodyWanted."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What is on for a request, in order of strength. ``filled`` are those in which anything is."""

    session: Layer
    scenario: Layer
    environment: Layer
    filled: tuple[Layer, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        layers = (self.session, self.scenario, self.environment)
        object.__setattr__(self, "filled", tuple([layer for layer in layers if len(layer)]))

    def matching(self, request: Request) -> Iterator[Mock]:
        """Yield the mocks that the request is for, strongest first. Raises BodyWanted on reaching one that needs it."""
        for layer in self.filled:
            for candidate in layer.matching(request):
                yield candidate.mock


def winner(layers: Layers, request: Request) -> Mock | None:
    """Return the mock that answers the request, or ``None`` when no layer holds one.

    Raises BodyWanted when the body is not here yet and decides: a mock whose criteria on all else hold asks for it, and
    no stronger one matches.
    """
    for layer in layers.filled:
        found = layer.first(request)
        if found is not None:
            return found.mock
    return None
