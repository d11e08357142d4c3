"""Environment variables in values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.manifest_texts import environment, mock, problems
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy_server.manifest.variables import escape, substitute

_ENVIRON = {"URL": "https://a.example", "EMPTY": "", "SPEED": "250", "LIKE": "${URL}"}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("${URL}/x", "https://a.example/x"),
        ("a-${EMPTY}-b", "a--b"),
        ("${NONE:-http://b}", "http://b"),
        ("${EMPTY:-c}", "c"),
        ("${URL:-d}", "https://a.example"),
        ("${NONE:-}", ""),
        ("${LIKE}", "${URL}"),
        ("$${URL}", "${URL}"),
        ("$$${URL}", "$${URL}"),
        ("$URL $ $$ a$", "$URL $ $$ a$"),
        ("${NONE:-}${SPEED}${SPEED}", "250250"),
    ],
)
def test_a_variable_stands_for_its_value(written: str, text: str) -> None:
    assert environment(f"name: {written}", _ENVIRON).name == text


def test_a_variable_can_be_a_number_or_a_switch() -> None:
    read = environment("limits:\n  firstByteMs: ${SPEED}\nstrict: ${STRICT:-true}", _ENVIRON)
    assert (read.limits.first_byte_ms, read.strict) == (250, True)


def test_a_value_of_a_variable_that_does_not_fit_is_not_repeated() -> None:
    said = problems("strict: ${SECRET}", environ={"SECRET": "hunter2"})
    assert said == ["f.yaml:1:9: strict: the value of '${SECRET}' does not fit; write true or false"]


def test_a_variable_that_is_not_set_is_named() -> None:
    advice = "set it, or write a default: ${NOPE:-value}; $${ stands for ${ itself"
    assert problems("name: ${NOPE}") == [f"f.yaml:1:7: name: the environment variable NOPE is not set; {advice}"]


@pytest.mark.parametrize("written", ["${bad name}", "${", "${}", "${1A}", "${A-b}", "a ${A"])
def test_what_looks_like_a_variable_and_is_none_is_refused(written: str) -> None:
    said = "'${' begins no variable here; write ${NAME} or ${NAME:-default}, or $${ for the text itself"
    assert problems(f'name: "{written}"') == [f"f.yaml:1:7: name: {said}"]


def test_quotes_are_advised_where_yaml_takes_a_variable_for_a_mapping() -> None:
    advice = 'put "${NAME}" in quotes within [...] and {...}'
    assert problems("hosts: [${A}, b]") == [f"f.yaml:1:10: ',' or ']' is missing before this; {advice}"]
    assert problems("limits: {firstByteMs: ${A}}") == [f"f.yaml:1:24: ',' or '}}' is missing before this; {advice}"]


def test_a_variable_that_is_not_text_is_refused() -> None:
    said = problems("name: ${A}", environ={"A": "a\udcff"})
    assert said == ["f.yaml:1:7: name: the environment variable A is not in UTF-8; set it to text"]


def test_bodies_and_keys_hold_no_variables() -> None:
    read = mock('matcher: {query: {"${A}": x}}\naction: {respond: {text: "${A}"}}')
    assert read.action.respond.text == "${A}"
    assert list(read.matcher.query) == ["${A}"]


def test_variables_reach_into_short_forms() -> None:
    text = 'matcher: GET /${A}\naction: {respond: {headers: {x-a: ["${A}", b]}}}'
    read = mock(text, {"A": "1"})
    assert (read.matcher.path, read.action.respond.headers[0].value) == ("/1", "1")
    assert len(problems(text, ManifestMock)) == 2


@given(st.text(alphabet="$${}aA:- "))
def test_every_text_can_be_escaped(text: str) -> None:
    assert substitute(escape(text), {}) == text
