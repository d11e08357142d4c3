"""What makes one mock stronger than another: the table of profiles. This is the only place that knows.

A profile orders mocks that match one and the same request. It has parts, each a value of a candidate of which the least
goes first, and the first part in which two candidates differ decides. Where the layer is not the first part, the mocks
of all layers stand in one order.
Source: the contract on `Profile`, which joins the orders of FlowMock, of Assertive (ranking) and of Mockarty (routing).
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, NamedTuple

from understudy_server.core.matching.mock import Candidate

Key = tuple[Any, ...]
"""Compares candidates. It ends with the id, so that no two mocks of a layer have the same."""


class Profile(Enum):
    """How the mocks of an environment are ordered."""

    FLOWMOCK = "flowmock"
    ASSERTIVE = "assertive"
    MOCKARTY = "mockarty"


class Order(NamedTuple):
    """A profile's order.

    ``key`` has a value for each of the ``parts``, which are named for explanations. ``by_layer``: the layer is the
    first part. ``by_path``: mocks of the same priority in one layer are ordered by their paths before all else.
    """

    parts: tuple[str, ...]
    key: Callable[[Candidate], Key]
    by_layer: bool
    by_path: bool


def rule(profile: Profile, winner: Candidate, other: Candidate) -> str:
    """Name the first part in which two candidates differ that match the same request; empty when they are one."""
    order = ORDERS[profile]
    pairs = zip(order.parts, order.key(winner), order.key(other), strict=True)
    return next((part for part, one, another in pairs if one != another), "")


def _flowmock(candidate: Candidate) -> Key:
    mock = candidate.mock
    matcher = mock.matcher
    return (
        candidate.layer,
        -mock.priority,
        _path(candidate),
        (matcher.body is None, -matcher.body_leaves),
        -matcher.query_count,
        not matcher.looks_at_method,
        -matcher.criteria_count,
        -candidate.activated,
        mock.id,
    )


def _assertive(candidate: Candidate) -> Key:
    mock = candidate.mock
    matcher = mock.matcher
    return (
        -mock.priority,
        -matcher.fields_count,
        -matcher.weight,
        candidate.layer,
        -matcher.path.literals if matcher.path else 0,
        (mock.created_ms, candidate.activated),
        mock.id,
    )


def _mockarty(candidate: Candidate) -> Key:
    mock = candidate.mock
    return (
        -mock.priority,
        _path(candidate),
        -mock.matcher.criteria_count,
        candidate.layer,
        (-mock.created_ms, -candidate.activated),
        mock.id,
    )


def _path(candidate: Candidate) -> tuple[int, ...]:
    """The leftmost segment that differs decides, literal over parameter; then a criterion, and then none.

    Patterns of one request are equally long, and what is negated of a rank never exceeds 0.
    """
    matcher = candidate.mock.matcher
    if matcher.path is None:
        return (1,) if matcher.looks_at_path_criterion else (2,)
    return tuple([-rank for rank in matcher.path.rank])


ORDERS: Final = {
    Profile.FLOWMOCK: Order(
        ("layer", "priority", "path", "body", "query", "method", "criteria", "latest", "id"),
        _flowmock,
        by_layer=True,
        by_path=True,
    ),
    Profile.ASSERTIVE: Order(
        ("priority", "parts", "weight", "layer", "path", "oldest", "id"), _assertive, by_layer=False, by_path=False
    ),
    Profile.MOCKARTY: Order(
        ("priority", "path", "criteria", "layer", "newest", "id"), _mockarty, by_layer=False, by_path=True
    ),
}
