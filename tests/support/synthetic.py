"""A contract made for tests: what the protos allow and Understudy's own do not have yet."""

from functools import cache
from typing import Any

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from understudy.options.v1 import options_pb2
from understudy_gateway.transcoding.contract import Contract

_PACKAGE = "synthetic.v1"
_TYPES = {
    "text": "STRING",
    "whole": "INT32",
    "wide": "INT64",
    "natural": "UINT64",
    "ratio": "DOUBLE",
    "truth": "BOOL",
    "blob": "BYTES",
    "at": Timestamp.DESCRIPTOR.full_name,
    "colour": f"{_PACKAGE}.Colour",
    "inner": f"{_PACKAGE}.Everything",
}


@cache
def contract() -> Contract:
    """The contract of the synthetic service."""
    return Contract((service(),))


def service() -> ServiceDescriptor:
    """The synthetic service."""
    found: ServiceDescriptor = _file().services_by_name["ThingService"]
    return found


def message(name: str) -> Descriptor:
    """A message type of the synthetic package."""
    found: Descriptor = _file().message_types_by_name[name]
    return found


def make(name: str, /, **values: Any) -> Any:
    """A message of the synthetic package."""
    return GetMessageClass(message(name))(**values)


@cache
def _file() -> Any:
    file = FileDescriptorProto(name="synthetic/v1/things.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    colour = file.enum_type.add(name="Colour")
    for number, name in enumerate(("COLOUR_UNSPECIFIED", "COLOUR_RED", "COLOUR_DARK_GREEN")):
        colour.value.add(name=name, number=number)
    _everything(file.message_type.add(name="Everything"))
    _named(file.message_type.add(name="Named"))
    _listed(file.message_type.add(name="Listed"))
    _methods(file)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(file.name)


def _everything(target: DescriptorProto) -> None:
    """One field of each kind, a list of each, and maps."""
    for number, (name, kind) in enumerate(_TYPES.items(), 1):
        _add(target, name, number, kind)
        _add(target, f"{name}_list", number + 20, kind, label=FieldDescriptorProto.LABEL_REPEATED)
    _map(target, "numbers", 50, "INT32")
    _map(target, "inners", 51, f"{_PACKAGE}.Everything")
    raw = _add(target, "raw_list", 52, "STRING", label=FieldDescriptorProto.LABEL_REPEATED)
    _option(raw, options_pb2.json).raw = True
    clamped = _add(target, "clamped", 53, "INT32")
    _option(clamped, options_pb2.limits).on_violation = options_pb2.ON_VIOLATION_CLAMP
    loose = _add(target, "loose", 54, "STRING")
    _option(loose, options_pb2.json).raw = True


def _named(target: DescriptorProto) -> None:
    _add(target, "name", 1, "STRING")
    _add(target, "thing", 2, f"{_PACKAGE}.Everything")
    trace = _add(target, "trace", 3, "STRING")
    _option(trace, options_pb2.rest).header = "x-trace"


def _listed(target: DescriptorProto) -> None:
    _add(target, "names", 1, "STRING", label=FieldDescriptorProto.LABEL_REPEATED)


def _methods(file: FileDescriptorProto) -> None:
    rules = {
        "Watch": HttpRule(get="/things/{name}:watch"),
        "Find": HttpRule(
            get="/things/{name}",
            additional_bindings=[
                HttpRule(get="/shelves/{name=*/books/**}"),
                HttpRule(get="/deep/{thing.text}"),
                HttpRule(custom={"kind": "PURGE", "path": "/things/{name}"}),
            ],
        ),
        "Echo": HttpRule(post="/echo", body="*"),
        "Names": HttpRule(get="/names", response_body="names"),
    }
    outputs = {"Watch": "Everything", "Find": "Everything", "Echo": "Everything", "Names": "Listed"}
    inputs = {"Echo": "Everything"}
    service_ = file.service.add(name="ThingService")
    for name, rule in rules.items():
        method = service_.method.add(
            name=name,
            input_type=f".{_PACKAGE}.{inputs.get(name, 'Named')}",
            output_type=f".{_PACKAGE}.{outputs[name]}",
            server_streaming=name == "Watch",
        )
        method.options.Extensions[annotations_pb2.http].CopyFrom(rule)


def _add(
    target: DescriptorProto,
    name: str,
    number: int,
    kind: str,
    *,
    label: FieldDescriptorProto.Label.ValueType = FieldDescriptorProto.LABEL_OPTIONAL,
) -> FieldDescriptorProto:
    field = target.field.add(name=name, number=number, label=label)
    if "." not in kind:
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind}")
        return field
    field.type_name = f".{kind}"
    field.type = FieldDescriptorProto.TYPE_ENUM if kind.endswith("Colour") else FieldDescriptorProto.TYPE_MESSAGE
    return field


def _option(field: Any, extension: Any) -> Any:
    return field.options.Extensions[extension]


def _map(target: DescriptorProto, name: str, number: int, kind: str) -> None:
    entry = target.nested_type.add(name=f"{name.capitalize()}Entry")
    entry.options.map_entry = True
    _add(entry, "key", 1, "STRING")
    _add(entry, "value", 2, kind)
    _add(target, name, number, f"{_PACKAGE}.Everything.{entry.name}", label=FieldDescriptorProto.LABEL_REPEATED)
