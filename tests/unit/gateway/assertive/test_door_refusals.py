"""What is sent wrongly, and what the server refuses, over the door: in the words and shapes of the product."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.assertive_door import Door, open_door, stub
from understudy_server.core.errors import StorageFailure

RESPONSE: dict[str, Any] = {"status_code": 200, "headers": {}, "body": ""}


async def refused(door: Door, payload: Any, path: str = "/__mock__/stubs") -> dict[str, Any]:
    (problem,) = (await door.post(path, payload, status=422))["detail"]
    assert isinstance(problem, dict)
    return problem


async def test_both_bodies_are_refused_with_the_words_of_the_product(door: Door) -> None:
    response = {**RESPONSE, "template_body": ""}
    problem = await refused(door, stub(action={"response": response}))
    assert problem == {
        "type": "value_error",
        "loc": ["body", "action", "response"],
        "msg": "Value error, Exactly one of body or template_body must be provided.",
        "input": response,
        "ctx": {"error": {}},
    }


@pytest.mark.parametrize("path", ["/__mock__/stubs", "/__mock__/assert", "/__mock__/scopes"])
async def test_malformed_json_is_refused_at_its_place(door: Door, path: str) -> None:
    answer = await door.http.post(path, content=b'{"a": }', headers={"content-type": "application/json"})
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["type"], problem["loc"], problem["msg"]) == ("json_invalid", ["body", 6], "JSON decode error")
    assert problem["ctx"] == {"error": "Expecting value"}


@pytest.mark.parametrize("path", ["/__mock__/stubs", "/__mock__/assert", "/__mock__/scopes"])
async def test_no_body_is_one_that_is_missing(door: Door, path: str) -> None:
    answer = await door.http.post(path)
    assert answer.status_code == 422
    assert answer.json() == {"detail": [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}]}


async def test_text_is_refused_and_no_content_type_is_read_as_json(door: Door) -> None:
    content = json.dumps({"name": "team-a"}).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = await door.http.post("/__mock__/scopes", content=content, headers={"content-type": content_type})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == "model_attributes_type"
    request = door.http.build_request("POST", "/__mock__/scopes", content=content)
    assert "content-type" not in request.headers
    assert (await door.http.send(request)).status_code == 201


async def test_a_pattern_that_re2_has_not_is_refused_where_it_stands(door: Door) -> None:
    wanted = {"$regex": {"pattern": "a(?!b)"}}
    problem = await refused(door, stub(request={"path": wanted}))
    assert (problem["type"], problem["loc"]) == ("value_error", ["body", "request", "path"])
    assert problem["msg"] == "Value error, request.path is no pattern of RE2: invalid perl operator: (?!"
    assert problem["input"] == wanted
    problem = await refused(door, {"headers": {"x-a": wanted}}, "/__mock__/assert")
    assert problem["loc"] == ["body", "headers"]
    assert "is no pattern of RE2" in problem["msg"]


@pytest.mark.parametrize("scope", ["", "team-a"])
@pytest.mark.parametrize(
    ("payload", "loc"),
    [
        (stub(request={"body": "b" * 65_537}), ["request", "body"]),
        (stub(request={"path": "/" + "p" * 2_100}), ["request", "path"]),
        (stub(action={"response": {**RESPONSE, "body": "b" * 1_048_577}}), ["action", "response", "body"]),
        (
            stub(action={"response": {**RESPONSE, "headers": {f"x-{n}": "" for n in range(65)}}}),
            ["action", "response", "headers"],
        ),
        (stub(action={"sse": {"events": [{"data": "", "id": "i" * 1_025}]}}), ["action", "sse", "events"]),
        (stub(action={"sse": {"events": [{"data": ""}] * 1_001}}), ["action", "sse", "events"]),
    ],
)
async def test_what_is_too_much_for_a_mock_is_refused(
    door: Door, scope: str, payload: dict[str, Any], loc: list[str]
) -> None:
    if scope:
        await door.make_scope(scope)
    (problem,) = (await door.post("/__mock__/stubs", payload, scope, status=422))["detail"]
    assert problem["loc"] == ["body", *loc]
    assert problem["msg"].startswith("Value error, ")
    assert await door.stub_ids(scope) == []


async def test_a_scope_has_no_more_stubs_than_a_session_may_own(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy_server.app.session_mocks.MOCKS_MAX", 2)
    await door.make_scope("team-a")
    for _ in range(2):
        await door.make_stub("team-a")
    (problem,) = (await door.post("/__mock__/stubs", stub(), "team-a", status=422))["detail"]
    assert problem["loc"] == ["body"]
    assert len(await door.stub_ids("team-a")) == 2


async def test_a_body_that_is_too_long_is_not_kept(tmp_path: Path) -> None:
    async with open_door(tmp_path, body_bytes_max=1_000) as door:
        answer = await door.http.post("/__mock__/stubs", content=b"x" * 1_001)
        assert (answer.status_code, answer.json()) == (413, {"detail": "The body is longer than 1000 bytes."})
        assert await door.stub_ids() == []


async def test_what_is_no_call_of_the_control_plane_is_not_found(door: Door) -> None:
    answer = await door.http.get("/hello")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_a_store_that_cannot_be_read_is_said_to_be_so(door: Door) -> None:
    door.desk.world.journal.failing = StorageFailure("the disk is full")
    for method, path, payload in (("GET", "/__mock__/requests", None), ("POST", "/__mock__/assert", {})):
        answer = await door.http.request(method, path, json=payload)
        assert answer.status_code == 503
        assert "detail" in answer.json()


async def test_a_fault_of_ours_says_nothing_of_itself(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("a secret")

    door.backend.before["ListSessions"] = fail
    answer = await door.http.get("/__mock__/scopes")
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})
    assert "a secret" in caplog.text


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_every_method_is_welcome(door: Door, method: str) -> None:
    answer = await door.http.request(method, "/__mock__")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) > 100
    if method == "HEAD":
        assert answer.content == b""
        return
    assert answer.json() == {
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
