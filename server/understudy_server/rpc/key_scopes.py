"""What a key of the kind flagbridge may call, and where: its scope counts at every door, beside the role that follows.

Flags and their sessions it manages in the whole project, as FlagBridge's own keys do; for the rest the environment that
it is for counts, as it does for any other key.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from understudy.v1.key_service_pb2 import KEY_SCOPE_EVAL, KEY_SCOPE_FULL, KEY_SCOPE_MGMT, KEY_SCOPE_TEST

from understudy_server.core.errors import Fault, Forbidden

_EVERY: Final = frozenset({KEY_SCOPE_EVAL, KEY_SCOPE_TEST, KEY_SCOPE_MGMT, KEY_SCOPE_FULL})
_MANAGES: Final = frozenset({KEY_SCOPE_MGMT, KEY_SCOPE_FULL})
_SERVICES: Final[Mapping[str, frozenset[int]]] = {
    "EvaluationService": frozenset({KEY_SCOPE_EVAL, KEY_SCOPE_TEST, KEY_SCOPE_FULL}),
    "ProjectSessionService": frozenset({KEY_SCOPE_TEST, KEY_SCOPE_FULL}),
    "FlagService": _MANAGES,
    "ProjectService": _MANAGES,
    "KeyService": _MANAGES,
}
_METHODS: Final[Mapping[str, frozenset[int]]] = {
    "GetOwnKey": _EVERY,
    # It shows rules, and apps are shipped with keys that evaluate.
    "ExplainFlag": _EVERY - {KEY_SCOPE_EVAL},
}
# Services, and methods: whoever sets flags in the environments of a project must know which there are.
_OF_THE_PROJECT: Final = frozenset(
    {"FlagService", "ProjectSessionService", "ListEnvironments", "ListProjects", "GetProject"}
)
NAMES: Final[Mapping[int, str]] = {
    KEY_SCOPE_EVAL: "eval",
    KEY_SCOPE_TEST: "test",
    KEY_SCOPE_MGMT: "mgmt",
    KEY_SCOPE_FULL: "full",
}


def check_scope(method: str, scope: int) -> None:
    """Raise Forbidden (scope_mismatch) when keys of a scope may not call ``/understudy.v1.KeyService/ListKeys``."""
    allowed = _allowed(method)
    if scope not in allowed:
        needed = " or ".join(NAMES[each] for each in sorted(allowed)) or "none of FlagBridge's"
        raise Forbidden("scope_mismatch", f"this needs a key of another scope: {needed}", Fault("", "scope", needed))


@cache
def is_of_the_project(method: str) -> bool:
    """True when the whole project is a key's own, though it is for one environment."""
    return not _OF_THE_PROJECT.isdisjoint(_parts(method))


@cache
def _allowed(method: str) -> frozenset[int]:
    """The scopes that may call a method, of which there are as many as in the table of RPCs."""
    service, name = _parts(method)
    return _METHODS.get(name) or _SERVICES.get(service, frozenset())


def _parts(method: str) -> tuple[str, str]:
    service, _, name = method.rpartition(".")[2].partition("/")
    return service, name
