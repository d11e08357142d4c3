"""The start: an environment of the dialect's own, with nothing in it but the stubs of a file."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import project_service_pb2 as projects

from understudy_gateway.backend import Backend
from understudy_gateway.dialects.assertive import emptying, making, names
from understudy_gateway.dialects.assertive.ids import StubIds
from understudy_gateway.dialects.assertive.preload import Preloaded, PreloadError
from understudy_gateway.dialects.assertive.server import Refused, Server
from understudy_gateway.dialects.assertive.validation import Invalid

_STUBS_AT_ONCE: Final = 200
"""Each takes three of the thousand operations of a batch, and their bodies have to fit into one call."""

_BYTES_AT_ONCE: Final = 8 * 1024 * 1024


class WrongEnvironment(PreloadError):
    """The environment is there already, and is not one of this dialect's."""


async def ready_environment(
    backend: Backend, project: str = "assertive", environment: str = "default", preloaded: Sequence[Preloaded] = ()
) -> None:
    """Make the environment if it is not there, and empty it: the product knows nothing when it starts but its file.

    The stubs of the file are made, in their order. They are tried before anything is removed, so that a start that
    fails because of them leaves all as it was. What a manifest declares stays, and so do the environment's settings.

    Raises WrongEnvironment when it is one that ranks mocks in another order, PreloadError with the place of the stub
    that is refused, and Refused for what the server cannot do.
    """
    server = Server(backend, project, environment)
    profile = await _profile(server)
    if profile is None:
        await _make(server)
    elif profile != projects.PROFILE_ASSERTIVE:
        raise WrongEnvironment(
            f"the environment {project}/{environment} is there already, and ranks mocks in the order of "
            f"{projects.Profile.Name(profile).removeprefix('PROFILE_').lower()}: remove it or rename it first"
        )
    batches = list(_batches(preloaded))
    await _try(server, batches)
    if profile is not None:
        await emptying.empty(server)
    for first, batch in batches:
        await _load(server, batch, first)


_Batch = Sequence[Sequence[mocks.MockOperation]]
"""Stubs to be made together, each as what makes it."""


def _batches(preloaded: Sequence[Preloaded]) -> Iterator[tuple[int, _Batch]]:
    """The stubs in batches, each with the place in the file of its first. Raises PreloadError."""
    ids = StubIds()
    batch: list[list[mocks.MockOperation]] = []
    size, first = 0, 1
    for place, each in enumerate(preloaded, start=1):
        made = _operations(each, place, ids)
        length = made[0].ByteSize()
        if batch and (len(batch) == _STUBS_AT_ONCE or size + length > _BYTES_AT_ONCE):
            yield first, batch
            batch, size, first = [], 0, place
        batch.append(made)
        size += length
    if batch:
        yield first, batch


def _operations(each: Preloaded, place: int, ids: StubIds) -> list[mocks.MockOperation]:
    order = ids.order()
    try:
        return making.operations(each.stub_id or ids.made(order), each.stub, order)
    except Invalid as invalid:
        raise PreloadError(f"Stub {place}: Invalid stub payload: {invalid}") from invalid


async def _try(server: Server, batches: Sequence[tuple[int, _Batch]]) -> None:
    """Find out whether the server takes the stubs; none of them is there afterwards. Raises PreloadError."""
    ids = StubIds()
    declared = {each.id async for each in emptying.mocks_of(server) if each.managed_by} if batches else ()
    for first, batch in batches:
        for at, steps in enumerate(batch):
            if steps[0].create.mock.id in declared:
                message = f"a manifest declares the mock {steps[0].create.mock.id!r}"
                raise PreloadError(f"Stub {first + at}: Invalid stub payload: {message}")
        # Mocks of the same ids may be there, of the start before.
        trial = [making.renamed(steps, ids.made(ids.order())) for steps in batch]
        # What fails in a batch undoes all of it.
        failing = mocks.MockOperation(delete=mocks.DeleteMockRequest(mock_id=names.mock_id(ids.made(ids.order()))))
        await _load(server, [*trial, [failing]], first, tried=len(batch))


async def _load(server: Server, batch: _Batch, first: int, tried: int | None = None) -> None:
    """Make stubs together. ``tried``: so many, and what comes then is meant to fail."""
    request = mocks.BatchMocksRequest(operations=[step for steps in batch for step in steps])
    try:
        await server.call("MockService.BatchMocks", request, mocks.BatchMocksResponse)
    except Refused as refused:
        place = making.number_in_batch(refused)
        if place is None:
            raise
        if place == tried:
            return
        problem = making.invalid(refused, None)
        raise PreloadError(f"Stub {first + place}: Invalid stub payload: {problem}") from refused


async def _profile(server: Server) -> Any:
    """How the environment ranks its mocks; None when it is not there."""
    try:
        request = projects.GetEnvironmentRequest()
        found = await server.call("ProjectService.GetEnvironment", request, projects.GetEnvironmentResponse)
    except Refused as refused:
        if refused.reason != "not_found":
            raise
        return None
    return found.environment.profile or projects.PROFILE_FLOWMOCK


async def _make(server: Server) -> None:
    project = projects.CreateProjectRequest(project=projects.Project(slug=server.project))
    try:
        await server.call_as_it_is("ProjectService.CreateProject", project, projects.CreateProjectResponse)
    except Refused as refused:
        if refused.reason != "already_exists":
            raise
    environment = projects.Environment(
        slug=server.environment,
        profile=projects.PROFILE_ASSERTIVE,
        # Calls are asked for by their headers, whatever these are.
        redaction=projects.Redaction(keep_credentials=True),
    )
    request = projects.CreateEnvironmentRequest(project=server.project, environment=environment)
    await server.call_as_it_is("ProjectService.CreateEnvironment", request, projects.CreateEnvironmentResponse)
