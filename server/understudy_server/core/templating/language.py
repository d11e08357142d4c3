# ruff: noqa: ARG001 - the signatures are those that templates see
"""What the names of a template stand for that it does not give values to itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.filters import FILTERS
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import Function, Undefined, kind_of, missing_part

Root = Callable[[Run], Any]
"""Makes the value of a name that is always there."""

Shortcut = Callable[[Run], Any]
"""Makes the value at the end of a path, or ``MISSING``: the same as by its parts, sooner."""


def no_shortcut(path: tuple[str, ...]) -> Shortcut | None:
    """A language without shortcuts."""
    return None


class Wording:
    """How it is said what is not there: a template that uses it fails with that."""

    __slots__ = ()

    def name(self, name: str) -> Undefined:
        """A name that stands for nothing."""
        return Undefined(name)

    def part(self, of: Any, key: Any, described: str) -> Undefined:
        """What a value does not hold. ``described``: how the template asked for it."""
        return missing_part(of, key, described)

    def function(self, of: Any, name: str) -> Fault:
        """What no such value can do."""
        return Fault(f"{kind_of(of)} has no function {name}")


@dataclass(frozen=True, slots=True)
class Language:
    """``roots`` are values by name, ``functions`` can be called, and ``filters`` are those beside the usual ones.

    ``modules`` find functions by the name behind a dot: ``fake.city()``; ``None``: there is none. ``shortcut`` is asked
    for each path of names, and raises ValueError for one that leads nowhere. ``wording`` is for what is not there.
    ``without_tags`` and ``without_filters`` are usual ones that it has not.
    """

    roots: Mapping[str, Root] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    filters: Mapping[str, Function] = field(default_factory=dict)
    modules: Mapping[str, Callable[[str], Function | None]] = field(default_factory=dict)
    shortcut: Callable[[tuple[str, ...]], Shortcut | None] = no_shortcut
    wording: Wording = field(default_factory=Wording)
    without_tags: frozenset[str] = frozenset()
    without_filters: frozenset[str] = frozenset()

    def filter_named(self, name: str) -> Function | None:
        """The filter of that name; ``None``: there is none."""
        if name in self.without_filters:
            return None
        return self.filters.get(name) or FILTERS.get(name)
