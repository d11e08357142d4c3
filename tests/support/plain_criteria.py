"""Criteria told plainly: an interpreter of their messages, slow and without limits, to hold the quick ones against.

It shares nothing with the core. Where a criterion needs a language of its own (patterns, JSONPath, JSON Schema), it
knows the few texts that `criterion_messages` uses, and no others.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from hypothesis import reject
from understudy.v1.matching_pb2 import SELECTION_EACH, SELECTION_LIST, Criterion


class Missing(NamedTuple):
    """No value."""


class Text(NamedTuple):
    """A text of the head."""

    text: str


class Content(NamedTuple):
    """A body, or other bytes."""

    content: bytes
    is_body: bool = True


class Json(NamedTuple):
    """A value within JSON."""

    value: Any


Value = Missing | Text | Content | Json


class _Unfit(Exception):
    """The value cannot be read as the criterion asks."""


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _descendants(value: Any) -> list[Any]:
    return [value] + [found for each in _children(value) for found in _descendants(each)]


def _member(value: Any, name: str) -> list[Any]:
    return [value[name]] if isinstance(value, dict) and name in value else []


JSON_PATHS: Mapping[str, Callable[[Any], list[Any]]] = {
    "$": lambda value: [value],
    "$.a": lambda value: _member(value, "a"),
    "$[0]": lambda value: value[:1] if isinstance(value, list) else [],
    "$[*]": _children,
    "$..b": lambda value: [found for each in _descendants(value) for found in _member(each, "b")],
    "$[?@.a == 1]": lambda value: [
        each
        for each in _children(value)
        if isinstance(each, dict) and "a" in each and not isinstance(each["a"], bool) and each["a"] == 1
    ],
}
"""What each path selects, in an order that counts for lists alone."""

JSON_SCHEMAS: Mapping[str, Callable[[Any], bool]] = {
    "true": lambda _: True,
    "false": lambda _: False,
    '{"type": "object", "required": ["a"]}': lambda value: isinstance(value, dict) and "a" in value,
    '{"type": "array", "maxItems": 2}': lambda value: isinstance(value, list) and len(value) <= 2,
    '{"type": "string"}': lambda value: isinstance(value, str),
}
PATTERNS = ("a+", "[0-9]{2}", "a|b", "", "^a", "b$", "(?:ab)*", "[^a]", "é", r"\.")


def holds(message: Criterion, value: Value) -> bool:
    """Tell whether a criterion holds for a value."""
    test = message.WhichOneof("test")
    assert test is not None
    if test == "present":
        return message.present is _is_there(value)
    if test == "empty":
        return message.empty is _is_empty(value)
    if test == "not":
        return not holds(getattr(message, "not"), value)
    if test in ("all", "any", "exactly_one"):
        found = [holds(each, value) for each in getattr(message, test).criteria]
        return {"all": all(found), "any": any(found), "exactly_one": sum(found) == 1}[test]
    if isinstance(value, Missing):
        return False
    try:
        return _TESTS[test](message, value)
    except _Unfit:
        return False


def _is_there(value: Value) -> bool:
    if isinstance(value, Content) and value.is_body:
        return value.content != b""
    return not isinstance(value, Missing)


def _is_empty(value: Value) -> bool:
    match value:
        case Missing():
            return True
        case Text(text):
            return text == ""
        case Content(content):
            return content == b""
        case Json(inner):
            return inner is None or inner in ("", [], {})


# What a value is.


def _text(value: Value) -> str:
    match value:
        case Text(text):
            return text
        case Content(content):
            return content.decode("utf-8", "surrogateescape")
        case Json(bool(inner)):
            return "true" if inner else "false"
        case Json(None):
            return "null"
        case Json(str(inner)):
            return inner
        case Json(int(inner)):
            return str(inner)
        case Json(float(inner)):
            return str(int(inner)) if inner == int(inner) and abs(inner) < 1e21 else json.dumps(inner)
    raise _Unfit


def _bytes(value: Value) -> bytes:
    if isinstance(value, Content):
        return value.content
    text = _text(value)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _read(text: str | bytes) -> Any:
    def refuse(name: str) -> None:
        raise _Unfit

    try:
        return json.loads(text if isinstance(text, str) else text.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        raise _Unfit from None


def _json(value: Value) -> Any:
    match value:
        case Text(text):
            return _read(text)
        case Content(content):
            return _read(content)
        case Json(inner):
            return inner
    raise _Unfit


def _json_once_more(value: Value) -> Any:
    inner = _json(value)
    return _read(inner) if isinstance(value, Json) and isinstance(inner, str) else inner


def _text_within(value: Value) -> str:
    if isinstance(value, Json) and not isinstance(value.value, str):
        raise _Unfit
    return _text(value)


def _elements(value: Value) -> list[Any] | str:
    try:
        inner = _json(value)
    except _Unfit:
        return _text(value)
    if isinstance(inner, list | str):
        return inner
    raise _Unfit


def _length(value: Value) -> int:
    match value:
        case Text(text):
            return len(text)
        case Content(content):
            return len(content)
        case Json(inner) if isinstance(inner, str | list | dict):
            return len(inner)
    raise _Unfit


# Comparing.


def _same(one: Any, other: Any) -> bool:
    return bool(_typed(one) == _typed(other))


def _typed(value: Any) -> Any:
    """Make Python's equality JSON's: booleans differ from numbers."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, dict):
        return {name: _typed(item) for name, item in value.items()}
    return [_typed(item) for item in value] if isinstance(value, list) else value


