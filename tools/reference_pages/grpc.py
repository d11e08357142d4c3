"""The page about the gRPC API, made of the descriptors and their comments."""

import json
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.rpc.code_pb2 import Code
from reference_pages.text import code, link, page, table
from understudy.options.v1.options_pb2 import ON_VIOLATION_CLAMP, ON_VIOLATION_TRUNCATE, Limits, Role, Scope
from understudy_gateway.transcoding import comments, options
from understudy_gateway.transcoding.contract import Contract, understudy
from understudy_server.rpc.errors import GRPC_CODES

_ABOUT = """\
The package is `understudy.v1`; `proto/understudy/v1` has the sources, `clients/python` the generated Python. A call
carries its key as metadata, `authorization: Bearer fmk_...`. Health and reflection are served too. The same calls
exist over [REST](rest.md).

## A first call

<!-- test: server -->
<!-- test: run export UNDERSTUDY_KEY=fmk_... -->

```python
import os

import grpc
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub

with grpc.insecure_channel("127.0.0.1:50051") as channel:
    answer = SessionServiceStub(channel).PutSession(
        PutSessionRequest(
            project="checkout", environment="staging", session_key="ci-42", scenario="scn_paymentDeclined"
        ),
        metadata=[("authorization", f"Bearer {os.environ['UNDERSTUDY_KEY']}")],
    )
    print(answer.session.scenario)
```

## Errors

A refused call has a gRPC status, and in its details a `google.rpc.ErrorInfo` whose `reason` is one of these stable
codes. A `google.rpc.BadRequest` has the field at fault, and what is wrong there. Where several things were wrong at
once, as in a manifest, it has a violation for each, the first included, as many as fit into 5000 bytes, and `more` in
the metadata of the `ErrorInfo` is how many there are beside the first.
"""
_TYPES = FieldDescriptorProto.Type.DESCRIPTOR.values_by_number


def write() -> str:
    """The page."""
    return page("gRPC", _parts(understudy()))


def _parts(contract: Contract) -> Iterator[str]:
    yield _ABOUT
    yield from table(("Code", "gRPC status"), [(code(each), Code.Name(number)) for each, number in GRPC_CODES.items()])
    yield from ["## Services", ""]
    yield from table(
        ("Service", "RPC", "What it does", "Least role"),
        [
            (
                link(service.name) if method is service.methods[0] else "",
                link(method.name),
                _brief(contract, method),
                _role(method),
            )
            for service in contract.services
            for method in service.methods
        ],
    )
    for service in contract.services:
        yield from _service(contract, service)
    found = _Found(contract)
    yield from ["## Messages", ""]
    for message in found.messages.values():
        yield from _message(contract, message)
    yield from ["## Enumerations", ""]
    for enum in found.enums.values():
        yield from _enum(contract, enum)


class _Found:
    """All messages and enumerations of our own that the services use, in the order of their names."""

    def __init__(self, contract: Contract) -> None:
        self.messages: dict[str, Descriptor] = {}
        self.enums: dict[str, EnumDescriptor] = {}
        for method in (method for service in contract.services for method in service.methods):
            self._message(method.input_type)
            self._message(method.output_type)
        self.messages = dict(sorted(self.messages.items()))
        self.enums = dict(sorted(self.enums.items()))

    def _message(self, message: Descriptor) -> None:
        if not message.full_name.startswith("understudy.") or message.name in self.messages:
            return
        if not message.GetOptions().map_entry:
            self.messages[message.name] = message
        for field in message.fields:
            if field.enum_type is not None:
                self.enums[field.enum_type.name] = field.enum_type
            if field.message_type is not None:
                self._message(field.message_type)


def _service(contract: Contract, service: ServiceDescriptor) -> Iterator[str]:
    yield from [f"## {service.name}", "", _note(contract, service.full_name).description, ""]
    for method in service.methods:
        stream = "stream " if method.server_streaming else ""
        yield from [f"### {method.name}", "", _note(contract, method.full_name).description, ""]
        yield f"- Takes {link(method.input_type.name)}, gives {stream}{link(method.output_type.name)}"
        yield f"- {_access(method)}"
        yield ""


