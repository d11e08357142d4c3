"""A project with its three environments for each test, and one who asks FlagBridge's door in it."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from support.flagbridge import ENVIRONMENTS, FlagBridge
from support.plain_http import NO_TLS
from support.server import MadeKey, Server
from understudy.v1.key_service_pb2 import KEY_KIND_FLAGBRIDGE, KeyScope


@pytest.fixture
def make_scoped_key(server: Server) -> Iterator[Callable[..., str]]:
    """Makes keys of a scope that end with the test; gives their text."""
    made: list[MadeKey] = []

    def make(scope: str, project: str = "", environment: str = "") -> str:
        number = KeyScope.Value(f"KEY_SCOPE_{scope.upper()}")
        made.append(server.make_key(0, project, environment, kind=KEY_KIND_FLAGBRIDGE, scope=number))
        return made[-1].text

    yield make
    for key in made:
        server.revoke(key)


@pytest.fixture
def bridge(server: Server, make_scoped_key: Callable[..., str]) -> Iterator[FlagBridge]:
    place = server.make_place(*ENVIRONMENTS)
    with httpx.Client(base_url=f"http://{server.rest}", timeout=30, verify=NO_TLS) as http:
        yield FlagBridge(http, server, place.project, make_scoped_key)


@pytest.fixture
def other_project(server: Server) -> str:
    return server.make_place(*ENVIRONMENTS).project
