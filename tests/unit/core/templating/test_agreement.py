"""The language does what minijinja does with it: the same text, and a fault where minijinja has one."""

from typing import Any

import minijinja
from hypothesis import given
from hypothesis import strategies as st
from support.answering import constant
from understudy_server.core.templating.faults import BadTemplate, Fault
from understudy_server.core.templating.language import Language
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.template import compile_template

VALUES: dict[str, Any] = {
    "a": [3, 1, 2],
    "s": "héllo World",
    "d": {"b": 2, "a": 1, "c": {"x": [1, "y"]}},
    "t": True,
    "people": [{"name": "Bo", "age": 3}, {"name": "Al", "age": 5}],
}
LANGUAGE = Language(roots={name: constant(value) for name, value in VALUES.items()})

_ENGINE = minijinja.Environment(undefined_behavior="strict", pycompat=True)
_ENGINE.auto_escape_callback = lambda name: None

NUMBERS = st.integers(-20, 20).map(str) | st.sampled_from(["1.5", "-0.25", "2.0"])
TEXTS = st.sampled_from(["'a'", "'B c'", "''", "'x-y'", "s"])
LISTS = st.sampled_from(["a", "[]", "[1, 'x', true]", "d.c.x", "range(4)", "a[1:]", "a[::-1]"])
PLACES = st.sampled_from(
    ["d.b", "d['a']", "d.c.x[0]", "a[0]", "a[-1]", "people[0].name", "people[1]['age']", "d.zz", "a[9]", "nope", "d.c"]
)


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(NUMBERS, st.sampled_from(["+", "-", "*", "%", "//", "/"]), NUMBERS).map(" ".join).map("({})".format),
        two.map(lambda pair: f"({pair[0]} ~ {pair[1]})"),
        two.map(lambda pair: f"({pair[0]} == {pair[1]})"),
        two.map(lambda pair: f"({pair[0]} or {pair[1]})"),
        two.map(lambda pair: f"({pair[0]} and {pair[1]})"),
        two.map(lambda pair: f"({pair[0]} if {pair[1]} else 'no')"),
        inner.map(lambda one: f"(not {one})"),
        inner.map(lambda one: f"({one} is defined)"),
        inner.map(lambda one: f"({one})|default('none')"),
        st.tuples(TEXTS, st.sampled_from(["upper", "lower", "title", "capitalize", "trim", "length", "reverse"])).map(
            "|".join
        ),
        st.tuples(
            LISTS, st.sampled_from(["length", "join('-')", "list", "sum", "reverse|list", "map('string')|list"])
        ).map("|".join),
        st.tuples(TEXTS, TEXTS).map(lambda pair: f"{pair[0]}|replace('a', {pair[1]})"),
        st.tuples(NUMBERS, LISTS).map(lambda pair: f"({pair[0]} in {pair[1]})"),
        st.tuples(NUMBERS, NUMBERS, NUMBERS).map(
            lambda three: f"s[{three[0]}:{three[1]}]" if "." not in "".join(three) else "s"
        ),
        inner.map(lambda one: f"[({one})|default(0), 1]"),
        inner.map(lambda one: f"{{'k': {one}}}.k"),
    )


EXPRESSIONS = st.recursive(NUMBERS | TEXTS | LISTS | PLACES, _wrapped, max_leaves=6)
PRINTED = EXPRESSIONS.map(lambda expression: f"{{{{ {expression} }}}}")
SPACES = st.sampled_from(["", " ", "\n", "x", " y "])
STATEMENTS = st.recursive(
    PRINTED | SPACES,
    lambda inner: st.one_of(
        st.tuples(EXPRESSIONS, inner, inner).map(lambda p: f"{{% if {p[0]} %}}{p[1]}{{% else %}}{p[2]}{{% endif %}}"),
        st.tuples(LISTS, inner).map(lambda p: f"{{% for i in {p[0]} %}}{{{{ loop.index }}}}{p[1]}{{% endfor %}}"),
        st.tuples(LISTS, EXPRESSIONS, inner).map(
            lambda p: f"{{% for i in {p[0]} if {p[1]} %}}{{{{ i }}}}{p[2]}{{% else %}}-{{% endfor %}}"
        ),
        st.tuples(EXPRESSIONS, inner).map(lambda p: f"{{% set a = {p[0]} %}}{p[1]}"),
        st.tuples(EXPRESSIONS, inner).map(lambda p: f"{{% with s = {p[0]} %}}{p[1]}{{% endwith %}}"),
        inner.map(lambda body: f"{{% set s %}}{body}{{% endset %}}{{{{ s }}}}"),
        inner.map(lambda body: f"{{% macro m(a, s='d') %}}{body}{{% endmacro %}}{{{{ m(1) }}}}"),
        inner.map(lambda body: f"{{%- if t -%}} {body} {{%- endif -%}} "),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=5,
)


@given(STATEMENTS)
def test_the_language_agrees_with_minijinja(source: str) -> None:
    assert _ours(source) == _theirs(source)


def _ours(source: str) -> str | None:
    try:
        return compile_template(source, LANGUAGE).render(Run(None))
    except (Fault, BadTemplate):
        return None


def _theirs(source: str) -> str | None:
    try:
        return _ENGINE.render_str(source, **VALUES)
    except minijinja.TemplateError:
        return None
