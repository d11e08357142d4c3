"""Two operators and one resource: who saw an old revision is refused, over three doors; over REST by entity tags."""

from collections.abc import Callable, Iterator

import pytest
from support.doors import Answer, Json
from support.management import METHODS, Operator, RestManagement
from support.server import MadePlace, Server
from understudy.options.v1.options_pb2 import ROLE_ADMIN

RESOURCES: dict[str, tuple[str, dict[str, Json]]] = {
    "mock": ("Mock", {"mockId": "ovr_cart"}),
    "scenario": ("Scenario", {"scenarioId": "scn_empty"}),
    "environment": ("Environment", {}),
    "project": ("Project", {}),
}
EXPECTING = sorted(name for name, method in METHODS.items() if "expected_revision" in method.input_type.fields_by_name)

each_resource = pytest.mark.parametrize("resource", RESOURCES)


def change(resource: str) -> tuple[str, dict[str, Json]]:
    """The RPC that renames a resource, and its request."""
    kind, named = RESOURCES[resource]
    body = resource if resource in ("mock", "scenario") else "changes"
    return f"Update{kind}", {**named, body: {"name": "Renamed"}}


def removal(resource: str) -> tuple[str, dict[str, Json]]:
    """The RPC that removes a resource whatever is in it, and its request."""
    kind, named = RESOURCES[resource]
    return f"Delete{kind}", named if resource in ("mock", "scenario") else {**named, "force": True}


def revision(answer: Answer) -> int:
    """The revision that an answer tells of."""
    tag = answer.headers["etag"]
    assert tag[0] == tag[-1] == '"'
    return int(tag[1:-1])


def read(operator: Operator, resource: str) -> Answer:
    kind, named = RESOURCES[resource]
    return operator.ask(f"Get{kind}", **named)


SWITCHES = ("PublishMock", "UnpublishMock", "ActivateMock", "DeactivateMock")
RESTORES = ("RestoreMockVersion", "RestoreScenarioVersion")
SESSION_CALLS: dict[str, dict[str, Json]] = {
    "PutSession": {"label": "yours"},
    "FreezeSession": {},
    "UnfreezeSession": {},
    "DeleteSession": {"mode": "delete"},
}
FLAG_CALLS: dict[str, dict[str, Json]] = {
    "UpdateFlag": {"changes": {"name": "Renamed"}},
    "PutFlagState": {"state": {"enabled": False}},
    "DeleteFlag": {},
}


def test_every_rpc_that_expects_a_revision_is_tried() -> None:
    tried = {f"{verb}{kind}" for verb in ("Delete", "Update") for kind, _ in RESOURCES.values()}
    assert sorted(tried | {*SWITCHES, *RESTORES, *SESSION_CALLS, *FLAG_CALLS, "PutSessionMock"}) == EXPECTING


@each_resource
def test_the_revision_seen_last_lets_a_change_through(operator: Operator, resource: str) -> None:
    seen = revision(read(operator, resource))
    rpc, request = change(resource)

    changed = operator.ask(rpc, **request, expectedRevision=seen)

    assert changed.code == ""
    assert revision(changed) == revision(read(operator, resource)) == seen + 1


@each_resource
def test_an_old_revision_changes_nothing(operator: Operator, resource: str) -> None:
    rpc, request = change(resource)
    operator.do(rpc, **request)
    before = read(operator, resource)

    refused = operator.ask(rpc, **request, expectedRevision=revision(before) - 1)

    assert (refused.code, refused.http_status) in (("revision_mismatch", 0), ("revision_mismatch", 412))
    assert read(operator, resource).value == before.value
    assert revision(read(operator, resource)) == revision(before)


@each_resource
def test_an_old_revision_removes_nothing_and_the_present_one_does(operator: Operator, resource: str) -> None:
    seen = revision(read(operator, resource))
    rpc, request = removal(resource)

    assert operator.ask(rpc, **request, expectedRevision=seen + 1).code == "revision_mismatch"
    assert read(operator, resource).code == ""
    assert operator.ask(rpc, **request, expectedRevision=seen).code == ""
    assert read(operator, resource).code == "not_found"