def _access(method: MethodDescriptor) -> str:
    access = options.access(method)
    place = Scope.Name(access.scope).removeprefix("SCOPE_").lower()
    where = {"organisation": "acts in the organisation", "none": "finds its place itself"}.get(
        place, f"acts in one {place}"
    )
    plan = "; open to the plans team and business" if access.plan_gated else ""
    return f"For keys of the role {code(_role(method))} or higher; {where}{plan}"


def _role(method: MethodDescriptor) -> str:
    return Role.Name(options.access(method).role).removeprefix("ROLE_").lower()


def _message(contract: Contract, message: Descriptor) -> Iterator[str]:
    yield from [f"### {message.name}", "", _note(contract, message.full_name).description, ""]
    yield from table(
        ("No.", "Field", "Type", "What it is", "Limits"),
        [
            (str(field.number), code(field.name), _type(field), _about(contract, field), _limits(field))
            for field in message.fields
        ],
    )


def _about(contract: Contract, field: FieldDescriptor) -> str:
    note = _note(contract, field.full_name)
    examples = [code(json.dumps(each, ensure_ascii=False)) for each in note.examples if each != ""]
    text = note.description.replace("\n\n", "\n")
    return f"{text}\nExample: {', '.join(examples)}" if examples else text


def _type(field: FieldDescriptor) -> str:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return f"map from text to {_single(message.fields_by_name['value'])}"
    text = _single(field)
    if options.is_raw_json(field):
        text += " (JSON text)"
    if field.is_repeated:
        return f"repeated {text}"
    group = field.containing_oneof
    if group is None:
        return text
    return f"optional {text}" if group.name == f"_{field.name}" else f"{text}, one of {code(group.name)}"


def _single(field: FieldDescriptor) -> str:
    for kind in (field.message_type, field.enum_type):
        if kind is not None:
            return link(kind.name) if kind.full_name.startswith("understudy.") else code(kind.full_name)
    return code(_TYPES[field.type].name.removeprefix("TYPE_").lower())


def _limits(field: FieldDescriptor) -> str:
    limits = options.limits(field)
    said = [
        "required" if options.is_required(field) else "",
        "set by the server" if options.is_output_only(field) else "",
        _range(limits, "min_length", "max_length", " bytes" if field.type == field.TYPE_BYTES else " characters"),
        _range(limits, "min", "max", ""),
        f"at most {limits.max_items} elements" if limits.HasField("max_items") else "",
        f"form {code(limits.pattern)}" if limits.HasField("pattern") else "",
        f"keys of the form {code(limits.key_pattern)}" if limits.HasField("key_pattern") else "",
        f"default {limits.default_number}" if limits.HasField("default_number") else "",
        "moved into its range" if limits.on_violation == ON_VIOLATION_CLAMP else "",
        "cut to its length" if limits.on_violation == ON_VIOLATION_TRUNCATE else "",
        f"else {code(options.reason(field))}" if options.reason(field) != "invalid_field" else "",
    ]
    return "\n".join(each for each in said if each)


def _range(limits: Limits, least: str, most: str, unit: str) -> str:
    low = getattr(limits, least) if limits.HasField(least) else None
    high = getattr(limits, most) if limits.HasField(most) else None
    if high is None:
        return "" if low is None else f"from {low}{unit}"
    return f"at most {high}{unit}" if low is None else f"{low} to {high}{unit}"


def _enum(contract: Contract, enum: EnumDescriptor) -> Iterator[str]:
    yield from [f"### {enum.name}", "", _note(contract, enum.full_name).description, ""]
    yield from table(
        ("No.", "Value", "What it means"),
        [
            (str(value.number), code(value.name), _note(contract, f"{enum.full_name}.{value.name}").description)
            for value in enum.values
        ],
    )


def _brief(contract: Contract, method: MethodDescriptor) -> str:
    return _note(contract, method.full_name).description.split(". ", 1)[0].rstrip(".")


def _note(contract: Contract, name: str) -> comments.Note:
    return comments.read(contract.comments.get(name, ""))
