"""JSON in a manifest: any YAML that means one thing to every reader."""

import pytest
from support.manifest_texts import json_of, mock, problems
from understudy.v1.manifest_service_pb2 import ManifestMock


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("null", "null"),
        ("~", "null"),
        ("", "null"),
        ("true", "true"),
        ("False", "false"),
        ("12", "12"),
        ("-0", "-0"),
        ("1.50", "1.50"),
        ("1E+05", "1E+05"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("word", '"word"'),
        ("two words", '"two words"'),
        ("2024-01-01", '"2024-01-01"'),
        ("1.2.3", '"1.2.3"'),
        ("127.0.0.1:80", '"127.0.0.1:80"'),
        ('"no"', '"no"'),
        ("'1:30'", '"1:30"'),
        ('"a\\"b\\\\\\u0007"', '"a\\"b\\\\\\u0007"'),
        ("!!str 017", '"017"'),
        ("[]", "[]"),
        ("{}", "{}"),
        ("{b: 1, a: [x, {c: ~}], no: 2, 1: 3, on: }", '{"b":1,"a":["x",{"c":null}],"no":2,"1":3,"on":null}'),
        ('{"error": "card_declined", "n": [1, 2.0]}', '{"error":"card_declined","n":[1,2.0]}'),
        ('{"a":{"b":"c"}}', '{"a":{"b":"c"}}'),
    ],
)
def test_yaml_becomes_json_with_its_digits_and_its_order(written: str, text: str) -> None:
    assert json_of(written) == text


def test_json_may_stand_in_blocks() -> None:
    written = (
        "action:\n  respond:\n    json:\n      lines:\n        - one\n        - |\n          two\n          three\n"
    )
    assert mock(written).action.respond.json == '{"lines":["one","two\\nthree\\n"]}'


@pytest.mark.parametrize("word", ["yes", "Yes", "YES", "on", "On", "y", "Y"])
def test_words_for_true_are_refused(word: str) -> None:
    said = f"{word} without quotes is true or false to some readers of YAML; put it in quotes for text, or write true"
    assert _problem(word) == said


@pytest.mark.parametrize("word", ["no", "No", "NO", "off", "OFF", "n", "N"])
def test_words_for_false_are_refused(word: str) -> None:
    said = f"{word} without quotes is true or false to some readers of YAML; put it in quotes for text, or write false"
    assert _problem(word) == said


@pytest.mark.parametrize(
    ("number", "instead"),
    [
        ("1:30", "90"),
        ("-1:30", "-90"),
        ("12:30:45", "45045"),
        ("017", "15 or 17"),
        ("-017", "-15 or -17"),
        ("09", "9"),
        ("0o17", "15"),
        ("0x1f", "31"),
        ("0b1", "1"),
        ("1_000", "1000"),
        ("1_0.5", "10.5"),
        ("+1", "1"),
        (".5", "0.5"),
        ("1.", "1"),
        ("1.e3", "1e3"),
    ],
)
def test_numbers_that_readers_take_for_different_ones_are_refused(number: str, instead: str) -> None:
    said = (
        f"{number!r} without quotes is a number to some readers of YAML; put it in quotes for text, or write {instead}"
    )
    assert _problem(number) == said


@pytest.mark.parametrize("number", [".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1:30.5"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    said = f"{number!r} without quotes is a number to some readers of YAML; put it in quotes for text"
    assert _problem(number) == said


def test_a_number_out_of_range_is_refused() -> None:
    assert _problem("1e999") == "the number '1e999' is out of range; put it in quotes for text"
    assert _problem("9" * 5_000) == "a number of more than 4300 characters; put it in quotes for text"


def test_every_problem_within_json_is_told_with_its_place() -> None:
    text = "action:\n  respond:\n    json:\n      a: yes\n      b: [x, 1:30]\n      a b: 017\n"
    places = [said.split(" without")[0] for said in problems(text, ManifestMock)]
    assert places == [
        "f.yaml:4:10: action.respond.json.a: yes",
        "f.yaml:5:14: action.respond.json.b[1]: '1:30'",
        "f.yaml:6:12: action.respond.json['a b']: '017'",
    ]


def test_a_key_that_stands_twice_in_json_is_refused() -> None:
    said = "is given twice: it stands in line 1 already; leave one of them out"
    assert _problem("{a: 1, a: 2}").endswith(said)


def test_variables_are_text_in_json() -> None:
    assert json_of('"${HOME} $${x"') == '"${HOME} $${x"'


def test_json_is_at_most_64_levels_deep() -> None:
    assert json_of("[" * 64 + "1" + "]" * 64) == "[" * 64 + "1" + "]" * 64
    assert _problem("[" * 65 + "1" + "]" * 65).endswith("the JSON is nested deeper than 64 levels")


def _problem(written: str) -> str:
    """The one problem of a value, without its place."""
    (said,) = problems(f"action: {{respond: {{json: {written}}}}}", ManifestMock)
    return said.partition("action.respond.json")[2].partition(": ")[2]
