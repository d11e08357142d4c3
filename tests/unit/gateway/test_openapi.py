import json
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from support import synthetic
from understudy.v1 import mock_service_pb2, session_service_pb2
from understudy_gateway.transcoding import comments
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.json_encode import Encoders, dump
from understudy_gateway.transcoding.openapi import document

DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def operation(method: str, path: str) -> Any:
    return DOCUMENT["paths"][path][method]


def parameter(found: Any, name: str) -> Any:
    return next(each for each in found["parameters"] if each["name"] == name)


@cache
def validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole)


def is_valid(schema: str, value: Any) -> bool:
    return validator(schema).is_valid(value)


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_the_document_of_what_understudy_does_not_use_yet_is_valid() -> None:
    made = document(synthetic.contract())
    validate(made)
    assert "text/event-stream" in made["paths"]["/things/{name}:watch"]["get"]["responses"]["200"]["content"]


def test_the_document_is_the_same_every_time() -> None:
    assert json.dumps(document()) == json.dumps(DOCUMENT)


def test_every_route_is_in_it() -> None:
    names = {each["operationId"] for path in DOCUMENT["paths"].values() for each in path.values()}
    assert {method.name for method in understudy().methods()} <= names


def test_every_operation_and_parameter_is_described() -> None:
    for path in DOCUMENT["paths"].values():
        for each in path.values():
            assert each["description"]
            assert all(one["description"] for one in each.get("parameters", []))


def test_every_example_fits_its_schema() -> None:
    fields = {
        f"{name}/properties/{key}": field
        for name, schema in SCHEMAS.items()
        for key, field in schema.get("properties", {}).items()
    }
    # One schema for all: each has every component within it, which takes long to read.
    each_example = {name: {"items": {"$ref": f"#/components/schemas/{name}"}} for name in fields}
    whole = jsonschema_rs.Draft202012Validator({"properties": each_example, "components": DOCUMENT["components"]})
    examples = {name: field["examples"] for name, field in fields.items() if "examples" in field}
    assert len(examples) > 100
    assert [(each.instance_path, each.message) for each in whole.iter_errors(examples)] == []


def test_examples_are_taken_out_of_the_descriptions() -> None:
    assert "Example:" not in json.dumps(DOCUMENT)


