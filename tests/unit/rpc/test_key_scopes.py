"""Keys of the kind flagbridge: which services each scope may call, at every door, and where."""

from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from support.dispatching import World, world
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI
from understudy.v1 import key_service_pb2 as pb
from understudy.v1 import project_service_pb2 as projects
from understudy.v1.evaluation_service_pb2 import EvaluateRequest, ExplainFlagRequest
from understudy.v1.flag_service_pb2 import (
    BatchFlagsRequest,
    CreateFlagRequest,
    FlagOperation,
    GetFlagStateRequest,
    ListFlagsRequest,
    PutFlagStateRequest,
)
from understudy.v1.flags_pb2 import Flag, FlagState
from understudy.v1.project_session_service_pb2 import CreateProjectSessionRequest
from understudy.v1.scenario_service_pb2 import ListScenariosRequest
from understudy_server.core.errors import Forbidden
from understudy_server.rpc.key_scopes import check_scope
from understudy_server.rpc.table import rpcs

SCOPES = {"eval": pb.KEY_SCOPE_EVAL, "test": pb.KEY_SCOPE_TEST, "mgmt": pb.KEY_SCOPE_MGMT, "full": pb.KEY_SCOPE_FULL}
OPEN = {
    "EvaluationService": {"eval", "test", "full"},
    "ProjectSessionService": {"test", "full"},
    "FlagService": {"mgmt", "full"},
    "ProjectService": {"mgmt", "full"},
    "KeyService": {"mgmt", "full"},
}
OPEN_METHODS = {"GetOwnKey": set(SCOPES), "ExplainFlag": {"test", "mgmt", "full"}}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.make_project("checkout", "production", "staging")
        yield made


async def make(here: World, scope: str, key: str = "", environment: str = "", project: str = "checkout") -> str:
    answer = await here.call("KeyService.CreateKey", scoped(scope, environment, project), key)
    assert isinstance(answer, pb.CreateKeyResponse)
    return answer.text


def scoped(scope: str, environment: str = "", project: str = "checkout") -> pb.CreateKeyRequest:
    return pb.CreateKeyRequest(
        kind=pb.KEY_KIND_FLAGBRIDGE, scope=SCOPES[scope], project=project, environment=environment
    )


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", sorted(rpcs()))
def test_a_scope_opens_its_services_and_no_others(method: str, scope: str) -> None:
    service, _, name = method.rpartition(".")[2].partition("/")
    allowed = OPEN_METHODS.get(name) or OPEN.get(service, set())
    refusal = nullcontext() if scope in allowed else pytest.raises(Forbidden)
    with refusal:
        check_scope(method, SCOPES[scope])


@pytest.mark.parametrize(
    ("scope", "codes"),
    [
        ("eval", ["", "scope_mismatch", "scope_mismatch", "scope_mismatch"]),
        ("test", ["", "", "scope_mismatch", "scope_mismatch"]),
        ("mgmt", ["scope_mismatch", "scope_mismatch", "", "scope_mismatch"]),
        ("full", ["", "", "", "scope_mismatch"]),
    ],
)
async def test_the_chain_of_checks_asks_the_scope(here: World, scope: str, codes: list[str]) -> None:
    key = await make(here, scope, environment="staging")
    assert [
        await here.code("EvaluationService.Evaluate", EvaluateRequest(flag_key="a", project="checkout"), key),
        await here.code(
            "ProjectSessionService.CreateProjectSession", CreateProjectSessionRequest(project="checkout"), key
        ),
        await here.code("FlagService.ListFlags", ListFlagsRequest(project="checkout"), key),
        await here.code("ScenarioService.ListScenarios", ListScenariosRequest(project="checkout"), key),
    ] == codes


@pytest.mark.parametrize("managed_first", [False, True])
async def test_the_environment_of_a_key_counts_where_flags_are_evaluated(here: World, managed_first: bool) -> None:
    key = await make(here, "full", environment="staging")
    await here.call("FlagService.CreateFlag", CreateFlagRequest(project="checkout", flag=Flag(key="a")), key)
    asked: list[tuple[str, GetFlagStateRequest | EvaluateRequest | ExplainFlagRequest, str]] = [
        ("FlagService.GetFlagState", GetFlagStateRequest(), ""),
        ("EvaluationService.Evaluate", EvaluateRequest(), "scope_mismatch"),
        ("EvaluationService.ExplainFlag", ExplainFlagRequest(), "scope_mismatch"),
    ]
    # What is remembered of a place for the one kind of call is not taken for the other.
    for method, request, code in asked if managed_first else reversed(asked):
        request.flag_key, request.project, request.environment = "a", "checkout", "production"
        assert [await here.code(method, request, key) for _ in range(2)] == [code] * 2


