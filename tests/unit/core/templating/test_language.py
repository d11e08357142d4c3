"""What the language of templates does: every statement, operator, filter, test and function, each with an example."""

from typing import Any

import pytest
from support.answering import constant
from understudy_server.core.templating.checks import TESTS
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.filters import FILTERS
from understudy_server.core.templating.language import Language
from understudy_server.core.templating.methods import OF_LISTS, OF_MAPPINGS, OF_TEXTS
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.standard import STANDARD
from understudy_server.core.templating.template import compile_template

VALUES: dict[str, Any] = {
    "a": [3, 1, 2],
    "empty": [],
    "text": "héllo World",
    "d": {"b": 2, "a": 1, "c": {"x": [1]}, "items": 5},
    "nothing": None,
    "yes": True,
    "people": [{"name": "Bo", "age": 3}, {"name": "al", "age": 5}, {"name": "Cy", "age": 3}],
    "nested": {"order": {"id": 7}},
}


LANGUAGE = Language(roots={name: constant(value) for name, value in VALUES.items()})


def render(source: str) -> str:
    return compile_template(source, LANGUAGE).render(Run(None))


FILTER_EXAMPLES = {
    "abs": [("-3|abs", "3"), ("-2.5|abs", "2.5")],
    "attr": [("d|attr('b')", "2")],
    "base64": [("'héllo'|base64", "aMOpbGxv")],
    "base64_decode": [
        ("'aMOpbGxv'|base64_decode", "héllo"),
        ("'YT8_'|base64_decode", "a??"),
        ("'YQ'|base64_decode", "a"),
    ],
    "base64url": [("'a??'|base64url", "YT8_"), ("'a'|base64url", "YQ")],
    "batch": [("a|batch(2)", "[[3, 1], [2]]"), ("a|batch(2, 0)", "[[3, 1], [2, 0]]")],
    "bool": [("''|bool", "False"), ("'x'|bool", "True")],
    "capitalize": [("'hELLO'|capitalize", "Hello")],
    "center": [("'x'|center(5)", "  x  ")],
    "count": [("a|count", "3")],
    "d": [("nope|d('x')", "x")],
    "default": [
        ("nope|default('x')", "x"),
        ("d.zz.y|default('x')", "x"),
        ("''|default('x')", ""),
        ("''|default('x', true)", "x"),
        ("nothing|default('x')", "None"),
    ],
    "dictsort": [
        ("{'b': 1, 'A': 2}|dictsort", "[('A', 2), ('b', 1)]"),
        ("{'b': 1, 'A': 2}|dictsort(by='value')", "[('b', 1), ('A', 2)]"),
    ],
    "e": [("'<'|e", "&lt;")],
    "escape": [("'<a href=\"x\">&'|escape", "&lt;a href=&#34;x&#34;&gt;&amp;")],
    "filesizeformat": [
        ("1000|filesizeformat", "1.0 kB"),
        ("2048|filesizeformat(true)", "2.0 KiB"),
        ("1|filesizeformat", "1 Byte"),
    ],
    "first": [("a|first", "3"), ("'abc'|first", "a")],
    "float": [("'1.5'|float", "1.5"), ("'x'|float", "0.0"), ("3|float", "3.0")],
    "format": [("'%s is %05.1f'|format('pi', 3.14159)", "pi is 003.1"), ("'%(n)d%%'|format(n=3)", "3%")],
    "fromjson": [("('{\"a\": [1, true]}'|fromjson).a", "[1, True]")],
    "groupby": [
        ("people|groupby('age')|length", "2"),
        ("(people|groupby('age')|first).grouper", "3"),
        ("(people|groupby('age')|first).list|map(attribute='name')|join", "BoCy"),
    ],
    "hex": [("'hé'|hex", "68c3a9")],
    "indent": [("'a\\n\\nb'|indent(2)", "a\n\n  b"), ("'a\\nb'|indent(1, true)", " a\n b")],
    "int": [("'42'|int", "42"), ("'4.7'|int", "4"), ("'x'|int(7)", "7"), ("'ff'|int(0, 16)", "255")],
    "items": [("{'x': 1}|items", "[('x', 1)]")],
    "join": [("a|join(', ')", "3, 1, 2"), ("people|join('/', attribute='name')", "Bo/al/Cy")],
    "keys": [("{'x': 1}|keys", "['x']")],
    "last": [("a|last", "2")],
    "length": [("a|length", "3"), ("text|length", "11"), ("d|length", "4")],
    "lines": [("'a\\nb'|lines", "['a', 'b']")],
    "list": [("'ab'|list", "['a', 'b']"), ("range(2)|list", "[0, 1]")],
    "lower": [("'ABC'|lower", "abc")],
    "map": [
        ("a|map('string')|join", "312"),
        ("people|map(attribute='name')|join(',')", "Bo,al,Cy"),
        ("people|map(attribute='zz', default=0)|list", "[0, 0, 0]"),
        ("['a b']|map('replace', ' ', '_')|join", "a_b"),
    ],
    "max": [("a|max", "3"), ("people|max(attribute='age')", "{'name': 'al', 'age': 5}")],
    "md5": [("'a'|md5", "0cc175b9c0f1b6a831c399e269772661")],
    "min": [("a|min", "1")],
    "reject": [("a|reject('odd')|list", "[2]")],
    "rejectattr": [("people|rejectattr('age', 'gt', 3)|map(attribute='name')|join(',')", "Bo,Cy")],
    "replace": [("text|replace('l', 'L')", "héLLo WorLd"), ("'aaa'|replace('a', 'b', 2)", "bba")],
    "reverse": [("a|reverse", "[2, 1, 3]"), ("'abc'|reverse", "cba")],
    "round": [
        ("2.567|round(2)", "2.57"),
        ("2.5|round", "2.0"),
        ("2.1|round(method='ceil')", "3.0"),
        ("2.19|round(1, 'floor')", "2.1"),
        ("1234|round(-2)", "1200"),
    ],
    "safe": [("'<'|safe", "<")],
    "select": [("a|select('odd')|list", "[3, 1]"), ("[0, 1, '']|select|list", "[1]")],
    "selectattr": [("people|selectattr('age', 'eq', 3)|map(attribute='name')|list", "['Bo', 'Cy']")],
    "sha256": [("'a'|sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")],
    "slice": [("a|slice(2)", "[[3, 1], [2]]"), ("a|slice(2, 'x')", "[[3, 1], [2, 'x']]")],
    "sort": [
        ("a|sort", "[1, 2, 3]"),
        ("a|sort(reverse=true)", "[3, 2, 1]"),
        ("people|sort(attribute='age,name')|map(attribute='name')|join", "BoCyal"),
        ("['b', 'A']|sort(case_sensitive=true)", "['A', 'b']"),
    ],
    "split": [
        ("'a,b'|split(',')", "['a', 'b']"),
        ("' a  b '|split", "['a', 'b']"),
        ("'a,b,c'|split(',', 1)", "['a', 'b,c']"),
    ],
    "string": [("12|string ~ 3", "123")],
    "sum": [("a|sum", "6"), ("people|sum(attribute='age')", "11"), ("a|sum(start=10)", "16")],
    "title": [('"it\'s a-test"|title', "It's A-Test")],
    "tojson": [
        ("{'a': [1, none, true], 'b': 'ü<'}|tojson", '{"a":[1,null,true],"b":"ü<"}'),
        ("[1]|tojson(indent=2)", "[\n  1\n]"),
        ("'x'|tojson", '"x"'),
    ],
    "trim": [("' x '|trim", "x"), ("'xax'|trim('x')", "a")],
    "truncate": [
        ("'hello wide world'|truncate(9, leeway=0)", "hello..."),
        ("'hello wide'|truncate(6, true, '!', 0)", "hello!"),
    ],
    "unique": [
        ("[1, 2, 1]|unique", "[1, 2]"),
        ("['a', 'A']|unique", "['a']"),
        ("people|unique(attribute='age')|length", "2"),
    ],
    "upper": [("text|upper", "HÉLLO WORLD")],
    "urlencode": [("'a b&c/d'|urlencode", "a%20b%26c/d"), ("{'q': 'x y', 'p': 1}|urlencode", "q=x%20y&p=1")],
    "values": [("{'x': 1}|values", "[1]")],
    "wordcount": [("text|wordcount", "2")],
    "wordwrap": [("'hello wide world'|wordwrap(6)", "hello\nwide\nworld")],
    "zip": [("[1, 2]|zip('ab')", "[(1, 'a'), (2, 'b')]")],
}
TEST_EXAMPLES = {
    "boolean": ["yes is boolean", "1 is not boolean"],
    "callable": ["range is callable", "1 is not callable"],
    "defined": ["text is defined", "nope is not defined", "d.zz.y is not defined"],
    "divisibleby": ["6 is divisibleby(3)", "7 is not divisibleby 3"],
    "endingwith": ["text is endingwith 'World'"],
    "eq": ["1 is eq 1", "1 is not eq('1')"],
    "equalto": ["a is equalto [3, 1, 2]"],
    "even": ["4 is even", "3 is not even"],
    "false": ["false is false", "0 is not false"],
    "float": ["1.5 is float", "1 is not float"],
    "ge": ["2 is ge 2"],
    "greaterthan": ["2 is greaterthan 1"],
    "gt": ["2 is gt 1", "2 is not gt 2"],
    "in": ["1 is in a", "9 is not in a"],
    "integer": ["1 is integer", "true is not integer"],
    "iterable": ["a is iterable", "1 is not iterable"],
    "le": ["2 is le 2"],
    "lessthan": ["1 is lessthan 2"],
    "lower": ["'a' is lower", "'A' is not lower"],
    "lt": ["1 is lt 2"],
    "mapping": ["d is mapping", "a is not mapping"],
    "ne": ["1 is ne 2"],
    "none": ["nothing is none", "0 is not none"],
    "number": ["1.5 is number", "'1' is not number"],
    "odd": ["3 is odd", "2 is not odd"],
    "sameas": ["1 is sameas 1", "1 is not sameas true"],
    "sequence": ["a is sequence", "nothing is not sequence"],
    "startingwith": ["text is startingwith 'h'"],
    "string": ["text is string", "1 is not string"],
    "true": ["true is true", "1 is not true"],
    "undefined": ["nope is undefined", "text is not undefined"],
    "upper": ["'A' is upper", "'a' is not upper"],
}
METHOD_EXAMPLES = {
    "capitalize": ("'abc'.capitalize()", "Abc"),
    "count": ("'abca'.count('a')", "2"),
    "endswith": ("'abc'.endswith('bc')", "True"),
    "find": ("'abc'.find('c')", "2"),
    "get": ("d.get('zz', 'none')", "none"),
    "index": ("a.index(1)", "1"),
    "isalnum": ("'a1'.isalnum()", "True"),
    "isalpha": ("'a1'.isalpha()", "False"),
    "isdigit": ("'12'.isdigit()", "True"),
    "islower": ("'a'.islower()", "True"),
    "isnumeric": ("'12'.isnumeric()", "True"),
    "isspace": ("' '.isspace()", "True"),
    "isupper": ("'a'.isupper()", "False"),
    "items": ("{'x': 1}.items()", "[('x', 1)]"),
    "join": ("'-'.join(['a', 'b'])", "a-b"),
    "keys": ("{'x': 1}.keys()", "['x']"),
    "ljust": ("'a'.ljust(3, '.')", "a.."),
    "lower": ("'ABC'.lower()", "abc"),
    "lstrip": ("' a '.lstrip()", "a "),
    "removeprefix": ("'abc'.removeprefix('a')", "bc"),
    "removesuffix": ("'abc'.removesuffix('c')", "ab"),
    "replace": ("'abc'.replace('b', 'x')", "axc"),
    "rfind": ("'aba'.rfind('a')", "2"),
    "rjust": ("'a'.rjust(3)", "  a"),
    "rstrip": ("' a '.rstrip()", " a"),
    "split": ("'a b'.split()", "['a', 'b']"),
    "splitlines": ("'a\\nb'.splitlines()", "['a', 'b']"),
    "startswith": ("'abc'.startswith('ab')", "True"),
    "strip": ("' a '.strip()", "a"),
    "title": ("'ab cd'.title()", "Ab Cd"),
    "upper": ("'abc'.upper()", "ABC"),
    "values": ("{'x': 1}.values()", "[1]"),
    "zfill": ("'7'.zfill(3)", "007"),
}
FUNCTION_EXAMPLES = {
    "dict": ("dict({'a': 1}, b=2)", "{'a': 1, 'b': 2}"),
    "namespace": ("namespace(x=1).x", "1"),
    "range": ("range(1, 7, 2)|list", "[1, 3, 5]"),
}
EXPRESSIONS = [
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3", "9"),
    ("2 ** 3", "8"),
    ("7 / 2", "3.5"),
    ("-7 // 2", "-4"),
    ("-7 % 3", "2"),
    ("'%s-%d' % ('a', 3)", "a-3"),
    ("'a' ~ 1 ~ none", "a1None"),
    ("'a' + 'b'", "ab"),
    ("[1] + [2]", "[1, 2]"),
    ("'ab' * 2", "abab"),
    ("[0] * 3", "[0, 0, 0]"),
    ("1 < 2 < 3", "True"),
    ("3 > 2 > 2", "False"),
    ("1 == 1.0 and 1 != '1'", "True"),
    ("'a' < 'b'", "True"),
    ("'x' in 'xyz' and 'b' in d and 9 not in a", "True"),
    ("not nothing", "True"),
    ("nothing or 'y'", "y"),
    ("'a' if yes else 'b'", "a"),
    ("'a' if not yes", ""),
    ("a[0] ~ a[-1]", "32"),
    ("a[1:] ~ a[:1] ~ a[::-1]", "[1, 2][3][2, 1, 3]"),
    ("text[1:4]", "éll"),
    ("d.b ~ d['a'] ~ d.c.x[0] ~ d.c.x.0", "2111"),
    ("d.items", "5"),
    ("nested.order.id", "7"),
    ("'a' 'b'", "ab"),
    ("'\\u00e9\\t\\x41\\\\\\''", "é\tA\\'"),
    ("0x1f + 1_000 + 1.5e1", "1046.0"),
    ("[1, 'x', none, true, 1.5]", "[1, 'x', None, True, 1.5]"),
    ("(1,)", "(1,)"),
    ("{'a': {'b': 1}}.a.b", "1"),
    ("'}}'", "}}"),
    ("-a[0]", "-3"),
    ("text | lower | upper", "HÉLLO WORLD"),
    ("1 is number and 'x' is string", "True"),
]
STATEMENTS = [
    ("{% for x in a %}{{ x }},{% endfor %}", "3,1,2,"),
    ("{% for x in a if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}", "1/2:3 2/2:2 "),
    ("{% for x in empty %}x{% else %}none{% endfor %}", "none"),
    ("{% for k, v in d.c|items %}{{ k }}={{ v }}{% endfor %}", "x=[1]"),
    (
        "{% for x in a %}{{ loop.first }}{{ loop.revindex }}{{ loop.cycle('o', 'e') }} {% endfor %}",
        "True3o False2e False1o ",
    ),
    ("{% for x in a %}{{ loop.previtem|default('-') }}<{{ loop.nextitem|default('-') }} {% endfor %}", "-<1 3<2 1<- "),
    (
        "{% for i in a %}{% if i > 2 %}{% continue %}{% endif %}{{ i }}{% break %}{% endfor %}",
        "1",
    ),
    ("{% if nothing %}a{% elif yes %}b{% else %}c{% endif %}", "b"),
    ("{% set x = 1 %}{% for i in a %}{% set x = i %}{% endfor %}{{ x }}", "1"),
    ("{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}", "2"),
    ("{% set x, y = 1, 2 %}{{ x }}{{ y }}", "12"),
    ("{% set x %}hi {{ text }}{% endset %}{{ x|upper }}", "HI HÉLLO WORLD"),
    ("{% set x | upper %}hi{% endset %}{{ x }}", "HI"),
    ("{% set ns = namespace(n=0) %}{% for i in a %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6"),
    ("{% with x=1, y=2 %}{{ x + y }}{% endwith %}{{ x is defined }}", "3False"),
    ("{% macro m(a, b=2) %}[{{ a }},{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=1, a=2) }}", "[1,2][1,3][2,1]"),
    ("{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{% endcall %}", "<in>"),
    ("{% macro m() %}<{{ caller(1) }}>{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}", "<1>"),
    ("{% filter upper %}a{{ text }}{% endfilter %}", "AHÉLLO WORLD"),
    ("{% do a %}x", "x"),
    ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ("a{# no #}b", "ab"),
    ("a  {{- 1 -}}  b", "a1b"),
    ("a\n{%- if yes %} b {%- endif %}\nc\n", "a b\nc"),
    ("x\n", "x"),
    ("x\r\n", "x"),
    ("x\n\n", "x\n"),
    ("no tags at all", "no tags at all"),
    ("{ %} }} are text", "{ %} }} are text"),
]


