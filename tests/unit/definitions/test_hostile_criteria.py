"""Whatever is sent, a criterion ends soon and never fails."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from support.criterion_messages import CRITERIA
from support.soon import ends_within
from understudy.v1.matching_pb2 import Criterion
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.values import Json
from understudy_server.core.matching.work import REQUEST_STEPS_MAX
from understudy_server.core.steps import Steps
from understudy_server.definitions.criteria import compile_criterion

# Of the thread alone, and many times what it takes, so that a busy machine fails no test; without bounds it is minutes.
SECONDS_MAX = 0.5
MIB = 1024 * 1024

# By their places: hypothesis shows what it takes samples from, and Python writes no number that is so long.
_ODD = (10**5000, -(10**5000), 2**61 - 1, 1e308, -0.0, 5e-324, float("inf"), float("nan"))
_ODD_NUMBERS = st.integers(0, len(_ODD) - 1).map(_ODD.__getitem__)
_ODD_TEXTS = st.text(alphabet=st.characters(codec=None), max_size=4) | st.sampled_from(["\ud800", "\udcff\ud800", "\0"])
_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _ODD_NUMBERS | _ODD_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_ODD_TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(CRITERIA, _ANY_JSON)
def test_no_json_value_makes_a_criterion_fail(message: Criterion, value: Any) -> None:
    criterion = compile_criterion(message, "c")
    judged = criterion.judge(Json(value), Steps())
    assert (judged.distance == 0) is criterion.holds(Json(value), Steps())
    for each in judged.mismatches:
        f"{each.field}{each.expected}{each.actual}".encode()


@given(CRITERIA, st.binary())
def test_no_bytes_make_a_criterion_fail(message: Criterion, content: bytes) -> None:
    matcher = Matcher(body=compile_criterion(message, "c"))
    assert matcher.matches(Request("POST", "/", body=content)) is not bool(
        matcher.mismatches(Request("POST", "/", body=content))
    )


@pytest.mark.parametrize("depth", [100, 10_000, MIB])
@given(CRITERIA)
def test_no_depth_makes_a_criterion_fail(depth: int, message: Criterion) -> None:
    matcher = Matcher(body=compile_criterion(message, "c"))
    content = b"[" * (depth // 2) + b"]" * (depth // 2)
    assert matcher.matches(Request("POST", "/", body=content)) is not bool(
        matcher.mismatches(Request("POST", "/", body=content))
    )


def test_a_value_deeper_than_python_follows_is_shown_in_part() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    for criterion in (
        {"json_equals": "[[1]]"},
        {"json_equals": "[[1]]", "ignore_order": True},
        {"json_subset": "[[1]]"},
    ):
        judged = compile_criterion(ParseDict(criterion, Criterion()), "c").judge(Json(value), Steps())
        assert judged.distance > 0
        assert judged.mismatches[0].actual


CONTENTS = {
    "numbers": b"[" + b"0," * (MIB // 2 - 2) + b"0]",
    # All of them have the same place in a table of numbers.
    "colliding": ("[" + ",".join([str((2**61 - 1) * number) for number in range(1, 48_000)]) + "]").encode(),
    "objects": b"[" + b'{"a":1},' * (MIB // 6) + b'{"a":2}]',
    "empty objects": b"[" + b"{}," * (MIB // 3 - 2) + b"{}]",
    "a long text": b'"' + b"a" * (MIB - 2) + b'"',
    "no JSON": b"a" * MIB,
    "fields": b"a&" * (MIB // 2),
    "encoded": b"a=" + b"%41" * (MIB // 3 - 2),
    "long numbers": b"[" + b",".join([b"1" * 4_000] * 250) + b"]",
    "bytes": bytes(range(256)) * (MIB // 256),
}
COSTLY: dict[str, dict[str, Any]] = {
    "each": {"each": {"json_equals": "0"}},
    "some of all": {"some": {"all": {"criteria": [*[{"not": {"equals": "q"}}] * 20, {"equals": "q"}]}}},
    "patterns": {"some": {"pattern_within": "(x|y)*z"}},
    "a pattern": {"pattern": "(a+)+b"},
    "read again": {"some": {"json": {"present": False}}},
    "in any order": {"json_equals": "[" + ",".join(["0"] * 30_000) + "]", "ignore_order": True},
    "one for each": {"json_subset": "[" + ",".join(['{"a":1}', "{}"] * 2_000) + "]", "ignore_order": True},
    "a long needle": {"contains": "a" * 30_000 + "b"},
    "any case": {"contains": "a" * 30_000 + "b", "ignore_case": True},
    "many needles": {"any": {"criteria": [{"contains": "a" * 50 + str(number)} for number in range(100)]}},
    "a form": {"form": {"fields": {"a": {"equals": "b"}}}},
    "base64": {"base64": {"json": {"present": False}}},
    "a path": {"json_path": {"path": "$..a", "criterion": {"equals": "z"}}},
    "a schema": {
        "json_schema": '{"items": {"anyOf": [{"type": "string"}, {"minProperties": 2}]}, "uniqueItems": true}'
    },
    "divided": {"some": {"remainder": {"divisor": 7, "remainder": 6}}},
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("criterion", COSTLY.values(), ids=COSTLY)
def test_a_criterion_ends_soon(criterion: dict[str, Any], content: bytes) -> None:
    matcher = Matcher(body=compile_criterion(ParseDict(criterion, Criterion()), "c"))

    def match() -> None:
        asked = Request("POST", "/", body=content)
        matcher.matches(asked)
        matcher.mismatches(asked)
        assert 0 <= asked.work.left <= REQUEST_STEPS_MAX

    assert ends_within(SECONDS_MAX, match)


def test_where_others_have_used_up_the_steps_nothing_is_tried() -> None:
    asked = Request("POST", "/", body=CONTENTS["numbers"][:200_000] + b"]")
    for text in "xyz":
        # Each takes all that one criterion may take.
        assert asked.work.left > 0
        message = ParseDict({"some": {"equals": text}}, Criterion())
        assert not Matcher(body=compile_criterion(message, "c")).matches(asked)
    assert asked.work.left == 0
    assert not Matcher(body=compile_criterion(ParseDict({"not": {"equals": "z"}}, Criterion()), "c")).matches(asked)


def test_elements_are_given_to_each_other_even_when_most_have_to_move() -> None:
    # Each of the wanted fits all from its own place on: whoever comes last needs the first one.
    wanted = ",".join([f'{{"a{number}": 1}}' for number in range(30)])
    given_ = ",".join(["{" + ",".join([f'"a{number}": 1' for number in range(last + 1)]) + "}" for last in range(30)])
    criterion = ParseDict({"json_subset": f"[{wanted}]", "ignore_order": True}, Criterion())
    holds = compile_criterion(criterion, "c").holds_for_text
    assert holds(f"[{given_}]")
    other = given_.replace('"a29": 1', '"b": 1')
    assert not holds(f"[{other}]")


@pytest.mark.parametrize("select", ["SELECTION_SOME", "SELECTION_EACH"])
def test_of_a_long_list_the_first_values_tell_what_is_wrong(select: str) -> None:
    path = {"path": "$[*]", "select": select, "criterion": {"equals": "wanted"}}
    matcher = Matcher(body=compile_criterion(ParseDict({"json_path": path}, Criterion()), "c"))
    found = matcher.judge(Request("POST", "/", body=json.dumps([f"value {at}" for at in range(300)]).encode()))
    assert found.mismatches[0].actual == '"value 0"'
    assert found.distance == 1


def test_a_value_far_behind_in_a_long_list_is_not_overlooked() -> None:
    path = {"path": "$[*]", "criterion": {"equals": "wanted"}}
    inner = {"all": {"criteria": [{"json_path": path}, {"equals": "never"}]}}
    matcher = Matcher(body=compile_criterion(ParseDict(inner, Criterion()), "c"))
    found = matcher.judge(Request("POST", "/", body=json.dumps([*["other"] * 200, "wanted"]).encode()))
    assert [each.field for each in found.mismatches] == ["matcher.body.all.criteria[1].equals"]


def test_to_say_what_is_wrong_takes_steps() -> None:
    steps = Steps()
    compile_criterion(Criterion(equals="wanted"), "c").judge(Json("other"), steps)
    assert steps.left < Steps().left
