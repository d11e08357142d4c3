"""What is kept between requests, as templates see it: ``state.session.order.id``."""

from collections.abc import Iterable
from typing import Any, Final

from understudy_server.core.matching import json_values
from understudy_server.core.responding.plan import Scene
from understudy_server.core.state import Owner, Scope
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.language import Shortcut
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import MISSING, Lookup

SCOPES: Final = {"session": Scope.SESSION, "chain": Scope.CHAIN, "environment": Scope.ENVIRONMENT}
LISTED_MAX: Final = 1000
"""A template that prints or goes through all values of an owner sees at most so many."""

_CHARACTERS_READ_IN_A_STEP = 16


def owner_of(scene: Scene, scope: Scope) -> Owner:
    """Whose values those of a scope are for this request."""
    name = {Scope.SESSION: scene.session_state, Scope.CHAIN: scene.chain, Scope.ENVIRONMENT: ""}[scope]
    return Owner(scene.environment_id, scope, name)


class StateView(Lookup):
    """``state``"""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def find(self, key: str) -> Any:
        return _Values(self._run, SCOPES[key]) if key in SCOPES else MISSING

    def keys(self) -> Iterable[str]:
        return SCOPES


class _Values(Lookup):
    """The values of one owner, by their keys."""

    __slots__ = ("_owner", "_run")

    def __init__(self, run: Run, scope: Scope) -> None:
        self._run = run
        self._owner = owner_of(run.scene, scope)

    def find(self, key: str) -> Any:
        return _value(self._run, self._owner, key)

    def keys(self) -> Iterable[str]:
        self._run.take(LISTED_MAX // 4)
        return [key for key, _ in self._run.scene.state.texts(self._owner, limit=LISTED_MAX)]


def _value(run: Run, owner: Owner, key: str) -> Any:
    text = run.scene.state.text(owner, key)
    if text is None:
        return MISSING
    run.take(1 + len(text) // _CHARACTERS_READ_IN_A_STEP)
    value = json_values.read(text.encode())
    if value is json_values.UNREADABLE:
        raise Fault(f"the value of {key!r} is longer than what may be looked at")
    return value


def shortcut(path: tuple[str, ...]) -> Shortcut | None:
    """Finds ``state.session.order.id``: the value of the key ``order.id``, else ``id`` in that of ``order``.

    Raises ValueError for a scope that there is not.
    """
    if path[1] not in SCOPES:
        raise ValueError(f"state has no {path[1]!r}; it has {', '.join(SCOPES)}")
    if len(path) < 3:
        return None
    scope, names = SCOPES[path[1]], path[2:]

    def find(run: Run) -> Any:
        owner = owner_of(run.scene, scope)
        for length in range(len(names), 0, -1):
            run.take(2)
            found = _value(run, owner, ".".join(names[:length]))
            for name in names[length:]:
                found = found.get(name, MISSING) if isinstance(found, dict) else MISSING
            if found is not MISSING:
                return found
        return MISSING

    return find
