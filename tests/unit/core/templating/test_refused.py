"""Texts that are no templates are refused when they are compiled, with the line of what is wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.templating.faults import BadTemplate, Fault
from understudy_server.core.templating.language import Language
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.template import SOURCE_MAX, compile_template

LANGUAGE = Language(
    roots={"request": lambda _: {"a": 1}},
    modules={"fake": lambda name: (lambda run, count=1: name) if name == "city" else None},
)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 1 + }}", "a value should be where the end of the tag is (line 1)"),
        ("a\nb {{ x", "a tag that begins with {{ has no end (line 2)"),
        ("{{ x }} {% if x", "a tag that begins with {% has no end (line 1)"),
        ("{# x", "a comment has no end (line 1)"),
        ("{% raw %} x", "raw has no endraw (line 1)"),
        ("{{ 'x }}", "a text has no end (line 1)"),
        ("{{ x ? }}", "'?' is out of place (line 1)"),
        ("{{ (1, 2 }}", "'}' closes nothing (line 1)"),
        ("{{ (1] }}", "']' closes nothing (line 1)"),
        ("{{ x y }}", "the end of the tag should be where 'y' is (line 1)"),
        ("{{ x. }}", "a name should be where the end of the tag is (line 1)"),
        ("{{ x[] }}", "there is nothing between [ and ] (line 1)"),
        ("{{ x[1:2:3:4] }}", "a slice has at most two colons (line 1)"),
        ("{{ f(*x) }}", "arguments cannot be spread with * (line 1)"),
        ("{{ f(a=1, 2) }}", "an argument without a name follows one with a name (line 1)"),
        ("{{ f(a=1, a=2) }}", "a is given twice (line 1)"),
        ("{{ x|nope }}", "there is no filter 'nope' (line 1)"),
        ("{{ x is nope }}", "there is no test 'nope' (line 1)"),
        ("{{ x|upper(1) }}", "the filter upper takes other arguments: too many positional arguments (line 1)"),
        ("{{ x|replace }}", "the filter replace takes other arguments: missing a required argument: 'old' (line 1)"),
        (
            "{{ x is divisibleby }}",
            "the test divisibleby takes other arguments: missing a required argument: 'divisor' (line 1)",
        ),
        ("{{ range() }}", "range takes other arguments: missing a required argument: 'start' (line 1)"),
        ("{{ fake.nope() }}", "there is no function fake.nope (line 1)"),
        ("{{ fake.city(1, 2) }}", "fake.city takes other arguments: too many positional arguments (line 1)"),
        ("\n\n{% nope %}", "there is no tag 'nope' (line 3)"),
        ("{% include 'x' %}", "include is not possible: a template stands alone (line 1)"),
        ("{% extends 'x' %}", "extends is not possible: a template stands alone (line 1)"),
        ("{% import 'x' as y %}", "import is not possible: a template stands alone (line 1)"),
        ("{% endif %}", "endif is out of place (line 1)"),
        ("{% else %}", "else is out of place (line 1)"),
        ("\n{% if x %}", "a block has no endif (line 2)"),
        ("{% for x in y %}{% endif %}", "endif is out of place (line 1)"),
        ("{% for x y %}{% endfor %}", "'in' should be where 'y' is (line 1)"),
        ("{% for if in y %}{% endfor %}", "'if' cannot be given a value (line 1)"),
        ("{% for x in y recursive %}{% endfor %}", "a loop cannot be recursive; a macro can (line 1)"),
        ("{% break %}", "break is not in a loop (line 1)"),
        (
            "{% for x in y %}{% macro m() %}{% continue %}{% endmacro %}{% endfor %}",
            "continue is not in a loop (line 1)",
        ),
        ("{% set x, y %}{% endset %}", "a block sets one name (line 1)"),
        ("{% set 1 = 2 %}", "a name should be where 1 is (line 1)"),
        ("{% macro m(a, a) %}{% endmacro %}", "a is there twice (line 1)"),
        ("{% macro m(a=1, b) %}{% endmacro %}", "b needs a default, as the one before it has (line 1)"),
        ("{% call x %}{% endcall %}", "call needs a call of a macro (line 1)"),
        ("{{ " + "9" * 400 + " }}", "a number is too long (line 1)"),
        ("{{ " + "(" * 50 + "1" + ")" * 50 + " }}", "brackets are nested too deeply (line 1)"),
        ("{{ 1" + "+1" * 300 + " }}", "more than 200 operations follow one another (line 1)"),
        ("{{ x" + ".y" * 300 + " }}", "more than 200 operations follow one another (line 1)"),
        ("{{ x" + "|upper" * 300 + " }}", "more than 200 operations follow one another (line 1)"),
        ("{{ " + "-" * 300 + "1 }}", "more than 200 operations follow one another (line 1)"),
        ("{{ " + "not " * 300 + "1 }}", "more than 200 operations follow one another (line 1)"),
        ("{% if x %}" * 30 + "{% endif %}" * 30, "blocks are nested too deeply (line 1)"),
        ("{{ 1 }}" * 6000, "it has more than 5000 words and signs in its tags (line 1)"),
        ("x" * (SOURCE_MAX + 1), "it has 1048577 characters; 1048576 are the most (line 1)"),
    ],
)
def test_what_is_no_template_says_why_and_where(source: str, message: str) -> None:
    with pytest.raises(BadTemplate) as raised:
        compile_template(source, LANGUAGE)
    assert str(raised.value) == message


PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "-",
        "if",
        "else",
        "elif",
        "endif",
        "for",
        "in",
        "endfor",
        "set",
        "endset",
        "macro",
        "endmacro",
        "call",
        "endcall",
        "filter",
        "with",
        "raw",
        "request",
        "a",
        "b",
        ".",
        ",",
        ":",
        "|",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "=",
        "==",
        "<",
        "+",
        "*",
        "**",
        "//",
        "%",
        "~",
        "not",
        "and",
        "or",
        "is",
        "defined",
        "upper",
        "join",
        "map",
        "1",
        "2.5",
        "'x'",
        '"y"',
        "none",
        "true",
        "loop",
        "range",
        "namespace",
        "break",
        "continue",
        "do",
        "\\",
        "'",
        '"',
        "é",
    ]
)


@given(st.lists(PIECES, max_size=40).map(" ".join) | st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_a_template_or_is_refused(source: str) -> None:
    # Anything else that is raised is a fault of ours.
    with suppress(BadTemplate, Fault):
        compile_template(source, LANGUAGE).render(Run(None))
