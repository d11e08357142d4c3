"""Where a call acts: finds project and environment, and holds the caller to what its key is for."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from understudy.options.v1.options_pb2 import SCOPE_ENVIRONMENT, SCOPE_PROJECT

from understudy_server.app.call import Place
from understudy_server.app.ports import EnvironmentRecord, ProjectRecord, Store, Transaction
from understudy_server.core.errors import Fault, Forbidden, InvalidInput, NotFound
from understudy_server.core.keys import Caller

# The names given in a query string beside a body. The body's win, but both are checked.
QUERY_PROJECT = "understudy-query-project"
QUERY_ENVIRONMENT = "understudy-query-environment"


# The scopes whose calls act at a place, and the fields of a request that name it.
_NAMED_BY: Mapping[int, tuple[str, ...]] = {
    SCOPE_PROJECT: ("project",),
    SCOPE_ENVIRONMENT: ("project", "environment"),
}


class _Names(NamedTuple):
    """The names given for a place, in the request and in the query beside it. Empty for none."""

    project: str
    environment: str
    query_project: str
    query_environment: str


async def resolve(tx: Transaction, caller: Caller, scope: int, request: Any, metadata: Mapping[str, str]) -> Place:
    """Find the place that a call of this scope names: by itself or, where it is a session's project, by the session.

    Raises InvalidInput (project_required, environment_required), Forbidden (scope_mismatch) and NotFound.
    """
    if scope not in _NAMED_BY:
        return Place()
    names = _names(scope, request, metadata)
    if session_id := _session_that_places(caller, scope, names, request):
        return await _place_of_session(tx, session_id)
    return await tx.recall(_question(caller, scope, names), lambda: _resolve(tx, caller, scope, names))


def recalled(store: Store, caller: Caller, scope: int, request: Any, metadata: Mapping[str, str]) -> Place | None:
    """The same without a look at the store, where it was found before and nothing has changed; ``None`` elsewhere."""
    if scope not in _NAMED_BY:
        return Place()
    names = _names(scope, request, metadata)
    if _session_that_places(caller, scope, names, request):
        return None
    place: Place | None = store.recalled(_question(caller, scope, names))
    return place


def named_by(scope: int) -> tuple[str, ...]:
    """The fields of a request that name the place of a call of this scope."""
    return _NAMED_BY.get(scope, ())


def _session_that_places(caller: Caller, scope: int, names: _Names, request: Any) -> str:
    """The session whose project it is, for a caller who may go to any and names none; else empty."""
    if scope != SCOPE_PROJECT or caller.project_id or names.project or names.query_project:
        return ""
    session_id: str = getattr(request, "session_id", "")
    return session_id


def _names(scope: int, request: Any, metadata: Mapping[str, str]) -> _Names:
    return _Names(
        request.project,
        request.environment if scope == SCOPE_ENVIRONMENT else "",
        metadata.get(QUERY_PROJECT, ""),
        metadata.get(QUERY_ENVIRONMENT, ""),
    )


def _question(caller: Caller, scope: int, names: _Names) -> Hashable:
    # Of one key some calls are about its environment alone, and others about its whole project.
    return ("place", caller.key_id, caller.environment_id, scope, names)


async def _resolve(tx: Transaction, caller: Caller, scope: int, names: _Names) -> Place:
    project = await _project(tx, caller, _distinct(names.project, names.query_project))
    if scope == SCOPE_PROJECT:
        return Place(project.id, project.message.slug)
    environments = _distinct(names.environment, names.query_environment)
    environment = await _environment(tx, caller, project, environments)
    return Place(project.id, project.message.slug, environment.id, environment.message.slug)


async def _place_of_session(tx: Transaction, session_id: str) -> Place:
    """The project of a session of projects, whose ids are unique everywhere, for a caller who may go to any."""
    project = await tx.project_of_session(session_id)
    if project is None:
        raise NotFound(f"there is no session {session_id[:100]!r}")
    return Place(project.id, project.message.slug)


def _distinct(*names: str) -> Sequence[str]:
    """The names that are given, each once, the one that wins first."""
    return tuple(dict.fromkeys(filter(None, names)))


async def _project(tx: Transaction, caller: Caller, names: Sequence[str]) -> ProjectRecord:
    found = [await _named_project(tx, caller, name) for name in names]
    if found:
        return found[0]
    if caller.is_owner:
        return await _only_project(tx)
    if not caller.project_id:
        raise InvalidInput(
            "the key is organisation-wide: name the project", Fault("project", "required"), code="project_required"
        )
    own = await tx.project_by_id(caller.project_id)
    if own is None:
        raise NotFound("the project of the key does not exist any more")
    return own


async def _only_project(tx: Transaction) -> ProjectRecord:
    """The owner at the command line, who has no key, need not name the project where there is one."""
    candidates = await tx.projects("", 2)
    if len(candidates) != 1:
        message = "there are several projects: name one" if candidates else "there is no project yet"
        raise InvalidInput(message, Fault("project", "required"), code="project_required")
    return candidates[0]


async def _named_project(tx: Transaction, caller: Caller, name: str) -> ProjectRecord:
    project = await tx.project(name)
    if caller.project_id and (project is None or project.id != caller.project_id):
        # The same answer for a project that exists and for one that does not: a key learns nothing about others.
        raise Forbidden("scope_mismatch", "the key is for another project", Fault("project", "scope", given=name[:100]))
    if project is None:
        raise NotFound(f"there is no project {name[:100]!r}", Fault("project", given=name[:100]))
    return project


async def _environment(
    tx: Transaction, caller: Caller, project: ProjectRecord, names: Sequence[str]
) -> EnvironmentRecord:
    found = [await _named_environment(tx, caller, project, name) for name in names]
    if found:
        return found[0]
    if caller.environment_id:
        own = await tx.environment_by_id(caller.environment_id)
        candidates = [own] if own else []
    else:
        candidates = list(await tx.environments(project.id, "", 2))
    if len(candidates) > 1:
        raise InvalidInput(
            f"project {project.message.slug!r} has several environments: name one",
            Fault("environment", "required"),
            code="environment_required",
        )
    if not candidates:
        raise NotFound(f"project {project.message.slug!r} has no environment")
    return candidates[0]


async def _named_environment(tx: Transaction, caller: Caller, project: ProjectRecord, name: str) -> EnvironmentRecord:
    environment = await tx.environment(project.id, name)
    fault = Fault("environment", "scope", given=name[:100])
    if caller.environment_id and (environment is None or environment.id != caller.environment_id):
        raise Forbidden("scope_mismatch", "the key is for another environment", fault)
    if environment is None:
        raise NotFound(f"there is no environment {name[:100]!r} in project {project.message.slug!r}", fault)
    return environment
