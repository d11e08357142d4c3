"""The check of reloads finds what must not be."""

import pytest
from support.reloading import Check

OK = b"HTTP/1.1 200 OK"


def test_generations_that_only_rise_are_right() -> None:
    check = Check(begun=3)
    for generation in (1, 1, 2, 3):
        check.answer(check.send("ovr_a"), OK, f"ovr_a {generation}")
    assert (check.wrong, check.newest, check.answered) == ([], 3, 4)


def test_an_older_generation_after_a_newer_one_is_found_whichever_mocks_told_them() -> None:
    check = Check(begun=2)
    check.answer(check.send("ovr_a"), OK, "ovr_a 2")
    check.answer(check.send("ovr_b"), OK, "ovr_b 1")
    assert check.wrong == ["ovr_b told 1 after 2 had been told"]


def test_requests_under_way_at_the_same_time_may_see_either() -> None:
    check = Check(begun=2)
    one, other = check.send("ovr_a"), check.send("ovr_b")
    check.answer(one, OK, "ovr_a 2")
    check.answer(other, OK, "ovr_b 1")
    assert check.wrong == []


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 502 Bad Gateway", '{"code":"no_upstream"}'),
        (OK, "ovr_a"),
        (OK, ""),
        (OK, "ovr_b 1"),
        (OK, "ovr_a 2"),
    ],
)
def test_an_answer_that_is_not_the_mocks_own_is_found(head: bytes, body: str) -> None:
    check = Check(begun=1)
    check.answer(check.send("ovr_a"), head, body)
    assert len(check.wrong) == 1
