"""Templates and requests that are made to hold everybody up: each ends soon, and takes little memory."""

import contextlib
import tracemalloc
from typing import Any

import pytest
from support.answering import constant
from support.soon import ends_within
from understudy_server.core.templating.faults import BadTemplate, Fault
from understudy_server.core.templating.language import Language
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.template import Template, compile_template

SECONDS_MAX = 0.020
BYTES_MAX = 24 * 1024 * 1024

LONG = ("x" * 60 + " ") * 16_000
MANY = list(range(80_000))
WORDS = ["a" * 30] * 20_000
DEEP: Any = 1
for _ in range(90):
    DEEP = [DEEP]

VALUES = {"long": LONG, "many": MANY, "words": WORDS, "deep": DEEP, "quotes": "<" * 1_000_000, "spaces": "a " * 500_000}
LANGUAGE = Language(roots={name: constant(value) for name, value in VALUES.items()})

DOUBLED = (
    "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}"
    "{% set b = namespace(a=[1]) %}{% for i in range(60) %}{% set b.a = [b.a, b.a] %}{% endfor %}"
)
REPEATED = "{{% for i in range(100000) %}}{}{{% endfor %}}"

DOUBLED_USES = [
    "ns",
    "ns.a",
    "ns.a|tojson",
    "ns.a == b.a",
    "ns.a is sameas b.a",
    "ns.a|string",
    "ns.a ~ ''",
    "[ns.a]|join",
    "[ns.a, b.a]|unique",
    "[ns.a, b.a]|sort",
    "[ns.a, b.a]|min",
    "ns.a in [b.a]",
    "ns.a < b.a",
    "ns.a|urlencode",
    "'%s'|format(ns.a)",
    "[b.a].index(ns.a)",
    "[{'x': ns.a}, {'x': b.a}]|groupby('x')",
    "{'x': ns.a, 'y': b.a}|dictsort(by='value')",
]

TEMPLATES = [
    "{{ 'a' * 10**9 }}",
    "{{ [1] * 10**9 }}",
    "{{ range(10**9) }}",
    "{{ 10**10**10 }}",
    "{% set ns = namespace(n=7) %}{% for i in range(1000) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
    REPEATED.format(REPEATED.format("")),
    REPEATED.format("x" * 10_000),
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{{ a }}{{ m(a ~ a) }}{% endmacro %}{{ m('x') }}",
    "{% macro m(a) %}{% for i in range(9) %}{{ m(i) }}{% endfor %}{% endmacro %}{{ m(1) }}",
    REPEATED.format("{% set x = long[1:] %}"),
    REPEATED.format("{% set x = long[::-1] %}"),
    REPEATED.format("{% set x = long|upper %}"),
    REPEATED.format("{% if 'q' in long %}{% endif %}"),
    "{% set b = long[1:] %}{% set c = long[1:] %}" + REPEATED.format("{% if b == c %}{% endif %}"),
    "{% set b = long[1:] %}{% set c = long[1:] %}" + REPEATED.format("{% if b < c %}{% endif %}"),
    REPEATED.format("{% if long.startswith(long) %}{% endif %}"),
    REPEATED.format("{% if 99999 in many %}{% endif %}"),
    REPEATED.format("{{ many|last }}{{ many|length }}"),
    REPEATED.format("{{ many|list|last }}"),
    REPEATED.format("{{ deep|tojson }}"),
    "{{ many|tojson }}",
    "{{ many }}",
    "{{ many == many }}",
    "{{ many + many + many }}",
    "{% for x in many %}{{ x }},{% endfor %}",
    "{{ many|sort|join(',') }}",
    "{{ many|sum }}",
    "{{ many|batch(1)|length }}",
    "{{ many|map('string')|map('upper')|list|length }}",
    "{{ many|select('divisibleby', 3)|list|length }}",
    "{{ words|unique|length }}",
    "{{ words|sort|length }}",
    "{{ words|groupby('x')|length }}",
    "{{ words|join(long) }}",
    "{{ long|replace('x', 'y' * 1000) }}",
    "{{ long|replace('', 'yy') }}",
    "{{ long|split('x')|length }}",
    "{{ spaces|split|length }}",
    "{{ spaces|wordcount }}",
    "{{ long|wordwrap(1) }}",
    "{{ long|title }}",
    "{{ long|urlencode }}",
    "{{ long|list|length }}",
    "{{ quotes|escape }}",
    "{{ long|sha256 }}{{ long|md5 }}{{ long|base64|base64_decode|length }}",
    "{{ long|int }}{{ long|float }}",
    "{{ 'x'|center(10**9) }}",
    "{{ 'x'.ljust(10**9) }}",
    "{{ 'x'|indent(10**9, true) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%9999d'|format(1) }}",
    "{{ ('%s' * 100000) % 1 }}",
    "{{ [1]|slice(10**9) }}",
    "{{ [1]|batch(10**9, 0) }}",
    "{{ long|fromjson }}",
    *[DOUBLED + f"{{{{ {use} }}}}" for use in DOUBLED_USES],
]


@pytest.mark.parametrize("source", TEMPLATES, ids=lambda source: source[-60:])
def test_a_hostile_template_ends_soon_and_takes_little(source: str) -> None:
    template = compile_template(source, LANGUAGE)
    assert ends_within(SECONDS_MAX, lambda: _render(template))
    tracemalloc.start()
    try:
        _render(template)
        assert tracemalloc.get_traced_memory()[1] < BYTES_MAX
    finally:
        tracemalloc.stop()


def _render(template: Template) -> None:
    with contextlib.suppress(Fault):
        template.render(Run(None))


@pytest.mark.parametrize(
    "source",
    [
        "{{" * 100_000,
        "{#" * 100_000,
        "{##}" * 200_000,
        "{% raw %}{% endraw %}" * 40_000,
        "{% raw %}" * 100_000,
        "{{ '" + "\\x" * 500_000,
        "{{ " + "(" * 100_000,
        "{{ a" + ".b" * 100_000 + " }}",
        "{% if a %}" * 10_000,
        "{{ a }}" * 100_000,
        "{{ " + "a if " * 10_000 + "a }}",
        "{{ " + "[" * 10_000 + "]" * 10_000 + " }}",
        "{{ " + "9" * 1_000_000 + " }}",
        "\n" * 1_000_000 + "{{",
    ],
    ids=lambda source: source[:20],
)
def test_a_hostile_text_is_soon_refused(source: str) -> None:
    def compile_it() -> None:
        with pytest.raises(BadTemplate):
            compile_template(source, LANGUAGE)

    assert ends_within(0.5, compile_it)


def test_the_same_template_takes_the_same_steps_every_time() -> None:
    template = compile_template("{% for x in many[:100] %}{{ x|string|upper }}{% endfor %}", LANGUAGE)
    left = set()
    for _ in range(3):
        run = Run(None)
        template.render(run)
        left.add(run.left)
    assert len(left) == 1


def test_all_templates_of_one_answer_share_what_it_may_take() -> None:
    template = compile_template("{% for x in many[:2400] %}{{ x }}{% endfor %}", LANGUAGE)
    run = Run(None)
    template.render(run)
    with pytest.raises(Fault, match="more steps than one answer may take"):
        template.render(run)
