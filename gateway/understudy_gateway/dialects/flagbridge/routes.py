"""The routes of ``/v1``, and keys of which scopes may ask each."""

from functools import cache
from typing import Final

from understudy_gateway.dialects.flagbridge import entrance, evaluating, flags, keys, places, sessions
from understudy_gateway.dialects.flagbridge.asking import Handler, Route
from understudy_gateway.transcoding.routes import RouteTree
from understudy_gateway.transcoding.templates import parse

_EVALUATES: Final = frozenset({"eval", "test", "full"})
_TESTS: Final = frozenset({"test", "full"})
_MANAGES: Final = frozenset({"mgmt", "full"})
_SESSION: Final = "/v1/testing/sessions/{id}"
_PROJECT: Final = "/v1/projects/{slug}"
_FLAG: Final = f"{_PROJECT}/flags/{{key}}"
_ROUTES: Final[tuple[tuple[str, str, Handler | None, frozenset[str] | None], ...]] = (
    ("GET", "/v1/health", entrance.health, None),
    ("POST", "/v1/auth/login", entrance.log_in, None),
    ("POST", "/v1/evaluate", evaluating.evaluate, _EVALUATES),
    ("POST", "/v1/evaluate/batch", evaluating.evaluate_batch, _EVALUATES),
    ("GET", "/v1/sse/{environment}", None, _EVALUATES),
    ("POST", "/v1/testing/sessions", sessions.create, _TESTS),
    ("GET", "/v1/testing/sessions", sessions.list_all, _TESTS),
    ("GET", _SESSION, sessions.read, _TESTS),
    ("DELETE", _SESSION, sessions.end, _TESTS),
    # What is written out goes before what is left open: a flag that is named so is set by the same call's body.
    ("PUT", f"{_SESSION}/overrides/batch", sessions.put_overrides, _TESTS),
    ("PUT", f"{_SESSION}/overrides/{{key}}", sessions.put_override, _TESTS),
    ("DELETE", f"{_SESSION}/overrides/{{key}}", sessions.remove_override, _TESTS),
    ("POST", "/v1/api-keys", keys.create, _MANAGES),
    ("GET", "/v1/api-keys", keys.list_all, _MANAGES),
    ("POST", f"{_PROJECT}/api-keys", keys.create, _MANAGES),
    ("GET", f"{_PROJECT}/api-keys", keys.list_all, _MANAGES),
    ("POST", "/v1/api-keys/{id}/rotate", keys.rotate, _MANAGES),
    ("DELETE", "/v1/api-keys/{id}", keys.remove, _MANAGES),
    ("POST", "/v1/projects", places.create_project, _MANAGES),
    ("GET", "/v1/projects", places.list_projects, _MANAGES),
    ("GET", _PROJECT, places.read_project, _MANAGES),
    ("PATCH", _PROJECT, places.change_project, _MANAGES),
    ("DELETE", _PROJECT, places.remove_project, _MANAGES),
    ("GET", f"{_PROJECT}/environments", places.list_environments, _MANAGES),
    ("POST", f"{_PROJECT}/environments", places.create_environment, _MANAGES),
    ("POST", f"{_PROJECT}/flags", flags.create, _MANAGES),
    ("GET", f"{_PROJECT}/flags", flags.list_page, _MANAGES),
    ("GET", _FLAG, flags.read, _MANAGES),
    ("PATCH", _FLAG, flags.change, _MANAGES),
    ("DELETE", _FLAG, flags.remove, _MANAGES),
    ("GET", f"{_FLAG}/states/{{environment}}", flags.read_state, _MANAGES),
    ("PUT", f"{_FLAG}/states/{{environment}}", flags.put_state, _MANAGES),
    ("GET", f"{_FLAG}/rules/{{environment}}", flags.read_rules, _MANAGES),
    ("PUT", f"{_FLAG}/rules/{{environment}}", flags.put_rules, _MANAGES),
)


@cache
def compile_routes() -> RouteTree[Route]:
    """All routes. They are the same for every door, and are never changed."""
    tree: RouteTree[Route] = RouteTree()
    for method, template, handler, scopes in _ROUTES:
        tree.add(method, parse(template), Route(handler, scopes, streams=handler is None))
    return tree