def test_a_public_call_says_how_it_fails() -> None:
    responses = operation("put", "/api/v1/sessions/{sessionKey}")["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "412", "413", "422", "429", "500", "503", "default"}


def test_a_body_that_may_be_longer_than_others_says_how_long() -> None:
    assert "16777216 bytes" in operation("post", "/api/v1/manifest:apply")["requestBody"]["description"]
    assert "description" not in operation("post", "/api/v1/projects")["requestBody"]


def test_a_body_of_bytes_may_be_of_any_type() -> None:
    file = "/api/v1/projects/{project}/environments/{environment}/files/{name}"
    body, answer = operation("put", file)["requestBody"], operation("get", file)["responses"]["200"]
    assert set(body["content"]) == set(answer["content"]) == {"*/*"}
    assert "8388608 bytes" in body["description"]


def test_a_logged_body_is_json() -> None:
    assert set(operation("get", "/api/v1/logs/{logId}/body")["responses"]["200"]["content"]) == {"application/json"}


def test_a_conflict_is_named_where_the_contract_speaks_of_it() -> None:
    update = operation("patch", "/api/v1/projects/{project}/environments/{environment}/mocks/{mockId}")
    assert "412" in update["responses"]
    assert "409" in operation("post", "/api/v1/projects")["responses"]


def test_what_is_named_in_the_path_may_not_exist_and_a_revision_may_be_another() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for found in methods.values():
            names = [each["name"] for each in found.get("parameters", ())]
            assert "404" in found["responses"] or "{" not in path
            assert ("412" in found["responses"]) == ("if-match" in names)


def test_errors_and_headers_have_the_names_that_they_have_over_rest() -> None:
    # One schema may be shared by answers and requests, so all of the document is looked through.
    text = dump(DOCUMENT).decode()
    assert "invalid_body" in text
    assert "invalid_field" not in text
    assert "expected_revision" not in text


def test_limits_are_bounds() -> None:
    delay = SCHEMAS["PutSessionRequest"]["properties"]["globalDelayMs"]
    assert (delay["type"], delay["minimum"], delay["maximum"]) == (["integer", "null"], 0, 120_000)
    limit = parameter(operation("get", "/api/v1/sessions/{sessionKey}/logs"), "limit")["schema"]
    assert limit == {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}


@pytest.mark.parametrize(("key", "valid"), [("checkout", True), ("a-1", True), ("Checkout", False), ("a\n", False)])
def test_keys_of_a_map_have_their_form(key: str, *, valid: bool) -> None:
    whole = {**SCHEMAS["ManifestInput"]["properties"]["projects"], "components": DOCUMENT["components"]}
    assert jsonschema_rs.Draft202012Validator(whole).is_valid({key: {}}) is valid


def test_an_enum_is_lower_case() -> None:
    mode = parameter(operation("delete", "/api/v1/sessions/{sessionKey}"), "mode")
    assert mode["schema"]["enum"] == ["reset", "delete"]


def test_headers_are_named() -> None:
    path = "/api/v1/projects/{project}/environments/{environment}/mocks/{mockId}"
    assert parameter(operation("patch", path), "if-match")["in"] == "header"
    assert "etag" in operation("get", path)["responses"]["200"]["headers"]


def test_a_verb_is_part_of_its_path() -> None:
    assert operation("post", "/api/v1/keys/{keyId}:revoke")["operationId"] == "RevokeKey"


def test_the_key_is_asked_for_everywhere() -> None:
    assert DOCUMENT["security"] == [{"key": []}]
    assert DOCUMENT["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ("PutSessionRequest", {}, True),
        ("PutSessionRequest", {"label": None, "overrides": [], "anything": 1}, True),
        ("PutSessionRequest", {"overrides": None}, False),
        ("PutSessionRequest", {"label": "x" * 201}, False),
        ("MockInput", {"name": "a"}, True),
        ("MockInput", {"name": "a", "state": 7}, True),
        ("MockInput", {}, False),
        ("MockInput", {"name": "a", "nothing": 1}, False),
        ("MockPatch", {}, True),
        ("RespondInput", {"json": None}, True),
        ("RespondInput", {"json": {}, "text": ""}, False),
        ("RespondInput", {"status": 0}, True),
        ("RespondInput", {"status": 100}, False),
        ("RequestMatcherInput", {"method": ""}, True),
        ("RequestMatcherInput", {"method": "get"}, False),
        ("CriterionInput", {"jsonSubset": [1, {"a": None}]}, True),
        ("CriterionInput", {"not": {"all": {"criteria": [{"equals": "a"}]}}}, True),
        ("CriterionInput", {"not": {"all": {"criteria": [{"equals": 1}]}}}, False),
        ("CriterionInput", {"equals": "a", "ignoreCase": True}, True),
        ("CriterionInput", {"equals": "a", "contains": "b"}, False),
        ("CriterionInput", {}, False),
        ("FaultInput", {"kind": "cut", "probability": 0.5, "fraction": 0}, True),
        ("FaultInput", {"kind": "cut", "probability": 1.5}, False),
        ("FaultInput", {"kind": "cut", "fraction": -0.1}, False),
        ("MockPatch", {"matcher": {"body": {"ignoreCase": True}}, "machine": {"next": "paid"}}, True),
        ("MockPatch", {"action": {"respond": None, "sequence": {"order": "cyclic"}}, "tags": None}, True),
        ("MockPatch", {"matcher": {"query": {"a": {}}}}, False),
        ("MockPatch", {"action": {"nothing": 1}}, False),
        ("EnvironmentChangesPatch", {"cors": None}, False),
    ],
)
def test_a_request_schema_takes_what_the_contract_takes(schema: str, value: Any, *, valid: bool) -> None:
    assert is_valid(schema, value) is valid


def test_the_answers_fit_their_schemas() -> None:
    session: Any = session_service_pb2.Session()
    mock: Any = mock_service_pb2.Mock(name="a")
    mock.matcher.query["a"].equals = "b"
    mock.action.respond.json = "null"
    encoders = Encoders()
    whole = dump(encoders.of(session.DESCRIPTOR, whole_body=True).value(session))
    assert is_valid("Session", json.loads(whole))
    for name, message in (("SessionEntry", session), ("MockEntry", mock)):
        assert is_valid(name, json.loads(dump(encoders.of(message.DESCRIPTOR).value(message))))


@pytest.mark.parametrize(
    ("comment", "description", "examples"),
    [
        ("", "", []),
        ("Plain.", "Plain.", []),
        (" One\n line.\n\n Two.", "One line.\n\nTwo.", []),
        ('Name. Example: "a"', "Name.", ["a"]),
        ("Cursor; null for none.\n Example: null", "Cursor; null for none.", [None]),
        ('Body. Example: {"a": [1]}', "Body.", [{"a": [1]}]),
    ],
)
def test_a_comment_is_a_description_and_an_example(comment: str, description: str, examples: list[Any]) -> None:
    note = comments.read(comment)
    assert (note.description, note.examples) == (description, examples)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_a_comment_without_an_example_is_read_whatever_it_says(text: str) -> None:
    assert comments.read(text.replace("Example: ", "")).examples == []