def _contains(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(n in given and _contains(given[n], wanted[n]) for n in wanted)
    if isinstance(wanted, list):
        return isinstance(given, list) and len(given) == len(wanted) and all(map(_contains, given, wanted))
    return _same(given, wanted)


def _same_in_any_order(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return (
            isinstance(given, dict)
            and given.keys() == wanted.keys()
            and all(_same_in_any_order(given[name], wanted[name]) for name in wanted)
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list) and len(given) == len(wanted) and _can_be_placed(given, wanted, _same_in_any_order)
        )
    return _same(given, wanted)


def _contains_in_any_order(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            n in given and _contains_in_any_order(given[n], wanted[n]) for n in wanted
        )
    if isinstance(wanted, list):
        return isinstance(given, list) and _can_be_placed(given, wanted, _contains_in_any_order)
    return _same(given, wanted)


def _can_be_placed(given: list[Any], wanted: list[Any], fits: Callable[[Any, Any], bool]) -> bool:
    """Try all ways to give each its own."""
    if not wanted:
        return True
    first, rest = wanted[0], wanted[1:]
    return any(
        fits(each, first) and _can_be_placed(given[:at] + given[at + 1 :], rest, fits) for at, each in enumerate(given)
    )


def _ordered(value: Value, bound: Any) -> Any:
    if isinstance(bound, str):
        if isinstance(value, Json) and not isinstance(value.value, str):
            raise _Unfit
        return _text(value)
    inner = _json(value)
    if isinstance(inner, bool) or not isinstance(inner, int | float):
        raise _Unfit
    return inner


# The tests, by name.


def _in_case(message: Criterion, text: str) -> str:
    return text.casefold() if message.ignore_case else text


def _textual(test: Callable[[str, str], bool]) -> Callable[[Criterion, Value], bool]:
    def run(message: Criterion, value: Value) -> bool:
        wanted = getattr(message, message.WhichOneof("test") or "")
        return test(_in_case(message, _text(value)), _in_case(message, wanted))

    return run


def _pattern(run: Callable[..., Any]) -> Callable[[Criterion, Value], bool]:
    def test(message: Criterion, value: Value) -> bool:
        pattern = getattr(message, message.WhichOneof("test") or "")
        assert pattern in PATTERNS
        # What is no character is matched by nothing, not even by a class of others.
        text = "".join(
            [each if not "\ud800" <= each <= "\udfff" else "\N{REPLACEMENT CHARACTER}" for each in _text(value)]
        )
        flags = (re.IGNORECASE if message.ignore_case else 0) | re.ASCII
        pattern = pattern.replace("[^a]", "[^a\N{REPLACEMENT CHARACTER}]").replace("$", r"\Z")
        return run(re.compile(pattern, flags), text) is not None

    return test


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Criterion, Value], bool]:
    def run(message: Criterion, value: Value) -> bool:
        bound = json.loads(getattr(message, message.WhichOneof("test") or ""))
        return test(_ordered(value, bound), bound)

    return run


def _between(message: Criterion, value: Value) -> bool:
    lower, upper = json.loads(message.between.lower), json.loads(message.between.upper)
    found = _ordered(value, lower)
    return bool(lower < found < upper if message.between.exclusive else lower <= found <= upper)


def _remainder(message: Criterion, value: Value) -> bool:
    found = _ordered(value, 0)
    return bool(found % message.remainder.divisor == message.remainder.remainder)


def _json_subset(message: Criterion, value: Value) -> bool:
    wanted = json.loads(message.json_subset)
    return (_contains_in_any_order if message.ignore_order else _contains)(_json(value), wanted)


