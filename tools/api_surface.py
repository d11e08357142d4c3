"""Write ``proto/api-surface.txt``: one sorted line for each thing a caller can rely on. ``--check`` only compares.

Fields with number, type and JSON name, their limits, enum values, RPCs with their routes and access: a change to any of
them is a change of a line, and so is seen in review.
"""

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, field_behavior_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.text_format import MessageToString
from understudy.options.v1 import options_pb2

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTORS = ROOT / "clients" / "python" / "understudy" / "descriptors.binpb"
SURFACE = ROOT / "proto" / "api-surface.txt"
OWN_PACKAGES = "understudy."

_SCALARS = FieldDescriptorProto.Type.DESCRIPTOR.values_by_number
_FIELD_OPTIONS = (options_pb2.limits, options_pb2.json, options_pb2.rest)


def surface(descriptors: bytes) -> str:
    """List a descriptor set, one line per thing, sorted. Only packages of our own are listed."""
    pool = DescriptorPool()
    files = FileDescriptorSet.FromString(descriptors).file
    for file in files:
        pool.Add(file)
    own = [pool.FindFileByName(file.name) for file in files if file.package.startswith(OWN_PACKAGES)]
    return "".join(f"{line}\n" for line in sorted({line for file in own for line in _file(file)}))


def _file(file: FileDescriptor) -> Iterator[str]:
    for message in file.message_types_by_name.values():
        yield from _message(message)
    for enum in file.enum_types_by_name.values():
        yield from _enum(enum)
    for service in file.services_by_name.values():
        for method in service.methods:
            yield from _method(method)
    for extension in file.extensions_by_name.values():
        target = extension.containing_type
        of = target.full_name if target is not None else "nothing"
        yield f"extension {extension.full_name} = {extension.number} {_type(extension)} of {of}"


def _message(message: Descriptor) -> Iterator[str]:
    # A map is shown as the field it is written as, not as the entry message that it is on the wire.
    if message.GetOptions().map_entry:
        return
    for field in message.fields:
        yield from _field(field)
    for enum in message.enum_types:
        yield from _enum(enum)
    for nested in message.nested_types:
        yield from _message(nested)


def _enum(enum: EnumDescriptor) -> Iterator[str]:
    for value in enum.values:
        yield f"enum {enum.full_name}.{value.name} = {value.number}"


def _field(field: FieldDescriptor) -> Iterator[str]:
    yield f"field {field.full_name} = {field.number} {_label(field)}{_type(field)} json={field.json_name}"
    # The generated types do not know the extensions as such.
    options: Any = field.GetOptions()
    for extension in _FIELD_OPTIONS:
        if options.HasExtension(extension):
            yield f"{extension.name} {field.full_name} {_text(options.Extensions[extension])}"
    if options.Extensions[options_pb2.nullable]:
        yield f"nullable {field.full_name}"
    if reason := options.Extensions[options_pb2.reason]:
        yield f"reason {field.full_name} {reason}"
    for behavior in options.Extensions[field_behavior_pb2.field_behavior]:
        yield f"behavior {field.full_name} {field_behavior_pb2.FieldBehavior.Name(behavior)}"


def _label(field: FieldDescriptor) -> str:
    if _is_map(field):
        return ""
    if field.is_repeated:
        return "repeated "
    if field.containing_oneof is not None:
        oneof: str = field.containing_oneof.name
        return "optional " if oneof == f"_{field.name}" else f"oneof({oneof}) "
    return ""


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _type(field: FieldDescriptor) -> str:
    message, enum = field.message_type, field.enum_type
    if message is not None and _is_map(field):
        return f"map<{_type(message.fields_by_name['key'])}, {_type(message.fields_by_name['value'])}>"
    if message is not None:
        return str(message.full_name)
    if enum is not None:
        return str(enum.full_name)
    name: str = _SCALARS[field.type].name
    return name.removeprefix("TYPE_").lower()


def _method(method: MethodDescriptor) -> Iterator[str]:
    asked = ("stream " if method.client_streaming else "") + method.input_type.full_name
    answered = ("stream " if method.server_streaming else "") + method.output_type.full_name
    yield f"rpc {method.full_name}({asked}) returns ({answered})"
    options: Any = method.GetOptions()
    yield f"access {method.full_name} {_text(options.Extensions[options_pb2.access])}"
    if options.HasExtension(options_pb2.rest_method):
        yield f"rest_method {method.full_name} {_text(options.Extensions[options_pb2.rest_method])}"
    rule = options.Extensions[annotations_pb2.http]
    for binding in (rule, *rule.additional_bindings):
        yield f"route {_route(binding)} -> {method.full_name}"


def _route(rule: HttpRule) -> str:
    verb = rule.WhichOneof("pattern") or "none"
    body = f" body={rule.body}" if rule.body else ""
    answer = f" response_body={rule.response_body}" if rule.response_body else ""
    return f"{verb.upper()} {getattr(rule, verb, '')}{body}{answer}"


def _text(message: Message) -> str:
    """A message on one line, in the order of its field numbers."""
    return MessageToString(message, as_one_line=True)


def main() -> None:
    """Write the listing, or with ``--check`` exit with the difference."""
    fresh = surface(DESCRIPTORS.read_bytes())
    if "--check" not in sys.argv:
        SURFACE.write_text(fresh, encoding="utf-8")
        return
    kept = SURFACE.read_text(encoding="utf-8") if SURFACE.exists() else ""
    if fresh != kept:
        names = ("proto/api-surface.txt", "proto/ as it is")
        sys.stdout.writelines(
            difflib.unified_diff(kept.splitlines(keepends=True), fresh.splitlines(keepends=True), *names, n=0)
        )
        sys.exit("the API surface changed (when that is meant: `make proto`)")


if __name__ == "__main__":
    main()
