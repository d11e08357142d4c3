"""What refuses the operator's calls, over three doors: every code that the contract names beside an RPC.

The table is held to the comments of the protos: a code that is written there and not tried here fails a test.
"""

import ast
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest
import understudy
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from support.doors import Answer, Json, RestDoor
from support.management import MANAGEMENT, GrpcManagement, Operator, RestManagement, route_of
from support.proxied import App
from support.server import MadePlace, Server, running_server
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI, ROLE_EDITOR
from understudy_server.rpc.errors import GRPC_CODES

HTTP_STATUS = {
    "unauthorized": 401,
    "role_required": 403,
    "scope_mismatch": 403,
    "not_found": 404,
    "already_exists": 409,
    "not_empty": 409,
    "managed_by_file": 409,
    "source_followed": 409,
    "other_projects": 409,
    "body_not_kept": 409,
    "key_limit": 409,
    "revision_mismatch": 412,
    "invalid_body": 422,
    "invalid_override": 422,
}


@dataclass(frozen=True)
class Stage:
    """A place with something in it, and who may do what there."""

    operator: Operator
    place: MadePlace
    make_key: Callable[..., str]
    rest: RestDoor
    app: App

    @cached_property
    def narrow(self) -> Operator:
        """An operator whose key is for the place's project alone."""
        return replace(self.operator, auth=self.make_key(ROLE_ADMIN, project=self.place.project))

    @cached_property
    def narrower(self) -> Operator:
        """An operator whose key is for the place's environment alone."""
        return replace(self.operator, auth=self.make_key(ROLE_ADMIN, project=self.place.project, environment="staging"))

    @cached_property
    def managed(self) -> Operator:
        """An operator of a project that a manifest declares, with the mock ovr_m and the scenario scn_m in it."""
        slug = f"{self.place.project}-managed"
        self.operator.do("ApplyManifest", manifest=self.manifest(slug))
        return replace(self.operator, project=slug)

    def manifest(self, *slugs: str, **environment: Json) -> Json:
        """A manifest of one source that declares projects alike."""
        environment = environment or {"mocks": {"ovr_m": {}}, "scenarios": {"scn_m": {"mocks": ["ovr_m"]}}}
        projects = {slug: {"environments": {"staging": environment}} for slug in slugs}
        return {"source": f"{self.place.project}.yaml", "projects": projects}

    def log_id(self, path: str = "/api/cart") -> str:
        """The id of an exchange on record."""
        self.app.send("GET", path, "logged")
        place = {"project": self.place.project, "environment": "staging"}
        (row,) = self.rest.logs(self.operator.auth, "logged", **place).served["logs"]
        return str(row["id"])


@dataclass(frozen=True)
class Refused:
    """A call and the code that it is refused with."""

    rpc: str
    code: str
    ask: Callable[[Stage], Answer]

    def __str__(self) -> str:
        return f"{self.rpc} {self.code}"


def here(rpc: str, code: str, **request: Json) -> Refused:
    """Refused to an operator who may do everything."""
    return Refused(rpc, code, lambda stage: stage.operator.ask(rpc, **request))


def narrow(rpc: str, **request: Json) -> Refused:
    """Refused to a key for one project."""
    return Refused(rpc, "scope_mismatch", lambda stage: stage.narrow.ask(rpc, **request))


def managed(rpc: str, **request: Json) -> Refused:
    """Refused where a manifest declares it."""
    return Refused(rpc, "managed_by_file", lambda stage: stage.managed.ask(rpc, **request))


def own_key_of_the_owner(stage: Stage) -> Answer:
    """Whoever asks over the socket of the machine's owner has no key."""
    owner = GrpcManagement(f"unix:{stage.place.server.data}/owner.sock")
    return owner.call("", "GetOwnKey", {})


def full_of_keys(stage: Stage) -> Answer:
    """Keys are made until there are no more."""
    for _ in range(30):
        answer = stage.operator.ask("CreateKey", role="ci", project=stage.place.project)
        if answer.code:
            break
    # Whoever comes next needs some: with the project its keys are revoked.
    stage.operator.do("DeleteProject", force=True)
    return answer