def _json_equals(message: Criterion, value: Value) -> bool:
    wanted = json.loads(message.json_equals)
    return (_same_in_any_order if message.ignore_order else _same)(_json(value), wanted)


def _json_path(message: Criterion, value: Value) -> bool:
    given = message.json_path
    found = JSON_PATHS[given.path](_json(value))
    if not given.HasField("criterion"):
        return bool(found)
    if given.select == SELECTION_LIST:
        return holds(given.criterion, Json(found))
    each = [holds(given.criterion, Json(one)) for one in found]
    if given.select == SELECTION_EACH:
        return bool(each) and all(each)
    return any(each) if each else holds(given.criterion, Missing())


def _json_schema(message: Criterion, value: Value) -> bool:
    found = _json(value)
    if re.search("[\ud800-\udfff]", json.dumps(found, ensure_ascii=False)):
        # What was no UTF-8: what a schema says of that has tests of its own.
        reject()
    return JSON_SCHEMAS[message.json_schema](found)


def _number(message: Criterion, value: Value) -> bool:
    inner = _json_once_more(value)
    if isinstance(inner, bool) or not isinstance(inner, int | float):
        raise _Unfit
    return holds(message.number, Json(inner))


def _base64(message: Criterion, value: Value) -> bool:
    text = _text_within(value)
    text = re.sub("[ \t\r\n]", "", text).replace("-", "+").replace("_", "/").rstrip("=")
    if not re.fullmatch("[A-Za-z0-9+/]*", text) or len(text) % 4 == 1:
        raise _Unfit
    return holds(message.base64, Content(base64.b64decode(text + "=" * (-len(text) % 4)), is_body=False))


def _as_text(message: Criterion, value: Value) -> bool:
    if isinstance(value, Content):
        try:
            return holds(message.text, Json(value.content.decode()))
        except UnicodeDecodeError:
            raise _Unfit from None
    return holds(message.text, Json(_text(value)))


def _form(message: Criterion, value: Value) -> bool:
    given = parse_qsl(_text_within(value), keep_blank_values=True, errors="surrogateescape")
    return all(
        holds_for_values(criterion, [Text(text) for name, text in given if name == wanted])
        for wanted, criterion in message.form.fields.items()
    )


def _elements_each(message: Criterion, value: Value) -> bool:
    found, criteria = _json(value), message.elements.criteria
    if not isinstance(found, list):
        raise _Unfit
    return len(found) == len(criteria) and all(holds(c, Json(each)) for c, each in zip(criteria, found, strict=True))


def _fields(message: Criterion, value: Value) -> bool:
    found, given = _json(value), message.fields
    if not isinstance(found, dict):
        raise _Unfit
    return all(
        holds(criterion, Json(found[name]) if name in found else Missing()) for name, criterion in given.fields.items()
    ) and (not given.only or found.keys() <= set(given.fields))


_TESTS: Mapping[str, Callable[[Criterion, Value], bool]] = {
    "equals": _textual(lambda text, wanted: text == wanted),
    "contains": _textual(lambda text, wanted: wanted in text),
    "prefix": _textual(str.startswith),
    "suffix": _textual(str.endswith),
    "json_subset": _json_subset,
    "json_equals": _json_equals,
    "equals_bytes": lambda message, value: _bytes(value) == message.equals_bytes,
    "pattern": _pattern(re.Pattern.fullmatch),
    "pattern_at_start": _pattern(re.Pattern.match),
    "pattern_within": _pattern(re.Pattern.search),
    "greater_than": _compare(lambda found, bound: found > bound),
    "at_least": _compare(lambda found, bound: found >= bound),
    "less_than": _compare(lambda found, bound: found < bound),
    "at_most": _compare(lambda found, bound: found <= bound),
    "between": _between,
    "remainder": _remainder,
    "length": lambda message, value: holds(message.length, Json(_length(value))),
    "json": lambda message, value: holds(message.json, Json(_json_once_more(value))),
    "json_path": _json_path,
    "json_schema": _json_schema,
    "number": _number,
    "base64": _base64,
    "text": _as_text,
    "form": _form,
    "each": lambda message, value: all(holds(message.each, Json(each)) for each in _elements(value)),
    "some": lambda message, value: any(holds(message.some, Json(each)) for each in _elements(value)),
    "elements": _elements_each,
    "fields": _fields,
}


def holds_for_values(message: Criterion, values: list[Any]) -> bool:
    """Tell whether it holds for one of several values; without any, for a value that is not there."""
    return any(holds(message, each) for each in values) if values else holds(message, Missing())
