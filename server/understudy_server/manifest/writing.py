"""Writes messages as a person would write them by hand: in short forms, in blocks, with quotes only where needed."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message
from understudy.v1.manifest_service_pb2 import Manifest

from understudy_server.manifest import json_text, plain
from understudy_server.manifest.json_text import Digits
from understudy_server.manifest.shapes import Field, Kind, Shape, shape_of
from understudy_server.manifest.shorthands import PAIRS_FORMS, TEXT_FORMS, gather
from understudy_server.manifest.variables import escape

HEADER = "# yaml-language-server: $schema=understudy.schema.json\n"


def write_manifest(manifest: Manifest) -> str:
    """Write a manifest as a file: reading it gives an equal one, raw JSON aside from white space between its parts.

    Raises ValueError for what no file can say: JSON that is none, an enum's value that has no name.
    """
    return HEADER + write_value(manifest)


def write_value(message: Message) -> str:
    """Write one message, as a file without a header. Raises ValueError as write_manifest does."""
    return plain.write(_message(message, shape_of(message.DESCRIPTOR)))


def _message(message: Message, shape: Shape) -> Any:
    """A message as a value for ``plain``: what is set, in the order of the contract, or its short form."""
    values: dict[str, Any] = {}
    for field in shape.fields:
        value = getattr(message, field.name)
        is_set = message.HasField(field.name) if field.has_presence else bool(value)
        if is_set and not field.output_only:
            values[field.key] = _field(field, value)
    form = TEXT_FORMS.get(shape.full_name)
    short = form.write(values) if form is not None and all(type(each) is str for each in values.values()) else None
    return values if short is None else short


def _field(field: Field, value: Any) -> Any:
    write = _writer(field)
    if field.is_map:
        # In the order of keys, because a map has none and equal manifests should be equal text.
        return {key: write(value[key]) for key in sorted(value)}
    if not field.is_list:
        return write(value)
    form = PAIRS_FORMS.get(field.shape.full_name) if field.kind is Kind.MESSAGE else None
    if form is not None:
        write_value_ = _writer(field.shape.by_name[form.value])
        short = gather([(getattr(each, form.key), write_value_(getattr(each, form.value))) for each in value])
        if short is not None:
            return short
    return [write(each) for each in value]


def _writer(field: Field) -> Callable[[Any], Any]:
    match field.kind:
        case Kind.MESSAGE:
            shape = field.shape
            return lambda value: _message(value, shape)
        case Kind.ENUM:
            names = {number: name for name, number in field.spellings.items()}
            return lambda value: _named(field, names, value)
        case Kind.TEXT if field.verbatim:
            return str
        case kind:
            return _WRITERS[kind]


def _named(field: Field, names: Mapping[int, str], number: int) -> str:
    if number not in names:
        raise ValueError(f"{field.name} has no name for {number}")
    return names[number]


_WRITERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: escape,
    Kind.JSON: json_text.take_apart,
    Kind.BYTES: lambda value: base64.b64encode(value).decode(),
    Kind.BOOL: bool,
    Kind.INTEGER: lambda value: Digits(str(value)),
    Kind.NUMBER: lambda value: Digits(repr(value).removesuffix(".0")),
    Kind.TIMESTAMP: lambda value: value.ToJsonString(),
}