def cut_short(stage: Stage) -> Answer:
    """An exchange of which no byte of the body was kept becomes a mock."""
    stage.operator.do("UpdateEnvironment", changes={"limits": {"capturedBytesMax": 0}})
    return stage.operator.ask("CreateMockFromLog", logId=stage.log_id())


def too_long_a_path(stage: Stage) -> Answer:
    """An exchange with a path that no mock can name becomes a mock."""
    return stage.operator.ask("CreateMockFromLog", logId=stage.log_id("/" + "x" * 3000))


def file_that_is_gone(stage: Stage) -> Answer:
    """A mock is to be what it was, and the file that it answered with was removed meanwhile."""
    stage.rest.put_file(stage.operator.auth, stage.place.project, "staging", "a.txt", b"a")
    stage.operator.do("UpdateMock", mockId="ovr_cart", mock={"action": {"respond": {"file": "a.txt"}}})
    version = stage.operator.do("ListMockVersions", mockId="ovr_cart")["versions"][0]["revision"]
    stage.operator.do("UpdateMock", mockId="ovr_cart", mock={"action": {"respond": {"text": "a"}}})
    stage.rest.delete_file(stage.operator.auth, stage.place.project, "staging", "a.txt")
    return stage.operator.ask("RestoreMockVersion", mockId="ovr_cart", version=version)


def taken_host(stage: Stage, rpc: str) -> Answer:
    """Another environment has the host."""
    host = f"shop.{stage.place.project}.test"
    stage.operator.do("CreateEnvironment", environment={"slug": "first", "hosts": [host]})
    if rpc == "CreateEnvironment":
        return stage.operator.ask(rpc, environment={"slug": "second", "hosts": [host]})
    return stage.operator.ask(rpc, changes={"hosts": [host]})


def other_projects(stage: Stage) -> Answer:
    """The source has declared another project alone."""
    assert stage.managed
    return stage.operator.ask("ApplyManifest", manifest=stage.manifest(f"{stage.place.project}-elsewhere"))


def not_empty(stage: Stage) -> Answer:
    """The source declares a project no more in which somebody made a mock."""
    slugs = [f"{stage.place.project}-{name}" for name in ("one", "two")]
    stage.operator.do("ApplyManifest", manifest=stage.manifest(*slugs))
    replace(stage.operator, project=slugs[1]).do("CreateMock", mock={"name": "Made by hand"})
    return stage.operator.ask("ApplyManifest", manifest=stage.manifest(slugs[0]))


def made_by_hand(stage: Stage) -> Answer:
    """The manifest declares what was made through the API."""
    return stage.operator.ask("ApplyManifest", manifest=stage.manifest(stage.place.project))


def unknown_project(stage: Stage) -> Answer:
    """The manifest says that a project exists."""
    slug = f"{stage.place.project}-none"
    manifest = {"source": "a.yaml", "projects": {slug: {"existing": True}}}
    return stage.operator.ask("ApplyManifest", manifest=manifest)


def unknown_mock(stage: Stage) -> Answer:
    """A scenario lists a mock that the manifest does not have."""
    manifest = stage.manifest(f"{stage.place.project}-new", scenarios={"scn_a": {"mocks": ["ovr_none"]}})
    return stage.operator.ask("ApplyManifest", manifest=manifest)


def listed_elsewhere(stage: Stage) -> Answer:
    """The manifest declares a mock no more that a scenario of another source lists."""
    slug = stage.managed.project
    scenario = {"existing": True, "scenarios": {"scn_other": {"mocks": ["ovr_m"]}}}
    other = {slug: {"existing": True, "environments": {"staging": scenario}}}
    stage.operator.do("ApplyManifest", manifest={"source": f"{slug}-other.yaml", "projects": other})
    return stage.operator.ask("ApplyManifest", manifest=stage.manifest(slug, upstream=""))


def contradiction(stage: Stage) -> Answer:
    """Two environments have one host."""
    slugs = [f"{stage.place.project}-{name}" for name in ("one", "two")]
    return stage.operator.ask("ApplyManifest", manifest=stage.manifest(*slugs, hosts=["shop.test"]))


