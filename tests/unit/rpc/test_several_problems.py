"""A status that tells several problems: written, read back, and cut so that it fits the way."""

from google.protobuf.any_pb2 import Any
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from understudy import status
from understudy.status import Problem
from understudy_server.core.errors import Conflict, Fault, NotFound
from understudy_server.rpc.errors import status_of

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
OTHERS = st.lists(st.builds(Problem, TEXTS, TEXTS, TEXTS), max_size=5).map(tuple)
PROBLEMS = st.builds(
    Problem, st.just("not_found"), TEXTS, TEXTS, others=OTHERS, untold=st.integers(min_value=0, max_value=10_000)
)


def packed(detail: BadRequest | ErrorInfo) -> Any:
    found = Any()
    found.Pack(detail)
    return found


def several(count: int) -> Status:
    others = tuple(Problem("already_exists", f"m{number}" * 30, f"manifest.f{number}") for number in range(1, count))
    return status.write(Code.NOT_FOUND, Problem("not_found", "first", "manifest.f0", others=others))


@given(PROBLEMS)
def test_what_is_written_is_read_back(problem: Problem) -> None:
    assert status.read(status.write(Code.NOT_FOUND, problem)) == problem


def test_the_message_says_how_many_more_there_are() -> None:
    one = Problem("not_found", "first", "a", others=(Problem("not_found", "second", "b"),))
    assert status.write(Code.NOT_FOUND, one).message == "first (and 1 more problem)"
    assert Problem("not_found", "first", "a", others=one.others, untold=4).summary == "first (and 5 more problems)"


def test_a_refusal_is_written_with_all_that_it_holds() -> None:
    refusal, other = NotFound("first", Fault("a")), Conflict("already_exists", "second", Fault("b"))
    refusal.more, refusal.untold = (other,), 3
    written = status_of(refusal)
    problem = status.read(written)
    assert written.code == Code.NOT_FOUND
    assert (problem.reason, problem.message, problem.field) == ("not_found", "first", "a")
    assert problem.others == (Problem("already_exists", "second", "b"),)
    assert problem.untold == 3


def test_a_small_status_stays_as_it_is() -> None:
    assert status.within(several(3), 5_000) == several(3)


def test_a_large_status_keeps_the_first_problems_and_how_many_there_are() -> None:
    short = status.within(several(100), 2_000)
    problem = status.read(short)
    assert short.ByteSize() <= 2_000
    assert (problem.message, problem.field) == ("first", "manifest.f0")
    assert 1 < len(problem.others) < 99
    assert [each.field for each in problem.others] == [f"manifest.f{1 + at}" for at in range(len(problem.others))]
    assert problem.summary == "first (and 99 more problems)"


def test_the_first_problem_stays_however_little_fits() -> None:
    problem = status.read(status.within(several(100), 1))
    assert (problem.message, problem.others, problem.untold) == ("first", (), 99)


def test_a_number_that_is_none_is_read_as_no_other_problems() -> None:
    request = BadRequest(field_violations=[BadRequest.FieldViolation(field="a", description="not the message")])
    for more in ("", "x", "-1", "9" * 5_000):
        info = ErrorInfo(reason="not_found", domain=status.DOMAIN, metadata={"field": "a", "more": more})
        given_status = Status(code=5, message="the message", details=[packed(info), packed(request)])
        assert status.read(given_status) == Problem("not_found", "the message", "a")
