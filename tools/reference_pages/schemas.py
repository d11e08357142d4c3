"""JSON Schemas as tables: one row for each key of a mapping."""

import json
from collections.abc import Callable
from typing import Any

from reference_pages.text import code, table

Schema = dict[str, Any]
Link = Callable[[str], str]
"""Links to the place where the schema of a name is explained."""

_PATTERN_CHARACTERS_MAX = 60
_COLUMNS = ("Key", "Kind", "What it is", "Limits")


def object_table(schema: Schema, link: Link, *, is_answer: bool = False) -> list[str]:
    """A table of the properties of an object: one that is sent, or one that is an answer."""
    needed = schema.get("required", ())
    return table(
        _COLUMNS,
        [
            (
                code(name) + _remark(is_answer=is_answer, is_needed=name in needed),
                kind(each, link),
                about(each),
                limits(each),
            )
            for name, each in schema.get("properties", {}).items()
            if each is not False
        ],
    )


def _remark(*, is_answer: bool, is_needed: bool) -> str:
    if is_answer:
        return "" if is_needed else " (may be absent)"
    return " (required)" if is_needed else ""


def kind(schema: Schema, link: Link) -> str:
    """What kind of value a schema describes, in words."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return _any_of(schema, link)
    if "enum" in schema:
        return ", ".join(code(str(value)) for value in schema["enum"] if value is not None) + _or_null(schema)
    kinds = _kinds(schema)
    if "array" in kinds and "object" in kinds:
        return f"{_mapping(schema, link)}, or {_list(schema, link)}"
    if "array" in kinds:
        return _list(schema, link)
    if "object" in kinds:
        return _mapping(schema, link) + _or_null(schema)
    return (_scalar(schema, kinds) if kinds else "any JSON value") + _or_null(schema)


def about(schema: Schema) -> str:
    """What is said of a value, with its example."""
    text: str = schema.get("description", "").replace("\n\n", "\n")
    examples = [code(json.dumps(example, ensure_ascii=False)) for example in schema.get("examples", ())]
    return f"{text}\nExample: {', '.join(examples)}" if examples and examples != ['`""`'] else text


def limits(schema: Schema) -> str:
    """What a value must keep to, beyond its kind."""
    items = schema.get("items", {})
    said = [*_bounds(_plain(schema)), *(f"each {each}" for each in _bounds(_plain(items)))]
    if "propertyNames" in schema:
        said += [f"names {each}" for each in _bounds(schema["propertyNames"])]
    if "default" in schema:
        said.append(f"default {code(json.dumps(schema['default']))}")
    return "\n".join(said)


def _plain(schema: Schema) -> Schema:
    """A schema without the other forms of a value that may stand beside it."""
    own = next((each for each in schema.get("anyOf", ()) if "$ref" not in each), None)
    return schema if own is None else schema | _plain(own)


def _any_of(schema: Schema, link: Link) -> str:
    forms = [each for each in schema["anyOf"] if each.get("$ref", "").rpartition("/")[2] != "Variable"]
    if any(each and each.keys() <= {"minimum", "maximum", "const"} for each in forms):
        return "integer"
    return " or ".join("null" if each.get("type") == "null" else kind(each, link) for each in forms)


def _kinds(schema: Schema) -> list[str]:
    kinds = schema.get("type", [])
    return [each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "null"]


def _or_null(schema: Schema) -> str:
    return " or null" if "null" in schema.get("type", ()) and not isinstance(schema["type"], str) else ""


def _list(schema: Schema, link: Link) -> str:
    return f"list of {kind(schema['items'], link)}"


def _mapping(schema: Schema, link: Link) -> str:
    values = schema.get("additionalProperties")
    return f"mapping to {kind(values, link)}" if isinstance(values, dict) else "mapping"


def _scalar(schema: Schema, kinds: list[str]) -> str:
    if "string" not in kinds:
        return " or ".join("true or false" if each == "boolean" else each for each in kinds)
    if schema.get("contentEncoding"):
        return "text (base64)"
    return "moment (RFC 3339)" if schema.get("format") == "date-time" else "text"


def _bounds(schema: Schema) -> list[str]:
    said = [
        _range(schema.get("minimum"), schema.get("maximum"), ""),
        _range(schema.get("minLength"), schema.get("maxLength"), " characters"),
        _range(schema.get("minItems"), schema.get("maxItems"), " elements"),
    ]
    if "maxProperties" in schema and "maxItems" not in schema:
        said.append(_range(None, schema["maxProperties"], " entries"))
    pattern = schema.get("pattern", "")
    if pattern and len(pattern) <= _PATTERN_CHARACTERS_MAX:
        said.append(code(_bare(pattern)))
    return [each for each in said if each]


def _bare(pattern: str) -> str:
    """A pattern as the protos have it, without what makes it match the whole text."""
    for end in (")$", ")?$"):
        if pattern.startswith("^(?:") and pattern.endswith(end):
            return pattern[len("^(?:") : -len(end)]
    return pattern


# What only says how wide the type of an integer is.
_WIDEST = frozenset(bound for bits in (31, 32, 63, 64) for bound in (2**bits - 1, -(2**bits)))


def _range(least: int | None, most: int | None, unit: str) -> str:
    most, least = (None if bound in _WIDEST else bound for bound in (most, least))
    if most is None:
        return ("not empty" if unit and least == 1 else f"from {least}{unit}") if least else ""
    return f"at most {most}{unit}" if least is None or (unit and not least) else f"{least} to {most}{unit}"