@pytest.mark.parametrize(
    ("expression", "result"), [example for examples in FILTER_EXAMPLES.values() for example in examples]
)
def test_a_filter_makes_this(expression: str, result: str) -> None:
    assert render(f"{{{{ {expression} }}}}") == result


@pytest.mark.parametrize("expression", [example for examples in TEST_EXAMPLES.values() for example in examples])
def test_a_test_holds(expression: str) -> None:
    assert render(f"{{{{ {expression} }}}}") == "True"


@pytest.mark.parametrize(("expression", "result"), [*METHOD_EXAMPLES.values(), *FUNCTION_EXAMPLES.values()])
def test_a_call_makes_this(expression: str, result: str) -> None:
    assert render(f"{{{{ {expression} }}}}") == result


@pytest.mark.parametrize(("expression", "result"), EXPRESSIONS)
def test_an_expression_is_this(expression: str, result: str) -> None:
    assert render(f"{{{{ {expression} }}}}") == result


@pytest.mark.parametrize(("source", "result"), STATEMENTS)
def test_a_template_prints_this(source: str, result: str) -> None:
    assert render(source) == result


def test_everything_there_is_has_an_example() -> None:
    assert set(FILTER_EXAMPLES) == set(FILTERS)
    assert set(TEST_EXAMPLES) == set(TESTS)
    assert set(METHOD_EXAMPLES) == {*OF_TEXTS, *OF_LISTS, *OF_MAPPINGS}
    assert set(FUNCTION_EXAMPLES) == set(STANDARD)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("\n{{ nope }}", "nope is undefined (line 2)"),
        ("{{ d.zz }}", "d.zz is undefined (line 1)"),
        ("{{ d.zz.y.x }}", "d.zz is undefined (line 1)"),
        ("{{ a[9] }}", "9 of a list is undefined (line 1)"),
        ("{{ empty|first }}", "the first of an empty list is undefined (line 1)"),
        ("{% if nope %}{% endif %}", "nope is undefined (line 1)"),
        ("{{ nope|upper }}", "nope is undefined (line 1)"),
        ("{{ 1 / 0 }}", "nothing can be divided by 0 (line 1)"),
        ("{{ 'a' + 1 }}", "a text and a number do not go together with + (line 1)"),
        ("{{ 'a' < 1 }}", "a text and a number do not go together with < (line 1)"),
        ("{{ text.nope() }}", "a text has no function nope (line 1)"),
        ("{{ text() }}", "a text is not a function (line 1)"),
        ("{% for x in nothing %}{% endfor %}", "none is not a list (line 1)"),
        ("{% for x, y in a %}{% endfor %}", "a number is not 2 values (line 1)"),
        ("{{ [1, 'a']|sort }}", "a text and a number do not go together with < (line 1)"),
        ("{{ 'x'|fromjson }}", "the text is not JSON (line 1)"),
        ("{{ range|tojson }}", "the function range is no data (line 1)"),
        ("{{ {[1]: 2} }}", "a list cannot be a key (line 1)"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}\n{{ m(1, 2) }}", "m takes 1 arguments (line 2)"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(y=2) }}", "m has no parameter y (line 1)"),
        ("{{ a|map('nope')|list }}", "there is no filter nope (line 1)"),
        ("{{ a|select('nope')|list }}", "there is no test nope (line 1)"),
        ("{{ [1]|join(attribute='x.y') }}", "'x' of a number is undefined (line 1)"),
    ],
)
def test_what_cannot_be_rendered_says_why_and_where(source: str, message: str) -> None:
    with pytest.raises(Fault) as raised:
        render(source)
    assert str(raised.value) == message


def test_no_name_leads_out_of_the_data() -> None:
    for name in ("__class__", "clear", "append", "__getattribute__", "format", "mro", "update"):
        for of in ("text", "a", "d", "range", "nothing", "loop"):
            assert render(f"{{{{ {of}.{name} is defined }}}}") == "False"
            assert render(f"{{{{ {of}['{name}'] is defined }}}}") == "False"
