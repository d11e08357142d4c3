"""How messages are written in a manifest file, as JSON Schema: the JSON form, and the short forms beside it."""

import re
from typing import Any

from google.protobuf.descriptor import Descriptor
from understudy.options.v1.options_pb2 import Limits
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_gateway.transcoding import comments, options
from understudy_gateway.transcoding.fields import Field, Kind, read_field, read_fields
from understudy_gateway.transcoding.schemas import at_most_one, is_required_group, scalar
from understudy_server.manifest.options import manifest
from understudy_server.manifest.shapes import BESIDE_SUFFIX, INCLUDE, INCLUDING
from understudy_server.manifest.shorthands import PAIRS_FORMS, TEXT_FORMS

Schema = dict[str, Any]

_EXISTING = "existing"

# Where an environment variable stands for a part of a value, only the whole of it can be judged.
_VARIABLE = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "Text in which `${NAME}` or `${NAME:-default}` stands for an environment variable.",
}
_INCLUDE = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}],
    "description": "Files whose content belongs here: paths beside this file, `*` and `**` allowed. An included file "
    "holds what stands beside this key.",
    "examples": [["mocks/*.yaml"]],
}
# Texts of which at least one is a value of a field that takes numbers, or true and false, without quotes.
_NUMBERS, _WORDS = ("0", "7", "42", "-1", "1.5", "1e3"), ("true", "false")


class Definitions:
    """Collects the schemas of messages, ``made`` by name, each when it is first referred to."""

    def __init__(self, notes: dict[str, str]) -> None:
        self._notes = notes
        self.made: dict[str, Schema] = {"Variable": _VARIABLE}

    def of(self, message: Descriptor) -> Schema:
        """The schema of a message."""
        specs = [spec for spec in read_fields(message) if not spec.output_only]
        schema: Schema = {
            "type": "object",
            "description": self._note(message.full_name).description,
            "properties": self._properties(message, specs),
            "additionalProperties": False,
        }
        if needed := [spec.json_name for spec in specs if _is_needed(spec)]:
            schema["required"] = needed
        return _with_short_form(message, schema | self._groups(message, specs) | _when_existing(specs))

    def _reference(self, message: Descriptor) -> Schema:
        name = message.name.removeprefix("Manifest")
        if name not in self.made:
            # Kept before it is complete, so that a type may hold itself.
            schema = self.made[name] = {}
            schema.update(self.of(message))
        return {"$ref": f"#/$defs/{name}"}

    def _properties(self, message: Descriptor, specs: list[Field]) -> dict[str, Schema]:
        properties: dict[str, Schema] = {}
        for spec in specs:
            properties[spec.json_name] = self._described(spec)
            if manifest(spec.descriptor).beside:
                properties[spec.json_name + BESIDE_SUFFIX] = _beside(spec)
        if message.full_name in INCLUDING:
            properties[INCLUDE] = _INCLUDE
        return properties

    def _described(self, spec: Field) -> Schema:
        note = self._note(spec.descriptor.full_name)
        schema: Schema = {"description": note.description, **self._values(spec)}
        if (default := _default(spec, note.description)) is not None:
            schema["default"] = default
        if note.examples:
            schema["examples"] = note.examples
        return schema

    def _values(self, spec: Field) -> Schema:
        limits = options.limits(spec.descriptor)
        if spec.is_repeated and spec.message is not None and spec.message.full_name in PAIRS_FORMS:
            return self._pairs(spec, limits)
        one = self._reference(spec.nested) if spec.kind is Kind.MESSAGE else _scalar(spec, limits)
        if spec.is_map:
            return _map(one, limits)
        if spec.is_repeated:
            return {"type": "array", "items": one, **({"maxItems": limits.max_items} if limits.max_items else {})}
        return one

    def _pairs(self, spec: Field, limits: Limits) -> Schema:
        """A list of messages, or a mapping from one of their fields to values of the other."""
        form = PAIRS_FORMS[spec.nested.full_name]
        key, value = (read_field(spec.nested.fields_by_name[name]) for name in (form.key, form.value))
        one = _scalar(value, options.limits(value.descriptor))
        return {
            "type": ["object", "array"],
            "propertyNames": _text(options.limits(key.descriptor), may_be_empty=False),
            "additionalProperties": {"anyOf": [one, {"type": "array", "items": one}]},
            "maxProperties": limits.max_items,
            "items": self._reference(spec.nested),
            "maxItems": limits.max_items,
        }

    def _groups(self, message: Descriptor, specs: list[Field]) -> Schema:
        """Say of each oneof that at most one of its members may be there, and one must where its comment says so."""
        rules: Schema = {}
        for group in message.oneofs:
            members = [spec for spec in specs if spec.oneof == group.name]
            names = [name for member in members for name in _spellings(member)]
            needed = is_required_group(self._note(group.full_name).description)
            if needed and len(members) == len(specs):
                # Words about mappings alone, so that a short form may stand beside them.
                return {"minProperties": 1, "maxProperties": 1}
            # Words about keys that hold for any text would be wrong where text is a short form.
            own = at_most_one(names, one_at_least=needed)
            said = [{"if": {"type": "object"}, "then": each} for each in own] if needed else own
            if said:
                rules.setdefault("allOf", []).extend(said)
        return rules

    def _note(self, name: str) -> comments.Note:
        return comments.read(self._notes.get(name, ""))


