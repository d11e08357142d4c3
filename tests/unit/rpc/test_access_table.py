"""RPC by role by kind of key: who may call what, as one table."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from support.dispatching import World
from understudy import status
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI, ROLE_EDITOR
from understudy_server.core.plans import Plan
from understudy_server.rpc.table import Rpc, rpcs

PUBLIC = {"GetSession", "PutSession", "DeleteSession", "ActivateOverride", "DeactivateOverride", "ListScenarios"}
PUBLIC |= {"ListLogs", "GetLogBody", "FreezeSession", "UnfreezeSession"}
STATE = {"ListStateValues", "GetStateValue", "SetStateValue", "IncrementStateValue", "DeleteStateValue"}
STATE |= {"GetState", "SetMachine", "ResetState"}
SESSION_MOCKS = {"PutSessionMock", "GetSessionMock", "ListSessionMocks", "DeleteSessionMock"}
RECORD = {"GetLog", "TailLogs", "WatchSession", "GetSessionHealth"}
RECORD |= {"CountCalls", "VerifyCalls", "AwaitCalls", "ListVerifications"}
FLAGS = {"GetFlag", "ListFlags", "GetFlagState"}
FLAGS |= {"Evaluate", "EvaluateBatch", "ExplainFlag", "WatchFlags"}
PROJECT_SESSIONS = {"CreateProjectSession", "GetProjectSession", "ListProjectSessions", "SetProjectSessionFlags"}
PROJECT_SESSIONS |= {"RemoveProjectSessionFlag", "DeleteProjectSession"}
CI = FLAGS | PROJECT_SESSIONS | PUBLIC | {"ListSessions", "Explain", "GetOwnKey"} | STATE | SESSION_MOCKS | RECORD
ADMIN = {"CreateKey", "ListKeys", "RevokeKey", "RotateKey", "ApplyManifest", "DumpManifest", "ReleaseManifest"}
ORGANISATION = ADMIN | {"ListProjects", "CreateProject", "GetStatus", "GetOwnKey"}
PROJECT = {"GetProject", "UpdateProject", "DeleteProject", "ListEnvironments", "CreateEnvironment"}
PROJECT |= {"CreateFlag", "GetFlag", "ListFlags", "UpdateFlag", "DeleteFlag", "BatchFlags"} | PROJECT_SESSIONS
NOWHERE = {"GetLog", "GetLogBody"}
OF_A_SESSION = {"GetProjectSession", "SetProjectSessionFlags", "RemoveProjectSessionFlag", "DeleteProjectSession"}

TABLE = sorted(rpcs().values(), key=lambda rpc: rpc.method)
NAMES = [rpc.method.rpartition("/")[2] for rpc in TABLE]
ROLES = {"ci": ROLE_CI, "editor": ROLE_EDITOR, "admin": ROLE_ADMIN}

each_rpc = pytest.mark.parametrize("rpc", TABLE, ids=NAMES)


def name_of(rpc: Rpc) -> str:
    return rpc.method.rpartition("/")[2]


def short(rpc: Rpc) -> str:
    return rpc.method.removeprefix("/understudy.v1.").replace("/", ".")


def request_for(rpc: Rpc, project: str = "", environment: str = "") -> Message:
    """A request that is valid up to its place; everything it names does not exist."""
    request = rpc.request()
    fields = request.DESCRIPTOR.fields_by_name
    values: dict[str, object] = {
        "session_key": "k",
        "override_id": "ovr_none",
        "mock_id": "ovr_none",
        "scenario_id": "scn_none",
    }
    values |= {"log_id": "log_none", "key_id": "key_none", "source": "none.yaml"}
    values |= {"flag_key": "none", "session_id": "sess_none", "flags": "{}"}
    values |= {"key": "none", "value": "1", "machine": "none", "version": 1, "name": "none", "timeout_ms": 0}
    if name_of(rpc) not in ORGANISATION | NOWHERE:
        values |= {"project": project, "environment": environment}
    for name, value in values.items():
        if name in fields and fields[name].message_type is None:
            setattr(request, name, value)
    for name in ("mock", "scenario", "project", "environment", "flag", "state"):
        if name in fields and fields[name].message_type is not None:
            _name(getattr(request, name))
    for name, fill in _PARTS.items():
        if name in fields:
            fill(request)
    return request


def _name(part: Any) -> None:
    part.SetInParent()
    for field in ("name", "slug", "key"):
        if field in part.DESCRIPTOR.fields_by_name:
            setattr(part, field, "made-here")


def _delete_what_is_not_there(batch: Any) -> None:
    operation = batch.operations.add()
    deletion = operation.delete
    names = {"mock_id": "ovr_none", "scenario_id": "scn_none", "flag_key": "none"}
    for name, value in names.items():
        if hasattr(deletion, name):
            setattr(deletion, name, value)


_PARTS: dict[str, Callable[[Any], None]] = {
    "manifest": lambda request: setattr(request.manifest, "source", "none.yaml"),
    "operations": _delete_what_is_not_there,
    "request": lambda request: setattr(request.request, "target", "/"),
    "changes": lambda request: setattr(request.changes, "name", "new name"),
    "role": lambda request: setattr(request, "role", ROLE_CI),
    "side": lambda request: setattr(request, "side", 1),
    "expectations": lambda request: request.expectations.add(),
    "flag_keys": lambda request: request.flag_keys.append("none"),
}
"""What else a request needs to be valid, by a field that it has."""


def least_role(rpc: Rpc) -> str:
    name = name_of(rpc)
    return "ci" if name in CI else "admin" if name in ADMIN else "editor"


@pytest.mark.parametrize("role", ROLES)
@each_rpc
async def test_a_role_may_call_exactly_its_rpcs(here: World, rpc: Rpc, role: str) -> None:
    key = await here.make_key(ROLES[role])
    code = await here.code(short(rpc), request_for(rpc, "checkout", "staging"), key)
    allowed = list(ROLES).index(role) >= list(ROLES).index(least_role(rpc))
    assert (code != "role_required") is allowed, code
    assert code in ("", "role_required", "not_found", "not_empty"), code


@each_rpc
async def test_no_rpc_answers_without_a_key(here: World, rpc: Rpc) -> None:
    answer = await here.dispatcher.unary(rpc.method, {}, lambda: (request_for(rpc, "checkout", "staging"), None))
    assert isinstance(answer, Status)
    assert status.read(answer).reason == "unauthorized"


@each_rpc
async def test_a_project_key_reaches_no_other_project(here: World, rpc: Rpc) -> None:
    key = await here.make_key(ROLE_ADMIN, "checkout")
    if name_of(rpc) in ORGANISATION | NOWHERE:
        return
    problem = await here.refused(short(rpc), request_for(rpc, "other", "staging"), key)
    assert problem.reason == "scope_mismatch"


@each_rpc
async def test_an_environment_key_reaches_no_other_environment(here: World, rpc: Rpc) -> None:
    key = await here.make_key(ROLE_ADMIN, "checkout", "staging")
    if name_of(rpc) in ORGANISATION | PROJECT | NOWHERE:
        return
    problem = await here.refused(short(rpc), request_for(rpc, "checkout", "qa"), key)
    assert problem.reason == "scope_mismatch"


@each_rpc
async def test_the_plan_gates_the_public_api_and_nothing_else(here: World, rpc: Rpc) -> None:
    key = await here.make_key(ROLE_ADMIN)
    await here.store.write(lambda tx: tx.set_plan(Plan.DEV))
    code = await here.code(short(rpc), request_for(rpc, "checkout", "staging"), key)
    assert (code == "plan_required") is (name_of(rpc) in PUBLIC | RECORD)


@each_rpc
async def test_an_organisation_wide_key_names_its_project(here: World, rpc: Rpc) -> None:
    key = await here.make_key(ROLE_ADMIN)
    if name_of(rpc) in ORGANISATION | NOWHERE:
        return
    # A session's id, which is unique everywhere, names its project too.
    code = "not_found" if name_of(rpc) in OF_A_SESSION else "project_required"
    assert (await here.refused(short(rpc), request_for(rpc), key)).reason == code


def test_every_rpc_stands_in_the_table_with_a_scope_and_a_role() -> None:
    for rpc in TABLE:
        assert rpc.access.scope, rpc.method
        assert rpc.access.role, rpc.method
        assert rpc.access.plan_gated is (name_of(rpc) in PUBLIC | RECORD), rpc.method
