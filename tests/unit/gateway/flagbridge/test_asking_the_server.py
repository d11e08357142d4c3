"""What the dialect asks the server for, and how often: counted at the backend, over a real dispatcher."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from support.dispatching import World, world
from understudy import status
from understudy.status import Problem
from understudy.v1.key_service_pb2 import KEY_KIND_FLAGBRIDGE, CreateKeyRequest, CreateKeyResponse
from understudy.v1.project_service_pb2 import DeleteProjectRequest
from understudy_gateway.app import build_app
from understudy_gateway.backend import Backend, Decode
from understudy_gateway.dialects.flagbridge import sessions
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings, Login
from understudy_server.cli.owners import Owners
from understudy_server.rpc.dispatcher import Dispatcher

LOGIN = Login("admin@example.com", "password", b"secret")


class Counting:
    """A backend that notes which methods are called, and refuses one as a server does that is asked too often."""

    def __init__(self, dispatcher: Dispatcher, refuses: str = "") -> None:
        self.called: list[str] = []
        self._dispatcher = dispatcher
        self._refuses = refuses

    async def unary(self, method: str, metadata: Mapping[str, str], decode: Decode) -> Message | Status:
        name = method.rpartition("/")[2]
        self.called.append(name)
        if name == self._refuses:
            return status.write(code_pb2.RESOURCE_EXHAUSTED, Problem("rate_limited", "wait", retry_after_seconds=17))
        return await self._dispatcher.unary(method, metadata, decode)

    def stream(self, method: str, metadata: Mapping[str, str], decode: Decode) -> AsyncIterator[Message | Status]:
        return self._dispatcher.stream(method, metadata, decode)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.make_project("checkout", "production", "staging")
        await made.make_project("other", "production")
        yield made


@asynccontextmanager
async def asking(
    here: World, scope: str, project: str = "", backend: Backend | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key of a project, or of all; with the scope `""` logged in."""
    settings = FlagBridgeSettings(clock=here.clock, trusted=Owners(here.dispatcher), login=LOGIN)
    transport = httpx.ASGITransport(build_app(backend or here.dispatcher, flagbridge=settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway/v1") as http:
        if scope:
            request = CreateKeyRequest(kind=KEY_KIND_FLAGBRIDGE, scope=f"KEY_SCOPE_{scope.upper()}", project=project)
            made = await here.call("KeyService.CreateKey", request)
            assert isinstance(made, CreateKeyResponse)
            text = made.text
        else:
            login = {"email": LOGIN.email, "password": LOGIN.password}
            text = (await http.post("/auth/login", json=login)).json()["token"]
        http.headers["authorization"] = f"Bearer {text}"
        yield http


@pytest.mark.parametrize("refused", ["GetOwnKey", "GetProject"])
async def test_when_the_server_has_had_enough_the_headers_say_so(here: World, refused: str) -> None:
    async with asking(here, "mgmt", backend=Counting(here.dispatcher, refused)) as http:
        found = await http.get("/projects/checkout")

    assert (found.status_code, found.json()["error"], found.headers["retry-after"]) == (429, "RATE_LIMITED", "17")
    assert (found.headers["x-ratelimit-remaining"], found.headers["x-ratelimit-limit"]) == ("0", "500")
    assert int(found.headers["x-ratelimit-reset"]) == here.clock() // 1000 + 17


async def test_however_many_projects_there_are_to_list_them_is_one_call(here: World) -> None:
    for number in range(5):
        await here.make_project(f"more-{number}", "staging")
    backend = Counting(here.dispatcher)
    async with asking(here, "mgmt", backend=backend) as http:
        listed = (await http.get("/projects")).json()["projects"]
        one = (await http.get("/projects/checkout")).json()

    assert backend.called == ["GetOwnKey", "ListProjects", "GetProject"]
    assert {each["slug"]: each["environments"] for each in listed} == {
        "checkout": ["production", "staging"],
        "other": ["production"],
        **{f"more-{number}": ["staging"] for number in range(5)},
    }
    assert one in listed


async def test_a_project_is_made_with_its_environments_in_one_call_or_not_at_all(here: World) -> None:
    backend = Counting(here.dispatcher)
    async with asking(here, "mgmt", backend=backend) as http:
        made = await http.post("/projects", json={"name": "Made", "slug": "made"})

    assert made.json()["environments"] == ["production", "staging", "development"]
    assert backend.called == ["GetOwnKey", "CreateProject"]


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/projects/proj_"), ("GET", "/projects/proj_"), ("GET", "/projects/")]
)
async def test_a_name_of_nothing_is_no_project_though_there_is_only_one(here: World, method: str, path: str) -> None:
    await here.call("ProjectService.DeleteProject", DeleteProjectRequest(project="other", force=True))
    async with asking(here, "") as http:
        found = await http.request(method, path)
        left = await http.get("/projects")

    assert (found.status_code, found.json()["error"]) == (404, "NOT_FOUND")
    assert [each["slug"] for each in left.json()["projects"]] == ["checkout"]


async def test_a_long_list_of_sessions_is_told_by_the_page(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PAGE_MAX", 2)
    async with asking(here, "full", "checkout") as http:
        made = [(await http.post("/testing/sessions", json={"projectId": "checkout"})).json() for _ in range(3)]
        place = "/testing/sessions?project_id=checkout"
        first = (await http.get(place)).json()
        second = (await http.get(f"{place}&pageToken={first['nextPageToken']}")).json()
        wrong = await http.get(f"{place}&pageToken=x")

    assert first["sessions"] == [made[2], made[1]]
    assert second == {"sessions": [made[0]]}
    assert (wrong.status_code, wrong.json()["error"]) == (400, "VALIDATION_ERROR")
