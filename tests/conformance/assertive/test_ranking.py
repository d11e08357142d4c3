"""Sections 3.3 and 3.4: which of several stubs answers, and for how many calls."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.assertive_server import NO_MATCH, AssertiveUser, text

HOST = {"host": "127.0.0.1"}
REGEX = {"$regex": {"pattern": "/.*"}}

# Two stubs, the second of which would win by its age alone; the request; and which of them answers.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "more fields go before heavier ones": (
        {"path": "/r", "method": "GET"}, {"path": "/r", "query": {"a": "1"}, "headers": {"x-q": "1"}}, "/r?a=1", "B",
    ),
    "query weighs more than headers": (
        {"path": "/r", "headers": {"x-q": "1"}}, {"path": "/r", "query": {"a": "1"}}, "/r?a=1", "B",
    ),
    "path and host weigh more than method and body": (
        {"path": "/r", **HOST}, {"method": "GET", "body": ""}, "/r?a=1", "A",
    ),
    "path weighs more than method": ({"method": "GET"}, {"path": "/r"}, "/r", "B"),
    "path weighs more than body": ({"body": ""}, {"path": "/r"}, "/r", "B"),
    "method weighs more than body": ({"body": ""}, {"method": "GET"}, "/r", "B"),
    "body weighs more than host": (HOST, {"body": ""}, "/r", "B"),
    "host weighs more than query": ({"query": {"a": "1"}}, HOST, "/r?a=1", "B"),
    "three headers are one field": (
        {"headers": {"x-q": "1", "x-r": "1", "x-s": "1"}}, {"query": {"a": "1"}}, "/r?a=1", "B",
    ),
    "a literal goes before a parameter": ({"path": "/users/{id}"}, {"path": "/users/me"}, "/users/me", "B"),
    "more literals go before fewer": ({"path": "/{a}/{b}/c"}, {"path": "/a/{b}/c"}, "/a/b/c", "B"),
    "a pattern goes before a criterion": ({"path": REGEX}, {"path": "/r3/{x}"}, "/r3/lit", "B"),
    "a pattern without a literal is as good as a criterion": ({"path": REGEX}, {"path": "/{x}"}, "/r", "A"),
    "any field goes before none": ({}, {"headers": {"x-q": "1"}}, "/r", "B"),
    "of two alike the older": ({"path": "/r"}, {"path": "/r"}, "/r", "A"),
    "of two of the same weight the older": ({"path": "/{a}/r"}, {"path": "/r/{b}"}, "/r/r", "A"),
    "of two that fit everything the older": ({}, {}, "/r", "A"),
    "slashes are no literals": ({"path": "/r"}, {"path": "//r//"}, "/r", "A"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_better_of_two_answers(scoped: AssertiveUser, name: str) -> None:
    first, second, target, winner = CASES[name]
    scoped.stub(first, text("A"))
    scoped.stub(second, text("B"))
    assert scoped.said("GET", target, headers={"x-q": "1", "x-r": "1", "x-s": "1"}) == (200, winner)


def test_more_fields_go_before_the_scope(scoped: AssertiveUser, path: str) -> None:
    scoped.stub({"path": path}, text("scope"))
    stub = scoped.unscoped.stub({"path": path, "method": "GET"}, text("all"))
    assert scoped.said("GET", path) == (200, "all")
    assert scoped.said("POST", path) == (200, "scope")
    assert scoped.unscoped.delete_stub(stub) == 200
    assert scoped.said("GET", path) == (200, "scope")


def test_the_scope_goes_before_literals(scoped: AssertiveUser, path: str) -> None:
    scoped.unscoped.stub({"path": f"{path}/lit"}, text("all"))
    scoped.stub({"path": path + "/{x}"}, text("scope"))
    assert scoped.said("GET", f"{path}/lit") == (200, "scope")
    assert scoped.unscoped.said("GET", f"{path}/lit") == (200, "all")


def test_the_scope_goes_before_age(scoped: AssertiveUser, path: str) -> None:
    scoped.unscoped.stub({"path": path}, text("all"))
    scoped.stub({"path": path}, text("scope"))
    assert scoped.said("GET", path) == (200, "scope")


def test_the_younger_answers_once_the_older_is_gone(scoped: AssertiveUser) -> None:
    stubs = [scoped.stub({"path": "/r"}, text(str(number))) for number in range(5)]
    for number, stub in enumerate(stubs):
        assert scoped.said("GET", "/r") == (200, str(number))
        assert scoped.delete_stub(stub) == 200
    assert scoped.said("GET", "/r") == NO_MATCH


def test_the_order_of_many_is_that_of_their_making(scoped: AssertiveUser) -> None:
    for number in range(30):
        scoped.stub({"path": "/r"}, text(str(number)), max_calls=1)
    assert [scoped.ask("GET", "/r").text for _ in range(30)] == [str(number) for number in range(30)]


def test_a_stub_that_is_used_up_leaves_its_place_to_the_next(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path, "method": "GET"}, text("first"), max_calls=2)
    user.stub({"path": path}, text("second"), max_calls=1)
    assert [user.said("GET", path)[1] for _ in range(4)] == ["first", "first", "second", NO_MATCH[1]]


@pytest.mark.parametrize("most", [0, -1])
def test_a_stub_for_no_call_never_answers(user: AssertiveUser, path: str, most: int) -> None:
    user.stub({"path": path}, max_calls=most)
    assert user.said("GET", path) == NO_MATCH


@pytest.mark.parametrize("parts", [{}, {"max_calls": None}])
def test_a_stub_without_a_number_answers_for_ever(user: AssertiveUser, path: str, parts: dict[str, Any]) -> None:
    user.stub({"path": path}, **parts)
    assert {user.said("GET", path) for _ in range(20)} == {(200, "here")}


def test_only_calls_that_a_stub_answered_are_counted(user: AssertiveUser, path: str) -> None:
    # In the product calls count that another stub answered, too.
    user.stub({"path": path}, text("worse"), max_calls=1)
    better = user.stub({"path": path, "method": "GET"}, text("better"))
    for _ in range(3):
        assert user.said("GET", path) == (200, "better")
    assert user.delete_stub(better) == 200
    assert [user.said("GET", path)[1] for _ in range(2)] == ["worse", NO_MATCH[1]]


def test_of_many_calls_at_once_no_more_are_answered_than_may_be(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, max_calls=7)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: user.ask("GET", path).status_code, range(40)))
    assert sorted(answers) == [200] * 7 + [404] * 33


def test_calls_of_all_scopes_count_for_a_global_stub(scoped: AssertiveUser, path: str) -> None:
    scoped.unscoped.stub({"path": path}, max_calls=2)
    assert [each.ask("GET", path).status_code for each in (scoped, scoped.unscoped, scoped)] == [200, 200, 404]
