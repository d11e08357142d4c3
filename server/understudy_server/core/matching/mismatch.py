"""Why something does not match: field by field, for people, and as a distance, for whoever looks for the nearest."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, NamedTuple


class Code(Enum):
    """Why a criterion does not hold. The values are codes of the contract (Mismatch)."""

    DIFFERS = "differs"
    ABSENT = "absent"
    ILL_TYPED = "ill_typed"
    UNREADABLE = "unreadable"
    BODY_TOO_LARGE = "body_too_large"
    TOO_MANY_STEPS = "too_many_steps"


class Mismatch(NamedTuple):
    """One thing that does not hold.

    ``field`` is its path in the mock (``matcher.query.page``), ``expected`` says in words what was asked for, and
    ``actual`` shows what was there, empty for nothing: at most 200 characters of either. ``distance`` is over 0, at
    most 1.
    """

    field: str
    expected: str
    actual: str
    code: str
    distance: float


class Judged(NamedTuple):
    """What a criterion says of a value: ``distance`` is 0 when it holds, and only then; at most 1.

    ``mismatches`` are in the order in which they were found, none when it holds.
    """

    distance: float = 0.0
    mismatches: tuple[Mismatch, ...] = ()

    def within(self, field: str, said: str = "") -> "Judged":
        """The same of what stands in a field; ``said`` stands before what was expected."""
        if not self.mismatches:
            return self
        return Judged(
            self.distance,
            tuple(
                [
                    each._replace(
                        field=field + each.field, expected=cut(said + each.expected) if said else each.expected
                    )
                    for each in self.mismatches
                ]
            ),
        )


HOLDS: Final = Judged()

CHARACTERS_MAX: Final = 200
MISMATCHES_MAX: Final = 20
"""So many are told of one mock, at most."""


def joined(all_judged: Sequence[Judged]) -> Judged:
    """What is said of things that must all hold: as far away as they are on average."""
    if not all_judged:
        return HOLDS
    return Judged(mean([each.distance for each in all_judged]), first_of(all_judged))


def first_of(all_judged: Iterable[Judged]) -> tuple[Mismatch, ...]:
    """The first mismatches of several."""
    found: list[Mismatch] = []
    for each in all_judged:
        found += each.mismatches
        if len(found) >= MISMATCHES_MAX:
            break
    return tuple(found[:MISMATCHES_MAX])


def mean(distances: Sequence[float]) -> float:
    """Their mean; never 0 when one of them is not, however small."""
    found = sum(distances) / len(distances)
    return found or max(distances)


def cut(text: str) -> str:
    """At most 200 characters of a text that can be sent: what is not Unicode is escaped."""
    if len(text) > CHARACTERS_MAX:
        text = text[: CHARACTERS_MAX - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode() if not text.isascii() else text
