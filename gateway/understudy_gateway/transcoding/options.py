"""Our options and Google's, read from descriptors. The stubs do not know extensions: only this module casts."""

from typing import Any, cast

from google.api import annotations_pb2, field_behavior_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from understudy.options.v1 import options_pb2
from understudy.options.v1.options_pb2 import Access, Limits, RestMethod


def _extension(options: Any, extension: Any) -> Any:
    return options.Extensions[extension]


def http_rule(method: MethodDescriptor) -> HttpRule | None:
    """Return the ``google.api.http`` rule of a method, None when it has no route."""
    options: Any = method.GetOptions()
    return _extension(options, annotations_pb2.http) if options.HasExtension(annotations_pb2.http) else None


def rest_method(method: MethodDescriptor) -> RestMethod:
    """Return how a method travels over REST."""
    return cast("RestMethod", _extension(method.GetOptions(), options_pb2.rest_method))


def access(method: MethodDescriptor) -> Access:
    """Return who may call a method and where it acts."""
    return cast("Access", _extension(method.GetOptions(), options_pb2.access))


def limits(field: FieldDescriptor) -> Limits:
    """Return what a field may hold."""
    return cast("Limits", _extension(field.GetOptions(), options_pb2.limits))


def is_nullable(field: FieldDescriptor) -> bool:
    """Tell whether JSON null means "clear it"."""
    return bool(_extension(field.GetOptions(), options_pb2.nullable))


def is_raw_json(field: FieldDescriptor) -> bool:
    """Tell whether the field holds JSON text."""
    return bool(_extension(field.GetOptions(), options_pb2.json).raw)


def omits_empty(field: FieldDescriptor) -> bool:
    """Tell whether an empty list is left out of answers."""
    return bool(_extension(field.GetOptions(), options_pb2.json).omit_empty)


def header(field: FieldDescriptor) -> str:
    """Return the HTTP header that the field travels in, lower case, or nothing."""
    return str(_extension(field.GetOptions(), options_pb2.rest).header)


def reason(field: FieldDescriptor) -> str:
    """Return the stable code raised when the field is at fault."""
    return str(_extension(field.GetOptions(), options_pb2.reason)) or "invalid_field"


def is_output_only(field: FieldDescriptor) -> bool:
    """Tell whether only the server sets the field."""
    return field_behavior_pb2.OUTPUT_ONLY in _extension(field.GetOptions(), field_behavior_pb2.field_behavior)


def is_required(field: FieldDescriptor) -> bool:
    """Tell whether a caller must set the field."""
    return field_behavior_pb2.REQUIRED in _extension(field.GetOptions(), field_behavior_pb2.field_behavior)
