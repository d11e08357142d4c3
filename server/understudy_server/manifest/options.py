"""The contract's options that say how a field is written in a file, typed: the stubs leave extensions untyped."""

from typing import Any, cast

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor
from understudy.options.v1 import options_pb2
from understudy.options.v1.options_pb2 import ManifestField


def manifest(field: FieldDescriptor) -> ManifestField:
    """How a field is written in a manifest file."""
    return cast("ManifestField", _extensions(field)[options_pb2.manifest])


def is_raw_json(field: FieldDescriptor) -> bool:
    """True for text that is JSON."""
    return bool(_extensions(field)[options_pb2.json].raw)


def is_output_only(field: FieldDescriptor) -> bool:
    """True for a field that is the server's to fill in."""
    return field_behavior_pb2.OUTPUT_ONLY in _extensions(field)[field_behavior_pb2.field_behavior]


def _extensions(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions
