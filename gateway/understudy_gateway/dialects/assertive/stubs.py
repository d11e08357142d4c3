"""A stub, made into what a mock of ours is made of, and what is shown of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from understudy.v1.actions_pb2 import Action
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.state_pb2 import STATE_SCOPE_ENVIRONMENT, Lifetime

from understudy_gateway.dialects.assertive import actions, payloads
from understudy_gateway.dialects.assertive.criteria_view import shown, shown_subset
from understudy_gateway.dialects.assertive.matchers import fit_nothing, matcher

_PARTS: Final = ("method", "path", "body", "headers", "host", "query")
_SUBSETS: Final = frozenset(("headers", "query"))
_CALLS_MAX: Final = 1_000_000_000
"""A mock counts its uses up to here: more calls than that are as many as anybody makes."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A stub. ``view`` is what is shown of it, but for its id and its scope. Nothing of it is changed.

    ``max_calls`` is None where there is no end to them; where it is 0 or less, ``matcher`` fits no request.
    """

    matcher: RequestMatcher
    action: Action
    max_calls: int | None
    view: dict[str, Any]

    def lifetime(self) -> Lifetime | None:
        """How often the mock answers, whoever calls; None for always."""
        if self.max_calls is None or self.max_calls <= 0:
            return None
        return Lifetime(uses_max=min(self.max_calls, _CALLS_MAX), uses_per=STATE_SCOPE_ENVIRONMENT)


def translate(payload: Any) -> Translated:
    """Translate what was sent to make a stub, a JSON value (`reading.read`). Raises Invalid."""
    given = payloads.stub(payload)
    made = matcher(given["request"], patterns=True)
    max_calls = given["max_calls"]
    if max_calls is not None and max_calls <= 0:
        fit_nothing(made)
    return Translated(made, actions.action(given["action"], given["chaos"]), max_calls, _view(given))


def _view(given: Mapping[str, Any]) -> dict[str, Any]:
    request = given["request"]
    return {
        "request": {name: _part(name, request[name]) for name in _PARTS},
        "action": given["action"],
        "chaos": given["chaos"],
    }


def _part(name: str, node: Any) -> Any:
    if node is None:
        return None
    return shown_subset(node) if name in _SUBSETS else shown(node)
