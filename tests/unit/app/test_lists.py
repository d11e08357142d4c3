"""Lists narrowed by what the caller asks for: who sees what, full pages, and what was odd about sessions."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
from google.protobuf.message import Message
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_CI, ROLE_EDITOR
from understudy.v1 import key_service_pb2 as keys
from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import project_service_pb2 as projects
from understudy.v1 import scenario_service_pb2 as scenarios
from understudy.v1 import session_service_pb2 as sessions
from understudy.v1.mock_service_pb2 import ListMocksRequest, Mock
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE, DELETE_MODE_RESET, PutSessionRequest

Page = tuple[Sequence[str], str]


async def pages(ask: Callable[[str], Awaitable[Page]]) -> list[Sequence[str]]:
    """The names on each page of a list, until there are no more."""
    found, token = [], ""
    while True:
        names, token = await ask(token)
        found.append(names)
        if not token:
            return found


async def mock_ids(desk: Desk, request: ListMocksRequest) -> list[str]:
    found = await desk.call("MockService.ListMocks", request, mocks.ListMocksResponse)
    return [each.id for each in found.mocks]


async def listed(desk: Desk, request: sessions.ListSessionsRequest | None = None) -> Sequence[sessions.ListedSession]:
    request = request or sessions.ListSessionsRequest()
    return (await desk.call("SessionService.ListSessions", request, sessions.ListSessionsResponse)).sessions


@pytest.fixture
async def library(desk: Desk) -> Desk:
    """The library mocks ovr_a (on for everybody) and ovr_b, a draft, and a mock of scn_a alone."""
    await desk.library("ovr_a", "ovr_b")
    await desk.activate("ovr_a")
    await desk.scenario("Scenario A", "ovr_b", scenario_id="scn_a")
    await desk.create(Mock(id="ovr_local", name="Local", scenario="scn_a"))
    await desk.create(Mock(id="ovr_draft", name="Draft"))
    return desk


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (ListMocksRequest(active=True), ["ovr_a"]),
        (ListMocksRequest(active=False), ["ovr_b", "ovr_draft", "ovr_local"]),
        (ListMocksRequest(scenario="scn_a"), ["ovr_local"]),
        (ListMocksRequest(scenario="scn_none"), []),
        (ListMocksRequest(library_only=True), ["ovr_a", "ovr_b", "ovr_draft"]),
        (ListMocksRequest(library_only=True, active=False, search="DRAFT"), ["ovr_draft"]),
    ],
    ids=lambda each: str(each)[:40],
)
async def test_mocks_are_listed_by_activation_and_home(
    library: Desk, request_: ListMocksRequest, found: list[str]
) -> None:
    assert await mock_ids(library, request_) == found


async def test_a_filter_shows_nobody_the_drafts_of_others(library: Desk) -> None:
    editor = library.of(await library.world.make_key(ROLE_EDITOR))

    assert await mock_ids(editor, ListMocksRequest(active=False)) == ["ovr_b"]
    assert await mock_ids(editor, ListMocksRequest(scenario="scn_a")) == []


async def test_pages_of_filtered_mocks_are_full_until_the_last(desk: Desk) -> None:
    for number in range(9):
        await desk.library(f"ovr_{number}")
        if number % 2:
            await desk.activate(f"ovr_{number}")

    async def page(token: str) -> Page:
        request = ListMocksRequest(active=True, page_size=3, page_token=token)
        found = await desk.call("MockService.ListMocks", request, mocks.ListMocksResponse)
        return [each.id for each in found.mocks], found.next_page_token

    assert await pages(page) == [["ovr_1", "ovr_3", "ovr_5"], ["ovr_7"]]


async def test_scenarios_are_listed_by_a_mock_page_by_page(desk: Desk) -> None:
    await desk.library("ovr_a")
    for number in range(5):
        desk.world.clock.advance(1)
        await desk.scenario(f"S{number}", *(["ovr_a"] if number % 2 else []), scenario_id=f"scn_{number}")

    async def page(before: str) -> Page:
        request = scenarios.ListScenariosRequest(mock="ovr_a", limit=1, before=before)
        found = await desk.call("ScenarioService.ListScenarios", request, scenarios.ListScenariosResponse)
        return [each.id for each in found.scenarios], found.next_before

    assert await pages(page) == [["scn_3"], ["scn_1"]]


async def test_scenarios_are_listed_by_the_mock_that_is_theirs_alone(library: Desk) -> None:
    request = scenarios.ListScenariosRequest(mock="ovr_local")
    found = await library.call("ScenarioService.ListScenarios", request, scenarios.ListScenariosResponse)

    assert [each.id for each in found.scenarios] == ["scn_a"]


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (sessions.ListSessionsRequest(search="NIGHT"), ["b"]),
        (sessions.ListSessionsRequest(scenario="scn_a"), ["a", "c"]),
        (sessions.ListSessionsRequest(override="ovr_a"), ["b", "c"]),
        (sessions.ListSessionsRequest(override="ovr_b"), []),
        (sessions.ListSessionsRequest(override="ovr_a", scenario="scn_a"), ["c"]),
        (sessions.ListSessionsRequest(scenario="not an id"), []),
    ],
    ids=lambda each: str(each)[:40],
)
async def test_sessions_are_listed_by_label_scenario_and_override(
    library: Desk, request_: sessions.ListSessionsRequest, found: list[str]
) -> None:
    await library.put(PutSessionRequest(session_key="a", scenario="scn_a"))
    await library.put(PutSessionRequest(session_key="b", label="nightly", overrides=["ovr_a"]))
    await library.put(PutSessionRequest(session_key="c", scenario="scn_a", overrides=["ovr_a"]))

    assert [each.session.session_key for each in await listed(library, request_)] == found


async def test_sessions_that_have_ended_leave_no_gap_in_a_page(desk: Desk) -> None:
    for number in range(6):
        await desk.put(PutSessionRequest(session_key=f"ci-{number}", ttl_seconds=None if number % 2 else 1))
    desk.world.clock.advance(1)

    async def page(token: str) -> Page:
        request = sessions.ListSessionsRequest(page_size=2, page_token=token)
        found = await desk.call("SessionService.ListSessions", request, sessions.ListSessionsResponse)
        return [each.session.session_key for each in found.sessions], found.next_page_token

    assert await pages(page) == [["ci-1", "ci-3"], ["ci-5"]]


async def note(desk: Desk, *findings: str) -> None:
    (session_id,) = await desk.world.store.read(lambda tx: tx.session_ids())
    desk.world.presence.noted[session_id] = set(findings)


async def test_a_listed_session_tells_its_findings_in_order(desk: Desk) -> None:
    await desk.put()
    assert [list(each.findings) for each in await listed(desk)] == [[]]

    await note(desk, "upstream_retried", "carriers_disagree")

    assert [list(each.findings) for each in await listed(desk)] == [["carriers_disagree", "upstream_retried"]]


async def test_a_reset_keeps_findings_and_a_new_session_has_none(desk: Desk) -> None:
    await desk.put()
    await note(desk, "client_gone")

    await desk.end(DELETE_MODE_RESET)
    after_reset = [list(each.findings) for each in await listed(desk)]
    await desk.end(DELETE_MODE_DELETE)
    await desk.put()

    assert after_reset == [["client_gone"]]
    assert [list(each.findings) for each in await listed(desk)] == [[]]


@pytest.mark.parametrize(("search", "found"), [("SHOP", ["b-shop"]), ("kasse", ["b-shop"]), ("o", ["b-shop", "other"])])
async def test_projects_are_searched_by_slug_and_name(desk: Desk, search: str, found: list[str]) -> None:
    made = projects.CreateProjectRequest(project=projects.Project(slug="b-shop", name="Kasse"))
    await desk.call("ProjectService.CreateProject", made, projects.CreateProjectResponse)

    async def page(token: str) -> Page:
        request = projects.ListProjectsRequest(search=search, page_size=1, page_token=token)
        answer = await desk.call("ProjectService.ListProjects", request, projects.ListProjectsResponse)
        return [each.slug for each in answer.projects if each.slug != "checkout"], answer.next_page_token

    assert [slug for names in await pages(page) for slug in names] == found


@pytest.mark.parametrize(("search", "found"), [("STAG", ["staging"]), ("a", ["qa", "staging"]), ("none", [])])
async def test_environments_are_searched(desk: Desk, search: str, found: list[str]) -> None:
    request = projects.ListEnvironmentsRequest(search=search)
    answer = await desk.call("ProjectService.ListEnvironments", request, projects.ListEnvironmentsResponse)

    assert [each.slug for each in answer.environments] == found


@pytest.mark.parametrize(("search", "found"), [("", 1), ("ECK", 1), ("STA", 1), ("none", 0)])
async def test_a_narrow_key_finds_what_is_its_own_alone(desk: Desk, search: str, found: int) -> None:
    narrow = desk.of(await desk.world.make_key(ROLE_EDITOR, "checkout", "staging"))
    asked = projects.ListProjectsRequest(search="" if search == "STA" else search)
    own = await narrow.call("ProjectService.ListProjects", asked, projects.ListProjectsResponse)
    within = projects.ListEnvironmentsRequest(search="" if search == "ECK" else search)
    inside = await narrow.call("ProjectService.ListEnvironments", within, projects.ListEnvironmentsResponse)

    assert (len(own.projects), len(inside.environments)) == (found, found)


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (keys.ListKeysRequest(search="ci"), ["nightly CI", "CI"]),
        (keys.ListKeysRequest(role=ROLE_EDITOR), ["Operator"]),
        (keys.ListKeysRequest(active=False), ["Operator"]),
        (keys.ListKeysRequest(active=True), ["nightly CI", "CI"]),
        (keys.ListKeysRequest(active=True, role=ROLE_EDITOR), []),
    ],
    ids=lambda each: str(each)[:40],
)
async def test_keys_are_listed_by_name_role_and_whether_they_work(
    desk: Desk, request_: keys.ListKeysRequest, found: list[str]
) -> None:
    for name, role in (("CI", ROLE_CI), ("Operator", ROLE_EDITOR), ("nightly CI", ROLE_CI)):
        made = await desk.call(
            "KeyService.CreateKey", keys.CreateKeyRequest(name=name, role=role), keys.CreateKeyResponse
        )
        if role == ROLE_EDITOR:
            await desk.call("KeyService.RevokeKey", keys.RevokeKeyRequest(key_id=made.key.id), keys.RevokeKeyResponse)

    answer = await desk.call("KeyService.ListKeys", request_, keys.ListKeysResponse)

    assert [each.name for each in answer.keys] == found


# Page tokens


async def first_token(desk: Desk, request: ListMocksRequest) -> str:
    return (await desk.call("MockService.ListMocks", request, mocks.ListMocksResponse)).next_page_token


@pytest.mark.parametrize(
    ("rpc", "make"),
    [
        ("ProjectService.ListProjects", projects.ListProjectsRequest),
        ("ProjectService.ListEnvironments", projects.ListEnvironmentsRequest),
        ("SessionService.ListSessions", sessions.ListSessionsRequest),
        ("KeyService.ListKeys", keys.ListKeysRequest),
    ],
)
async def test_a_token_of_another_list_is_refused(library: Desk, rpc: str, make: Callable[..., Message]) -> None:
    token = await first_token(library, ListMocksRequest(page_size=1))
    problem = await library.refused(rpc, make(page_token=token))
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", "page_token", "token")


@pytest.mark.parametrize(
    "other",
    [
        ListMocksRequest(),
        ListMocksRequest(search="OVR"),
        ListMocksRequest(active=False),
        ListMocksRequest(search="ovr", library_only=True),
    ],
    ids=str,
)
async def test_a_token_of_other_filters_is_refused(library: Desk, other: ListMocksRequest) -> None:
    token = await first_token(library, ListMocksRequest(search="ovr", page_size=1))
    request = ListMocksRequest(page_token=token)
    request.MergeFrom(other)
    assert (await library.refused("MockService.ListMocks", request)).field == "page_token"


async def test_a_token_of_another_environment_is_refused(library: Desk) -> None:
    token = await first_token(library, ListMocksRequest(page_size=1))
    elsewhere = Desk(library.world, environment="qa")
    assert (await elsewhere.refused("MockService.ListMocks", ListMocksRequest(page_token=token))).field == "page_token"


async def test_a_token_goes_on_with_pages_of_another_size(library: Desk) -> None:
    token = await first_token(library, ListMocksRequest(page_size=1))
    assert await mock_ids(library, ListMocksRequest(page_size=100, page_token=token)) == [
        "ovr_b",
        "ovr_draft",
        "ovr_local",
    ]
