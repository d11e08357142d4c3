"""The index against a plain matcher that looks at every mock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.matching.criteria import Criterion, Equals, JsonSubset
from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import order_in_layer

# Few words, so that patterns and requests meet often.
_PATTERN_SEGMENTS = st.sampled_from(["a", "b", ":x", ""])
_PATTERNS = st.none() | st.lists(_PATTERN_SEGMENTS, max_size=4).map(
    lambda parts: PathPattern.parse("/" + "/".join(parts))
)
_CRITERIA: st.SearchStrategy[Criterion] = st.sampled_from(
    [Equals("1"), JsonSubset({"k": 1}), JsonSubset({"k": 1, "l": 2}), JsonSubset({})]
)
_MATCHERS = st.builds(
    Matcher,
    method=st.sampled_from(["", "GET", "POST"]),
    path=_PATTERNS,
    query=st.lists(st.tuples(st.sampled_from(["p", "q"]), _CRITERIA), max_size=2).map(tuple),
    body=st.none() | _CRITERIA,
)
_CANDIDATES = st.lists(st.tuples(_MATCHERS, st.integers(0, 2)), max_size=12).map(
    lambda found: [Candidate(Mock(f"ovr_{number}", matcher), on) for number, (matcher, on) in enumerate(found)]
)
_REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=4).map(lambda parts: "/" + "/".join(parts)),
    query=st.sampled_from(["", "p=1", "p=1&q=1", 'p={"k":1}', "p=2&p=1"]),
    body=st.sampled_from([b"", b"1", b'{"k":1}', b'{"k":1,"l":2}', b"{"]),
)


@given(_CANDIDATES, _REQUESTS)
def test_index_gives_what_a_plain_search_gives_in_the_order_of_precedence(
    candidates: list[Candidate], request: Request
) -> None:
    plain = sorted([one for one in candidates if one.mock.matcher.matches(request)], key=order_in_layer)
    assert list(Index(candidates).matching(request)) == plain


def test_a_literal_branch_that_leads_nowhere_does_not_hide_a_parameter() -> None:
    index = Index([_candidate("deep", "/a/b/:x/z"), _candidate("wide", "/:x/b/c/d")])
    assert [found.mock.id for found in index.matching(Request("GET", "/a/b/c/d"))] == ["wide"]


def test_a_mock_without_a_path_matches_any_path() -> None:
    index = Index([Candidate(Mock("any", Matcher()))])
    assert [found.mock.id for found in index.matching(Request("DELETE", "/what/ever//"))] == ["any"]


@pytest.mark.parametrize("path", ["/", "/a", "/a/b"])
def test_an_empty_index_matches_nothing(path: str) -> None:
    assert list(EMPTY.matching(Request("GET", path))) == []


def test_a_path_of_thousands_of_segments_is_walked_without_recursion() -> None:
    index = Index([_candidate("long", "/:x" * 3000)])
    assert [found.mock.id for found in index.matching(Request("GET", "/s" * 3000))] == ["long"]


def _candidate(mock_id: str, pattern: str) -> Candidate:
    return Candidate(Mock(mock_id, Matcher(path=PathPattern.parse(pattern))))
