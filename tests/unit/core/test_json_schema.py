"""JSON Schemas: what is refused, what holds, what is said of faults, and that none takes long."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cpu_time import cpu_seconds
from understudy_server.core import json_schema
from understudy_server.core.json_schema import TEXT_MAX, BadSchema, Schema
from understudy_server.core.schema_costs import DEPTH_MAX, Costs
from understudy_server.core.schema_graph import SUBSCHEMAS_MAX, read
from understudy_server.core.steps import STEPS_MAX, Steps, TooManySteps


def _schema(content: Any) -> Schema:
    return json_schema.compile(json.dumps(content))


_NODE = {"$ref": "#/$defs/node"}
_TREE = {"$defs": {"node": {"type": "object", "properties": {"left": _NODE, "right": _NODE}}}, "$ref": "#/$defs/node"}


@pytest.mark.parametrize(
    ("content", "valid", "not_valid"),
    [
        (True, [1, None, {}], []),
        (False, [], [1, None, {}]),
        ({}, [1, "a", []], []),
        ({"type": "object", "required": ["id"]}, [{"id": 1}], [{}, []]),
        ({"type": "integer"}, [1, 1.0, 10**30], [1.5, True, "1"]),
        ({"const": 1}, [1, 1.0], [True, 2]),
        ({"enum": [1, "a", None, [True]]}, [1, "a", None, [True]], [0, [1], False]),
        ({"pattern": "^a+$"}, ["aa", 1], ["ab"]),
        ({"pattern": "^\\d$"}, ["1"], ["٤"]),
        ({"format": "email"}, ["no address"], []),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "format": "email"}, ["no address"], []),
        ({"uniqueItems": True}, [[1, "1", True, [1]]], [[1, 1.0], [{"a": 1}, {"a": 1}]]),
        ({"properties": {"a": {"type": "string"}}, "unevaluatedProperties": False}, [{"a": ""}], [{"a": "", "b": 1}]),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 3, "exclusiveMaximum": True}, [2], [3]),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"const": 1}]}, [[1, 2]], [[2]]),
        ({"prefixItems": [{"const": 1}], "items": {"const": 2}}, [[1, 2, 2], []], [[2], [1, 1]]),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, [{"b": 1}, {"a": 1, "b": 1}], [{"a": 1}]),
        ({"contains": {"const": 1}}, [[0, 1]], [[0], []]),
        ({"$defs": {"a": {"const": 1}}, "$ref": "#/$defs/a"}, [1], [2]),
        ({"$defs": {"a": {"$anchor": "one", "const": 1}}, "$ref": "#one"}, [1], [2]),
        ({"$id": "http://x/a", "$defs": {"b": {"$id": "b", "const": 1}}, "$ref": "b"}, [1], [2]),
        (
            {"$id": "http://x/a", "$defs": {"b": {"$id": "b", "$defs": {"c": {"const": 1}}}}, "$ref": "b#/$defs/c"},
            [1],
            [2],
        ),
        ({"$id": "urn:x:y", "$defs": {"b": {"const": 1}}, "$ref": "#/$defs/b"}, [1], [2]),
        ({"$defs": {"a/b~c%": {"const": 1}}, "$ref": "#/$defs/a~1b~0c%25"}, [1], [2]),
        ({"unknown": {"here": {"const": 1}}, "$ref": "#/unknown/here"}, [1], [2]),
        ({"allOf": [{"const": 1}], "not": {"$ref": "#/allOf/0"}}, [], [1, 2]),
        (_TREE, [{"left": {"right": {}}}], [{"left": {"right": 1}}]),
        ({"items": {"$ref": "#"}, "type": "array"}, [[[], [[]]]], [[[1]]]),
        (
            {"$dynamicAnchor": "node", "type": "array", "items": {"$dynamicRef": "#node"}},
            [[[], []]],
            [[[1]]],
        ),
        (
            {
                "$schema": "https://json-schema.org/draft/2019-09/schema",
                "items": {"$recursiveRef": "#"},
                "type": "array",
            },
            [[[], []]],
            [[[1]]],
        ),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "definitions": {"a": {}}},
            [1],
            [],
        ),
        ({"properties": {"a\ud83d\ude00": {"const": "é"}}}, [{"a😀": "é"}], [{"a😀": "e"}]),
    ],
)
def test_schema_holds_for_what_is_valid(content: Any, valid: list[Any], not_valid: list[Any]) -> None:
    schema = _schema(content)
    assert [schema.holds(value) for value in valid] == [True] * len(valid)
    assert [schema.holds(value) for value in not_valid] == [False] * len(not_valid)
    assert [schema.fault(value) for value in valid] == [None] * len(valid)
    assert all(schema.fault(value) for value in not_valid)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ('{"a": 1, "a": 2}', "a key appears twice"),
        ("[]", "neither an object nor true or false"),
        ("1", "neither an object nor true or false"),
        ('{"type": "text"}', '"text" is not valid under any'),
        (
            '{"properties": {"a": {"minLength": -1}}}',
            "-1 is less than the minimum of 0 (at $['properties']['a']['minLength'])",
        ),
        ('{"properties": {"a": {"pattern": "(?=a)"}}}', "(at $['properties']['a']['pattern'])"),
        ('{"pattern": "(a)\\\\1"}', 'is not a "regex"'),
        ('{"$schema": "http://example.com/mine"}', "Unknown meta-schema"),
        ('{"$ref": "#/nope"}', "/nope"),
        ('{"$ref": "#nope"}', "nope"),
        ('{"$ref": "http://127.0.0.1:9/a.json"}', "http://127.0.0.1:9/a.json"),
        ('{"properties": {"a": {"$ref": "file:///etc/passwd"}}}', "file:///etc/passwd"),
        ('{"$ref": "other.json"}', "other.json"),
        ('{"$ref": "https://json-schema.org/draft/2020-12/schema"}', "places within it only"),
        ('{"$ref": "#"}', "leads back to itself without a step"),
        (
            '{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}',
            "leads back",
        ),
        ('{"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}, "items": {"$ref": "#/$defs/a"}}', "leads back"),
        ('{"if": {"$ref": "#"}}', "leads back"),
        ('{"dependentSchemas": {"a": {"$ref": "#"}}}', "leads back"),
        ('{"$dynamicAnchor": "a", "allOf": [{"$dynamicRef": "#a"}]}', "leads back"),
        ('{"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}', "another draft"),
        ('{"anyOf": [' + ", ".join(["{}"] * SUBSCHEMAS_MAX) + "]}", f"more than {SUBSCHEMAS_MAX} schemas"),
        ('{"const": "' + "a" * TEXT_MAX + '"}', f"{TEXT_MAX} are the most"),
        ('{"items":' * 70 + "{}" + "}" * 70, "nested deeper"),
        ('{"pattern": "(a{1000}){1000}"}', 'is not a "regex"'),
    ],
)
def test_what_is_no_schema_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadSchema) as refused:
        json_schema.compile(text)
    assert why in str(refused.value)
    assert len(str(refused.value)) < 400


def test_fault_says_what_and_where() -> None:
    schema = _schema({"properties": {"items": {"items": {"properties": {"id": {"type": "integer"}}}}}})
    assert (
        schema.fault({"items": [{"id": 1}, {"id": "x"}]}) == "\"x\" is not of type \"integer\" (at $['items'][1]['id'])"
    )


def test_fault_in_a_large_value_is_not_described() -> None:
    either = _schema({"anyOf": [{"type": "string"}] * 100})
    assert "valid" in str(either.fault([{"a": 60}]))
    assert either.fault([{"a": 60}] * 2000) == "it is not valid by the schema"


def test_half_a_surrogate_pair_is_a_character_and_matches_neither_pattern_nor_name() -> None:
    schema = _schema({"properties": {"a": {"maxLength": 1}, "b": {"pattern": ""}}})
    assert schema.holds({"a": "\ud800"})
    assert schema.fault({"a": "\ud800\ud800"}) == "it is not valid by the schema"
    assert not schema.holds({"b": "\ud800"})
    assert not schema.holds({"\ud800": 1})


def test_steps_are_taken_from_those_that_are_shared() -> None:
    schema = _schema({"items": {"type": "integer"}})
    steps = Steps(1000)
    assert schema.holds(list(range(100)), steps)
    assert 500 < steps.left < 1000
    with pytest.raises(TooManySteps):
        schema.holds(list(range(20_000)), steps)


def _doubling(kind: str, *, inner: bool) -> dict[str, Any]:
    """Each of the definitions refers to the one before it twice."""
    definitions: dict[str, Any] = {"a0": {"type": "string"}}
    for number in range(1, 25):
        reference = {"$ref": f"#/$defs/a{number - 1}"}
        definitions[f"a{number}"] = {kind: [{"items": reference} if inner else reference] * 2}
    return {"$defs": definitions, "$ref": "#/$defs/a24"}


def _nested(levels: int, end: Any) -> Any:
    value = end
    for _ in range(levels):
        value = [value]
    return value


_LONG = "ab" * 300_000
_HOSTILE: list[tuple[str, Any, Any]] = [
    ("doubling levels", _doubling("allOf", inner=True), _nested(24, "x")),
    ("unique integers", {"uniqueItems": True}, list(range(100_000))),
    ("unique lists", {"uniqueItems": True}, [[0] * 100 + [number] for number in range(4000)]),
    ("unique long integers", {"uniqueItems": True}, [10**4000 + number for number in range(200)]),
    ("long integers", {"items": {"maximum": 10**300}}, [10**4000] * 250),
    ("many enumerated", {"items": {"enum": [{"a": number} for number in range(3000)]}}, [{"a": 2999}] * 1000),
    ("wide", {"items": {"type": "integer"}}, [0] * 500_000),
    ("wide contains", {"contains": {"const": 1}}, [0] * 500_000),
    ("alternatives", {"items": {"oneOf": [{"required": [f"a{number}"]} for number in range(200)]}}, [{"a1": 1}] * 2000),
    ("pattern", {"pattern": "^[ab]*a[ab]{100}c"}, _LONG),
    ("patterns of names", {"patternProperties": {f"a[ab]{{{number}}}c": {} for number in range(20, 40)}}, {_LONG: 1}),
    (
        "patterns of many names",
        {"patternProperties": {f"a{n}x": {} for n in range(200)}},
        {f"k{n}": 0 for n in range(10_000)},
    ),
    ("names", {"propertyNames": {"pattern": "a[ab]{40}c"}}, {_LONG: 1}),
    ("lengths", {"allOf": [{"minLength": number} for number in range(2000)]}, "é" * 500_000),
    ("depth", {"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}, _nested(100_000, 0)),
    ("depth of unique", {"uniqueItems": True}, _nested(100_000, 0)),
    (
        "dependencies",
        {"items": {"dependentRequired": {f"p{n}": ["x"] for n in range(4000)}}},
        [{"p0": 1, "x": 1}] * 1000,
    ),
    (
        "recursive alternatives",
        {
            "$defs": {
                "n": {"anyOf": [{"properties": {"c": {"$ref": "#/$defs/n"}}, "required": [name]} for name in "abcde"]}
            },
            "$ref": "#/$defs/n",
        },
        {"c": {"c": {"c": {"c": {"c": {"c": {"c": {"c": {"c": {"c": {"c": {"c": {}}}}}}}}}}}}},
    ),
]


@pytest.mark.parametrize(("content", "value"), [case[1:] for case in _HOSTILE], ids=[case[0] for case in _HOSTILE])
def test_no_schema_holds_anybody_up(content: Any, value: Any) -> None:
    schema = _schema(content)

    def run() -> None:
        with contextlib.suppress(TooManySteps):
            assert schema.holds(value) in {True, False}
        with contextlib.suppress(TooManySteps):
            schema.fault(value)

    # Each takes 20 ms at most where nothing else runs; done anyway, these take up to 40 s.
    assert cpu_seconds(run) < 0.2


@pytest.mark.parametrize("kind", ["allOf", "anyOf", "oneOf"])
def test_schema_that_multiplies_is_refused(kind: str) -> None:
    with pytest.raises(BadSchema, match="more than 35000 times"):
        _schema(_doubling(kind, inner=False))


def test_depth_beside_what_the_schema_looks_at_does_not_matter() -> None:
    assert _schema({"required": ["id"]}).holds({"id": _nested(5000, 0)})
    with pytest.raises(TooManySteps):
        _schema({"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}).holds(
            _nested(DEPTH_MAX + 2, 0)
        )


def test_usual_schema_is_put_to_a_large_body() -> None:
    card = {
        "type": "object",
        "properties": {"last4": {"type": "string", "pattern": "^[0-9]{4}$"}},
        "required": ["last4"],
    }
    charge = {"type": "object", "properties": {"id": {"type": "string"}, "amount": {"type": "integer"}, "card": card}}
    schema = _schema({"type": "array", "items": charge})
    body = [
        {"id": f"ch_{number}", "amount": number, "card": {"last4": "0002", "brand": "visa"}} for number in range(4000)
    ]
    assert schema.holds(body)
    assert not schema.holds([*body, {"card": {}}])


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"type": "integer"}}, list(range(20_000))),
        ({"additionalProperties": {"type": "string"}}, {f"k{number}": "x" for number in range(10_000)}),
        ({"propertyNames": {"pattern": "^k"}}, {f"k{number}": 0 for number in range(10_000)}),
        ({"items": {"items": {"minimum": 0}}}, [[1, 2]] * 5_000),
        (_TREE, {"left": {}, "right": {"left": {}}}),
    ],
)
def test_what_a_schema_takes_is_known_without_looking_at_each_value(schema: dict[str, Any], value: Any) -> None:
    costs = Costs(read(schema))
    told = costs.at_most(value)
    assert told is not None
    # The walk counts what it takes to look, too, and the validator's steps one by one.
    assert costs.of(value, 10**9) / 20 < told < STEPS_MAX


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"uniqueItems": True}}, [[1]]),
        ({"patternProperties": {"a": {}}}, {"a": 1}),
        ({"items": {"enum": list(range(1_000))}}, [1]),
        ({"items": {"pattern": "a[ab]{100}c"}}, ["a"]),
        ({"items": {"type": "integer"}}, [2**70]),
        ({"items": {"type": "string"}}, ["\ud800"]),
    ],
)
def test_what_may_be_dear_is_looked_at(schema: dict[str, Any], value: Any) -> None:
    assert Costs(read(schema)).at_most(value) is None


def test_recursive_schema_is_put_to_a_deep_tree() -> None:
    value: Any = {}
    for _ in range(200):
        value = {"left": value, "right": {}}
    assert _schema(_TREE).holds(value)
    kinds = [
        {"properties": {"children": {"items": _NODE}, "kind": {"const": kind}}, "required": ["kind"]}
        for kind in "abcde"
    ]
    schema = _schema({"$defs": {"node": {"anyOf": kinds}}, "$ref": "#/$defs/node"})
    value = {"kind": "a"}
    for _ in range(30):
        value = {"kind": "e", "children": [value, {"kind": "b"}]}
    assert schema.holds(value)


# Schemas of a few keywords, and a plain way to put them to values.
_leaves = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["", "a", "ab"]))
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)
_simple = st.one_of(
    st.just({}),
    st.booleans(),
    st.sampled_from(["null", "boolean", "object", "array", "number", "string"]).map(lambda kind: {"type": kind}),
    _values.map(lambda value: {"const": value}),
    st.lists(st.sampled_from("abc"), unique=True, max_size=2).map(lambda names: {"required": names}),
    st.integers(0, 2).map(lambda count: {"minItems": count, "maxLength": count, "minimum": count}),
    st.just({"uniqueItems": True}),
    st.just({"$ref": "#/$defs/shared"}),
)
_contents = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["allOf", "anyOf", "oneOf"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda parts: {parts[0]: parts[1]}
        ),
        st.tuples(st.sampled_from(["not", "items", "contains", "additionalProperties", "propertyNames"]), inner).map(
            lambda parts: {parts[0]: parts[1]}
        ),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=2).map(lambda each: {"properties": each}),
        st.tuples(inner, inner, inner).map(lambda parts: {"if": parts[0], "then": parts[1], "else": parts[2]}),
    ),
    max_leaves=6,
)


def _every(outcomes: list[bool]) -> bool:
    """Of a list, so that each is worked out."""
    return all(outcomes)


class _Plain:
    """Puts a schema to a value, every part of it, and counts how often it does."""

    def __init__(self, shared: Any) -> None:
        self.shared = shared
        self.count = 0

    def holds(self, schema: Any, value: Any) -> bool:
        if isinstance(schema, bool):
            return schema
        self.count += 1
        return _every([bool(self._keyword(keyword, schema, value)) for keyword in schema])

    def _keyword(self, keyword: str, schema: Any, value: Any) -> Any:  # noqa: C901 - one line for each keyword
        wanted = schema[keyword]
        members = value if isinstance(value, dict) else {}
        elements = value if isinstance(value, list) else []
        match keyword:
            case "$ref":
                return self.holds(self.shared, value)
            case "type":
                kinds = {type(None): "null", bool: "boolean", dict: "object", list: "array", str: "string"}
                return kinds.get(type(value), "number") == wanted
            case "const":
                return json.dumps(wanted, sort_keys=True) == json.dumps(value, sort_keys=True)
            case "required":
                return not isinstance(value, dict) or all(name in value for name in wanted)
            case "minItems":
                return not isinstance(value, list) or len(value) >= wanted
            case "maxLength":
                return not isinstance(value, str) or len(value) <= wanted
            case "minimum":
                return not isinstance(value, int) or isinstance(value, bool) or value >= wanted
            case "uniqueItems":
                return len({json.dumps(each, sort_keys=True) for each in elements}) == len(elements)
            case "allOf" | "anyOf" | "oneOf":
                count = sum([self.holds(each, value) for each in wanted])
                return {"allOf": count == len(wanted), "anyOf": count > 0, "oneOf": count == 1}[keyword]
            case "not":
                return not self.holds(wanted, value)
            case "if":
                outcomes = [self.holds(schema[each], value) for each in ("if", "then", "else")]
                return outcomes[1] if outcomes[0] else outcomes[2]
            case "items":
                return _every([self.holds(wanted, each) for each in elements])
            case "contains":
                return not isinstance(value, list) or True in [self.holds(wanted, each) for each in elements]
            case "additionalProperties":
                return _every([self.holds(wanted, each) for each in members.values()])
            case "propertyNames":
                return _every([self.holds(wanted, name) for name in members])
            case "properties":
                return _every([self.holds(each, members[name]) for name, each in wanted.items() if name in members])
            case _:
                return True


@given(_contents, _contents.filter(lambda content: "$ref" not in json.dumps(content)), _values)
def test_plain_way_comes_to_the_same_and_takes_no_more_than_was_told(content: Any, shared: Any, value: Any) -> None:
    whole = {"$defs": {"shared": shared}, "allOf": [content]}
    plain = _Plain(shared)
    assert _schema(whole).holds(value) == plain.holds(whole, value)
    assert Costs(read(whole)).of(value) >= plain.count
