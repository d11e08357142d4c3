"""A caller's desk: typed calls to the control plane from one place with one key, short to write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from google.protobuf.message import Message
from support.dispatching import World
from understudy.status import Problem
from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import scenario_service_pb2 as scenarios
from understudy.v1 import session_service_pb2 as sessions
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.session_service_pb2 import DeleteMode, Session

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Desk:
    """Calls go to one environment with one key (none: the owner)."""

    world: World
    project: str = "checkout"
    environment: str = "staging"
    key: str = ""

    def of(self, key: str) -> "Desk":
        """The same place with another key."""
        return replace(self, key=key)

    async def call(self, rpc: str, request: Message, answer: type[M]) -> M:
        """The answer to a call that must succeed."""
        found = await self.world.call(rpc, self.placed(request), self.key)
        assert isinstance(found, answer)
        return found

    async def refused(self, rpc: str, request: Message) -> Problem:
        """What refused a call that must fail."""
        return await self.world.refused(rpc, self.placed(request), self.key)

    async def code(self, rpc: str, request: Message) -> str:
        """The code that a call was refused with, empty when it was not."""
        return await self.world.code(rpc, self.placed(request), self.key)

    def placed(self, request: Message) -> Message:
        """The request, in the desk's place unless it names one or needs none."""
        fields = request.DESCRIPTOR.fields_by_name
        for name, value in (("project", self.project), ("environment", self.environment)):
            if name in fields and fields[name].message_type is None and not getattr(request, name):
                setattr(request, name, value)
        return request

    async def put(self, request: sessions.PutSessionRequest | None = None, *mask: str) -> Session:
        """Set a session, ``ci-42`` unless another is named; ``mask`` names the fields to set."""
        request = request or sessions.PutSessionRequest()
        request.session_key = request.session_key or "ci-42"
        request.update_mask.paths.extend(mask)
        return (await self.call("SessionService.PutSession", request, sessions.PutSessionResponse)).session

    async def get(self, session_key: str = "ci-42") -> Session:
        request = sessions.GetSessionRequest(session_key=session_key)
        return (await self.call("SessionService.GetSession", request, sessions.GetSessionResponse)).session

    async def has_session(self, session_key: str = "ci-42") -> bool:
        code = await self.code("SessionService.GetSession", sessions.GetSessionRequest(session_key=session_key))
        assert code in ("", "not_found")
        return not code

    async def end(self, mode: DeleteMode, session_key: str = "ci-42") -> None:
        request = sessions.DeleteSessionRequest(session_key=session_key, mode=mode)
        await self.call("SessionService.DeleteSession", request, sessions.DeleteSessionResponse)

    async def session_keys(self, search: str = "") -> list[str]:
        request = sessions.ListSessionsRequest(search=search, page_size=1000)
        found = await self.call("SessionService.ListSessions", request, sessions.ListSessionsResponse)
        return [each.session.session_key for each in found.sessions]

    async def create(self, mock: Mock) -> Mock:
        request = mocks.CreateMockRequest(mock=mock)
        return (await self.call("MockService.CreateMock", request, mocks.CreateMockResponse)).mock

    async def publish(self, mock_id: str) -> Mock:
        request = mocks.PublishMockRequest(mock_id=mock_id)
        return (await self.call("MockService.PublishMock", request, mocks.PublishMockResponse)).mock

    async def unpublish(self, mock_id: str) -> Mock:
        request = mocks.UnpublishMockRequest(mock_id=mock_id)
        return (await self.call("MockService.UnpublishMock", request, mocks.UnpublishMockResponse)).mock

    async def activate(self, mock_id: str) -> Mock:
        request = mocks.ActivateMockRequest(mock_id=mock_id)
        return (await self.call("MockService.ActivateMock", request, mocks.ActivateMockResponse)).mock

    async def deactivate(self, mock_id: str) -> Mock:
        request = mocks.DeactivateMockRequest(mock_id=mock_id)
        return (await self.call("MockService.DeactivateMock", request, mocks.DeactivateMockResponse)).mock

    async def update(self, mock_id: str, mock: Mock, *mask: str) -> Mock:
        request = mocks.UpdateMockRequest(mock_id=mock_id, mock=mock)
        request.update_mask.paths.extend(mask)
        return (await self.call("MockService.UpdateMock", request, mocks.UpdateMockResponse)).mock

    async def delete_mock(self, mock_id: str) -> None:
        request = mocks.DeleteMockRequest(mock_id=mock_id)
        await self.call("MockService.DeleteMock", request, mocks.DeleteMockResponse)

    async def mock(self, mock_id: str) -> Mock:
        request = mocks.GetMockRequest(mock_id=mock_id)
        return (await self.call("MockService.GetMock", request, mocks.GetMockResponse)).mock

    async def mock_ids(self, search: str = "", state: mocks.MockState = mocks.MOCK_STATE_UNSPECIFIED) -> list[str]:
        request = mocks.ListMocksRequest(search=search, state=state)
        found = await self.call("MockService.ListMocks", request, mocks.ListMocksResponse)
        return [each.id for each in found.mocks]

    async def library(self, *mock_ids: str) -> None:
        """Make and publish mocks of these ids."""
        for each in mock_ids:
            await self.create(Mock(id=each, name=each))
            await self.publish(each)

    async def scenario(self, name: str, *mock_ids: str, scenario_id: str = "", url_id: str = "") -> Scenario:
        """Make a scenario."""
        scenario = Scenario(id=scenario_id, name=name, url_id=url_id, mocks=mock_ids)
        request = scenarios.CreateScenarioRequest(scenario=scenario)
        found = await self.call("ScenarioService.CreateScenario", request, scenarios.CreateScenarioResponse)
        return found.scenario

    async def read_scenario(self, scenario_id: str) -> Scenario:
        request = scenarios.GetScenarioRequest(scenario_id=scenario_id)
        found = await self.call("ScenarioService.GetScenario", request, scenarios.GetScenarioResponse)
        return found.scenario

    async def update_scenario(self, scenario_id: str, scenario: Scenario, *mask: str) -> Scenario:
        request = scenarios.UpdateScenarioRequest(scenario_id=scenario_id, scenario=scenario)
        request.update_mask.paths.extend(mask)
        found = await self.call("ScenarioService.UpdateScenario", request, scenarios.UpdateScenarioResponse)
        return found.scenario

    async def delete_scenario(self, scenario_id: str) -> None:
        request = scenarios.DeleteScenarioRequest(scenario_id=scenario_id)
        await self.call("ScenarioService.DeleteScenario", request, scenarios.DeleteScenarioResponse)

    async def scenario_pages(self, limit: int, search: str = "") -> Sequence[Sequence[str]]:
        """The ids of all scenarios, page by page."""
        pages, before = [], ""
        while True:
            request = scenarios.ListScenariosRequest(limit=limit, search=search, before=before)
            found = await self.call("ScenarioService.ListScenarios", request, scenarios.ListScenariosResponse)
            pages.append([each.id for each in found.scenarios])
            if not found.HasField("next_before"):
                return pages
            before = found.next_before