@pytest.mark.parametrize("rpc", SWITCHES)
def test_an_old_revision_switches_nothing_and_the_present_one_does(operator: Operator, rpc: str) -> None:
    seen = revision(read(operator, "mock"))
    before = read(operator, "mock").value

    refused = operator.ask(rpc, mockId="ovr_cart", expectedRevision=seen - 1)

    assert (refused.code, refused.http_status) in (("revision_mismatch", 0), ("revision_mismatch", 412))
    assert read(operator, "mock").value == before
    assert operator.ask(rpc, mockId="ovr_cart", expectedRevision=seen).code == ""


@pytest.mark.parametrize("rpc", RESTORES)
def test_an_old_revision_restores_nothing_and_the_present_one_does(operator: Operator, rpc: str) -> None:
    resource = rpc.removeprefix("Restore").removesuffix("Version").lower()
    first = revision(read(operator, resource))
    change_rpc, request = change(resource)
    operator.do(change_rpc, **request)
    seen = revision(read(operator, resource))
    version = {**RESOURCES[resource][1], "version": first}

    refused = operator.ask(rpc, **version, expectedRevision=first)

    assert (refused.code, refused.http_status) in (("revision_mismatch", 0), ("revision_mismatch", 412))
    assert revision(read(operator, resource)) == seen
    assert revision(operator.ask(rpc, **version, expectedRevision=seen)) == seen + 1


def test_an_old_revision_replaces_no_mock_of_a_session_and_the_present_one_does(operator: Operator) -> None:
    mine = {"sessionKey": "ci-42", "mockId": "ovr_mine"}
    seen = revision(operator.ask("PutSessionMock", **mine, mock={}))

    refused = operator.ask("PutSessionMock", **mine, mock={"name": "b"}, expectedRevision=seen + 1)

    assert (refused.code, refused.http_status) in (("revision_mismatch", 0), ("revision_mismatch", 412))
    assert operator.do("GetSessionMock", **mine)["name"] == "ovr_mine"
    assert operator.ask("PutSessionMock", **mine, mock={"name": "b"}, expectedRevision=seen).code == ""


@pytest.mark.parametrize("rpc", SESSION_CALLS)
def test_an_old_revision_changes_no_session_and_the_present_one_does(operator: Operator, rpc: str) -> None:
    made = operator.ask("PutSession", sessionKey="ci-42", label="mine")
    seen = revision(made)

    refused = operator.ask(rpc, sessionKey="ci-42", **SESSION_CALLS[rpc], expectedRevision=seen + 1)

    assert (refused.code, refused.http_status) in (("revision_mismatch", 0), ("revision_mismatch", 412))
    assert operator.do("GetSession", sessionKey="ci-42") == made.value
    assert operator.ask(rpc, sessionKey="ci-42", **SESSION_CALLS[rpc], expectedRevision=seen).code == ""


@pytest.mark.parametrize("rpc", FLAG_CALLS)
def test_a_flag_that_was_changed_meanwhile_is_left_alone(operator: Operator, rpc: str) -> None:
    operator.do("CreateFlag", flag={"key": "a"})
    operator.do("UpdateFlag", flagKey="a", changes={"name": "A"})
    operator.do("PutFlagState", flagKey="a", state={"enabled": True})
    operator.do("PutFlagState", flagKey="a", state={"rolloutPercentage": 5})
    before = operator.do("GetFlag", flagKey="a")

    refused = operator.ask(rpc, flagKey="a", **FLAG_CALLS[rpc], expectedRevision=1)

    assert (refused.code, refused.http_status) in (("revision_mismatch", 0), ("revision_mismatch", 412))
    assert operator.do("GetFlag", flagKey="a") == before
    assert operator.ask(rpc, flagKey="a", **FLAG_CALLS[rpc], expectedRevision=2).code == ""


def test_a_session_that_was_seen_and_is_gone_is_not_made_anew(operator: Operator) -> None:
    assert operator.ask("PutSession", sessionKey="gone", label="a", expectedRevision=1).code == "revision_mismatch"
    assert operator.ask("GetSession", sessionKey="gone").code == "not_found"


@each_resource
def test_a_change_to_what_is_so_already_changes_nothing(operator: Operator, resource: str) -> None:
    before = read(operator, resource)
    rpc, request = change(resource)
    (body,) = set(request) & {"mock", "scenario", "changes"}

    for values in ({}, {"name": before.value["name"]}):
        answer = operator.ask(rpc, **{**request, body: values})
        assert (answer.code, revision(answer), answer.value) == ("", revision(before), before.value)


