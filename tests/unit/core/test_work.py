"""What criteria may do for a request, and how it is spread over turns of the event loop."""

import json
from collections.abc import Callable

import pytest
from understudy_server.core.matching.criteria import Criterion, Equals, JsonSubset
from understudy_server.core.matching.criteria_combined import AllOf
from understudy_server.core.matching.criteria_json import JsonSubsetInAnyOrder
from understudy_server.core.matching.criteria_members import Some
from understudy_server.core.matching.criteria_texts import Contains
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.parts import StatePart
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.work import REQUEST_STEPS_MAX, TURN_STEPS, TurnOver, Work
from understudy_server.core.state import ABSENT, Scope
from understudy_server.core.steps import STEPS_MAX, Steps

# Of 700 elements, each of which takes some ten steps to be looked at.
_TAKES_LONG: Criterion = Some(Equals("not there"))
_BODY = json.dumps(["x"] * 700).encode()
_LONG_BODY = json.dumps([{"a": number} for number in range(20_000)]).encode()


def _taking(count: int, *, made: list[int]) -> Callable[[Steps], bool]:
    def holds(steps: Steps) -> bool:
        made.append(count)
        steps.take(count)
        return True

    return holds


def _in_turns(body: bytes) -> Request:
    request = Request("POST", "/", body=body)
    request.in_turns = True
    return request


def test_one_test_may_take_a_part_of_what_all_may_take() -> None:
    work, made = Work(), list[int]()
    assert work.test(_taking(STEPS_MAX, made=made))
    assert not work.test(_taking(STEPS_MAX + 1, made=made))
    assert work.test(_taking(REQUEST_STEPS_MAX - 2 * STEPS_MAX, made=made))
    assert work.left == 0
    assert not work.test(_taking(0, made=made))
    assert len(made) == 3


def test_nothing_more_is_begun_in_a_turn_in_which_much_was_done() -> None:
    work, made = Work(in_turns=True), list[int]()
    assert work.test(_taking(TURN_STEPS - 1, made=made), "a")
    assert work.test(_taking(1, made=made), "b")
    with pytest.raises(TurnOver):
        work.test(_taking(1, made=made), "c")
    with pytest.raises(TurnOver):
        work.pause()
    work.begin_turn()
    work.pause()
    assert work.test(_taking(1, made=made), "c")


def test_what_was_tested_in_an_earlier_turn_is_not_tested_again() -> None:
    work, made = Work(in_turns=True), list[int]()
    assert work.test(_taking(TURN_STEPS, made=made), about := object())
    work.begin_turn()
    assert work.test(_taking(TURN_STEPS, made=made), about)
    assert made == [TURN_STEPS]
    assert work.left == REQUEST_STEPS_MAX - TURN_STEPS


def test_what_may_be_another_thing_next_time_is_tested_again() -> None:
    work, made = Work(in_turns=True), list[int]()
    for _ in range(2):
        work.test(_taking(1, made=made))
    assert made == [1, 1]


def test_what_may_be_another_thing_is_tested_again_when_it_is() -> None:
    work, made, about = Work(in_turns=True), list[int](), object()
    for value in ([1, "a"], [1, "a"], [True, "a"], [1.0, "a"], [1.0, "a"], ABSENT, ABSENT, None):
        work.test(_taking(1, made=made), about, value)
    assert len(made) == 5


@pytest.mark.parametrize("key", ["as it is", "read anew"])
def test_criterion_on_what_is_kept_is_tested_once_over_all_turns(key: str) -> None:
    kept = list(range(400))
    matcher = Matcher(others=(StatePart(JsonSubsetInAnyOrder([7]), Scope.SESSION, key),), body=Contains("x"))
    request, turns = _keeping(kept), 1
    while True:
        try:
            assert matcher.matches(request)
            break
        except TurnOver:
            assert turns < 3
            assert request.go_on()
            before, request = request, _keeping(kept if key == "as it is" else list(kept))
            request.take_over(before)
            turns += 1
    # It takes more than a turn: this is about what is left for the body.
    assert (turns, request.work.left > 0) == (2, True)


