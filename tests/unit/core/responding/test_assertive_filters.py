"""Filters of Assertive's templates. What they print was taken from Jinja 3.1.6 with MarkupSafe 3.0."""

import pytest
from support.answering import draws_of, scene
from understudy_server.core.responding.assertive_templates import compile_assertive
from understudy_server.core.responding.templates import begin
from understudy_server.core.templating.faults import Fault


def _rendered(source: str) -> str:
    given = scene()
    return compile_assertive(source).render(begin(given, draws_of(given)))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            """{{ {'b': 1, 'a': [1, 2.0, none, true, 'é<>&\\'"']}|tojson }}""",
            r'{"a": [1, 2.0, null, true, "\u00e9\u003c\u003e\u0026\u0027\""], "b": 1}',
        ),
        ("{{ {'a': [1], 'b': {}}|tojson(2) }}", '{\n  "a": [\n    1\n  ],\n  "b": {}\n}'),
        ("{{ [1, 2]|tojson(indent='--') }}", "[\n--1,\n--2\n]"),
        ("{{ []|tojson(0) }}", "[]"),
        ("{{ {2: 1, 10: 2}|tojson }}", '{"2": 1, "10": 2}'),
        ("{{ '😀'|tojson }}", r'"\ud83d\ude00"'),
        ("{{ ['<', [1, 2]]|map('tojson')|join('|') }}", r'"\u003c"|[1, 2]'),
        ("{{ {'a b': 'c d/&é+', 'n': 1, 'p': '%20'}|urlencode }}", "a+b=c+d%2F%26%C3%A9%2B&n=1&p=%2520"),
        ("{{ [('a', ' ')]|urlencode }}", "a=+"),
        ("{{ 'a b/c&'|urlencode }}", "a%20b/c%26"),
        ("{{ ' <!-- a <b> --> x  <b\n>y</b> &lt;i&gt; < z'|striptags }}", "x y <i> < z"),
        ("{{ 'a <!-- b <i>c</i>'|striptags }}", "a <!-- b <i>c</i>"),
        ("{{ '<<b>>'|striptags }}", ">"),
        ("{{ 5|striptags }}", "5"),
        ("{{ '<a>'|forceescape }}", "&lt;a&gt;"),
    ],
)
def test_it_prints_what_jinja_does(source: str, text: str) -> None:
    assert _rendered(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ {1: 2, 'a': 3}|tojson }}",
        "{{ [1]|tojson(17) }}",
        "{{ [1]|tojson('                 ') }}",
        "{{ ('<' * 600000)|tojson }}",
        "{{ ('<b>' * 300000)|striptags }}",
    ],
)
def test_what_cannot_be_made_or_takes_too_much_fails(source: str) -> None:
    with pytest.raises(Fault):
        _rendered(source)