async def test_a_key_that_only_evaluates_is_shown_no_rules(here: World) -> None:
    request = ExplainFlagRequest(flag_key="a", project="checkout", environment="staging")
    codes = [
        await here.code("EvaluationService.ExplainFlag", request, await make(here, scope, environment="staging"))
        for scope in SCOPES
    ]
    assert codes == ["scope_mismatch", "", "", ""]


async def test_a_key_of_one_environment_manages_flags_in_all(here: World) -> None:
    key = await make(here, "mgmt", environment="staging")
    await here.call("FlagService.CreateFlag", CreateFlagRequest(project="checkout", flag=Flag(key="a")), key)
    state = PutFlagStateRequest(flag_key="a", state=FlagState(enabled=True))
    batch = BatchFlagsRequest(project="checkout", operations=[FlagOperation(put_state=state)])
    await here.call("FlagService.BatchFlags", batch, key)

    environments = projects.ListEnvironmentsRequest(project="checkout")
    listed = await here.call("ProjectService.ListEnvironments", environments, key)
    assert isinstance(listed, projects.ListEnvironmentsResponse)
    assert [each.slug for each in listed.environments] == ["production", "staging"]


@pytest.mark.parametrize("scope", ["mgmt", "full"])
async def test_a_key_of_one_environment_manages_no_other_and_not_the_project(here: World, scope: str) -> None:
    key = await make(here, scope, environment="staging")
    project, other = "checkout", "production"
    requests = [
        (
            "ProjectService.DeleteEnvironment",
            projects.DeleteEnvironmentRequest(project=project, environment=other, force=True),
        ),
        ("ProjectService.UpdateEnvironment", projects.UpdateEnvironmentRequest(project=project, environment=other)),
        (
            "ProjectService.CreateEnvironment",
            projects.CreateEnvironmentRequest(project=project, environment=projects.Environment(slug="qa")),
        ),
        ("ProjectService.UpdateProject", projects.UpdateProjectRequest(project=project, changes={"name": "a"})),
        ("KeyService.CreateKey", scoped("eval")),
        ("KeyService.CreateKey", scoped("eval", other)),
    ]
    assert [await here.code(method, request, key) for method, request in requests] == ["scope_mismatch"] * 6
    assert await make(here, "eval", key, "staging")


@pytest.mark.parametrize("place", [("", ""), ("checkout", ""), ("checkout", "production")])
async def test_a_key_of_one_environment_is_given_no_wider_keys_text(here: World, place: tuple[str, str]) -> None:
    await make(here, "mgmt", "", place[1], place[0])
    listed = await here.call("KeyService.ListKeys", pb.ListKeysRequest())
    assert isinstance(listed, pb.ListKeysResponse)
    key = await make(here, "full", environment="staging")
    request = pb.RotateKeyRequest(key_id=listed.keys[0].id)
    assert await here.code("KeyService.RotateKey", request, key) == "not_found"


@pytest.mark.parametrize(("scope", "is_within"), [("eval", True), ("test", True), ("mgmt", False), ("full", False)])
async def test_a_native_key_of_one_environment_manages_none_of_the_whole_projects_flags(
    here: World, scope: str, is_within: bool
) -> None:
    native = await here.make_key(ROLE_ADMIN, "checkout", "staging")
    made = await here.call("KeyService.CreateKey", scoped(scope, "staging"))
    assert isinstance(made, pb.CreateKeyResponse)
    listed = await here.call("KeyService.ListKeys", pb.ListKeysRequest(kind=pb.KEY_KIND_FLAGBRIDGE), native)
    assert isinstance(listed, pb.ListKeysResponse)
    codes = [
        await here.code("KeyService.CreateKey", scoped(scope, "staging"), native),
        await here.code("KeyService.RotateKey", pb.RotateKeyRequest(key_id=made.key.id), native),
        await here.code("KeyService.RevokeKey", pb.RevokeKeyRequest(key_id=made.key.id), native),
    ]
    assert codes == ([""] * 3 if is_within else ["scope_mismatch", "not_found", "not_found"])
    assert [each.id for each in listed.keys] == ([made.key.id] if is_within else [])


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_native_key_of_the_project_makes_keys_of_every_scope(here: World, scope: str) -> None:
    native = await here.make_key(ROLE_ADMIN, "checkout")
    assert await here.code("KeyService.CreateKey", scoped(scope, "staging"), native) == ""


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (pb.CreateKeyRequest(kind=pb.KEY_KIND_FLAGBRIDGE, project="checkout"), "invalid_field"),
        (pb.CreateKeyRequest(kind=pb.KEY_KIND_FLAGBRIDGE, scope=pb.KEY_SCOPE_EVAL), "invalid_field"),
        (pb.CreateKeyRequest(role=ROLE_ADMIN, scope=pb.KEY_SCOPE_EVAL), "invalid_field"),
        (pb.CreateKeyRequest(project="checkout"), "invalid_field"),
    ],
)
async def test_kind_role_and_scope_go_together(here: World, request_: pb.CreateKeyRequest, code: str) -> None:
    assert await here.code("KeyService.CreateKey", request_) == code