def test_criterion_on_what_is_kept_is_tested_anew_when_something_else_is_kept() -> None:
    matcher = Matcher(others=(StatePart(JsonSubsetInAnyOrder([7]), Scope.SESSION, "k"),), body=Contains("x"))
    request = _keeping(list(range(400)))
    with pytest.raises(TurnOver):
        matcher.matches(request)
    again = _keeping([8])
    again.take_over(request)
    assert not matcher.matches(again)


def _keeping(value: object) -> Request:
    request = _in_turns(b"x")
    request.state_value = lambda *_: value
    return request


def test_request_that_is_no_longer_judged_in_turns_does_all_in_one_go() -> None:
    request = _in_turns(_BODY)
    assert not _TAKES_LONG.holds_for_body(request)
    request.in_turns = False
    assert not Some(Equals("another")).holds_for_body(request)


def test_request_that_takes_over_is_judged_in_turns_as_the_one_before() -> None:
    again = Request("POST", "/", body=_BODY)
    again.take_over(_in_turns(_BODY))
    assert again.in_turns


def test_where_nobody_waits_it_is_done_in_one_go() -> None:
    request = Request("POST", "/", body=_LONG_BODY)
    assert not _TAKES_LONG.holds_for_body(request)
    assert not AllOf((_TAKES_LONG,)).holds_for_body(request)
    assert request.json()[-1] == {"a": 19_999}
    request.before_answer(wants_body=True)


def test_criteria_on_a_body_have_a_turn_each_when_they_take_long() -> None:
    criteria = [Some(Equals(str(number))) for number in range(5)]
    request, turns = _in_turns(_BODY), 1
    while True:
        try:
            assert not any(criterion.holds_for_body(request) for criterion in criteria)
            break
        except TurnOver:
            assert request.go_on()
            before, request = request, _in_turns(_BODY)
            request.take_over(before)
            turns += 1
    assert turns == 5


def test_long_body_is_read_as_json_in_turns_of_its_own() -> None:
    request = _in_turns(_LONG_BODY)
    with pytest.raises(TurnOver):
        JsonSubset([]).holds_for_body(request)
    parts = 0
    while not request.go_on():
        parts += 1
    assert parts > 3
    again = _in_turns(_LONG_BODY)
    again.take_over(request)
    assert again.json() == json.loads(_LONG_BODY)
    assert again.steps_to_read_json() == 0
    assert Some(JsonSubset({"a": 1})).holds_for_body(again)


def test_body_that_is_no_json_is_read_in_parts_once() -> None:
    request = _in_turns(b"[" * 200_000)
    with pytest.raises(TurnOver):
        request.json()
    while not request.go_on():
        pass
    assert not JsonSubset([]).holds_for_body(request)


@pytest.mark.parametrize("body", [b"[1]", b"x" * 200_000, b""])
def test_body_that_is_read_at_once_needs_no_turn(body: bytes) -> None:
    request = _in_turns(body)
    request.json()
    request.before_answer(wants_body=True)


def test_answer_is_made_in_a_turn_of_its_own_when_it_took_long_to_find() -> None:
    request = _in_turns(_BODY)
    assert not _TAKES_LONG.holds_for_body(request)
    with pytest.raises(TurnOver):
        request.before_answer(wants_body=False)
    assert request.go_on()
    again = _in_turns(_BODY)
    again.take_over(request)
    assert not _TAKES_LONG.holds_for_body(again)
    again.before_answer(wants_body=False)


def test_body_is_read_before_an_answer_that_may_look_at_it() -> None:
    request = _in_turns(_LONG_BODY)
    request.before_answer(wants_body=False)
    with pytest.raises(TurnOver):
        request.before_answer(wants_body=True)
    while not request.go_on():
        pass
    request.before_answer(wants_body=True)
