"""JSON Schemas of the contract's messages: as requests take them, and as answers give them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from google.protobuf.descriptor import Descriptor
from understudy.options.v1.options_pb2 import ON_VIOLATION_TRUNCATE, Limits

from understudy_gateway.transcoding import comments, options
from understudy_gateway.transcoding.fields import Field, Kind, read_fields

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """How a message travels.

    ``suffix`` goes to the name of its schema. In a request (``is_input``): ``strict`` refuses unknown keys, ``partial``
    asks for no key, ``merges`` takes null for any key, and parts of the objects within. ``without`` are fields (proto
    names) that travel elsewhere, ``whole_body`` means that fields with a header of their own do, too.
    """

    suffix: str = ""
    is_input: bool = False
    strict: bool = False
    partial: bool = False
    merges: bool = False
    whole_body: bool = False
    without: frozenset[str] = frozenset()


class Schemas:
    """Collects the schemas of a document: ``components`` by name, each made when first referred to."""

    def __init__(self, notes: dict[str, str]) -> None:
        self._notes = notes
        self.components: dict[str, Schema] = {}

    def reference(self, message: Descriptor, side: Side) -> Schema:
        """Return a reference to the schema of a message."""
        name = message.name + side.suffix
        if name not in self.components:
            # Kept before it is complete, so that a type may hold itself.
            schema = self.components[name] = {}
            schema.update(self._object(message, side))
        return {"$ref": f"#/components/schemas/{name}"}

    def of(self, spec: Field, side: Side) -> Schema:
        """Return the schema of a field, with its description and example."""
        note = comments.read(self._notes.get(spec.descriptor.full_name, ""))
        schema: Schema = {"description": note.description} if note.description else {}
        if side.is_input and spec.output_only:
            # Whatever it holds is ignored, so nothing is said about it.
            return {**schema, "readOnly": True}
        value = self._value(spec, side)
        takes_null = spec.nullable or (side.merges and spec.kind is not Kind.RAW)
        schema.update(self._nullable(value) if takes_null else value)
        if spec.output_only:
            schema["readOnly"] = True
        if note.examples:
            schema["examples"] = note.examples
        return schema

    def _object(self, message: Descriptor, side: Side) -> Schema:
        specs = [
            spec
            for spec in read_fields(message)
            if spec.name not in side.without and not (side.whole_body and spec.header)
        ]
        note = comments.read(self._notes.get(message.full_name, ""))
        schema: Schema = {
            "type": "object",
            "description": note.description,
            "properties": {spec.json_name: self.of(spec, side) for spec in specs},
        }
        needed = [spec.json_name for spec in specs if (_is_needed(spec, side) if side.is_input else _is_always(spec))]
        if needed:
            schema["required"] = needed
        if side.strict:
            schema["additionalProperties"] = False
        # Of what is merged one member may be cleared beside another that is set.
        if side.is_input and not side.merges and (rules := self._groups(message, specs)):
            schema["allOf"] = rules
        return schema

    def _value(self, spec: Field, side: Side) -> Schema:
        limits = options.limits(spec.descriptor)
        one = self._nested(spec, side) if spec.kind is Kind.MESSAGE else scalar(spec, limits)
        if spec.is_single:
            return one
        most = {"maxProperties" if spec.is_map else "maxItems": limits.max_items} if limits.max_items else {}
        if spec.is_map:
            names = {"propertyNames": {"pattern": f"^(?:{limits.key_pattern})$"}} if limits.key_pattern else {}
            return {"type": "object", "additionalProperties": one, **names, **most}
        return {"type": "array", "items": one, **most}

    def _groups(self, message: Descriptor, specs: list[Field]) -> list[Schema]:
        """Say of each oneof that at most one member may be there, and one must where its comment says so."""
        rules: list[Schema] = []
        for group in message.oneofs:
            names = [spec.json_name for spec in specs if spec.oneof == group.name]
            rules += at_most_one(names, one_at_least=is_required_group(self._notes.get(group.full_name, "")))
        return rules

    def _nested(self, spec: Field, side: Side) -> Schema:
        if side.merges and spec.is_single:
            return self.reference(spec.nested, replace(side, suffix="Patch", without=frozenset()))
        if side.is_input:
            return self.reference(spec.nested, Side("Input", is_input=True, strict=side.strict))
        # As a part of an answer, a message holds the fields that would be headers if it were the whole.
        has_headers = any(inner.header for inner in read_fields(spec.nested))
        return self.reference(spec.nested, Side("Entry" if has_headers else ""))

    def _nullable(self, schema: Schema) -> Schema:
        if "type" not in schema:
            return {"anyOf": [schema, {"type": "null"}]}
        widened = {**schema, "type": [schema["type"], "null"]}
        if "enum" in widened:
            widened["enum"] = [*widened["enum"], None]
        return widened


def _is_needed(spec: Field, side: Side) -> bool:
    return spec.required and not spec.output_only and not side.partial


def _is_always(spec: Field) -> bool:
    """Tell whether an answer always has the field: all but what is unset without a null, or blank."""
    return spec.nullable if spec.has_presence else not spec.has_blank


def is_required_group(comment: str) -> bool:
    """Tell whether the comment of a oneof asks for one of its members."""
    return re.search(r"\bRequired\b", comment) is not None


def at_most_one(names: Sequence[str], *, one_at_least: bool) -> list[Schema]:
    """Say of an object that at most one of some keys is there, and (``one_at_least``) one is."""
    if one_at_least:
        return [{"oneOf": [{"required": [name]} for name in names]}] if names else []
    return [{"not": {"required": list(pair)}} for pair in combinations(names, 2)]


def scalar(spec: Field, limits: Limits) -> Schema:
    """Return the schema of one value of a field that holds no message."""
    if spec.kind is Kind.RAW:
        return {}
    if spec.kind is Kind.INTEGER:
        return _integer(spec, limits)
    if spec.kind is Kind.NUMBER:
        return _number(limits)
    if spec.kind is Kind.STRING:
        return _string(spec, limits)
    if spec.kind is Kind.ENUM:
        return {"type": "string", "enum": list(spec.spellings.values())}
    return dict(_SCALARS[spec.kind])


_SCALARS: dict[Kind, Schema] = {
    Kind.BYTES: {"type": "string", "contentEncoding": "base64"},
    Kind.BOOL: {"type": "boolean"},
    Kind.TIMESTAMP: {"type": "string", "format": "date-time"},
}


def _integer(spec: Field, limits: Limits) -> Schema:
    low = limits.min if limits.HasField("min") else spec.low
    high = limits.max if limits.HasField("max") else spec.high
    schema: Schema = {"type": "integer", "minimum": low, "maximum": high}
    if limits.HasField("default_number"):
        schema["default"] = limits.default_number
    if low > 0 and spec.is_single and not spec.has_presence:
        # Without presence 0 is the same as absent.
        del schema["minimum"], schema["maximum"]
        schema["anyOf"] = [{"minimum": low, "maximum": high}, {"const": 0}]
    return schema


def _number(limits: Limits) -> Schema:
    schema: Schema = {"type": "number"}
    if limits.HasField("least"):
        schema["minimum"] = plain_number(limits.least)
    if limits.HasField("greatest"):
        schema["maximum"] = plain_number(limits.greatest)
    return schema


def plain_number(number: float) -> float:
    """Return a number as people write it: 1 and not 1.0."""
    return int(number) if number.is_integer() else number


def _string(spec: Field, limits: Limits) -> Schema:
    schema: Schema = {"type": "string"}
    # Without presence "" is the same as absent, and allowed where absence is.
    may_be_empty = spec.is_single and not spec.has_presence and not spec.required
    if limits.min_length and not may_be_empty:
        schema["minLength"] = limits.min_length
    if limits.max_length and limits.on_violation != ON_VIOLATION_TRUNCATE:
        schema["maxLength"] = limits.max_length
    if limits.pattern:
        schema["pattern"] = f"^(?:{limits.pattern})?$" if may_be_empty else f"^(?:{limits.pattern})$"
    return schema
