"""What a new store holds: a sample project with all that the examples of the documentation name, and a first key.

The sample is ordinary data, made through the use cases of the API, in one transaction: it is there whole or not at all.
"""

import secrets
from collections.abc import Callable
from typing import TypeVar

from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.key_service_pb2 import CreateKeyRequest
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import CreateMockRequest, Mock, PublishMockRequest
from understudy.v1.project_service_pb2 import (
    CreateEnvironmentRequest,
    CreateProjectRequest,
    Environment,
    EnvironmentChanges,
    Project,
    UpdateEnvironmentRequest,
)
from understudy.v1.scenario_service_pb2 import CreateScenarioRequest, Scenario

from understudy_server.app.call import Call, Place, World
from understudy_server.app.environments import create_environment, update_environment
from understudy_server.app.host import HostFacts
from understudy_server.app.keys import create_key
from understudy_server.app.mocks import create_mock, publish_mock
from understudy_server.app.ports import EnvironmentRecord, Transaction
from understudy_server.app.projects import create_project
from understudy_server.app.scenarios import create_scenario
from understudy_server.cli.embedded import Rooms, clock
from understudy_server.cli.sample_names import ENVIRONMENT, OVERRIDE, PROJECT, SCENARIO, is_new, own_environment
from understudy_server.rpc.admission import OWNER

Record = TypeVar("Record")

_DECLINED = '{"error":"card_declined","message":"The card was declined."}'

# The first scenario uses a mock of the library, the second has one of its own: both kinds are there to be tried.
_PAY_DECLINED = Mock(
    id="ovr_payDeclined",
    name="Payment declined",
    matcher=RequestMatcher(method="POST", path="/api/pay"),
    action=Action(respond=Respond(status=402, json=_DECLINED)),
)
_EXTRA = Mock(
    id=OVERRIDE,
    name="Empty cart",
    matcher=RequestMatcher(method="GET", path="/api/cart"),
    action=Action(respond=Respond(status=200, json='{"items":[],"total":0,"currency":"EUR"}')),
)
_DECLINED_LOCALLY = Mock(
    id="ovr_declinedPay",
    name="Declined",
    scenario="scn_declined",
    matcher=RequestMatcher(method="POST", path="/api/pay"),
    action=Action(respond=Respond(status=402, json=_DECLINED)),
)
_SCENARIO_DECLINED = Scenario(id="scn_declined", name="Declined", url_id="declined")
_SCENARIO_PAYMENT_DECLINED = Scenario(
    id=SCENARIO, name="Payment declined", url_id="payment-declined", mocks=[_PAY_DECLINED.id]
)


async def make_sample(rooms: Rooms, upstream: str, *, may_make: bool = True) -> bool:
    """Make the sample project in a store that has no project, if it may be; True when it was made.

    Where it was made before and its upstream is still the sample's own, the upstream is moved to the given one.
    """
    at = _caller(rooms)

    async def work(tx: Transaction) -> bool:
        if may_make and await is_new(tx):
            await _fill(tx, at, upstream)
            return True
        environment = await own_environment(tx)
        if environment:
            changes = EnvironmentChanges(upstream=upstream)
            await update_environment(tx, at(_place(environment)), UpdateEnvironmentRequest(changes=changes))
        return False

    return await rooms.store.write(work)


async def make_first_key(rooms: Rooms) -> str:
    """Make an organisation-wide admin key in a store that never had a key and return its text; nothing otherwise."""
    at = _caller(rooms)

    async def work(tx: Transaction) -> str:
        if await tx.keys("", 1, "", ""):
            return ""
        return (await create_key(tx, at(Place()), CreateKeyRequest(name="First key", role=ROLE_ADMIN))).text

    return await rooms.store.write(work)


async def _fill(tx: Transaction, at: Callable[[Place], Call], upstream: str) -> None:
    await create_project(tx, at(Place()), CreateProjectRequest(project=Project(slug=PROJECT, name="Checkout")))
    project = _made(await tx.project(PROJECT))
    environment = Environment(slug=ENVIRONMENT, name="Staging", upstream=upstream)
    in_project = at(Place(project.id, PROJECT))
    await create_environment(tx, in_project, CreateEnvironmentRequest(environment=environment))
    here = at(_place(_made(await tx.environment(project.id, ENVIRONMENT))))
    for mock in (_PAY_DECLINED, _EXTRA):
        await _publish(tx, here, mock)
    for scenario in (_SCENARIO_DECLINED, _SCENARIO_PAYMENT_DECLINED):
        await create_scenario(tx, here, CreateScenarioRequest(scenario=scenario))
    await _publish(tx, here, _DECLINED_LOCALLY)


async def _publish(tx: Transaction, call: Call, mock: Mock) -> None:
    await create_mock(tx, call, CreateMockRequest(mock=mock))
    await publish_mock(tx, call, PublishMockRequest(mock_id=mock.id))


def _made(record: Record | None) -> Record:
    """What was made in this transaction and so is there."""
    if record is None:
        raise LookupError("the transaction does not see its own write")
    return record


def _place(environment: EnvironmentRecord) -> Place:
    return Place(environment.project_id, environment.message.project, environment.id, environment.message.slug)


def _caller(rooms: Rooms) -> Callable[[Place], Call]:
    """Calls by the owner, now."""
    kept = (rooms.store, rooms.journal, rooms.presence, rooms.state)
    world = World(*kept, rooms.new_id, secrets.token_bytes, HostFacts, rooms.explainer())
    now_ms = clock()
    return lambda place: Call(OWNER, place, now_ms, world)
