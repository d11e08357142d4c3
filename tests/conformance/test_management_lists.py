"""Lists over three doors: what narrows them, and pages that are full until the last."""

from dataclasses import replace

import pytest
from support.doors import Json, RestDoor
from support.management import Operator, RestManagement
from support.plain_app import PlainApp
from support.proxied import App
from support.server import Server


def names(operator: Operator, rpc: str, name: str, **request: Json) -> list[str]:
    """What a list tells of each thing on its first page."""
    (rows,) = [value for value in operator.do(rpc, **request).values() if isinstance(value, list)]
    return [row[name] for row in rows]


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, ["ovr_cart", "ovr_declined", "ovr_draft", "ovr_pay"]),
        ({"search": "CART"}, ["ovr_cart"]),
        ({"state": "draft"}, ["ovr_draft"]),
        ({"state": "published", "libraryOnly": True}, ["ovr_cart", "ovr_pay"]),
        ({"active": True}, ["ovr_pay"]),
        ({"active": False, "libraryOnly": True}, ["ovr_cart", "ovr_draft"]),
        ({"scenario": "scn_declined"}, ["ovr_declined"]),
        ({"scenario": "scn_none"}, []),
    ],
    ids=str,
)
def test_mocks_are_narrowed(operator: Operator, request_: dict[str, Json], found: list[str]) -> None:
    operator.do("ActivateMock", mockId="ovr_pay")

    assert names(operator, "ListMocks", "id", **request_) == found


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"search": "empty"}, ["scn_empty"]),
        ({"mock": "ovr_cart"}, ["scn_empty"]),
        ({"mock": "ovr_declined"}, ["scn_declined"]),
        ({"mock": "ovr_pay"}, []),
    ],
    ids=str,
)
def test_scenarios_are_narrowed(operator: Operator, request_: dict[str, Json], found: list[str]) -> None:
    assert names(operator, "ListScenarios", "id", **request_) == found


def test_projects_and_environments_are_searched(operator: Operator) -> None:
    operator.do("UpdateProject", changes={"name": f"Größe von {operator.project}"})
    operator.do("CreateEnvironment", environment={"slug": "qa", "name": "Quality"})

    assert names(operator, "ListProjects", "slug", search=f"GRÖSSE VON {operator.project}") == [operator.project]
    assert names(operator, "ListEnvironments", "slug", search="QUAL") == ["qa"]
    assert names(operator, "ListEnvironments", "slug", search="none") == []


def test_keys_are_narrowed(operator: Operator) -> None:
    mark = f"of {operator.project}"
    made = {
        role: operator.do("CreateKey", name=f"{role} {mark}", role=role, project=operator.project)["key"]["id"]
        for role in ("ci", "editor", "admin")
    }
    operator.do("RevokeKey", keyId=made["editor"])

    def listed(**request: Json) -> list[str]:
        return names(operator, "ListKeys", "id", search=mark.upper(), **request)

    assert listed() == [made["admin"], made["editor"], made["ci"]]
    assert listed(active=True) == [made["admin"], made["ci"]]
    assert listed(active=False) == [made["editor"]]
    assert listed(role="ci") == [made["ci"]]
    for key_id in made.values():
        operator.do("RevokeKey", keyId=key_id)


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("ListMocks", {"state": "unknown"}),
        ("ListMocks", {"active": "maybe"}),
        ("ListMocks", {"pageSize": 0.5}),
        ("ListMocks", {"nonsense": "1"}),
        ("ListKeys", {"role": "owner"}),
    ],
)
def test_a_filter_that_means_nothing_is_refused_over_rest(
    server: Server, operator: Operator, rpc: str, request_: dict[str, Json]
) -> None:
    # Over gRPC there is no way to write it.
    door = RestManagement(server.rest)
    answer = replace(operator, door=door).ask(rpc, **request_)
    door.close()

    assert (answer.code, answer.http_status) == ("invalid_body", 422)


def test_pages_join_into_the_whole_and_are_full_until_the_last(operator: Operator) -> None:
    for number in range(7):
        operator.do("CreateMock", mock={"id": f"ovr_{number}", "name": f"{'even' if number % 2 == 0 else 'odd'}"})
    pages, token = [], ""
    while True:
        page = operator.do("ListMocks", search="even", pageSize=3, pageToken=token)
        pages.append([each["id"] for each in page["mocks"]])
        if not (token := page["nextPageToken"]):
            break

    assert pages == [["ovr_0", "ovr_2", "ovr_4"], ["ovr_6"]]


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [("ListMocks", {}), ("ListMocks", {"search": "ovr", "active": False}), ("ListSessions", {}), ("ListProjects", {})],
)
def test_a_token_of_another_question_is_refused(operator: Operator, rpc: str, request_: dict[str, Json]) -> None:
    token = operator.do("ListMocks", search="ovr", pageSize=1)["nextPageToken"]

    assert operator.ask(rpc, **request_, pageToken=token).code == "invalid_body"
    assert operator.ask("ListMocks", search="ovr", pageSize=2, pageToken=token).code == ""


# Sessions


@pytest.fixture
def sessions(operator: Operator, rest: RestDoor, auth: str) -> Operator:
    """Three sessions: in a scenario, with a mock and a label, with neither."""
    rest.put(auth, "a", {"scenario": "scn_empty"})
    rest.put(auth, "b", {"overrides": ["ovr_cart"], "label": "Nightly run"})
    rest.put(auth, "c", {})
    return operator


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, ["a", "b", "c"]),
        ({"search": "NIGHTLY"}, ["b"]),
        ({"scenario": "scn_empty"}, ["a"]),
        ({"override": "ovr_cart"}, ["b"]),
        ({"override": "ovr_cart", "scenario": "scn_empty"}, []),
    ],
    ids=str,
)
def test_sessions_are_narrowed(sessions: Operator, request_: dict[str, Json], found: list[str]) -> None:
    listed = sessions.do("ListSessions", **request_)["sessions"]

    assert [each["session"]["sessionKey"] for each in listed] == found


def test_a_session_is_listed_with_when_it_was_seen_and_what_was_odd(
    sessions: Operator, app: App, plain: PlainApp
) -> None:
    app.cart("b")
    for _ in range(2):
        plain.cart("x-flowmock-session: c", "x-flowmock-session: a")

    first, second, third = sessions.do("ListSessions")["sessions"]

    assert (first["session"]["lastSeenAt"], first["findings"]) == (None, [])
    assert (second["session"]["lastSeenAt"] is not None, second["findings"]) == (True, [])
    assert (third["session"]["lastSeenAt"] is not None, third["findings"]) == (True, ["session_header_repeated"])


def test_findings_stay_through_a_reset_and_end_with_the_session(
    sessions: Operator, rest: RestDoor, auth: str, plain: PlainApp
) -> None:
    plain.cart("x-flowmock-session: c", "x-flowmock-session: a")

    rest.delete(auth, "c", mode="reset")
    after_reset = sessions.do("ListSessions", search="c")["sessions"]
    rest.delete(auth, "c", mode="delete")
    rest.put(auth, "c", {})
    made_again = sessions.do("ListSessions", search="c")["sessions"]

    assert [each["findings"] for each in after_reset] == [["session_header_repeated"]]
    assert [each["findings"] for each in made_again] == [[]]


def test_a_listed_session_tells_its_revision(sessions: Operator) -> None:
    assert [each["session"]["revision"] for each in sessions.do("ListSessions")["sessions"]] == [1, 1, 1]
