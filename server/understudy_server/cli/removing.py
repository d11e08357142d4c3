"""Removing a project or an environment: what would go with it is said first, and nothing goes unless it is forced."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy_server.cli import asking
from understudy_server.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from google.protobuf.message import Message

    from understudy_server.cli.command import Desk

Force = Annotated[bool, typer.Option("--force", help="Remove all that is in it too.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_PAGE_SIZE = 1000
_SCENARIOS_PAGE_SIZE = 100
_COUNTED_MAX = 10_000
"""How far it is counted: whoever removes more than that knows that it is much."""

Counts = dict[str, int]
"""How many there are of each kind (``mock``), in the order in which they are told."""


async def remove(
    title: str, look: Callable[[], Awaitable[Counts]], send: Callable[[], Awaitable[None]], *, force: bool, yes: bool
) -> None:
    """Remove with ``send``. ``look`` counts what is in it: asked about where a person sits, told where it is refused.

    Raises CommandFailed.
    """
    if force and not yes and asking.on_terminal():
        content = _told(await look())
        if content and not asking.agreed(f"Remove {title}, with {content}?"):
            raise CommandFailed(ExitCode.REFUSED, "nothing was removed")
    try:
        await send()
    except CommandFailed as failure:
        if failure.reason != "not_empty":
            raise
        message = f"not_empty: {title} has {_told(await look()) or 'something in it'}"
        raise CommandFailed(failure.exit_code, message, failure.advice, problem=failure.problem) from failure


async def count_environment(desk: "Desk", project: str, environment: str) -> Counts:
    """What is in an environment. A kind that may not be looked at is left out."""
    from understudy.v1 import mock_service_pb2 as mocks
    from understudy.v1 import scenario_service_pb2 as scenarios
    from understudy.v1 import session_service_pb2 as sessions

    here = desk.at(project=project, environment=environment)
    asked = {
        "mock": (mocks.ListMocksRequest(page_size=_PAGE_SIZE), mocks.ListMocksResponse),
        "scenario": (scenarios.ListScenariosRequest(limit=_SCENARIOS_PAGE_SIZE), scenarios.ListScenariosResponse),
        "session": (sessions.ListSessionsRequest(page_size=_PAGE_SIZE), sessions.ListSessionsResponse),
    }
    return {kind: await _length(here, request, answer, f"{kind}s") for kind, (request, answer) in asked.items()}


async def count_project(desk: "Desk", project: str) -> Counts:
    """What is in a project, in all of its environments."""
    from understudy.v1.project_service_pb2 import ListEnvironmentsRequest, ListEnvironmentsResponse

    request = ListEnvironmentsRequest(project=project, page_size=_PAGE_SIZE)
    slugs = [each.slug for each in (await desk.call(request, ListEnvironmentsResponse)).environments]
    total = {"environment": len(slugs)}
    for slug in slugs:
        for kind, number in (await count_environment(desk, project, slug)).items():
            total[kind] = total.get(kind, 0) + number
    return total


async def _length(desk: "Desk", request: Any, answer: "type[Message]", field: str) -> int:
    """How many there are, page by page. ``field`` holds them in the answer."""
    # The one list is older than the others and calls its cursor by other names.
    into, out = ("before", "next_before") if field == "scenarios" else ("page_token", "next_page_token")
    number = 0
    try:
        while number < _COUNTED_MAX:
            page = await desk.call(request, answer)
            number += len(getattr(page, field))
            cursor = getattr(page, out)
            if not cursor:
                break
            setattr(request, into, cursor)
    except CommandFailed as failure:
        if failure.exit_code is not ExitCode.NOT_AUTHORISED:
            raise
    return number


def _told(counts: Counts) -> str:
    from understudy_server.cli.output import count

    parts = [
        f"{number} or more {kind}s" if number >= _COUNTED_MAX else count(number, kind)
        for kind, number in counts.items()
        if number
    ]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
