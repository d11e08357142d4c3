"""Completion of names that only the server knows.

Whoever presses the tab key waits, and what is printed lands in the line being typed. So a server that runs is asked
once, with little patience, and whatever goes wrong completes nothing. No data directory is opened for it.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

import typer

from understudy_server.cli.target import choose_target

if TYPE_CHECKING:
    # gRPC takes long to import; what completes no name needs none of it.
    from understudy_server.cli.line import Line

PATIENCE_SECONDS = 1.0
_NAMES_MAX = 100
_MEANING_CHARACTERS_MAX = 40

Name = tuple[str, str]
"""What can stand there, and what it is called by people."""

_Ask = Callable[["Line", Mapping[str, str], str], AsyncIterator[Name]]
"""Asks for names over a line, in a place, that begin with a text or contain it.

A place has a ``project``, an ``environment``, and, where a command is about state, a ``session`` or a ``chain``.
"""


def projects(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Slugs of projects."""
    return _complete(_projects, ctx, incomplete)


def environments(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Slugs of the environments of the project that is named."""
    return _complete(_environments, ctx, incomplete)


def mocks(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Ids of the mocks of the environment that is named."""
    return _complete(_mocks, ctx, incomplete)


def scenarios(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Ids of scenarios, likewise."""
    return _complete(_scenarios, ctx, incomplete)


def sessions(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Keys of sessions, likewise."""
    return _complete(_sessions, ctx, incomplete)


def state_keys(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Keys of the values of the session or chain that is named, or of the environment."""
    return _complete(_state_keys, ctx, incomplete)


def files(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Names of the files of the environment that is named."""
    return _complete(_files, ctx, incomplete)


def flags(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Keys of the flags of the project that is named."""
    return _complete(_feature_flags, ctx, incomplete)


def keys(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Ids of the keys that work."""
    return _complete(_keys, ctx, incomplete)


def sources(ctx: typer.Context, incomplete: str) -> list[Name]:
    """Names of the sources of manifests."""
    return _complete(_sources, ctx, incomplete)


def _complete(ask: _Ask, ctx: typer.Context, incomplete: str) -> list[Name]:
    import asyncio

    try:
        names = asyncio.run(_ask_in_time(ask, ctx.params, incomplete))
    except Exception:  # noqa: BLE001 - see above: a completion never says what went wrong
        return []
    return [name for name in names if name[0].startswith(incomplete)]


async def _ask_in_time(ask: _Ask, given: Mapping[str, str | None], incomplete: str) -> list[Name]:
    import asyncio

    # Importing takes its time, which is not the server's.
    from understudy_server.cli import connection  # noqa: F401
    from understudy_server.cli.line import Line

    target = choose_target(given.get("server"), given.get("key"), given.get("data"), os.environ, ca=given.get("ca"))
    place = {name: given.get(name) or "" for name in ("project", "environment", "session", "chain")}
    async with asyncio.timeout(PATIENCE_SECONDS), Line(target, may_open=False) as line:
        return [name async for name in ask(line, place, incomplete)]


async def _projects(line: "Line", _place: Mapping[str, str], beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.project_service_pb2 import ListProjectsRequest, ListProjectsResponse

    request = ListProjectsRequest(page_size=_NAMES_MAX, search=beginning)
    for each in (await line.call(request, ListProjectsResponse)).projects:
        yield each.slug, each.name


async def _environments(line: "Line", place: Mapping[str, str], beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.project_service_pb2 import ListEnvironmentsRequest, ListEnvironmentsResponse

    request = ListEnvironmentsRequest(project=place["project"], page_size=_NAMES_MAX, search=beginning)
    for each in (await line.call(request, ListEnvironmentsResponse)).environments:
        yield each.slug, each.name


async def _files(line: "Line", place: Mapping[str, str], beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.file_service_pb2 import ListFilesRequest, ListFilesResponse

    request = ListFilesRequest(project=place["project"], environment=place["environment"], search=beginning)
    for each in (await line.call(request, ListFilesResponse)).files:
        yield each.name, each.content_type


async def _mocks(line: "Line", place: Mapping[str, str], beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.mock_service_pb2 import ListMocksRequest, ListMocksResponse

    request = ListMocksRequest(
        project=place["project"], environment=place["environment"], page_size=_NAMES_MAX, search=beginning
    )
    for each in (await line.call(request, ListMocksResponse)).mocks:
        yield each.id, each.name


async def _scenarios(line: "Line", place: Mapping[str, str], _beginning: str) -> AsyncIterator[Name]:
    # The search of this list looks at names only, and an id is asked for.
    from understudy.v1.scenario_service_pb2 import ListScenariosRequest, ListScenariosResponse

    request = ListScenariosRequest(project=place["project"], environment=place["environment"], limit=_NAMES_MAX)
    for each in (await line.call(request, ListScenariosResponse)).scenarios:
        yield each.id, each.name


async def _sessions(line: "Line", place: Mapping[str, str], beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.session_service_pb2 import ListSessionsRequest, ListSessionsResponse

    request = ListSessionsRequest(
        project=place["project"], environment=place["environment"], page_size=_NAMES_MAX, search=beginning
    )
    for each in (await line.call(request, ListSessionsResponse)).sessions:
        yield each.session.session_key, each.session.label


async def _state_keys(line: "Line", place: Mapping[str, str], beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.state_service_pb2 import ListStateValuesRequest, ListStateValuesResponse

    request = ListStateValuesRequest(
        project=place["project"],
        environment=place["environment"],
        session_key=place["session"],
        chain=place["chain"],
        prefix=beginning,
        page_size=_NAMES_MAX,
    )
    for each in (await line.call(request, ListStateValuesResponse)).values:
        yield each.key, each.value[:_MEANING_CHARACTERS_MAX]


async def _feature_flags(line: "Line", place: Mapping[str, str], beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.flag_service_pb2 import ListFlagsRequest, ListFlagsResponse

    request = ListFlagsRequest(project=place["project"], page_size=_NAMES_MAX, search=beginning)
    for each in (await line.call(request, ListFlagsResponse)).flags:
        yield each.key, each.name


async def _keys(line: "Line", _place: Mapping[str, str], _beginning: str) -> AsyncIterator[Name]:
    # The search of this list looks at names only, and an id is asked for.
    from understudy.v1.key_service_pb2 import ListKeysRequest, ListKeysResponse

    for each in (await line.call(ListKeysRequest(active=True, page_size=_NAMES_MAX), ListKeysResponse)).keys:
        yield each.id, each.name or f"{each.hint}…"


async def _sources(line: "Line", _place: Mapping[str, str], _beginning: str) -> AsyncIterator[Name]:
    from understudy.v1.server_service_pb2 import GetStatusRequest, GetStatusResponse

    for each in (await line.call(GetStatusRequest(), GetStatusResponse)).status.manifests:
        yield each.source, f"{each.resources} resources"
