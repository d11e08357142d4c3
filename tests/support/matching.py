"""Mocks and requests that meet often, and a plain search to hold the quick one against."""

from collections.abc import Iterable, Iterator

from hypothesis import strategies as st
from understudy_server.core.matching.criteria import Criterion, Equals, JsonSubset
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import OVERLONG, BodyWanted, Request
from understudy_server.core.precedence import order_in_layer


def _path(segments: list[str]) -> str:
    return "/" + "/".join(segments)


# Few words and short paths, so that patterns and requests meet often; some words can be written in several ways, and
# some look as if they could.
_PATTERNS = st.none() | st.lists(st.sampled_from(["a", "a", ":x", ":x", "b", "", "a%2Fb", "%25"]), max_size=3).map(
    lambda segments: PathPattern.parse(_path(segments))
)
PATHS = st.lists(st.sampled_from(["a", "a", "b", "c", "", "%61", "a%2Fb", "%"]), max_size=4).map(_path)
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
CANDIDATES = st.lists(st.tuples(_MATCHERS, st.integers(0, 2)), max_size=12).map(
    lambda found: [Candidate(Mock(f"ovr_{number}", matcher), on) for number, (matcher, on) in enumerate(found)]
)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=PATHS,
    query=st.sampled_from(["", "p=1", "p=1&q=1", 'p={"k":1}', "p=2&p=1"]),
    body=st.sampled_from([b"", b"1", b'{"k":1}', b'{"k":1,"l":2}', b"{", None, OVERLONG]),
)


def plain_matches(candidates: Iterable[Candidate], request: Request) -> Iterator[Candidate]:
    """Look at every mock in the documented order. Raises BodyWanted on reaching one that only lacks the body."""
    for candidate in sorted(candidates, key=order_in_layer):
        matcher = candidate.mock.matcher
        without_body = Matcher(matcher.method, matcher.path, matcher.query)
        if not without_body.matches(request):
            continue
        if matcher.body and request.body is None:
            raise BodyWanted
        if matcher.body is None or matcher.body.holds_for_body(request):
            yield candidate
