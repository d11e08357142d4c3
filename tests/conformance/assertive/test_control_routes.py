"""Section 2: the routes of the control plane, what they answer, and that all the rest is ordinary traffic."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from support.assertive_server import NO_MATCH, AssertiveUser, text

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
WELCOME = {
    "message": "Welcome to the Assertive Mock API Server!",
    "available_endpoints": [
        "/__mock__/scopes",
        "/__mock__/scopes (GET list)",
        "/__mock__/stubs",
        "/__mock__/stubs/{stub_id}",
        "/__mock__/assert",
        "/__mock__/requests",
        "/__admin__",
    ],
}
NO_ROUTES = (
    ("GET", "/__mock__/"),
    ("GET", "/__mock"),
    ("GET", "/__mock__/nothing"),
    ("PUT", "/__mock__/stubs"),
    ("POST", "/__mock__/stubs/"),
    ("OPTIONS", "/__mock__/stubs"),
    ("HEAD", "/__mock__/requests"),
    ("GET", "/__mock__/stubs/an-id"),
    ("PATCH", "/__mock__/stubs/an-id"),
    ("DELETE", "/__mock__/stubs"),
    ("DELETE", "/__mock__/stubs/an-id/more"),
    ("DELETE", "/__mock__/requests"),
    ("POST", "/__mock__/requests"),
    ("GET", "/__mock__/assert"),
    ("DELETE", "/__mock__/scopes"),
    ("GET", "/__mock__/scopes/team-z"),
    ("POST", "/__mock__/reset"),
    ("GET", "/__MOCK__/stubs"),
    ("GET", "/x/__mock__/stubs"),
    ("GET", "//__mock__/stubs"),
    ("GET", "/__admin__/"),
    ("POST", "/__admin__"),
    ("GET", "/__admin__/nothing"),
    ("POST", "/__admin__/stubs/new"),
    ("GET", "/__admin__/partials/nothing"),
    ("GET", "/__admin__/actions/stubs/an-id"),
    ("POST", "/docs"),
    ("GET", "/docs/"),
    ("POST", "/openapi.json"),
)


@pytest.mark.parametrize("method", METHODS)
def test_the_root_tells_what_there_is_whatever_the_method(user: AssertiveUser, method: str) -> None:
    answer = user.ask(method, "/__mock__")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    if method == "HEAD":
        assert answer.content == b""
    else:
        assert answer.json() == WELCOME


def test_a_query_does_not_make_it_another_route(user: AssertiveUser) -> None:
    assert user.ask("GET", "/__mock__?probe=1").json() == WELCOME
    assert "stubs" in user.ask("GET", "/__mock__/stubs?page=2").json()


@pytest.mark.parametrize("target", ["/%5F%5Fmock__/scopes", "/__mock__%2Fscopes", "http://mock/__mock__/scopes?a=1"])
def test_a_route_may_be_written_in_other_ways(user: AssertiveUser, target: str) -> None:
    answer = user.write("GET", target)
    assert (answer.status, set(answer.json())) == (200, {"scopes"})


def test_a_body_in_chunks_is_read(user: AssertiveUser) -> None:
    answer = user.ask(
        "POST", "/__mock__/assert", content=iter([b"{", b"}"]), headers={"content-type": "application/json"}
    )
    assert set(answer.json()) == {"result"}


def test_a_stub_is_made_with_an_id_of_its_own(user: AssertiveUser, path: str) -> None:
    answer = user.post_stub({"request": {"path": path}, "action": text()})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    assert (set(body), body["success"]) == ({"success", "stub_id"}, True)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", body["stub_id"])
    assert user.view(body["stub_id"])["request"]["path"] == path


def test_a_stub_is_in_force_with_the_answer_that_made_it(user: AssertiveUser, path: str) -> None:
    for number in range(10):
        stub = user.stub({"path": path}, text(f"version {number}"))
        assert user.said("GET", path) == (200, f"version {number}")
        assert user.delete_stub(stub) == 200
        assert user.said("GET", path) == NO_MATCH


def test_a_deleted_stub_is_named_and_is_there_no_more(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path})
    answer = user.ask("DELETE", f"/__mock__/stubs/{stub}")
    assert (answer.status_code, answer.json()) == (200, {"success": True, "stub_id": stub})
    again = user.ask("DELETE", f"/__mock__/stubs/{stub}")
    assert (again.status_code, again.json()) == (404, {"detail": f"Stub '{stub}' was not found"})
    assert stub not in [each["stub_id"] for each in user.stubs()]


@pytest.mark.parametrize("stub", ["no-such", "a b", "%C3%A9"])
def test_an_unknown_stub_is_named_in_the_404(user: AssertiveUser, stub: str) -> None:
    answer = user.ask("DELETE", f"/__mock__/stubs/{stub}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"Stub '{stub.replace('%C3%A9', 'é')}' was not found"


def test_what_was_called_is_listed(user: AssertiveUser, path: str) -> None:
    user.ask("GET", path)
    answer = user.ask("GET", "/__mock__/requests")
    assert (answer.status_code, set(answer.json())) == (200, {"requests"})
    assert [each["method"] for each in user.requests(path)] == ["GET"]


def test_an_assertion_is_true_or_false(user: AssertiveUser, path: str) -> None:
    user.ask("GET", path)
    for wanted, result in ((path, True), (path + "/other", False)):
        answer = user.ask("POST", "/__mock__/assert", json={"path": wanted})
        assert (answer.status_code, answer.json()) == (200, {"result": result})


@pytest.fixture
def names(user: AssertiveUser) -> Iterator[tuple[str, str]]:
    """Names of two scopes that are removed in the end."""
    made = ("Team-One", "TEAM_two")
    yield made
    for each in made:
        user.ask("DELETE", f"/__mock__/scopes/{each}")


def test_scopes_are_made_listed_and_deleted_in_lower_case(user: AssertiveUser, names: tuple[str, str]) -> None:
    for each in names:
        answer = user.ask("POST", "/__mock__/scopes", json={"name": each})
        assert (answer.status_code, answer.json()) == (201, {"success": True, "name": each.lower()})
    assert user.scopes()[-2:] == ["team-one", "team_two"]
    answer = user.ask("DELETE", "/__mock__/scopes/team-ONE")
    assert (answer.status_code, answer.json()) == (200, {"success": True, "name": "team-one"})
    assert "team-one" not in user.scopes()


def test_scopes_are_listed_in_the_order_in_which_they_were_made(user: AssertiveUser) -> None:
    before = user.scopes()
    names = ["zebra", "ant", "0", "_", "Mole"]
    with ExitStack() as scopes:
        for each in names:
            scopes.enter_context(user.in_new_scope(each))
        assert user.scopes() == [*before, "zebra", "ant", "0", "_", "mole"]
    assert user.scopes() == before


def test_a_scope_that_is_there_is_not_made_again(user: AssertiveUser, names: tuple[str, str]) -> None:
    user.ask("POST", "/__mock__/scopes", json={"name": names[0]})
    answer = user.ask("POST", "/__mock__/scopes", json={"name": names[0].upper()})
    assert (answer.status_code, answer.json()) == (409, {"detail": "Scope 'TEAM-ONE' already exists"})


@pytest.mark.parametrize("name", ["No-Such", "not%20a%20name", "%C3%A9"])
def test_a_scope_that_is_not_there_cannot_be_deleted(user: AssertiveUser, name: str) -> None:
    # A name outside the pattern breaks the product. It is as little there as any other.
    answer = user.ask("DELETE", f"/__mock__/scopes/{name}")
    shown = name.replace("%20", " ").replace("%C3%A9", "é")
    assert (answer.status_code, answer.json()) == (404, {"detail": f"Scope '{shown}' was not found"})


@pytest.mark.parametrize(("method", "target"), NO_ROUTES, ids=[" ".join(each) for each in NO_ROUTES])
def test_anything_else_is_a_call(user: AssertiveUser, method: str, target: str) -> None:
    answer = user.write(method, target)
    assert (answer.status, answer.body.decode()) == (404, "" if method == "HEAD" else NO_MATCH[1])
    assert user.asserts(path=target, method=method)


def test_what_is_no_route_can_be_a_stub(scoped: AssertiveUser) -> None:
    scoped.stub({"path": "/__mock__/reset", "method": "POST"}, text("mine"))
    assert scoped.said("POST", "/__mock__/reset") == (200, "mine")


def test_what_is_a_route_cannot_be_a_stub(scoped: AssertiveUser) -> None:
    scoped.stub({}, text("mine"))
    assert scoped.ask("GET", "/__mock__").json() == WELCOME
    assert set(scoped.ask("GET", "/__mock__/stubs").json()) == {"stubs"}


def test_calls_of_the_control_plane_are_not_on_record(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path})
    user.post_stub({"request": {}})
    user.asserts(path=path)
    user.stubs()
    user.delete_stub(stub)
    for target in ("/__admin__", "/__admin__/partials/stubs", "/docs", "/openapi.json", "/__mock__/requests"):
        assert user.ask("GET", target).status_code == 200
    for method, target in (
        ("POST", "/__mock__/stubs"), ("GET", "/__mock__/stubs"), ("POST", "/__mock__/assert"), ("GET", "/__admin__"),
        ("DELETE", f"/__mock__/stubs/{stub}"), ("GET", "/__admin__/partials/stubs"), ("GET", "/docs"),
        ("GET", "/openapi.json"), ("GET", "/__mock__/requests"),
    ):  # fmt: skip
        assert not user.asserts(method=method, path=target)


def test_scopes_may_be_made_by_many_at_once_but_each_only_once(user: AssertiveUser) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: user.ask("POST", "/__mock__/scopes", json={"name": "crowd"}), range(8)))
    assert sorted(each.status_code for each in made) == [201] + [409] * 7
    assert user.ask("DELETE", "/__mock__/scopes/crowd").status_code == 200
