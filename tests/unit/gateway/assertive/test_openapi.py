"""The document of the control plane: valid, and true of what is taken and answered."""

import json
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate
from support.assertive_door import Door, stub
from understudy_gateway.dialects.assertive import openapi, payloads
from understudy_gateway.dialects.assertive.control import Control, find
from understudy_gateway.dialects.assertive.validation import Invalid

RESPONSE: dict[str, Any] = {"status_code": 200, "headers": {}, "body": ""}
STUBS: list[Any] = [
    stub(),
    stub(request={}),
    stub(request={"path": None, "method": {"$eq": {"value": "GET"}}, "headers": {"x": "1"}, "body": [1], "host": "h"}),
    stub(action={"response": {**RESPONSE, "headers": {"X": 1}}}, max_calls=0, chaos={}),
    stub(action={"response": {"status_code": 599, "headers": {}, "template_body": "a"}, "proxy": None}),
    stub(action={"proxy": {"url": "http://localhost/a"}}, chaos={"latency": {"base_ms": 1}}),
    stub(action={"sse": {"events": [{"data": "a", "retry": 1, "id": None}], "default_delay_ms": 5}}),
    stub(chaos={"faults": {"connection_drop": {"probability": 0.5}}}),
    # What is not one.
    {},
    [],
    {"request": {}},
    stub(request={"path": 5}),
    stub(request={"headers": "x"}),
    stub(action={"response": {"headers": {}, "body": ""}}),
    stub(action={"response": {**RESPONSE, "status_code": 199}}),
    stub(action={"response": {**RESPONSE, "headers": {"X": []}}}),
    stub(action={"proxy": {"url": 5}}),
    stub(action={"proxy": {"url": "http://localhost/a", "timeout": 0}}),
    stub(action={"sse": {"events": []}}),
    stub(action={"sse": {"events": [{"data": "a", "delay_ms": 120_001}]}}),
    stub(max_calls=1.5),
    stub(chaos={"latency": {"base_ms": -1}}),
    stub(chaos={"faults": {"connection_drop": {"probability": 2}}}),
]


def schema(name: str) -> Any:
    document = openapi.document()
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def test_the_document_is_valid() -> None:
    validate(json.loads(openapi.text()))


def test_every_call_that_is_no_part_of_a_page_is_in_it_and_nothing_else() -> None:
    documented = set()
    for path, operations in openapi.document()["paths"].items():
        for method in operations:
            found = find(method.upper(), path)
            assert found is not None, path
            documented.add(found.control)
    parts = {Control.STUBS_PANEL, Control.REQUESTS_PANEL, Control.SCOPES_PANEL, Control.ASSET}
    deletions = {Control.STUB_DELETION, Control.SCOPE_DELETION}
    assert documented == set(Control) - parts - deletions - {Control.DOCS, Control.DOCUMENT}


def test_ids_of_calls_are_there_once() -> None:
    ids = [each["operationId"] for path in openapi.document()["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("payload", STUBS)
def test_a_stub_is_as_documented_if_it_is_taken(payload: Any) -> None:
    try:
        payloads.stub(payload)
    except Invalid:
        taken = False
    else:
        taken = True
    assert schema("Stub").is_valid(payload) is taken


def test_examples_are_taken() -> None:
    schemas = openapi.document()["components"]["schemas"]
    payloads.stub(schemas["Stub"]["example"])
    payloads.assertion(schemas["Assertion"]["example"])
    payloads.assertion({"path": schemas["Criterion"]["example"]})
    payloads.scope_name({"name": schemas["Scope"]["properties"]["name"]["example"]})


async def test_answers_are_as_documented(door: Door) -> None:
    await door.make_scope("team-a")
    made = await door.make_stub("team-a")
    await door.make_stub(chaos={"faults": {"connection_drop": {}}})
    await door.record("/called", "team-a", f"ovr_{made}", body=b"x")
    refused = await door.post("/__mock__/stubs", {}, status=422)
    answers = {
        "Welcome": await door.get("/__mock__"),
        "Stubs": await door.get("/__mock__/stubs", "team-a"),
        "Requests": await door.get("/__mock__/requests", "team-a"),
        "Result": await door.post("/__mock__/assert", {}),
        "Scopes": await door.get("/__mock__/scopes"),
        "StubCreated": await door.delete(f"/__mock__/stubs/{made}", "team-a"),
        "ScopeCreated": await door.delete("/__mock__/scopes/team-a"),
        "Problem": await door.delete("/__mock__/scopes/team-a", status=404),
        "Invalid": refused,
    }
    elsewhere = await door.http.get("/__mock__", headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
    schema("Problem").validate(elsewhere.json())
    for name, answer in answers.items():
        schema(name).validate(answer)
