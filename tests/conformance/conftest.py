from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.doors import Door, GrpcDoor, RestDoor
from support.furniture import furnished
from support.management import GrpcManagement, Management, Operator, RestManagement
from support.plain_app import PlainApp
from support.proxied import App
from support.server import MadeKey, MadePlace, Server, running_gateway, running_server
from support.upstream import Upstream, running_upstream
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI, ROLE_EDITOR
from understudy.v1.mock_service_pb2 import ActivateMockRequest, DeactivateMockRequest, UnpublishMockRequest
from understudy.v1.mock_service_pb2_grpc import MockServiceStub


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as started:
        yield started


@pytest.fixture(scope="session")
def gateway(server: Server) -> Iterator[str]:
    with running_gateway(server) as address:
        yield address


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as started:
        yield started


@pytest.fixture(params=["grpc", "rest", "rest-remote"])
def door(request: pytest.FixtureRequest, server: Server) -> Iterator[Door]:
    """Each test that takes a door runs over all three."""
    if request.param == "grpc":
        made: GrpcDoor | RestDoor = GrpcDoor(server.grpc)
    elif request.param == "rest":
        made = RestDoor(server.rest)
    else:
        made = RestDoor(request.getfixturevalue("gateway"))
    yield made
    made.close()


@pytest.fixture(params=["grpc", "rest", "rest-remote"])
def manage(request: pytest.FixtureRequest, server: Server) -> Iterator[Management]:
    """The management API: each test that takes it runs over all three doors."""
    if request.param == "grpc":
        made: Management = GrpcManagement(server.grpc)
    else:
        made = RestManagement(server.rest if request.param == "rest" else request.getfixturevalue("gateway"))
    yield made
    made.close()


@pytest.fixture
def operator(manage: Management, place: MadePlace, make_key: Callable[..., str]) -> Operator:
    """An operator of the place, with a key for the whole organisation."""
    return Operator(manage, make_key(ROLE_ADMIN), place.project)


@pytest.fixture
def rest(server: Server) -> Iterator[RestDoor]:
    made = RestDoor(server.rest)
    yield made
    made.close()


@pytest.fixture
def place(server: Server, upstream: Upstream) -> MadePlace:
    """A project with the one environment staging, two scenarios and some mocks."""
    return furnished(server, upstream.url)


@pytest.fixture
def make_key(server: Server) -> Iterator[Callable[..., str]]:
    """Makes keys that end with the test; gives their Authorization value."""
    made: list[MadeKey] = []

    def make(role: int = ROLE_CI, project: str = "", environment: str = "") -> str:
        made.append(server.make_key(role, project, environment))
        return f"Bearer {made[-1].text}"

    yield make
    for key in made:
        server.revoke(key)


@pytest.fixture
def auth(place: MadePlace, make_key: Callable[..., str]) -> str:
    """A key of the place's project."""
    return make_key(project=place.project)


@pytest.fixture
def editor(place: MadePlace, make_key: Callable[..., str]) -> str:
    """A key of the place's project that may change its environments too."""
    return make_key(ROLE_EDITOR, project=place.project)


@pytest.fixture
def app(server: Server, place: MadePlace) -> Iterator[App]:
    """An app under test that talks to the place's environment through the proxy."""
    made = App(server.proxy, place.project, "staging")
    yield made
    made.close()


@pytest.fixture
def make_app(server: Server) -> Iterator[Callable[..., App]]:
    """Makes apps of other places, which end with the test."""
    with ExitStack() as closing:

        def make(project: str, environment: str) -> App:
            made = App(server.proxy, project, environment)
            closing.callback(made.close)
            return made

        yield make


@pytest.fixture
def plain(server: Server, place: MadePlace) -> PlainApp:
    """The same app, writing its requests by hand."""
    return PlainApp(server.proxy, f"/{place.project}/staging")


@pytest.fixture
def by_hand(server: Server, place: MadePlace) -> Callable[[str, str], None]:
    """Changes a mock of the place for everybody, as a person would: ``activate``, ``deactivate``, ``unpublish``."""
    stub = MockServiceStub(server.owner)

    def change(kind: str, mock_id: str) -> None:
        named: dict[str, Any] = {"project": place.project, "environment": "staging", "mock_id": mock_id}
        match kind:
            case "activate":
                stub.ActivateMock(ActivateMockRequest(**named))
            case "deactivate":
                stub.DeactivateMock(DeactivateMockRequest(**named))
            case "unpublish":
                stub.UnpublishMock(UnpublishMockRequest(**named))

    return change


@pytest.fixture
def configure(door: Door, editor: str, place: MadePlace) -> Callable[..., None]:
    """Changes settings of the place's environment, over each door in turn."""

    def change(**settings: Any) -> None:
        assert door.change_environment(editor, place.project, "staging", settings).code == ""

    return change


@pytest.fixture
def mocked(rest: RestDoor, auth: str) -> None:
    """The session ci-42 has a mock for the cart."""
    assert rest.put(auth, "ci-42", {"overrides": ["ovr_cart"]}).code == ""
