"""Versions, batches, tags, a session's own mocks and files over three doors, with the proxy in view."""

from collections.abc import Callable

import httpx
import pytest
from google.api.httpbody_pb2 import HttpBody
from support.doors import Json
from support.management import Operator
from support.proxied import App
from support.server import MadePlace, Server
from understudy.options.v1.options_pb2 import ROLE_EDITOR
from understudy.v1 import file_service_pb2 as files
from understudy.v1.file_service_pb2_grpc import FileServiceStub

SAYS_ONE: dict[str, Json] = {"respond": {"status": 201, "text": "one"}}


def test_a_mock_is_what_it_was_again(operator: Operator) -> None:
    made = operator.do(
        "CreateMock", mock={"id": "ovr_v", "name": "one", "action": SAYS_ONE, "tags": ["x"], "priority": 5}
    )
    operator.do("UpdateMock", mockId="ovr_v", mock={"name": "two", "tags": [], "priority": 0})
    operator.do("UpdateMock", mockId="ovr_v", mock={"action": {"respond": {"status": 202}}})

    versions = operator.do("ListMockVersions", mockId="ovr_v")["versions"]
    restored = operator.do("RestoreMockVersion", mockId="ovr_v", version=1)

    assert [(each["revision"], each["name"], each["priority"]) for each in versions] == [
        (3, "two", 0),
        (2, "two", 0),
        (1, "one", 5),
    ]
    assert [each["action"]["respond"]["text"] for each in versions] == ["one"] * 3
    assert restored == {**made, "updatedAt": restored["updatedAt"]}
    operator.do("DeleteMock", mockId="ovr_v")
    assert operator.do("RestoreMockVersion", mockId="ovr_v", version=2)["name"] == "two"
    assert operator.ask("RestoreMockVersion", mockId="ovr_v", version=9).code == "not_found"


def test_a_scenario_is_what_it_was_again(operator: Operator) -> None:
    operator.do("UpdateScenario", scenarioId="scn_empty", scenario={"name": "Other", "mocks": [], "tags": ["x"]})
    found = operator.do("ListScenarioVersions", scenarioId="scn_empty")["versions"]
    restored = operator.do("RestoreScenarioVersion", scenarioId="scn_empty", version=1)
    assert [each["revision"] for each in found] == [2, 1]
    assert (restored["name"], restored["mocks"], restored["tags"]) == (found[1]["name"], ["ovr_cart"], [])


def test_a_batch_is_done_whole_or_not_at_all(operator: Operator) -> None:
    operations: list[Json] = [
        {"create": {"mock": {"id": "ovr_b", "name": "b", "tags": ["x", "y"]}}},
        {"publish": {"mockId": "ovr_b"}},
        {"update": {"mockId": "ovr_b", "mock": {"priority": 3}}},
    ]
    failed = operator.ask("BatchMocks", operations=[*operations, {"delete": {"mockId": "ovr_none"}}])
    assert (failed.code, failed.http_status in (0, 404)) == ("not_found", True)
    assert "operations[3].delete" in str(failed.value)
    assert operator.ask("GetMock", mockId="ovr_b").code == "not_found"

    done = operator.do("BatchMocks", operations=operations)["mocks"]
    assert [(each["state"], each["priority"], each["name"]) for each in done] == [
        ("draft", 0, "b"), ("published", 0, "b"), ("published", 3, "b"),
    ]  # fmt: skip
    assert [each["id"] for each in operator.do("ListMocks", tags=["y", "x"])["mocks"]] == ["ovr_b"]
    assert operator.ask("BatchMocks", operations=[]).code in ("invalid_body", "invalid_field")


def test_a_batch_of_scenarios_names_what_is_wrong(operator: Operator) -> None:
    made: Json = {"create": {"scenario": {"id": "scn_b", "name": "b"}}}
    failed = operator.ask("BatchScenarios", operations=[made, {"create": {"scenario": {"id": "scn_c"}}}])
    assert (failed.code in ("invalid_body", "invalid_field"), "operations[1]" in str(failed.value)) == (True, True)
    assert operator.do("BatchScenarios", operations=[made])["scenarios"][0]["id"] == "scn_b"


@pytest.mark.parametrize("tag", ["a b", "a,b", ""])
def test_what_no_tag_can_be_is_refused_in_a_filter(operator: Operator, tag: str) -> None:
    assert operator.ask("ListMocks", tags=["a", tag]).code in ("invalid_body", "invalid_field")


def test_a_sessions_own_mock_answers_it_alone_from_the_next_request_until_it_goes(operator: Operator, app: App) -> None:
    mine: dict[str, Json] = {"sessionKey": "ci-42", "mockId": "ovr_mine"}
    made = operator.do("PutSessionMock", **mine, mock={"matcher": {"path": "/api/own"}, "action": SAYS_ONE})

    def status(key: str = "ci-42") -> int:
        return app.send("GET", "/api/own", key).status_code

    assert (made["session"], made["active"], made["state"]) == ("ci-42", True, "published")
    assert status() == 201
    assert status("ci-43") != 201
    operator.do(
        "PutSessionMock", **mine, mock={"matcher": {"path": "/api/own"}, "action": {"respond": {"status": 203}}}
    )
    assert status() == 203
    assert [each["id"] for each in operator.do("ListSessionMocks", sessionKey="ci-42")["mocks"]] == ["ovr_mine"]
    assert operator.do("DeleteSessionMock", **mine) == {}
    assert status() not in (201, 203)
    assert operator.ask("GetSessionMock", **mine).code == "not_found"


def test_a_file_is_put_and_read_over_rest_and_over_grpc(
    server: Server, place: MadePlace, make_key: Callable[..., str]
) -> None:
    auth = {"authorization": make_key(ROLE_EDITOR, project=place.project)}
    base = f"http://{server.rest}/api/v1/projects/{place.project}/environments/staging/files"
    content = bytes(range(256)) * 300

    put = httpx.put(f"{base}/a%2Fb.bin", content=content, headers={**auth, "content-type": "image/png"})
    got = httpx.get(f"{base}/a%2Fb.bin", headers=auth)

    assert (put.status_code, put.json()["name"], put.json()["sizeBytes"]) == (200, "a/b.bin", len(content))
    assert (got.content == content, got.headers["content-type"]) == (True, "image/png")
    request = files.GetFileRequest(project=place.project, environment="staging", name="a/b.bin")
    assert FileServiceStub(server.owner).GetFile(request).content == HttpBody(content_type="image/png", data=content)
    assert [each["name"] for each in httpx.get(base, headers=auth).json()["files"]] == ["a/b.bin"]
    assert httpx.put(f"{base}/..%2Fa", content=b"", headers=auth).status_code == 422
    assert httpx.get(f"{base}/a", headers=auth).status_code == 404
    assert httpx.delete(f"{base}/a%2Fb.bin", headers=auth).status_code == 200
    assert httpx.get(f"{base}/a%2Fb.bin", headers=auth).status_code == 404


def test_an_empty_file_and_one_too_long_over_rest(
    server: Server, place: MadePlace, make_key: Callable[..., str]
) -> None:
    auth = {"authorization": make_key(ROLE_EDITOR, project=place.project)}
    url = f"http://{server.rest}/api/v1/projects/{place.project}/environments/staging/files/a"
    assert httpx.put(url, content=b"", headers=auth).json()["contentType"] == "application/octet-stream"
    assert httpx.get(url, headers=auth).content == b""
    assert httpx.put(url, content=b"x" * (8 * 1024 * 1024 + 1), headers=auth).status_code == 413