def managed_local(stage: Stage, rpc: str, **request: Json) -> Answer:
    """What was made through the API holds what a manifest declares."""
    slug = f"{stage.place.project}-mixed"
    operator = replace(stage.operator, project=slug)
    operator.do("CreateProject", project={"slug": slug})
    operator.do("CreateEnvironment", environment={"slug": "staging"})
    existing = {"existing": True, "environments": {"staging": {"existing": True, "mocks": {"ovr_m": {}}}}}
    operator.do("ApplyManifest", manifest={"source": f"{slug}.yaml", "projects": {slug: existing}})
    return operator.ask(rpc, **request)


def followed(stage: Stage) -> Answer:
    """The source of the file that a server follows is released, over the same kind of door."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "followed.yaml")
        file.write_text("projects: {shop: {}}")
        with running_server("--config", str(file)) as server:
            is_grpc = isinstance(stage.operator.door, GrpcManagement)
            door = GrpcManagement(server.grpc) if is_grpc else RestManagement(server.rest)
            auth = f"Bearer {server.make_key(ROLE_ADMIN).text}"
            answer = door.call(auth, "ReleaseManifest", {"source": file.name})
            door.close()
    return answer


DRAFT = {"id": "ovr_new", "name": "New"}
REFUSALS = (
    here("CreateMock", "already_exists", mock={**DRAFT, "id": "ovr_cart"}),
    here("CreateMock", "not_found", mock={**DRAFT, "scenario": "scn_none"}),
    managed("CreateMock", mock={**DRAFT, "scenario": "scn_m"}),
    here("CreateMock", "invalid_body", mock={**DRAFT, "id": "cart"}),
    here("CreateMock", "invalid_body", mock={**DRAFT, "matcher": {"query": {"a": {}}}}),
    here(
        "CreateMock",
        "invalid_body",
        mock={**DRAFT, "action": {"respond": {"headers": [{"name": "Content-Length", "value": "1"}]}}},
    ),
    here("CreateMockFromLog", "not_found", logId="log_none"),
    Refused("CreateMockFromLog", "body_not_kept", cut_short),
    Refused("CreateMockFromLog", "invalid_body", too_long_a_path),
    Refused(
        "CreateMockFromLog",
        "already_exists",
        lambda stage: stage.operator.ask("CreateMockFromLog", logId=stage.log_id(), mockId="ovr_cart"),
    ),
    here("GetMock", "not_found", mockId="ovr_none"),
    here("UpdateMock", "revision_mismatch", mockId="ovr_cart", mock={"name": "a"}, expectedRevision=99),
    here("UpdateMock", "not_found", mockId="ovr_none", mock={"name": "a"}),
    managed("UpdateMock", mockId="ovr_m", mock={"name": "a"}),
    here("DeleteMock", "revision_mismatch", mockId="ovr_cart", expectedRevision=99),
    here("DeleteMock", "not_found", mockId="ovr_none"),
    managed("DeleteMock", mockId="ovr_m"),
    here("ListMocks", "invalid_body", pageToken="no token!"),
    here("ListMockVersions", "not_found", mockId="ovr_none"),
    here("RestoreMockVersion", "not_found", mockId="ovr_cart", version=99),
    here("RestoreMockVersion", "revision_mismatch", mockId="ovr_cart", version=1, expectedRevision=99),
    managed("RestoreMockVersion", mockId="ovr_m", version=1),
    Refused("RestoreMockVersion", "invalid_body", file_that_is_gone),
    here("ListScenarioVersions", "not_found", scenarioId="scn_none"),
    here("RestoreScenarioVersion", "not_found", scenarioId="scn_empty", version=99),
    here("RestoreScenarioVersion", "revision_mismatch", scenarioId="scn_empty", version=1, expectedRevision=99),
    managed("RestoreScenarioVersion", scenarioId="scn_m", version=1),
    here("PublishMock", "not_found", mockId="ovr_none"),
    here("PublishMock", "revision_mismatch", mockId="ovr_cart", expectedRevision=99),
    managed("PublishMock", mockId="ovr_m"),
    here("UnpublishMock", "not_found", mockId="ovr_none"),
    here("UnpublishMock", "revision_mismatch", mockId="ovr_cart", expectedRevision=99),
    managed("UnpublishMock", mockId="ovr_m"),
    here("ActivateMock", "invalid_override", mockId="ovr_draft"),
    here("ActivateMock", "invalid_override", mockId="ovr_declined"),
    here("ActivateMock", "not_found", mockId="ovr_none"),
    here("ActivateMock", "revision_mismatch", mockId="ovr_cart", expectedRevision=99),
    here("DeactivateMock", "not_found", mockId="ovr_none"),
    here("DeactivateMock", "revision_mismatch", mockId="ovr_cart", expectedRevision=99),
    here("GetScenario", "not_found", scenarioId="scn_none"),
    here("CreateScenario", "already_exists", scenario={"id": "scn_empty", "name": "a"}),
    here("CreateScenario", "already_exists", scenario={"name": "a", "urlId": "empty-cart"}),
    here("CreateScenario", "not_found", scenario={"name": "a", "mocks": ["ovr_none"]}),
    here("CreateScenario", "invalid_override", scenario={"name": "a", "mocks": ["ovr_draft"]}),
    here("UpdateScenario", "revision_mismatch", scenarioId="scn_empty", scenario={"name": "a"}, expectedRevision=99),
    here("UpdateScenario", "already_exists", scenarioId="scn_empty", scenario={"urlId": "payment-declined"}),
    here("UpdateScenario", "not_found", scenarioId="scn_empty", scenario={"mocks": ["ovr_none"]}),
    here("UpdateScenario", "invalid_override", scenarioId="scn_empty", scenario={"mocks": ["ovr_declined"]}),
    managed("UpdateScenario", scenarioId="scn_m", scenario={"name": "a"}),
    here("UpdateScenario", "not_found", scenarioId="scn_none", scenario={"name": "a"}),
    here("DeleteScenario", "not_found", scenarioId="scn_none"),
    here("DeleteScenario", "revision_mismatch", scenarioId="scn_empty", expectedRevision=99),
    managed("DeleteScenario", scenarioId="scn_m"),
    here("ListScenarios", "not_found", environment="none"),
    here("GetProject", "not_found", project="none"),
    Refused(
        "CreateProject",
        "already_exists",
        lambda stage: stage.operator.ask("CreateProject", project={"slug": stage.place.project}),
    ),
    narrow("CreateProject", project={"slug": "new"}),
    here("UpdateProject", "revision_mismatch", changes={"name": "a"}, expectedRevision=99),
    managed("UpdateProject", changes={"name": "a"}),
    here("UpdateProject", "not_found", project="none", changes={"name": "a"}),
    here("DeleteProject", "not_found", project="none"),
    here("DeleteProject", "revision_mismatch", force=True, expectedRevision=99),
    here("DeleteProject", "not_empty"),
    narrow("DeleteProject", force=True),
    managed("DeleteProject", force=True),
    Refused("DeleteProject", "managed_by_file", lambda stage: managed_local(stage, "DeleteProject", force=True)),
    here("ListProjects", "invalid_body", pageSize=1001),
    here("ListEnvironments", "not_found", project="none"),
    here("GetEnvironment", "not_found", environment="none"),
    here("CreateEnvironment", "already_exists", environment={"slug": "staging"}),
    Refused("CreateEnvironment", "already_exists", lambda stage: taken_host(stage, "CreateEnvironment")),
    Refused(
        "CreateEnvironment",
        "scope_mismatch",
        lambda stage: stage.narrower.ask("CreateEnvironment", environment={"slug": "new"}),
    ),
    here("UpdateEnvironment", "revision_mismatch", changes={"name": "a"}, expectedRevision=99),
    Refused("UpdateEnvironment", "already_exists", lambda stage: taken_host(stage, "UpdateEnvironment")),
    managed("UpdateEnvironment", changes={"name": "a"}),
    here("UpdateEnvironment", "not_found", environment="none", changes={"name": "a"}),
    here("DeleteEnvironment", "not_found", environment="none"),
    here("DeleteEnvironment", "revision_mismatch", force=True, expectedRevision=99),
    here("DeleteEnvironment", "not_empty"),
    managed("DeleteEnvironment", force=True),
    Refused(
        "DeleteEnvironment", "managed_by_file", lambda stage: managed_local(stage, "DeleteEnvironment", force=True)
    ),
    Refused("CreateKey", "key_limit", full_of_keys),
    narrow("CreateKey", role="ci"),
    here("CreateKey", "not_found", role="ci", project="none"),
    here("CreateKey", "invalid_body", role="ci", expiresAt="2020-01-01T00:00:00Z"),
    here("ListKeys", "invalid_body", pageToken="no token!"),
    here("RevokeKey", "not_found", keyId="key_none"),
    here("RotateKey", "not_found", keyId="key_none"),
    Refused("GetOwnKey", "not_found", own_key_of_the_owner),
    narrow("ApplyManifest", manifest={"source": "a.yaml"}),
    Refused("ApplyManifest", "invalid_body", contradiction),
    Refused("ApplyManifest", "not_found", unknown_project),
    Refused("ApplyManifest", "not_found", unknown_mock),
    Refused("ApplyManifest", "already_exists", made_by_hand),
    Refused("ApplyManifest", "not_empty", not_empty),
    Refused("ApplyManifest", "managed_by_file", listed_elsewhere),
    Refused("ApplyManifest", "other_projects", other_projects),
    here("DumpManifest", "not_found", project="none"),
    here("DumpManifest", "not_found", source="none.yaml"),
    narrow("ReleaseManifest", source="none.yaml"),
    here("ReleaseManifest", "not_found", source="none.yaml"),
    Refused("ReleaseManifest", "source_followed", followed),
)


@pytest.fixture
def stage(operator: Operator, place: MadePlace, make_key: Callable[..., str], rest: RestDoor, app: App) -> Stage:
    return Stage(operator, place, make_key, rest, app)


@pytest.mark.parametrize("refused", REFUSALS, ids=str)
def test_a_call_is_refused_with_the_code_of_the_contract(stage: Stage, refused: Refused) -> None:
    answer = refused.ask(stage)

    assert answer.code == refused.code
    assert answer.http_status in (0, HTTP_STATUS[refused.code])
    assert answer.value["error"]


@pytest.mark.parametrize(("count", "told"), [(3, 3), (60, 10)])
def test_every_problem_of_a_manifest_is_told_as_far_as_the_way_takes_them(stage: Stage, count: int, told: int) -> None:
    names = [f"{stage.place.project}-none-{number:02}" for number in range(count)]
    manifest = {"source": "several.yaml", "projects": {name: {"existing": True} for name in names}}
    answer = stage.operator.ask("ApplyManifest", manifest=manifest)

    assert answer.code == "not_found"
    assert answer.value["error"].endswith(f"(and {count - 1} more problems)")
    problems = answer.value["problems"]
    assert told <= len(problems) <= count
    assert [each["field"] for each in problems] == [f"manifest.projects['{name}']" for name in names[: len(problems)]]
    assert problems[1]["message"] == f"there is no project '{names[1]}'"


def test_one_problem_of_a_manifest_is_told_as_any_other(stage: Stage) -> None:
    manifest = {"source": "one.yaml", "projects": {f"{stage.place.project}-none": {"existing": True}}}
    answer = stage.operator.ask("ApplyManifest", manifest=manifest)

    assert answer.value["error"] == f"there is no project '{stage.place.project}-none'"
    assert "problems" not in answer.value


def test_nothing_is_answered_without_a_key_that_works(operator: Operator) -> None:
    for rpc in MANAGEMENT:
        request = _in_path(rpc)
        for auth in ("", "Bearer fmk_wrong"):
            assert operator.door.call(auth, rpc, {**_bodies(rpc), **request}).code == "unauthorized", rpc


def test_management_is_refused_to_pipelines_and_keys_to_editors(stage: Stage) -> None:
    for role, but in ((ROLE_CI, {"ListScenarios", "GetOwnKey"}), (ROLE_EDITOR, set(MANAGEMENT) - _FOR_ADMINS)):
        pipeline = replace(stage.operator, auth=stage.make_key(role))
        for rpc in set(MANAGEMENT) - but:
            request = {name: each for name, each in _in_path(rpc).items() if name not in ("project", "environment")}
            assert pipeline.ask(rpc, **_bodies(rpc), **request).code == "role_required", rpc


_FOR_ADMINS = {"CreateKey", "ListKeys", "RevokeKey", "RotateKey", "ApplyManifest", "DumpManifest", "ReleaseManifest"}


def _in_path(rpc: str) -> dict[str, Json]:
    """Something for each variable of an RPC's path, by its name in JSON."""
    fields = MANAGEMENT[rpc].input_type.fields_by_name
    found = [fields[name] for name in re.findall(r"{(\w+)}", route_of(MANAGEMENT[rpc]).template)]
    return {field.json_name: "x" if field.type == field.TYPE_STRING else 1 for field in found}


