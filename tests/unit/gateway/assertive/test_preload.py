"""The file of stubs that are there from the start."""

import json
from typing import Any

import pytest
from understudy_gateway.dialects.assertive import preload, stubs
from understudy_gateway.dialects.assertive.preload import PreloadError

STUB: dict[str, Any] = {
    "request": {"path": "/hello"},
    "action": {"response": {"status_code": 200, "headers": {}, "body": "hello"}},
}


def read(root: Any) -> list[preload.Preloaded]:
    return preload.read(json.dumps(root).encode())


def test_a_list_and_an_object_with_one_are_read() -> None:
    assert read([STUB]) == [preload.Preloaded(None, stubs.translate(STUB))]
    assert read({"stubs": [STUB, STUB]}) == [*read([STUB]), *read([STUB])]
    assert read([]) == []


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ({"stub_id": "a"}, "a"),
        ({"id": "b"}, "b"),
        ({"stub_id": "a", "id": "b"}, "a"),
        ({"stub_id": None, "id": "b"}, "b"),
        ({"id": " my stub "}, "my stub"),
        ({"id": 7}, "7"),
        ({"id": None}, None),
    ],
)
def test_an_entry_may_have_an_id(ids: dict[str, Any], expected: str | None) -> None:
    assert [each.stub_id for each in read([{**STUB, **ids}])] == [expected]


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ({}, "must be a JSON list"),
        ({"stubs": {}}, "must be a JSON list"),
        (5, "must be a JSON list"),
        ([STUB, 5], "Stub 2 must be an object"),
        ([{**STUB, "scope": None}], "Stub 1 cannot define scope"),
        ([{"request": {}}], "Stub 1: Invalid stub payload: body.action: Field required"),
        ([{**STUB, "chaos": {"connection_drop": {}}}], "chaos.faults.connection_drop"),
        ([{**STUB, "request": {"body": {"$gt": 5}}}], r"Invalid stub payload: body.request.body.\$gt"),
        ([{**STUB, "stub_id": "  "}], "id cannot be empty"),
        ([{**STUB, "stub_id": "", "id": "b"}], "id cannot be empty"),
        ([{**STUB, "id": []}], "Stub 1: its id must be a text"),
        ([{**STUB, "id": "é" * 40}], "the id is too long"),
        ([{**STUB, "id": "a"}, STUB, {**STUB, "id": "a"}], "Stub 3 has the id 'a' of stub 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_the_documented_words(root: Any, words: str) -> None:
    with pytest.raises(PreloadError, match=words):
        read(root)


def test_what_is_no_json_is_refused_with_its_place() -> None:
    with pytest.raises(PreloadError, match=r"Invalid JSON .* at line 2, column 1"):
        preload.read(b"[\n}")
    with pytest.raises(PreloadError, match="Invalid JSON"):
        preload.read(b"")
