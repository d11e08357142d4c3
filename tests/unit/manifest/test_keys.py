"""Keys: known ones, each once, and only what goes together."""

import pytest
from support.manifest_texts import environment, mock, problems
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.project_service_pb2 import Environment


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nam: x", "f.yaml:1:1: nam: is not known here; did you mean name?"),
        ("Upstream: x", "f.yaml:1:1: Upstream: is not known here; did you mean upstream?"),
        (
            "strict: true\nstrip_session_header: true",
            "f.yaml:2:1: strip_session_header: is not known here; did you mean stripSessionHeader?",
        ),
        (
            "redaction: {json_paths: [$.a]}",
            "f.yaml:1:13: redaction.json_paths: is not known here; did you mean jsonPaths?",
        ),
        (
            "cors: {zzz: 1}",
            "f.yaml:1:8: cors.zzz: is not known here; there are: forwardPreflights, leaveAnswers",
        ),
        (
            "mocks: {ovr_a: {action: {respond: {statsu: 200}}}}",
            "f.yaml:1:36: mocks.ovr_a.action.respond.statsu: is not known here; did you mean status?",
        ),
        (
            "mocks: {ovr_a: {action: {respond: {jsonfile: a}}}}",
            "f.yaml:1:36: mocks.ovr_a.action.respond.jsonfile: is not known here; did you mean jsonFile?",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_one_that_was_meant(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_a_field_of_the_server_is_refused() -> None:
    assert problems("managedBy: me", Environment) == ["f.yaml:1:1: managedBy: is set by the server alone; leave it out"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nname: b", "f.yaml:2:1: name: is given twice: it stands in line 1 already; leave one of them out"),
        (
            "mocks:\n  ovr_a: {}\n  ovr_b: {}\n  ovr_a: {}\n",
            "f.yaml:4:3: mocks.ovr_a: is given twice: it stands in line 2 already; leave one of them out",
        ),
        (
            "mocks: {'ovr_a': {}, ovr_a: {}}",
            "f.yaml:1:22: mocks.ovr_a: is given twice: it stands in line 1 already; leave one of them out",
        ),
        ("? [a]\n: b\nname: x", "f.yaml:1:3: a key must be text, not a list or a mapping; write KEY: VALUE"),
        (
            "cors: {? : b}",
            "f.yaml:1:10: cors: a key is missing before ':'; write one, or quotes around text that begins so",
        ),
    ],
)
def test_keys_are_text_and_stand_once(text: str, said: str) -> None:
    assert problems(text) == [said]


@pytest.mark.parametrize(
    ("respond", "field", "first"),
    [
        ("{json: 1, text: a}", "text", "json"),
        ("{text: a, json: 1}", "json", "text"),
        ('{text: "", json: 1}', "json", "text"),
        ("{json: 1, jsonFile: a}", "jsonFile", "json"),
        ("{binary: aGVsbG8=, textFile: a}", "textFile", "binary"),
    ],
)
def test_of_several_bodies_one_can_be_given(respond: str, field: str, first: str) -> None:
    (said,) = problems(f"action: {{respond: {respond}}}", ManifestMock)
    expected = f"action.respond.{field}: cannot stand beside {first}, which is in line 1; leave one of them out"
    assert said.partition(": ")[2] == expected


def test_keys_that_readers_take_for_other_things_are_text() -> None:
    assert set(mock("matcher: {query: {no: a, 1: b, null: c, 1:30: d}}").matcher.query) == {"no", "1", "null", "1:30"}


def test_many_problems_are_told_at_once_in_order_of_place() -> None:
    text = "strict: yes\nhosts: x\nname:\nlimits:\n  firstByteMs: 1:30\ncors: {a: b}\n"
    places = [said.split(": ")[0] for said in problems(text)]
    assert places == ["f.yaml:1:9", "f.yaml:2:8", "f.yaml:3:6", "f.yaml:5:16", "f.yaml:6:8"]


def test_at_most_twenty_problems_are_told() -> None:
    lines = "".join(f"  ovr_{number}: {{nam: x}}\n" for number in range(10_000))
    said = problems(f"mocks:\n{lines}")
    assert len(said) == 20
    assert said[0].startswith("f.yaml:2:11: mocks.ovr_0.nam: ")
    assert said[-1].startswith("f.yaml:21:")


def test_an_empty_mapping_is_something() -> None:
    read = environment("cors: {}\nlimits: {}")
    assert (read.HasField("cors"), read.HasField("limits"), read.HasField("redaction")) == (True, True, False)