def test_of_two_who_saw_the_same_one_is_let_through(operator: Operator) -> None:
    seen = revision(read(operator, "mock"))

    codes = [
        operator.ask("UpdateMock", mockId="ovr_cart", mock={"name": name}, expectedRevision=seen).code
        for name in ("first", "second")
    ]

    assert codes == ["", "revision_mismatch"]
    assert operator.do("GetMock", mockId="ovr_cart")["name"] == "first"


# Over REST


@pytest.fixture(params=["rest", "rest-remote"])
def rest_operator(
    request: pytest.FixtureRequest, server: Server, place: MadePlace, make_key: Callable[..., str]
) -> Iterator[Operator]:
    door = RestManagement(server.rest if request.param == "rest" else request.getfixturevalue("gateway"))
    yield Operator(door, make_key(ROLE_ADMIN), place.project)
    door.close()


def renamed(operator: Operator, if_match: str) -> Answer:
    """The answer to a change that comes with If-Match."""
    assert isinstance(operator.door, RestManagement)
    place = {"project": operator.project, "environment": operator.environment}
    request = {**place, "mockId": "ovr_cart", "mock": {"name": "Renamed"}}
    return operator.door.call(operator.auth, "UpdateMock", request, if_match=if_match)


def removed(operator: Operator, if_match: str) -> Answer:
    """The answer to a removal that comes with If-Match."""
    assert isinstance(operator.door, RestManagement)
    place = {"project": operator.project, "environment": operator.environment}
    return operator.door.call(operator.auth, "DeleteMock", {**place, "mockId": "ovr_cart"}, if_match=if_match)


def test_what_is_made_read_and_changed_comes_with_an_entity_tag(rest_operator: Operator) -> None:
    made = rest_operator.ask("CreateMock", mock={"id": "ovr_new", "name": "New"})
    got = rest_operator.ask("GetMock", mockId="ovr_new")
    changed = rest_operator.ask("UpdateMock", mockId="ovr_new", mock={"name": "Newer"})
    published = rest_operator.ask("PublishMock", mockId="ovr_new")

    assert [each.headers["etag"] for each in (made, got, changed, published)] == ['"1"', '"1"', '"2"', '"3"']
    assert "revision" not in got.value


def test_in_a_list_the_revision_stands_in_the_json(rest_operator: Operator) -> None:
    answer = rest_operator.ask("ListMocks", search="ovr_cart")

    assert "etag" not in answer.headers
    assert [each["revision"] for each in answer.value["mocks"]] == [2]


@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', "2", "*"])
def test_the_tag_of_the_present_revision_and_a_star_let_a_change_through(rest_operator: Operator, tag: str) -> None:
    answer = renamed(rest_operator, tag)

    assert (answer.code, answer.http_status, answer.headers["etag"]) == ("", 200, '"3"')


@pytest.mark.parametrize("tag", ['"1"', 'W/"3"', '"-1"', f'"{2**63 - 1}"'])
def test_the_tag_of_another_revision_is_a_failed_precondition(rest_operator: Operator, tag: str) -> None:
    for answer in (renamed(rest_operator, tag), removed(rest_operator, tag)):
        assert (answer.code, answer.http_status) == ("revision_mismatch", 412)


@pytest.mark.parametrize("tag", ['"x"', '""', '"2', '"2", "3"', '"2.5"', '"0x2"', f'"{2**63}"'])
def test_what_is_no_tag_of_ours_is_refused_and_changes_nothing(rest_operator: Operator, tag: str) -> None:
    for answer in (renamed(rest_operator, tag), removed(rest_operator, tag)):
        assert (answer.code, answer.http_status) == ("invalid_body", 422)
    assert rest_operator.ask("GetMock", mockId="ovr_cart").headers["etag"] == '"2"'


@pytest.mark.parametrize("tag", ['"2"', "*"])
def test_a_removal_goes_by_the_tag_too(rest_operator: Operator, tag: str) -> None:
    assert removed(rest_operator, tag).http_status == 200
    assert rest_operator.ask("GetMock", mockId="ovr_cart").code == "not_found"


def test_a_star_does_not_make_what_does_not_exist(rest_operator: Operator) -> None:
    rest_operator.do("DeleteMock", mockId="ovr_cart")

    assert renamed(rest_operator, "*").code == "not_found"
