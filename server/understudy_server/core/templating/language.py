# ruff: noqa: ARG001 - the signatures are those that templates see
"""What the names of a template stand for that it does not give values to itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import Function

Root = Callable[[Run], Any]
"""Makes the value of a name that is always there."""

Shortcut = Callable[[Run], Any]
"""Makes the value at the end of a path, or ``MISSING``: the same as by its parts, sooner."""


def no_shortcut(path: tuple[str, ...]) -> Shortcut | None:
    """A language without shortcuts."""
    return None


@dataclass(frozen=True, slots=True)
class Language:
    """``roots`` are values by name, ``functions`` can be called, and ``filters`` are those beside the usual ones.

    ``modules`` find functions by the name behind a dot: ``fake.city()``; ``None``: there is none. ``shortcut`` is asked
    for each path of names, and raises ValueError for one that leads nowhere.
    """

    roots: Mapping[str, Root] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    filters: Mapping[str, Function] = field(default_factory=dict)
    modules: Mapping[str, Callable[[str], Function | None]] = field(default_factory=dict)
    shortcut: Callable[[tuple[str, ...]], Shortcut | None] = no_shortcut
