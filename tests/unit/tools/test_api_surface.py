"""The listing of the API surface: complete, and different whenever the API is."""

import api_surface
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet


def described(number: int = 1, name: str = "size_bytes", kind: int = FieldDescriptorProto.TYPE_INT64) -> bytes:
    file = FileDescriptorProto(name="a.proto", package="understudy.v1", syntax="proto3")
    field = file.message_type.add(name="Thing").field.add(name=name, number=number)
    field.type = kind  # type: ignore[assignment]
    field.label = FieldDescriptorProto.LABEL_OPTIONAL
    return FileDescriptorSet(file=[file]).SerializeToString()


def test_the_kept_listing_is_that_of_the_generated_descriptors() -> None:
    assert api_surface.SURFACE.read_text() == api_surface.surface(api_surface.DESCRIPTORS.read_bytes())


def test_a_field_is_listed_with_number_type_and_json_name() -> None:
    assert api_surface.surface(described()) == "field understudy.v1.Thing.size_bytes = 1 int64 json=sizeBytes\n"


@pytest.mark.parametrize(
    "changed",
    [described(number=2), described(name="size"), described(kind=FieldDescriptorProto.TYPE_STRING)],
    ids=["number", "name", "type"],
)
def test_a_changed_field_is_a_changed_line(changed: bytes) -> None:
    assert api_surface.surface(changed) != api_surface.surface(described())


@pytest.mark.parametrize(
    "line",
    [
        "field understudy.v1.PutSessionRequest.label = 8 optional string json=label",
        "field understudy.v1.Action.respond = 1 oneof(kind) understudy.v1.Respond json=respond",
        "field understudy.v1.Session.overrides = 6 repeated string json=overrides",
        "field understudy.v1.RequestMatcher.query = 3 map<string, understudy.v1.Criterion> json=query",
        "enum understudy.v1.DeleteMode.DELETE_MODE_DELETE = 2",
        "limits understudy.v1.PutSessionRequest.label max_length: 200",
        "nullable understudy.v1.PutSessionRequest.label",
        "rpc understudy.v1.SessionService.GetSession(understudy.v1.GetSessionRequest)"
        " returns (understudy.v1.GetSessionResponse)",
        "route PUT /api/v1/sessions/{session_key} body=* response_body=session"
        " -> understudy.v1.SessionService.PutSession",
        "route GET /api/v1/projects/{project}/environments/{environment}/scenarios"
        " -> understudy.v1.ScenarioService.ListScenarios",
        "access understudy.v1.KeyService.CreateKey scope: SCOPE_ORGANISATION role: ROLE_ADMIN",
    ],
)
def test_everything_a_caller_can_rely_on_has_a_line(line: str) -> None:
    assert line in api_surface.SURFACE.read_text().splitlines()
