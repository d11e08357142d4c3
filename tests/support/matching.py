"""Mocks and requests that meet often, and a plain search to hold the quick one against."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hypothesis import strategies as st
from understudy_server.core.matching.criteria import Criterion, Equals, JsonSubset
from understudy_server.core.matching.criteria_texts import Prefix
from understudy_server.core.matching.index import Index
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Layer, Mock
from understudy_server.core.matching.parts import HeaderPart, MethodPart, Part, PathPart
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import OVERLONG, BodyWanted, Request
from understudy_server.core.precedence import Layers
from understudy_server.core.profiles import ORDERS, Profile
from understudy_server.core.usage import Usage

Mocks = st.SearchStrategy[Mock]


def _path(segments: list[str]) -> str:
    return "/" + "/".join(segments)


# Few words and short paths, so that patterns and requests meet often; some words can be written in several ways, and
# some look as if they could.
_SEGMENTS = st.sampled_from(["a", "a", ":x", "{y}", "b", "", "a%2Fb", "%25"])
_PATTERNS = st.none() | st.lists(_SEGMENTS, max_size=3).map(lambda found: PathPattern.parse(_path(found)))
PATHS = st.lists(st.sampled_from(["a", "a", "b", "c", "", "%61", "a%2Fb", "%"]), max_size=4).map(_path)
_CRITERIA: st.SearchStrategy[Criterion] = st.sampled_from(
    [Equals("1"), JsonSubset({"k": 1}), JsonSubset({"k": 1, "l": 2}), JsonSubset({})]
)
_OTHERS: st.SearchStrategy[Part] = st.sampled_from(
    [HeaderPart(Equals("1"), "h"), MethodPart(Prefix("P")), PathPart(Prefix("/a"))]
)
_MATCHERS = st.builds(
    Matcher,
    method=st.sampled_from(["", "GET", "POST"]),
    path=_PATTERNS,
    query=st.lists(st.tuples(st.sampled_from(["p", "q"]), _CRITERIA), max_size=2).map(tuple),
    body=st.none() | _CRITERIA,
    others=st.lists(_OTHERS, max_size=1).map(tuple),
)
_USAGES = st.none() | st.builds(
    Usage,
    uses_max=st.integers(0, 1),
    not_before_ms=st.sampled_from([0, 0, 20]),
    until_ms=st.sampled_from([0, 0, 10]),
    counts=st.booleans(),
)
ALIKE: Mocks = st.builds(Mock, id=st.just(""), matcher=_MATCHERS, created_ms=st.integers(0, 2))
"""Mocks of the same priority: their paths decide first."""

ANY: Mocks = st.builds(
    Mock,
    id=st.just(""),
    matcher=_MATCHERS,
    priority=st.sampled_from([0, 0, 1, -1]),
    created_ms=st.integers(0, 2),
    usage=_USAGES,
)
PROFILES = st.sampled_from(Profile)


def candidates(mocks: Mocks, layer: Layer = Layer.ENVIRONMENT) -> st.SearchStrategy[list[Candidate]]:
    """Mocks that are on in a layer, each with an id of its own."""
    return st.lists(st.tuples(mocks, st.integers(0, 2)), max_size=8).map(
        lambda found: [
            Candidate(replace(mock, id=f"ovr_{number}"), activated, layer)
            for number, (mock, activated) in enumerate(found)
        ]
    )


CANDIDATES = candidates(ALIKE) | candidates(ANY)
LAYERS = st.sampled_from([ALIKE, ANY]).flatmap(lambda mocks: st.tuples(*[candidates(mocks, layer) for layer in Layer]))
"""The candidates of each layer."""

REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=PATHS,
    query=st.sampled_from(["", "p=1", "p=1&q=1", 'p={"k":1}', "p=2&p=1"]),
    body=st.sampled_from([b"", b"1", b'{"k":1}', b'{"k":1,"l":2}', b"{", None, OVERLONG]),
    headers=st.sampled_from([(), ((b"h", b"1"),)]),
)


def layers_of(on: Iterable[Iterable[Candidate]], profile: Profile = Profile.FLOWMOCK) -> Layers:
    """The layers with these candidates, from the strongest."""
    session, scenario, environment = [Index(each, profile) for each in on]
    return Layers(session, scenario, environment, profile)


def plain_matches(
    found: Iterable[Candidate], request: Request, profile: Profile = Profile.FLOWMOCK
) -> Iterator[Candidate]:
    """Look at every mock in the documented order. Raises BodyWanted on reaching one that only lacks the body."""
    for candidate in sorted(found, key=ORDERS[profile].key):
        matcher = candidate.mock.matcher
        if not replace(matcher, body=None).matches(request):
            continue
        if matcher.body and request.body is None:
            raise BodyWanted
        if matcher.body is None or matcher.body.holds_for_body(request):
            yield candidate