async def test_a_scoped_key_neither_makes_nor_sees_nor_ends_keys_of_another_kind(here: World) -> None:
    native = pb.CreateKeyRequest(role=ROLE_ADMIN, project="checkout")
    made = await here.call("KeyService.CreateKey", native)
    assert isinstance(made, pb.CreateKeyResponse)
    key = await make(here, "mgmt")
    listed = await here.call("KeyService.ListKeys", pb.ListKeysRequest(), key)
    assert isinstance(listed, pb.ListKeysResponse)

    assert await here.code("KeyService.CreateKey", native, key) == "scope_mismatch"
    assert [each.kind for each in listed.keys] == [pb.KEY_KIND_FLAGBRIDGE]
    assert await here.code("KeyService.RevokeKey", pb.RevokeKeyRequest(key_id=made.key.id), key) == "not_found"
    assert await here.code("KeyService.RotateKey", pb.RotateKeyRequest(key_id=made.key.id), key) == "not_found"


@pytest.mark.parametrize("method", ["RotateKey", "RevokeKey"])
async def test_a_key_of_another_kind_than_is_named_is_not_found(here: World, method: str) -> None:
    key = await here.make_key(ROLE_ADMIN)
    own = await here.call("KeyService.GetOwnKey", pb.GetOwnKeyRequest(), key)
    assert isinstance(own, pb.GetOwnKeyResponse)
    kind = pb.RotateKeyRequest if method == "RotateKey" else pb.RevokeKeyRequest
    codes = [
        await here.code(f"KeyService.{method}", kind(key_id=own.key.id, kind=each), key)
        for each in (pb.KEY_KIND_FLAGBRIDGE, pb.KEY_KIND_NATIVE)
    ]
    assert codes == ["not_found", ""]


async def test_pages_of_keys_of_one_kind_are_full(here: World) -> None:
    manager = await make(here, "mgmt")
    for _ in range(3):
        await here.make_key(ROLE_CI, "checkout")
        await make(here, "eval")
    request = pb.ListKeysRequest(page_size=2)
    first = await here.call("KeyService.ListKeys", request, manager)
    assert isinstance(first, pb.ListKeysResponse)
    request.page_token = first.next_page_token
    rest = await here.call("KeyService.ListKeys", request, manager)
    assert isinstance(rest, pb.ListKeysResponse)

    assert [pb.KeyScope.Name(each.scope) for each in (*first.keys, *rest.keys)] == [
        *["KEY_SCOPE_EVAL"] * 3,
        "KEY_SCOPE_MGMT",
    ]
    assert rest.next_page_token == ""


async def test_a_rotated_key_works_with_its_new_text_alone(here: World) -> None:
    old = await here.make_key(ROLE_ADMIN)
    own = await here.call("KeyService.GetOwnKey", pb.GetOwnKeyRequest(), old)
    assert isinstance(own, pb.GetOwnKeyResponse)
    rotated = await here.call("KeyService.RotateKey", pb.RotateKeyRequest(key_id=own.key.id), old)
    assert isinstance(rotated, pb.RotateKeyResponse)

    assert await here.code("KeyService.GetOwnKey", pb.GetOwnKeyRequest(), old) == "unauthorized"
    assert await here.code("KeyService.GetOwnKey", pb.GetOwnKeyRequest(), rotated.text) == ""
    assert rotated.key.hint == rotated.text[:8]


async def test_a_revoked_key_is_not_rotated_and_the_owner_has_none(here: World) -> None:
    answer = await here.call("KeyService.CreateKey", pb.CreateKeyRequest(role=ROLE_ADMIN))
    assert isinstance(answer, pb.CreateKeyResponse)
    await here.call("KeyService.RevokeKey", pb.RevokeKeyRequest(key_id=answer.key.id))

    assert await here.code("KeyService.RotateKey", pb.RotateKeyRequest(key_id=answer.key.id)) == "not_found"
    assert await here.code("KeyService.GetOwnKey", pb.GetOwnKeyRequest()) == "not_found"