def _bodies(rpc: str) -> Mapping[str, Json]:
    """An empty body where a field of an RPC is the body."""
    body = route_of(MANAGEMENT[rpc]).body
    return {body: {}} if body not in ("", "*") else {}


# The contract, and what is tried here of it.


def _named_refusals() -> Iterator[tuple[str, str]]:
    """Every code that stands in the comment of a management RPC."""
    kept = Path(understudy.__path__[0]) / "descriptors.binpb"
    for file in FileDescriptorSet.FromString(kept.read_bytes()).file:
        for location in file.source_code_info.location:
            # service, its number, method, its number (descriptor.proto)
            if len(location.path) == 4 and (location.path[0], location.path[2]) == (6, 2):
                rpc = file.service[location.path[1]].method[location.path[3]].name
                words = set(re.findall(r"[a-z_]+", location.leading_comments))
                if rpc in MANAGEMENT:
                    yield from ((rpc, code) for code in words & GRPC_CODES.keys())


def test_every_code_that_the_contract_names_beside_an_rpc_is_tried() -> None:
    tried = {(each.rpc, each.code.replace("invalid_body", "invalid_field")) for each in REFUSALS}
    named = set(_named_refusals())

    assert len(named) > len(MANAGEMENT) / 2
    assert named - tried == set()


