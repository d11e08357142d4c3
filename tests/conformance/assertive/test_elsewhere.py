"""What a scope, a stub and a call are to the rest of Understudy."""

import json
from typing import Any

import pytest
from e2e.conftest import understudy
from support.assertive_server import AssertiveServer, AssertiveUser, text
from support.plain_app import PlainApp
from understudy.v1.log_service_pb2 import DeleteLogsRequest
from understudy.v1.log_service_pb2_grpc import LogServiceStub
from understudy.v1.mock_service_pb2 import CreateMockRequest, Mock, PublishMockRequest
from understudy.v1.mock_service_pb2_grpc import MockServiceStub
from understudy.v1.session_service_pb2 import DeleteSessionRequest, GetSessionRequest, PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub

PLACE: dict[str, Any] = {"project": "assertive", "environment": "default"}
KEY_HEADER = "x-flowmock-session"


@pytest.fixture
def run(assertive: AssertiveServer) -> Any:
    """Runs a command on the server, in the place of the dialect; what it printed as JSON."""
    here = ("--project", "assertive", "--environment", "default", "--data", assertive.server.data, "--json")

    def command(*words: str) -> Any:
        done = understudy(*words, *here)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return command


def test_scopes_stubs_and_calls_are_sessions_mocks_and_logs(run: Any, scoped: AssertiveUser, path: str) -> None:
    own = scoped.stub({"path": path, "method": "GET"}, text("own"))
    everybodys = scoped.unscoped.stub({"path": path}, text("all"))
    assert scoped.said("GET", path) == (200, "own")
    assert scoped.said("POST", path) == (200, "all")
    assert scoped.ask("GET", path + "/unknown").status_code == 404

    assert scoped.scope in [each["session"]["sessionKey"] for each in run("session", "list")["sessions"]]
    assert [each["id"] for each in run("session-mock", "list", scoped.scope)["mocks"]] == [f"ovr_{own}"]
    mocks = {each["id"]: each for each in run("mock", "list", "--active", "--page-size", "1000")["mocks"]}
    assert f"ovr_{everybodys}" in mocks
    assert f"ovr_{own}" not in mocks
    logs = run("logs", scoped.scope)
    assert [(each["method"], each["path"], each["status"], each["overrideId"]) for each in logs["logs"]] == [
        ("GET", path + "/unknown", 404, None),
        ("POST", path, 200, f"ovr_{everybodys}"),
        ("GET", path, 200, f"ovr_{own}"),
    ]


def test_a_call_is_explained(run: Any, scoped: AssertiveUser) -> None:
    stub = scoped.stub({"path": "/a", "method": "POST"})
    scoped.ask("POST", "/a")
    scoped.ask("GET", "/a")
    missed, matched = run("logs", scoped.scope)["logs"]
    assert stub in json.dumps(run("explain", matched["id"]))
    assert "method" in json.dumps(run("explain", missed["id"]))


def test_a_session_that_is_deleted_elsewhere_is_a_scope_that_is_gone(run: Any, user: AssertiveUser, path: str) -> None:
    with user.in_new_scope("team-elsewhere") as scoped:
        scoped.stub({"path": path})
        assert scoped.said("GET", path) == (200, "here")
        run("session", "delete", "team-elsewhere")
        assert "team-elsewhere" not in user.scopes()
        assert scoped.said("GET", path) == (404, "NO_STUB_MATCH_FOUND")
        with user.in_new_scope("Team-Elsewhere") as again:
            assert again.requests(path)[-1]["scope"] is None
            assert [each for each in again.stubs() if each["scope"]] == []


@pytest.fixture
def sessions(assertive: AssertiveServer) -> Any:
    return SessionServiceStub(assertive.server.owner)


@pytest.fixture
def keyed(assertive: AssertiveServer, sessions: Any, path: str) -> Any:
    """A session of FlowMock's kind, for which a mock is switched on that is off for everybody else."""
    stub = MockServiceStub(assertive.server.owner)
    mock = Mock(id=f"ovr{path.replace('/', '_')}", name="of the key")
    mock.matcher.path = path
    mock.action.respond.status, mock.action.respond.text = 200, "for the key"
    stub.CreateMock(CreateMockRequest(**PLACE, mock=mock))
    stub.PublishMock(PublishMockRequest(**PLACE, mock_id=mock.id))
    sessions.PutSession(PutSessionRequest(**PLACE, session_key="ci-42", overrides=[mock.id]))
    yield mock.id
    sessions.DeleteSession(DeleteSessionRequest(**PLACE, session_key="ci-42"))


def test_a_key_selects_its_session_beside_scopes(keyed: str, scoped: AssertiveUser, path: str) -> None:
    nobody = scoped.unscoped
    assert nobody.said("GET", path, headers={KEY_HEADER: "ci-42"}) == (200, "for the key")
    assert nobody.said("GET", path) == (404, "NO_STUB_MATCH_FOUND")
    assert scoped.said("GET", path) == (404, "NO_STUB_MATCH_FOUND")


def test_a_session_with_a_key_is_no_scope(keyed: str, user: AssertiveUser, path: str) -> None:
    assert "ci-42" not in user.scopes()
    assert user.said("GET", path, headers={"ci-42": "1"}) == (404, "NO_STUB_MATCH_FOUND")
    assert user.ask("DELETE", "/__mock__/scopes/ci-42").status_code == 404
    assert user.said("GET", path, headers={KEY_HEADER: "ci-42"}) == (200, "for the key")


def test_a_scope_cannot_have_the_name_of_a_session_with_a_key(keyed: str, user: AssertiveUser, path: str) -> None:
    answer = user.ask("POST", "/__mock__/scopes", json={"name": "CI-42"})
    assert (answer.status_code, set(answer.json())) == (409, {"detail"})
    assert "ci-42" not in user.scopes()
    assert user.said("GET", path, headers={KEY_HEADER: "ci-42"}) == (200, "for the key")


def test_a_scope_is_not_selected_by_its_name_as_a_key(sessions: Any, scoped: AssertiveUser, path: str) -> None:
    scoped.stub({"path": path})
    assert scoped.unscoped.said("GET", path, headers={KEY_HEADER: scoped.scope}) == (404, "NO_STUB_MATCH_FOUND")
    assert sessions.GetSession(GetSessionRequest(**PLACE, session_key=scoped.scope)).session


def test_the_shared_proxy_answers_alike(assertive: AssertiveServer, scoped: AssertiveUser, path: str) -> None:
    scoped.stub({"path": path}, text("own"))
    proxy = PlainApp(assertive.server.proxy.removeprefix("http://"), "/assertive/default")
    answer = proxy.ask("GET", path, f"{scoped.scope}: 1")
    assert (answer.status, answer.body) == (200, b"own")
    assert len(scoped.requests(path)) == 1
    # The control plane is at the dialect's own address alone.
    assert proxy.ask("GET", "/__mock__").status == 404


def test_calls_that_were_removed_elsewhere_are_not_counted_any_more(
    assertive: AssertiveServer, scoped: AssertiveUser, path: str
) -> None:
    logs = LogServiceStub(assertive.server.owner)
    for count in (1, 2):
        scoped.ask("GET", path)
        assert scoped.called(path, times=count)
    logs.DeleteLogs(DeleteLogsRequest(**PLACE, session_key=scoped.scope))
    assert (scoped.called(path, times=0), scoped.requests(path)) == (True, [])
    for count in (1, 2, 3):
        scoped.ask("GET", path)
        assert scoped.called(path, times=count)
