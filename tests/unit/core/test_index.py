"""The index against a plain matcher that looks at every mock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.matching import CANDIDATES, PATHS, PROFILES, REQUESTS, plain_matches
from understudy_server.core.matching import table as table_module
from understudy_server.core.matching.criteria import Equals
from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.parts import Part, Test
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import BodyWanted, Request
from understudy_server.core.matching.values import Value
from understudy_server.core.profiles import Profile


@given(CANDIDATES, REQUESTS, PROFILES)
def test_index_gives_what_a_plain_search_gives_in_the_order_of_precedence(
    candidates: list[Candidate], request: Request, profile: Profile
) -> None:
    expected = _until_body(plain_matches(candidates, request, profile))
    assert _until_body(Index(candidates, profile).matching(request)) == expected


@given(CANDIDATES, REQUESTS, PROFILES)
def test_the_first_is_the_first_of_those_that_match(
    candidates: list[Candidate], request: Request, profile: Profile
) -> None:
    index = Index(candidates, profile)
    expected = _until_body(index.matching(request))[:1]
    try:
        found: Candidate | str | None = index.first(request)
    except BodyWanted:
        found = _BODY
    assert ([] if found is None else [found]) == expected


@given(CANDIDATES, st.lists(st.tuples(st.sampled_from(["GET", "POST", "PUT", "BREW"]), PATHS), max_size=4))
def test_what_was_asked_before_does_not_change_an_answer(
    candidates: list[Candidate], asked: list[tuple[str, str]]
) -> None:
    index = Index(candidates)
    requests = [Request(method, path, body=b'{"k":1}') for method, path in asked]
    assert [index.first(request) for request in requests] == [Index(candidates).first(request) for request in requests]


@given(CANDIDATES, CANDIDATES, REQUESTS)
def test_tables_made_beforehand_answer_as_those_that_a_request_makes(
    before: list[Candidate], after: list[Candidate], request: Request
) -> None:
    old, new = Index(before), Index(after)
    expected = _until_body(new.matching(request))
    _until_body(old.matching(request))
    made = Index(after)
    made.make_as(old)
    assert _until_body(made.matching(request)) == expected


def test_only_the_tables_that_another_index_had_to_make_are_made_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    candidates = [Candidate(Mock(method or "any", Matcher(method))) for method in ("GET", "POST", "")]
    old, new = Index(candidates), Index(candidates)
    for method in ("GET", "BREW"):
        assert old.first(Request(method, "/")) is not None
    make = table_module.Table.make

    def noted(table: table_module.Table) -> None:
        made.append(method)
        make(table)

    monkeypatch.setattr(table_module.Table, "make", noted)
    method = "beforehand"
    new.make_as(old)
    for method in ("GET", "BREW", "POST"):
        assert new.first(Request(method, "/")) is not None
    assert made == ["beforehand", "beforehand", "POST"]


@given(CANDIDATES, CANDIDATES, st.sets(st.integers(0, 7)), st.lists(REQUESTS, min_size=1, max_size=4), PROFILES)
def test_a_changed_index_answers_as_one_that_is_built_of_the_result(
    before: list[Candidate], others: list[Candidate], chosen: set[int], requests: list[Request], profile: Profile
) -> None:
    index = Index(before, profile)
    expected_before = [_until_body(index.matching(request)) for request in requests]
    gone = {f"ovr_{number}" for number in chosen}
    new = [each for number, each in enumerate(others) if number in chosen and number % 2]
    after = Index([*[each for each in before if each.mock.id not in gone], *new], profile)
    changed = index.changed(gone, new)
    assert [_until_body(changed.matching(request)) for request in requests] == [
        _until_body(after.matching(request)) for request in requests
    ]
    assert (len(changed), changed.is_plain) == (len(after), after.is_plain)
    assert [_until_body(index.matching(request)) for request in requests] == expected_before


@given(CANDIDATES, st.lists(st.sets(st.integers(0, 7), max_size=2), max_size=6), REQUESTS, PROFILES)
def test_an_index_can_be_changed_again_and_again(
    candidates: list[Candidate], steps: list[set[int]], request: Request, profile: Profile
) -> None:
    on: dict[str, Candidate] = {}
    index = Index(profile=profile)
    for step in steps:
        touched = [each for number, each in enumerate(candidates) if number in step]
        gone = [each.mock.id for each in touched if each.mock.id in on]
        new = [each for each in touched if each.mock.id not in on]
        on = {name: each for name, each in on.items() if name not in gone} | {each.mock.id: each for each in new}
        index = index.changed(gone, new)
        assert _until_body(index.matching(request)) == _until_body(plain_matches(on.values(), request, profile))


def test_what_does_not_change_is_shared_and_what_was_made_stays_made() -> None:
    index = Index([Candidate(Mock(method, Matcher(method))) for method in ("GET", "POST", "PUT")])
    for method in ("GET", "POST"):
        index.first(Request(method, "/"))
    changed = index.changed(["POST"], [Candidate(Mock("new", Matcher("POST")))])
    assert changed._tables["GET"] is index._tables["GET"]
    assert [changed._tables[each].made for each in ("GET", "POST", "PUT")] == [True, True, False]


def test_a_mock_of_another_priority_goes_before_a_more_specific_path() -> None:
    index = Index([_candidate("literal", "/a/b"), _candidate("wide", "/:x/b")])
    assert _first_id(index, "/a/b") == "literal"
    preferred = replace(_candidate("preferred", "/:x/b").mock, priority=1)
    assert _first_id(index.changed([], [Candidate(preferred)]), "/a/b") == "preferred"


@dataclass(frozen=True, slots=True)
class _Noted(Part):
    """Holds, and notes that it was asked."""

    name: str
    asked: list[str]
    field = ""

    def values(self, request: Request) -> Sequence[Value]:
        return ()

    def test(self) -> Test:
        def note(_: Request) -> bool:
            self.asked.append(self.name)
            return True

        return note


@pytest.mark.parametrize("priority", [0, 7])
def test_only_as_much_is_tested_as_it_takes_to_find_the_first(priority: int) -> None:
    asked: list[str] = []
    path = PathPattern.parse("/a")
    mocks = [
        Mock(f"ovr_{n}", Matcher(path=path, others=(_Noted(Equals("1"), f"{n}", asked),)), priority=n and priority)
        for n in range(99)
    ]
    index = Index([Candidate(mock, number) for number, mock in enumerate(mocks)])
    assert index.first(Request("GET", "/a")) is not None
    assert asked == ["98"]


def test_a_literal_branch_that_leads_nowhere_does_not_hide_a_parameter() -> None:
    index = Index([_candidate("deep", "/a/b/:x/z"), _candidate("wide", "/:x/b/c/d")])
    assert _first_id(index, "/a/b/c/d") == "wide"


@pytest.mark.parametrize("weaker", ["/:x/b", "/:x/:y", None])
@pytest.mark.parametrize("stronger", ["/a/b", "/a/:y"])
def test_a_stronger_path_whose_mocks_do_not_hold_gives_way_to_a_weaker_one(stronger: str, weaker: str | None) -> None:
    asking = Matcher(path=PathPattern.parse(stronger), query=(("p", Equals("1")),))
    index = Index([Candidate(Mock("asking", asking)), _candidate("weaker", weaker)])
    assert [_first_id(index, "/a/b"), _first_id(index, "/a/b", "p=1")] == ["weaker", "asking"]


def test_a_mock_without_a_path_matches_any_path() -> None:
    index = Index([Candidate(Mock("any", Matcher()))])
    assert _first_id(index, "/what/ever//") == "any"


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("/a/b", "/a/b/", True),
        ("/a/b", "/a/%62", True),
        ("/a/b", "/a/b//", False),
        ("/a/b", "/a%2Fb", False),
        ("/a%2Fb", "/a/b", False),
        ("/a%2Fb", "/a%2Fb", True),
        ("/a%252Fb", "/a%2Fb", False),
        ("/100%25", "/100%", True),
        ("/100%25", "/100%25/", True),
        ("/", "//", False),
        ("//", "//", True),
        ("//", "/", False),
        ("/a//", "/a/", False),
        ("/a//", "/a//", True),
        ("/a/:x", "/a//", False),
        ("/:x/b", "//b", False),
        ("/:x/b", "/a%2Fb/b", True),
    ],
)
def test_a_path_is_found_however_it_is_written_and_no_other_is(pattern: str, path: str, *, found: bool) -> None:
    assert (_first_id(Index([_candidate("it", pattern)]), path) == "it") is found


def test_a_method_that_no_mock_names_finds_those_for_any() -> None:
    index = Index([Candidate(Mock("get", Matcher("GET"))), Candidate(Mock("any", Matcher()))])
    assert index.first(Request("BREW", "/")) == Candidate(Mock("any", Matcher()))


@pytest.mark.parametrize("path", ["/", "/a", "/a/b"])
def test_an_empty_index_matches_nothing(path: str) -> None:
    assert list(EMPTY.matching(Request("GET", path))) == []
    assert EMPTY.first(Request("GET", path)) is None


@pytest.mark.parametrize("methods", [[], ["GET"], ["GET", "", "POST", ""]])
def test_an_index_has_the_length_of_what_is_in_it(methods: list[str]) -> None:
    assert len(Index([Candidate(Mock(f"ovr_{n}", Matcher(each))) for n, each in enumerate(methods)])) == len(methods)


def test_a_path_of_thousands_of_segments_is_walked_without_recursion() -> None:
    index = Index([_candidate("long", "/:x" * 3000)])
    assert _first_id(index, "/s" * 3000) == "long"


_BODY = "body wanted"


def _until_body(found: Iterator[Candidate]) -> list[Candidate | str]:
    """What is yielded, and after it a mark if the body is wanted then."""
    given_up: list[Candidate | str] = []
    try:
        given_up.extend(found)
    except BodyWanted:
        given_up.append(_BODY)
    return given_up


def _first_id(index: Index, path: str, query: str = "") -> str:
    found = index.first(Request("GET", path, query))
    return found.mock.id if found else ""


def _candidate(mock_id: str, pattern: str | None) -> Candidate:
    return Candidate(Mock(mock_id, Matcher(path=PathPattern.parse(pattern) if pattern else None)))
