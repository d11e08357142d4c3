"""Mocks and requests that are made to hold up everybody else: each mock is asked with each request.

What the server refuses to keep stands by itself: `REFUSED`.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

MIB: Final = 1024 * 1024
_PIECES = 30_000


def _filled(piece: bytes, begin: bytes = b"", end: bytes = b"", size_bytes: int = MIB) -> bytes:
    """A body of this size, to the byte or a piece less."""
    return begin + piece * ((size_bytes - len(begin) - len(end)) // len(piece)) + end


def _list_of(piece: bytes, last: bytes, size_bytes: int = MIB) -> bytes:
    return _filled(piece + b",", b"[", last + b"]", size_bytes)


def _nested_lists(keys: int, depth: int, last: bytes) -> bytes:
    """An object of lists that begin with a list, and so on: each is long, and none shorter than one part is read in."""
    texts = _filled(b'"abcdefgh",', end=b'"z"', size_bytes=60_000)
    value = texts
    for _ in range(depth - 1):
        value = b"[" + value + b"]," + texts
    return b"{" + b"".join([b'"k%d":[%b],' % (key, value) for key in range(keys)]) + b'"end":' + last + b"}"


BODIES: Final[Mapping[str, bytes]] = {
    "nothing": b"",
    "an order": b'{"id": 7, "a": [{"b": 1}], "card": {"last4": "0002"}, "items": [{"price": 12, "sku": "b1"}]}',
    "a short list": b"[3, 1, 2]",
    "no JSON": b"a" * MIB,
    "a long text": b'"' + b"a" * (MIB - 2) + b'"',
    "escapes": _filled(rb"\u00e9", b'"', b'"'),
    "half pairs": _filled(rb"\ud800", b'"', b'"', MIB // 2),
    "numbers": _list_of(b"0", b"0"),
    "some numbers": _list_of(b"0", b"0", 2 * _PIECES),
    "fractions": _list_of(b"0.1234567890123", b"1"),
    "colliding numbers": ("[" + ",".join([str((2**61 - 1) * number) for number in range(1, 25_000)]) + "]").encode(),
    "long numbers": b"[" + b",".join([b"1" * 4_000] * 250) + b"]",
    "a long number": b"1" * MIB,
    "long exponents": _list_of(b"1e999999", b"1"),
    "objects": _list_of(b'{"a":1}', b'{"a":2}'),
    "some objects": _list_of(b'{"a":1}', b'{"a":2}', 8 * _PIECES),
    "a page of objects": b'{"page": {"at": 1}, "items": '
    + _list_of(b'{"a":1}', b'{"a":2}', 10 * _PIECES)
    + b', "more": []}',
    "pages": b'{"a":' + _list_of(b"0.5", b"1", MIB // 2) + b',"b":' + _list_of(b"0.5", b"1", MIB // 2 - 20) + b"}",
    "all marks": b'{"items":[' + b",".join([b"%d" % (1_000_000_007 + at) for at in range(90_000)]) + b'],"next":2}',
    "long lists in long lists": _nested_lists(4, 4, b"1"),
    "nearly long lists": _nested_lists(8, 2, b"!"),
    "behind much space": b" " * 1100 + _list_of(b'"abcdef"', b'"a"', 3 * _PIECES),
    "empty objects": _list_of(b"{}", b"{}", 3 * _PIECES),
    "members": b"{" + b",".join([b'"k%d":%d' % (number, number) for number in range(20_000)]) + b"}",
    "the same member": _filled(b'"a":1,', b"{", b'"a":1}'),
    "long names": b"{" + b",".join([b'"' + b"k" * 5_000 + b'%d":1' % number for number in range(200)]) + b"}",
    "texts": _list_of(b'"' + b"a" * 28 + b'"', b'"b"'),
    "deep": b"[" * 500 + b"]" * 500,
    "deep objects": b'{"a":' * 500 + b"1" + b"}" * 500,
    "much too deep": b"[" * (MIB // 2) + b"]" * (MIB // 2),
    "deep and unfinished": b'{"a":[' * (MIB // 6),
    "wide and deep": _list_of(b"[" * 20 + b"]" * 20, b"1", 6 * _PIECES),
    "a form": _filled(b"a=b&", end=b"a=b"),
    "an encoded form": _filled(b"%61", b"a="),
    "empty fields": _filled(b"a&"),
    "base64": _filled(b"AAAA"),
    "bytes": bytes(range(256)) * (MIB // 256),
    "10 MB of JSON": _list_of(b'{"a":1}', b'{"a":2}', 10 * MIB),
    "10 MB of text": b"a" * 10 * MIB,
}


def _any(*criteria: object) -> dict[str, Any]:
    return {"any": {"criteria": list(criteria)}}


_DOUBLE_FILTER = "$..[?@..[?@.a == 1]]"
_TREE: Final = {
    "anyOf": [
        {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}, "required": ["left"]},
        {"type": "array", "items": {"$ref": "#"}},
        {"type": "string"},
    ]
}

CRITERIA: Final[Mapping[str, dict[str, Any]]] = {
    "equals": {"equals": "x"},
    "subset": {"json_subset": '{"a": {"b": 1}}'},
    "equal JSON": {"json_equals": '{"a": 1}'},
    "a pattern": {"pattern": "(a+)+b"},
    "a pattern within": {"pattern_within": "(a|aa)+$"},
    "counted": {"pattern": "(a{1,30}){1,30}b"},
    "classes": {"pattern_within": r"(\w+\s?)*[0-9]{3}\p{Greek}"},
    "many patterns": _any(*[{"pattern_within": f"(a|b|{number})*c{number}"} for number in range(100)]),
    "a long needle": {"contains": "a" * _PIECES + "b"},
    "a needle in any case": {"contains": "a" * _PIECES + "b", "ignore_case": True},
    "many needles": _any(*[{"contains": "a" * 50 + str(number)} for number in range(100)]),
    "each": {"each": {"json_equals": "0"}},
    "each of each": {"each": {"each": {"each": {"present": True}}}},
    "some of all": {"some": {"all": {"criteria": [*[{"not": {"equals": "q"}}] * 20, {"equals": "q"}]}}},
    "patterns for each": {"some": {"pattern_within": "(x|y)*z"}},
    "read again": {"some": {"json": {"present": False}}},
    "in any order": {"json_equals": json.dumps([0] * _PIECES), "ignore_order": True},
    "one for each": {"json_subset": json.dumps([{"a": 1}, {}] * 2_000), "ignore_order": True},
    "fields": {"fields": {"fields": {f"k{number}": {"at_least": str(number)} for number in range(100)}, "only": True}},
    "elements": {"elements": {"criteria": [{"equals": "0"}] * 100}},
    "a form": {"form": {"fields": {"a": {"equals": "z"}}}},
    "base64": {"base64": {"json": {"present": False}}},
    "base64 of base64": {"base64": {"base64": {"base64": {"contains": "x"}}}},
    "divided": {"some": {"remainder": {"divisor": 7, "remainder": 6}}},
    "a long bound": {"greater_than": "9" * 1000},
    "every value": {"json_path": {"path": "$..*", "criterion": {"equals": "z"}}},
    "values twice": {"json_path": {"path": "$..[*, *]", "criterion": {"equals": "z"}}},
    "descents": {"json_path": {"path": "$..*..*..*", "criterion": {"equals": "z"}}},
    "filters": {"json_path": {"path": _DOUBLE_FILTER, "select": "SELECTION_EACH", "criterion": {"equals": "z"}}},
    "nested filters": {"json_path": {"path": "$[?@[?@[?@[?@.a]]]]"}},
    "compared with all": {"json_path": {"path": "$[?@ == $[0]]", "criterion": {"equals": "z"}}},
    "counted by all": {"json_path": {"path": "$[?count($..*) > 3]", "criterion": {"equals": "z"}}},
    "searched by all": {"json_path": {"path": "$..[?search(@, '(a|b)*c')]"}},
    "backwards": {"json_path": {"path": "$[::-1]", "select": "SELECTION_LIST", "criterion": {"json_equals": "[]"}}},
    "a schema": {
        "json_schema": '{"items": {"anyOf": [{"type": "string"}, {"minProperties": 2}]}, "uniqueItems": true}'
    },
    "unique": {"json_schema": '{"uniqueItems": true}'},
    "a tree": {"json_schema": json.dumps(_TREE)},
    "none of many": {"json_schema": json.dumps({"items": {"not": {"enum": list(range(1, 1000))}}})},
    "patterns of names": {"json_schema": '{"patternProperties": {"(k|a)+[0-9]+$": {"type": "string"}}}'},
    "all of it": {
        "all": {
            "criteria": [
                {"not": {"json_path": {"path": "$..z"}}},
                {"not": {"pattern_within": "(a|b)+c"}},
                {"not": {"form": {"fields": {"z": {"present": True}}}}},
                {"not": {"json_schema": '{"items": {"type": "string"}}'}},
                {"equals": "no"},
            ]
        }
    },
}
"""On bodies."""

TEMPLATES: Final[Mapping[str, str]] = {
    "the body": "{{ request.body }}",
    "the body in capitals": "{{ request.body|upper|lower|title|length }}",
    "the whole request": "{{ request|tojson }}",
    "JSON": "{{ request.json|tojson }}",
    "printed": "{{ request.json }}",
    "indented": "{{ request.json|tojson(indent=4) }}",
    "sorted": "{{ request.json|sort|join(',') }}",
    "unique": "{{ request.json|unique|list|length }}",
    "grouped": "{{ request.json|groupby('a')|length }}",
    "members": "{{ request.json|dictsort|length }}",
    "each": "{% for each in request.json %}{{ each }},{% endfor %}",
    "each of each": "{% for a in request.json %}{% for b in request.json %}{{ a == b }}{% endfor %}{% endfor %}",
    "compared": "{{ request.json == request.json }}",
    "compared by loops": "{% for i in range(100000) %}{% if request.body == request.body %}{% endif %}{% endfor %}",
    "looked for": "{% for i in range(100000) %}{% if 'q' in request.body %}{% endif %}{% endfor %}",
    "replaced": "{{ request.body|replace('a', 'b' * 1000) }}",
    "words": "{{ request.body|wordcount }}{{ request.body|wordwrap(1) }}",
    "split": "{{ request.body.split('a')|length }}",
    "characters": "{{ request.body|list|length }}",
    "sums": "{{ request.body|sha256 }}{{ request.body|md5 }}{{ request.body|base64|base64_decode|length }}",
    "read again": "{{ request.body|fromjson|length }}{{ request.body|fromjson|length }}",
    "a form": "{{ request.form|tojson }}",
    "a loop": "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "much text": "{% for i in range(100000) %}" + "x" * 10_000 + "{% endfor %}",
    "doubled": "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubled lists": (
        "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}"
    ),
    "recursion": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "powers": "{{ 10**10**10 }}",
    "squares": "{% set n = namespace(n=7) %}{% for i in range(999) %}{% set n.n = n.n * n.n %}{% endfor %}",
    "repeated": "{{ 'a' * 10**9 }}",
    "made up": "{% for i in range(100000) %}{{ fake.paragraph(200) }}{% endfor %}",
    "by chance": "{% for i in range(100000) %}{{ random_string(200) }}{{ uuid() }}{% endfor %}",
}

_HUGE_TEMPLATE = "{% for i in range(100000) %}{{ i }}{% endfor %}"

ACTIONS: Final[Mapping[str, dict[str, Any]]] = {
    **{name: {"respond": {"template": template}} for name, template in TEMPLATES.items()},
    "headers": {
        "respond": {
            "header_templates": True,
            "headers": [{"name": f"x-{number}", "value": "{{ request.body }}"} for number in range(64)],
        }
    },
    "events": {"events": {"events": [{"data": "{{ request.body }}"}] * 300}},
    "many loops": {"events": {"events": [{"data": _HUGE_TEMPLATE}] * 250}},
    "the first loop": {"sequence": {"steps": [{"respond": {"template": _HUGE_TEMPLATE}}] * 100}},
    "kept": {
        "extract": [
            {"key": f"k{number}", "json_path": path}
            for number, path in enumerate(["$..*", "$..*..*", _DOUBLE_FILTER, "$"] * 4)
        ]
    },
    "kept loops": {"extract": [{"key": f"k{number}", "template": _HUGE_TEMPLATE[:65_000]} for number in range(16)]},
    "kept and shown": {
        "extract": [{"key": "k", "json_path": "$"}],
        "respond": {"template": "{{ state.session|tojson }}{{ state.session.k }}"},
    },
}
"""Of mocks that match everything."""


def mocks() -> dict[str, dict[str, Any]]:
    """Every mock by a name of its own, as JSON has them."""
    return {
        **{f"criterion: {name}": {"matcher": {"body": criterion}} for name, criterion in CRITERIA.items()},
        **{f"action: {name}": {"action": action} for name, action in ACTIONS.items()},
        **{
            f"both: {name}": {
                "matcher": {"body": {"not": CRITERIA[name]}},
                "action": {"respond": {"template": "{{ request.json|tojson }}{{ request.form|tojson }}"}},
            }
            for name in ("descents", "in any order", "many patterns", "none of many")
        },
    }


def _respond(**fields: object) -> dict[str, Any]:
    return {"action": {"respond": fields}}


def _body(**criterion: object) -> dict[str, Any]:
    return {"matcher": {"body": criterion}}


def _nested(depth: int) -> dict[str, Any]:
    criterion: dict[str, Any] = {"equals": "x"}
    for _ in range(depth):
        criterion = {"not": criterion}
    return criterion


REFUSED: Final[Mapping[str, dict[str, Any]]] = {
    "a reference to itself": _body(json_schema='{"$ref": "#"}'),
    "references in a circle": _body(
        json_schema='{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}'
    ),
    "all of itself": _body(json_schema='{"allOf": [{"$ref": "#"}]}'),
    "a reference to elsewhere": _body(json_schema='{"$ref": "https://example.com/schema.json"}'),
    "a reference to a file": _body(json_schema='{"$ref": "file:///etc/passwd"}'),
    "a reference to nothing": _body(json_schema='{"$ref": "#/$defs/none"}'),
    "a back-reference in a schema": _body(json_schema=r'{"pattern": "(a)\\1"}'),
    "a deep schema": _body(json_schema='{"not":' * 5_000 + "{}" + "}" * 5_000),
    "a back-reference": _body(pattern=r"(a)\1"),
    "a look ahead": _body(pattern="(?=a)b"),
    "a large count": _body(pattern="((a{1,1000}){1,1000}){1,1000}"),
    "a pattern without an end": _body(pattern="(" * 4_000),
    "a path without an end": _body(json_path={"path": "$" + "[?@" * 1_000}),
    "deep criteria": {"matcher": {"body": _nested(30)}},
    "too many criteria": _body(any={"criteria": [_any(*[{"equals": "x"}] * 99)] * 12}),
    "a deep subset": _body(json_subset="[" * 10_000 + "]" * 10_000),
    "a template without an end": _respond(template="{{" * 100_000),
    "deep expressions": _respond(template="{{ " + "(" * 100_000),
    "many tags": _respond(template="{{ a }}" * 100_000),
    "a long number": _respond(template="{{ " + "9" * 1_000_000 + " }}"),
    "an include": _respond(template="{% include '/etc/passwd' %}"),
    "an import": _respond(template="{% import 'os' as os %}"),
    "a file above": _respond(file="../../../etc/passwd"),
    "a file at the root": _respond(file="/etc/passwd"),
    "a file in disguise": _respond(file="reports/..%2f..%2fetc/passwd"),
    "a file behind a zero": _respond(file="terms.txt\0.pdf"),
    "a pattern for paths": {
        "action": {
            "forward": {
                "target": "http://people.example.com",
                "path": {"substitute": {"pattern": r"(a+)\1", "replacement": "x"}},
            }
        }
    },
}
"""Mocks that must not be taken, as JSON has them."""