def _is_needed(spec: Field) -> bool:
    """Tell whether the field must be there: text without presence that may not be empty must, too."""
    limits = options.limits(spec.descriptor)
    return spec.required or (limits.min_length > 0 and spec.is_single and not spec.has_presence)


def _spellings(spec: Field) -> list[str]:
    names = [spec.json_name]
    return [*names, spec.json_name + BESIDE_SUFFIX] if manifest(spec.descriptor).beside else names


def _beside(spec: Field) -> Schema:
    return {
        "type": "string",
        "minLength": 1,
        "description": f"Path of a file that holds `{spec.json_name}`: beside this one, in the folder of the first.",
        "examples": [f"bodies/answer.{_SUFFIXES[spec.kind]}"],
    }


_SUFFIXES = {Kind.RAW: "json", Kind.STRING: "txt", Kind.BYTES: "bin"}


def _default(spec: Field, description: str) -> object:
    """The default that a comment names, when it is a value and no sentence."""
    found = re.search(r"\bDefault: (\w+)\.", description)
    text = found[1] if found else ""
    if spec.kind is Kind.BOOL and text in {"true", "false"}:
        return text == "true"
    if spec.kind is Kind.INTEGER and text.isdecimal():
        return int(text)
    return text if spec.kind is Kind.ENUM and text in spec.spellings.values() else None


def _map(one: Schema, limits: Limits) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": one}
    if limits.max_items:
        schema["maxProperties"] = limits.max_items
    if limits.key_pattern:
        schema["propertyNames"] = {"pattern": f"^(?:{limits.key_pattern})$"}
    return schema


def _scalar(spec: Field, limits: Limits) -> Schema:
    if spec.kind is Kind.RAW:
        return {}
    if spec.kind is Kind.STRING:
        schema = _text(limits, may_be_empty=spec.is_single and not spec.has_presence and not spec.required)
        is_bounded = schema.keys() & {"minLength", "maxLength", "pattern"}
        return schema if manifest(spec.descriptor).verbatim or not is_bounded else _or_variable(schema)
    schema = scalar(spec, limits)
    return schema if manifest(spec.descriptor).verbatim else _or_variable(schema)


def _or_variable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"$ref": "#/$defs/Variable"}]}


def _text(limits: Limits, *, may_be_empty: bool) -> Schema:
    """The schema of text, which is read as it is written: ``42`` and ``true`` need no quotes."""
    schema: Schema = {"type": _kinds_of_text(limits.pattern)}
    if limits.min_length and not may_be_empty:
        schema["minLength"] = limits.min_length
    if limits.max_length:
        schema["maxLength"] = limits.max_length
    if limits.pattern:
        schema["pattern"] = f"^(?:{limits.pattern}){'?' if may_be_empty else ''}$"
    return schema


def _kinds_of_text(pattern: str) -> str | list[str]:
    """What a YAML reader may take the text of a field for."""
    taken = [
        kind
        for kind, texts in (("number", _NUMBERS), ("boolean", _WORDS))
        if not pattern or any(re.fullmatch(pattern, text) for text in texts)
    ]
    return ["string", *taken] if taken else "string"


def _when_existing(specs: list[Field]) -> Schema:
    """Say that what is made elsewhere has no settings here, only things in it."""
    if not any(spec.name == _EXISTING for spec in specs):
        return {}
    settings = {spec.json_name: False for spec in specs if not spec.is_map and spec.name != _EXISTING}
    marked = {"properties": {_EXISTING: {"const": True}}, "required": [_EXISTING]}
    return {"if": marked, "then": {"properties": settings}}


def _with_short_form(message: Descriptor, schema: Schema) -> Schema:
    """Let text stand for a message that has a short form. What a mapping must be does not concern text."""
    if message.full_name not in TEXT_FORMS:
        return schema
    return schema | _SHORT_FORMS[message.full_name](message, schema["description"])


def _matcher_text(message: Descriptor, about: str) -> Schema:
    method, path = (options.limits(message.fields_by_name[name]).pattern for name in ("method", "path"))
    return {
        "type": ["object", "string"],
        "pattern": rf"^(?:{method}|{path}|{method} +{path})$|\$\{{",
        "description": f"{about} Text is short for a method, a path, or both.",
        "examples": ["POST /api/pay"],
    }


def _criterion_text(message: Descriptor, about: str) -> Schema:
    return {
        "type": ["object", "string", "number", "boolean"],
        "maxLength": options.limits(message.fields_by_name["equals"]).max_length,
        "description": f"{about} Text is short for `equals`.",
    }


_SHORT_FORMS = {
    RequestMatcher.DESCRIPTOR.full_name: _matcher_text,
    Criterion.DESCRIPTOR.full_name: _criterion_text,
}
