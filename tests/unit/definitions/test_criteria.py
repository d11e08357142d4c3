"""Every criterion, held against an interpreter of its own message that is plain and slow."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import plain_criteria as plain
from support.criterion_messages import CONTENTS, CRITERIA, JSON, TESTS, TEXTS, describing
from understudy.v1.matching_pb2 import Criterion
from understudy_server.core.matching import values
from understudy_server.core.matching.mismatch import CHARACTERS_MAX, Code
from understudy_server.core.matching.request import Request
from understudy_server.core.steps import Steps
from understudy_server.definitions.criteria import compile_criterion

_CODES = {code.value for code in Code}


def _body(content: bytes) -> values.Value:
    found = values.Body.of(Request("POST", "/", body=content))
    assert found is not None
    return found


Subject = tuple[values.Value, plain.Value]
"""A value as the core has it, and told plainly."""

_SUBJECTS: st.SearchStrategy[Subject] = st.one_of(
    TEXTS.map(lambda text: (values.Text(text), plain.Text(text))),
    CONTENTS.map(lambda content: (_body(content), plain.Content(content))),
    CONTENTS.map(lambda content: (values.Content(content), plain.Content(content, is_body=False))),
    JSON.map(lambda value: (values.Json(value), plain.Json(value))),
    st.just((values.MISSING, plain.Missing())),
)


def test_every_test_of_the_contract_is_tried_here() -> None:
    assert {field.name for field in Criterion.DESCRIPTOR.oneofs_by_name["test"].fields} == TESTS


@given(CRITERIA, _SUBJECTS)
def test_a_criterion_holds_for_what_its_message_says(message: Criterion, subject: Subject) -> None:
    value, told = subject
    assert compile_criterion(message, "c").holds(value, Steps()) is plain.holds(message, told)


@given(JSON.flatmap(lambda value: st.tuples(describing(value), st.just(value))))
def test_a_criterion_made_of_a_value_holds_for_it_as_its_message_says(both: tuple[Criterion, Any]) -> None:
    message, value = both
    criterion, told = compile_criterion(message, "c"), plain.holds(message, plain.Json(value))
    assert criterion.holds(values.Json(value), Steps()) is told
    assert (criterion.judge(values.Json(value), Steps()).distance == 0) is told
    # As a body, and in base64, it is the same value.
    text = json.dumps(value)
    assert compile_criterion(Criterion(json=message), "c").holds(_body(text.encode()), Steps()) is told
    packed = Criterion(base64=Criterion(json=message))
    assert compile_criterion(packed, "c").holds(values.Text(base64.b64encode(text.encode()).decode()), Steps()) is told


@given(CRITERIA, _SUBJECTS)
def test_what_is_explained_is_what_is_decided(message: Criterion, subject: Subject) -> None:
    criterion, (value, _) = compile_criterion(message, "c"), subject
    judged = criterion.judge(value, Steps())
    if criterion.holds(value, Steps()):
        assert judged == (0.0, ())
        return
    assert 0 < judged.distance <= 1
    assert judged.mismatches
    for mismatch in judged.mismatches:
        assert 0 < mismatch.distance <= 1
        assert mismatch.code in _CODES
        assert mismatch.expected
        assert len(mismatch.expected) <= CHARACTERS_MAX
        # A message takes no lone surrogates.
        for text in (mismatch.expected, mismatch.actual, mismatch.field):
            text.encode()


@given(CRITERIA)
def test_a_criterion_in_words_is_short_and_can_be_sent(message: Criterion) -> None:
    criterion = compile_criterion(message, "c")
    assert 0 < len(criterion.words()) <= CHARACTERS_MAX
    assert criterion.words().encode()
    assert criterion.leaves >= 1
    assert criterion.conditions >= 1


@pytest.mark.parametrize("given_value", ["", "x"])
def test_the_same_criterion_compiles_to_an_equal_one(given_value: str) -> None:
    message = Criterion(equals=given_value)
    assert compile_criterion(message, "a") == compile_criterion(message, "b")
