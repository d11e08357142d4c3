from collections.abc import Callable, Iterator

import pytest
from support.doors import Door, GrpcDoor, RestDoor
from support.furniture import furnished
from support.proxied import App
from support.server import MadeKey, MadePlace, Server, running_gateway, running_server
from support.upstream import Upstream, running_upstream
from understudy.options.v1.options_pb2 import ROLE_CI


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
def app(server: Server, place: MadePlace) -> Iterator[App]:
    """An app under test that talks to the place's environment through the proxy."""
    made = App(server.proxy, place.project, "staging")
    yield made
    made.close()
