"""Scenarios: named sets of mocks that act together."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import count

from understudy.v1 import scenario_service_pb2 as pb
from understudy.v1.scenario_service_pb2 import Scenario, ScenarioSummary

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.masks import fields_to_set
from understudy_server.app.mocks import activatable
from understudy_server.app.ownership import check_unmanaged
from understudy_server.app.ports import Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.times import milliseconds, stamp
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound

_SETTABLE = ("name", "url_id", "mocks", "tags")


async def list_scenarios(tx: Transaction, call: Call, request: pb.ListScenariosRequest) -> pb.ListScenariosResponse:
    """List scenarios, newest first. A cursor that is not of this list gives an empty page."""
    # The cursor is a moment, so that it means the same under other filters; to refuse it there would only look like the
    # end of the list.
    pages = paging.pages(call.place, request, but=("search", "mock"))
    try:
        before = _cursor(pages.name_before(request.before))
    except InvalidInput:
        return pb.ListScenariosResponse()
    found = await tx.scenarios(
        call.place.environment_id, request.search.strip(), before, request.limit + 1, request.mock
    )
    page = found[: request.limit]
    response = pb.ListScenariosResponse(
        scenarios=[ScenarioSummary(id=each.id, name=each.name, url_id=each.url_id) for each in page]
    )
    if len(found) > len(page):
        response.next_before = pages.token_after(f"{milliseconds(page[-1].created_at)} {page[-1].id}")
    return response


async def get_scenario(tx: Transaction, call: Call, request: pb.GetScenarioRequest) -> pb.GetScenarioResponse:
    """Read a scenario. Raises NotFound."""
    return pb.GetScenarioResponse(scenario=await _existing(tx, call, request.scenario_id))


async def create_scenario(tx: Transaction, call: Call, request: pb.CreateScenarioRequest) -> pb.CreateScenarioResponse:
    """Make a scenario. Raises Conflict, and as ``activatable`` for its mocks."""
    given, environment_id = request.scenario, call.place.environment_id
    if given.id and await tx.scenario(environment_id, given.id):
        fault = Fault("scenario.id", "unique", given=given.id)
        raise Conflict("already_exists", f"there is a scenario {given.id!r} already", fault)
    scenario = Scenario(
        id=given.id or call.world.new_id("scn_"),
        name=given.name,
        url_id=given.url_id or await _free_url_id(tx, environment_id, given.name),
        mocks=dict.fromkeys(given.mocks),
        tags=dict.fromkeys(given.tags),
        created_at=stamp(call.now_ms),
        updated_at=stamp(call.now_ms),
        revision=1,
    )
    await check_scenario(tx, call, scenario)
    await tx.put_scenario(environment_id, scenario)
    return pb.CreateScenarioResponse(scenario=scenario)


async def update_scenario(tx: Transaction, call: Call, request: pb.UpdateScenarioRequest) -> pb.UpdateScenarioResponse:
    """Set what is present, in force at once. Raises NotFound, Conflict, and as ``activatable`` for its mocks."""
    scenario = await _existing(tx, call, request.scenario_id)
    check_unmanaged(scenario.managed_by, f"scenario {scenario.id!r}")
    check_revision(scenario.revision, request.expected_revision)
    before = copied(scenario)
    fields = fields_to_set(request.scenario, request.update_mask, _SETTABLE)
    if "name" in fields:
        scenario.name = request.scenario.name
    if "url_id" in fields:
        scenario.url_id = request.scenario.url_id or await _free_url_id(
            tx, call.place.environment_id, scenario.name, scenario.id
        )
    if "mocks" in fields:
        scenario.mocks[:] = dict.fromkeys(request.scenario.mocks)
    if "tags" in fields:
        scenario.tags[:] = dict.fromkeys(request.scenario.tags)
    await check_scenario(tx, call, scenario)
    if scenario != before:
        touched(scenario, call.now_ms)
        await tx.put_scenario(call.place.environment_id, scenario)
    return pb.UpdateScenarioResponse(scenario=scenario)


async def delete_scenario(tx: Transaction, call: Call, request: pb.DeleteScenarioRequest) -> pb.DeleteScenarioResponse:
    """Remove a scenario with the mocks that are its alone. Raises NotFound and Conflict."""
    scenario = await _existing(tx, call, request.scenario_id)
    check_unmanaged(scenario.managed_by, f"scenario {scenario.id!r}")
    check_revision(scenario.revision, request.expected_revision)
    for mock_id in scenario.local_mocks:
        mock = await tx.mock(call.place.environment_id, mock_id)
        check_unmanaged(mock.managed_by if mock else "", f"mock {mock_id!r}, which belongs to it,")
    await tx.remove_scenario(call.place.environment_id, scenario.id)
    return pb.DeleteScenarioResponse()


async def _existing(tx: Transaction, call: Call, scenario_id: str) -> Scenario:
    scenario = await tx.scenario(call.place.environment_id, scenario_id)
    if scenario is None:
        raise NotFound(f"there is no scenario {scenario_id!r} in {call.place.project}/{call.place.environment}")
    return scenario


async def check_scenario(tx: Transaction, call: Call, scenario: Scenario) -> None:
    """Refuse a name for URLs that is taken, and mocks that cannot be on. Raises Conflict, and as ``activatable``."""
    other = await tx.scenario_by_url_id(call.place.environment_id, scenario.url_id)
    if other is not None and other.id != scenario.id:
        fault = Fault("scenario.url_id", "unique", given=scenario.url_id)
        raise Conflict("already_exists", f"scenario {other.id!r} has the url_id {scenario.url_id!r} already", fault)
    for mock_id in scenario.mocks:
        await activatable(tx, call, mock_id, field="scenario.mocks")


async def _free_url_id(tx: Transaction, environment_id: str, name: str, own_id: str = "") -> str:
    """Make a name for URLs from a name for people, numbered when it is taken."""
    candidates = url_ids(name)
    candidate = next(candidates)
    while (other := await tx.scenario_by_url_id(environment_id, candidate)) is not None and other.id != own_id:
        candidate = next(candidates)
    return candidate


def url_ids(name: str) -> Iterator[str]:
    """Names for URLs that a name for people makes, the best first, without end."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:180].rstrip("-") or "scenario"
    yield stem
    for number in count(2):
        yield f"{stem}-{number}"


def _cursor(name: str) -> tuple[int, str] | None:
    """Read what a token holds: a moment and an id; None for no token. Raises InvalidInput."""
    if not name:
        return None
    moment, _, scenario_id = name.partition(" ")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 15):
        raise InvalidInput("not a cursor that this server gave")
    return int(moment), scenario_id
