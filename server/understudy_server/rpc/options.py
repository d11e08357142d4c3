"""Reading the contract's own options from descriptors, typed: the generated stubs leave extensions untyped."""

from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from understudy.options.v1 import options_pb2
from understudy.options.v1.options_pb2 import Access, Limits


def access(method: MethodDescriptor) -> Access:
    """Who may call a method, and where it acts."""
    found: Access = _extensions(method)[options_pb2.access]
    return found


def has_long_bodies(method: MethodDescriptor) -> bool:
    """True for a method whose requests may be longer than those of others."""
    return bool(_extensions(method)[options_pb2.rest_method].body_bytes_max)


def limits(field: FieldDescriptor) -> Limits:
    """What a field may hold."""
    found: Limits = _extensions(field)[options_pb2.limits]
    return found


def reason(field: FieldDescriptor) -> str:
    """The code of the error when a field is at fault."""
    return str(_extensions(field)[options_pb2.reason]) or "invalid_field"


def is_raw_json(field: FieldDescriptor) -> bool:
    """True for text that is JSON."""
    return bool(_extensions(field)[options_pb2.json].raw)


def is_required(field: FieldDescriptor) -> bool:
    """True for a field that must be given."""
    return field_behavior_pb2.REQUIRED in _extensions(field)[field_behavior_pb2.field_behavior]


def is_output_only(field: FieldDescriptor) -> bool:
    """True for a field that is the server's to fill in and ignored in requests."""
    return field_behavior_pb2.OUTPUT_ONLY in _extensions(field)[field_behavior_pb2.field_behavior]


def _extensions(descriptor: FieldDescriptor | MethodDescriptor) -> Any:
    return descriptor.GetOptions().Extensions
