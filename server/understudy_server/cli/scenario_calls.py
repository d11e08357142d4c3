"""What commands ask of a server about scenarios. Every call raises CommandFailed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from understudy_server.cli import mock_calls
from understudy_server.cli.command import Desk
from understudy_server.cli.failures import CommandFailed

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.v1.manifest_service_pb2 import ManifestMock, ManifestScenario
    from understudy.v1.mock_service_pb2 import Mock
    from understudy.v1.scenario_service_pb2 import Scenario

_PAGE_SIZE = 1000


async def get_scenario(desk: Desk, scenario_id: str) -> "Scenario":
    """Read a scenario."""
    from understudy.v1.scenario_service_pb2 import GetScenarioRequest, GetScenarioResponse

    return (await desk.call(GetScenarioRequest(scenario_id=scenario_id), GetScenarioResponse)).scenario


async def local_mocks(desk: Desk, scenario_id: str) -> dict[str, "Mock"]:
    """The mocks that belong to a scenario alone, by id, as far as the caller may see them."""
    from understudy.v1.mock_service_pb2 import ListMocksRequest, ListMocksResponse

    request = ListMocksRequest(scenario=scenario_id, page_size=_PAGE_SIZE)
    return {each.id: each for each in (await desk.call(request, ListMocksResponse)).mocks}


async def make_scenario(desk: Desk, form: "ManifestScenario", scenario_id: str) -> "Scenario":
    """Make a scenario of a form, with its local mocks; when one of these is refused, nothing of it stays."""
    from understudy.v1.scenario_service_pb2 import (
        CreateScenarioRequest,
        CreateScenarioResponse,
        DeleteScenarioRequest,
        DeleteScenarioResponse,
        Scenario,
    )

    given = Scenario(
        id=scenario_id, name=form.name or scenario_id, url_id=form.url_id, mocks=form.mocks, tags=form.tags
    )
    made = (await desk.call(CreateScenarioRequest(scenario=given), CreateScenarioResponse)).scenario
    if not form.local_mocks:
        return made
    try:
        await _put_local_mocks(desk, made.id, form, {})
    except CommandFailed:
        await desk.call(DeleteScenarioRequest(scenario_id=made.id), DeleteScenarioResponse)
        raise
    return await get_scenario(desk, made.id)


async def change_scenario(desk: Desk, scenario: "Scenario", form: "ManifestScenario") -> "Scenario":
    """Make a scenario what a form says, unless it was changed meanwhile.

    Its local mocks that the form has are made or changed, others stay.
    """
    from understudy.v1.scenario_service_pb2 import Scenario, UpdateScenarioRequest, UpdateScenarioResponse

    values = Scenario(
        name=form.name or scenario.id, url_id=form.url_id or scenario.url_id, mocks=form.mocks, tags=form.tags
    )
    request = UpdateScenarioRequest(scenario_id=scenario.id, scenario=values, expected_revision=scenario.revision)
    request.update_mask.paths.extend(("name", "url_id", "mocks", "tags"))
    changed = (await desk.call(request, UpdateScenarioResponse)).scenario
    if not form.local_mocks:
        return changed
    await _put_local_mocks(desk, scenario.id, form, await local_mocks(desk, scenario.id))
    return await get_scenario(desk, scenario.id)


def form_of(scenario: "Scenario", own: Mapping[str, "Mock"]) -> "ManifestScenario":
    """A scenario in the form of the manifest; ``own`` are its local mocks by id."""
    from understudy.v1.manifest_service_pb2 import ManifestScenario

    form = ManifestScenario(name=scenario.name, url_id=scenario.url_id, mocks=scenario.mocks, tags=scenario.tags)
    for mock_id, mock in own.items():
        form.local_mocks[mock_id].CopyFrom(mock_calls.form_of(mock))
    return form


async def _put_local_mocks(
    desk: Desk, scenario_id: str, form: "ManifestScenario", present: Mapping[str, "Mock"]
) -> None:
    for mock_id, mock in form.local_mocks.items():
        try:
            await _put_local_mock(desk, scenario_id, mock_id, mock, present.get(mock_id))
        except CommandFailed as failure:
            raise _in_scenario(failure, mock_id) from failure


async def _put_local_mock(
    desk: Desk, scenario_id: str, mock_id: str, form: "ManifestMock", present: "Mock | None"
) -> None:
    from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT

    if present is None:
        await mock_calls.make_mock(desk, form, mock_id, scenario_id)
        # As in a manifest: what is not called a draft is meant to apply.
        if form.state != MOCK_STATE_DRAFT:
            await mock_calls.publish_mock(desk, mock_id)
    elif mock_calls.form_of(present) != form:
        await mock_calls.change_mock(desk, present, form)


def _in_scenario(failure: CommandFailed, mock_id: str) -> CommandFailed:
    """A refusal of a scenario's mock, about the field of the scenario's form that has it."""
    problem = failure.problem
    if problem:
        below = problem.field.removeprefix("mock.")
        problem = replace(problem, field=f"scenario.local_mocks[{mock_id!r}].{below}")
    return CommandFailed(failure.exit_code, f"{mock_id}: {failure.message}", failure.advice, problem=problem)
