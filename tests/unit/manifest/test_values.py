"""Single values: read by the type of their field, from what is written."""

import pytest
from support.manifest_texts import environment, mock, problems
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT


@pytest.mark.parametrize(
    "written",
    ["no", "Yes", "on", "1:30", "017", "0x1f", "1_000", ".inf", "2024-01-01", "true", "12", "1.50", "=", "-1", "a  b"],
)
def test_text_is_what_is_written(written: str) -> None:
    assert environment(f"name: {written}").name == written


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"no"', "no"),
        ("'it''s'", "it's"),
        ('"a\\tb\\u00e9"', "a\tbé"),
        ('""', ""),
        ('"null"', "null"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("!!str no", "no"),
        ("!!str", ""),
        ("\ta", "a"),
    ],
)
def test_text_can_be_written_in_every_way_of_yaml(written: str, text: str) -> None:
    assert environment(f"name: {written}").name == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name:", 'f.yaml:1:6: name: has no value; write "" or leave the line out'),
        (
            "name: ~",
            'f.yaml:1:7: name: has no value: ~ stands for none; write "~" for the text, or leave the line out',
        ),
        (
            "name: Null",
            'f.yaml:1:7: name: has no value: Null stands for none; write "Null" for the text, or leave the line out',
        ),
        ("hosts:", "f.yaml:1:7: hosts: has no value; write [] or leave the line out"),
        ("mocks: null", "f.yaml:1:8: mocks: has no value; write {} or leave the line out"),
        ("cors:", "f.yaml:1:6: cors: has no value; write {} or leave the line out"),
        ("mocks:\n  ovr_a:\n", "f.yaml:2:9: mocks.ovr_a: has no value; write {} or leave the line out"),
    ],
)
def test_nothing_is_refused_where_a_value_belongs(text: str, said: str) -> None:
    assert problems(text) == [said]


@pytest.mark.parametrize(("written", "value"), [("true", True), ("false", False), ('"true"', True)])
def test_a_switch_is_true_or_false(written: str, value: bool) -> None:
    assert environment(f"strict: {written}").strict is value


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("yes", "write true"),
        ("True", "write true"),
        ("On", "write true"),
        ("no", "write false"),
        ("0", "write false"),
        ("maybe", "write true or false"),
        ("2", "write true or false"),
    ],
)
def test_no_other_word_is_a_switch(written: str, advice: str) -> None:
    said = f"f.yaml:1:9: strict: must be true or false, not {written!r}; {advice}"
    assert problems(f"strict: {written}") == [said]


@pytest.mark.parametrize(("written", "value"), [("0", 0), ("250", 250), ('"250"', 250), ("4294967295", 4294967295)])
def test_a_whole_number_is_written_in_decimal_digits(written: str, value: int) -> None:
    assert environment(f"limits: {{firstByteMs: {written}}}").limits.first_byte_ms == value


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("1:30", "write 90"),
        ("1:00:01", "write 3601"),
        ("017", "write 15 or 17"),
        ("0o17", "write 15"),
        ("0x1F", "write 31"),
        ("0b11", "write 3"),
        ("090", "write 90"),
        ("1_000", "write 1000"),
        ("+5", "write 5"),
        ("1.5", "write it in digits, such as 250"),
        ("1e3", "write it in digits, such as 250"),
        ("ten", "write it in digits, such as 250"),
    ],
)
def test_no_other_form_is_a_whole_number(written: str, advice: str) -> None:
    said = f"f.yaml:1:23: limits.firstByteMs: must be a whole number, not {written!r}; {advice}"
    assert problems(f"limits: {{firstByteMs: {written}}}") == [said]


@pytest.mark.parametrize("written", ["-1", "4294967296", "9" * 25])
def test_a_number_must_fit_its_type(written: str) -> None:
    said = f"{written} is out of range; write a whole number from 0 to 4294967295"
    assert problems(f"limits: {{firstByteMs: {written}}}") == [f"f.yaml:1:23: limits.firstByteMs: {said}"]


def test_a_number_that_is_zero_can_differ_from_none() -> None:
    assert environment("limits: {capturedBytesMax: 0}").limits.HasField("captured_bytes_max")


def test_an_enum_is_named_as_over_rest() -> None:
    assert mock("state: draft").state == MOCK_STATE_DRAFT


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("Draft", "did you mean draft?"),
        ("publshed", "did you mean published?"),
        ("MOCK_STATE_DRAFT", "write one of: draft, published"),
        ("unspecified", "write one of: draft, published"),
    ],
)
def test_no_other_word_is_an_enum(written: str, advice: str) -> None:
    said = f"f.yaml:1:8: state: {written!r} is none of: draft, published; {advice}"
    assert problems(f"state: {written}", ManifestMock) == [said]


@pytest.mark.parametrize("written", ["aGVsbG8=", "|\n    aGVs\n    bG8=\n"])
def test_bytes_are_base64(written: str) -> None:
    assert mock(f"action:\n respond:\n  binary: {written}").action.respond.binary == b"hello"


@pytest.mark.parametrize("written", ["abc", "a===", "aGVsbG9=", "é"])
def test_what_is_not_base64_is_refused(written: str) -> None:
    said = "action.respond.binary: is not base64; write bytes in base64, or name a file"
    assert problems(f"action: {{respond: {{binary: {written}}}}}", ManifestMock) == [f"f.yaml:1:28: {said}"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [a]", "f.yaml:1:7: name: must be a single value, not a list; write it behind the ':'"),
        ("name: {a: b}", "f.yaml:1:7: name: must be a single value, not a mapping; write it behind the ':'"),
        ("hosts: a.example", "f.yaml:1:8: hosts: must be a list, not 'a.example'; write [a.example]"),
        ("hosts: {a: b}", "f.yaml:1:8: hosts: must be a list, not a mapping; begin each element with '-'"),
        (
            "mocks: [a]",
            "f.yaml:1:8: mocks: must be a mapping, not a list; write each under its own key, KEY: {...}",
        ),
        (
            "cors: true",
            "f.yaml:1:7: cors: must be a mapping, not 'true'; write any of: forwardPreflights, leaveAnswers",
        ),
        ("hosts: [[a]]", "f.yaml:1:9: hosts[0]: must be a single value, not a list; write it behind the ':'"),
    ],
)
def test_a_value_has_the_kind_of_its_field(text: str, said: str) -> None:
    assert problems(text) == [said]