def test_every_management_rpc_is_called_by_these_tests() -> None:
    """By the names that stand in calls of ``do`` and ``ask``; it is no proof, but nothing new goes by unnoticed."""
    called: set[str] = set()
    for file in Path(__file__).parent.glob("test_management*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "do":
                called |= {str(each.value) for each in node.args if isinstance(each, ast.Constant)}

    assert set(MANAGEMENT) - called == set()


@pytest.mark.parametrize(
    ("rpc", "request_", "told"),
    [
        (
            "CreateMock",
            {"mock": {"id": "cart", "name": "a"}},
            "id must be ovr_ and then 1 to 64 letters, digits, _ or -",
        ),
        (
            "CreateMock",
            {"mock": {**DRAFT, "matcher": {"query": {"my_key": {}}}}},
            "matcher.query['my_key'] says nothing",
        ),
        ("UpdateMock", {"mockId": "ovr_cart", "mock": {"name": ""}}, "name is required"),
        ("UpdateEnvironment", {"changes": {"hosts": ["A:80"]}}, "hosts[0] must be a host name in lower case"),
        ("UpdateEnvironment", {"changes": {"limits": {"firstByteMs": 99_999_999}}}, "limits.firstByteMs is "),
        ("UpdateEnvironment", {"changes": {"my_key": 1}}, "my_key is not a field"),
    ],
    ids=str,
)
def test_over_rest_a_refusal_names_the_field_as_it_stands_in_the_body(
    server: Server, operator: Operator, rpc: str, request_: dict[str, Json], told: str
) -> None:
    door = RestManagement(server.rest)
    answer = replace(operator, door=door).ask(rpc, **request_)
    door.close()

    assert answer.value["error"].startswith(told)
