"""The worked examples of the specifications: which of two mocks answers a request, and by which part of the order."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from support.matching import LAYERS, PROFILES, REQUESTS, layers_of, plain_matches
from understudy_server.core.matching.criteria import Equals, JsonSubset
from understudy_server.core.matching.criteria_texts import Prefix
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Layer, Mock
from understudy_server.core.matching.parts import HeaderPart, HostPart, MethodPart, PathPart
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.core.profiles import ORDERS, Profile, rule

_ONE, _TWO = Equals("1"), Equals("2")
_A, _B = ("a", _ONE), ("b", _TWO)
_HEADER, _HOST = HeaderPart(_ONE, "x-q"), HostPart(Prefix("shop"))
_REQUEST = Request("GET", "/r/lit", "a=1&b=2", b'{"k":1,"l":2}', headers=((b"x-q", b"1"),), host="shop.example.com")


class _On(NamedTuple):
    """A mock that is on: what it asks for, and where."""

    matcher: Matcher = Matcher()
    layer: Layer = Layer.ENVIRONMENT
    priority: int = 0
    created_ms: int = 0
    activated: int = 0

    def candidate(self, mock_id: str) -> Candidate:
        mock = Mock(mock_id, self.matcher, priority=self.priority, created_ms=self.created_ms)
        return Candidate(mock, self.activated, self.layer)


def _path(text: str) -> PathPattern:
    return PathPattern.parse(text)


_LITERAL, _PARAMETER, _CRITERION = _path("/r/lit"), _path("/r/{x}"), PathPart(Prefix("/r"))

_FLOWMOCK = [
    ("layer", _On(layer=Layer.SESSION), _On(Matcher("GET", _LITERAL), Layer.SCENARIO, priority=9)),
    ("layer", _On(layer=Layer.SCENARIO), _On(Matcher("GET", _LITERAL), priority=9)),
    ("priority", _On(priority=1), _On(Matcher("GET", _LITERAL, (_A,), JsonSubset({"k": 1})))),
    ("priority", _On(), _On(Matcher("GET", _LITERAL), priority=-1)),
    ("path", _On(Matcher(path=_LITERAL)), _On(Matcher("GET", _PARAMETER, (_A, _B), JsonSubset({"k": 1})))),
    ("path", _On(Matcher(path=_path("/r/:x"))), _On(Matcher(path=_path("/:x/lit")))),
    ("path", _On(Matcher(path=_path("/:x/:y"))), _On(Matcher(others=(_CRITERION,)))),
    ("path", _On(Matcher(others=(_CRITERION,))), _On(Matcher("GET", None, (_A,), JsonSubset({"k": 1})))),
    ("body", _On(Matcher(body=JsonSubset({}))), _On(Matcher("GET", query=(_A, _B)))),
    ("body", _On(Matcher(body=JsonSubset({"k": 1, "l": 2}))), _On(Matcher(body=JsonSubset({"k": 1})))),
    ("query", _On(Matcher(query=(_A, _B))), _On(Matcher("GET", query=(_A,), others=(_HEADER,)))),
    ("method", _On(Matcher("GET")), _On(Matcher(others=(_HEADER, _HOST)))),
    ("method", _On(Matcher(others=(MethodPart(Prefix("G")),))), _On(Matcher(others=(_HEADER, _HOST)))),
    ("criteria", _On(Matcher(others=(_HEADER, _HOST))), _On(Matcher(others=(_HEADER,)), activated=1)),
    ("latest", _On(activated=1), _On(created_ms=5)),
]
_ASSERTIVE = [
    # A stub of one scope is a session's own; a global one is on for the environment.
    ("parts", _On(Matcher(path=_LITERAL, query=(_A,), others=(_HEADER,))), _On(Matcher("GET", _LITERAL))),
    ("weight", _On(Matcher(path=_LITERAL, query=(_A,))), _On(Matcher(path=_LITERAL, others=(_HEADER,)))),
    ("weight", _On(Matcher(path=_LITERAL, others=(_HOST,))), _On(Matcher("GET", body=JsonSubset({})))),
    ("parts", _On(Matcher("GET", _LITERAL)), _On(Matcher(path=_LITERAL), Layer.SESSION)),
    ("layer", _On(Matcher(path=_PARAMETER), Layer.SESSION), _On(Matcher(path=_LITERAL))),
    ("path", _On(Matcher(path=_LITERAL)), _On(Matcher(path=_PARAMETER))),
    ("path", _On(Matcher(path=_PARAMETER)), _On(Matcher(others=(_CRITERION,)))),
    ("parts", _On(Matcher(others=(_HEADER,))), _On()),
    ("oldest", _On(Matcher(path=_LITERAL), created_ms=1, activated=1), _On(Matcher(path=_LITERAL), created_ms=2)),
    ("oldest", _On(Matcher(path=_LITERAL)), _On(Matcher(path=_LITERAL), activated=1)),
    ("priority", _On(priority=1), _On(Matcher("GET", _LITERAL), Layer.SESSION)),
]
_MOCKARTY = [
    ("priority", _On(priority=10), _On(Matcher("GET", _LITERAL, (_A,)), Layer.SESSION, created_ms=9)),
    ("path", _On(Matcher(path=_LITERAL)), _On(Matcher(path=_PARAMETER, query=(_A, _B)), Layer.SESSION)),
    (
        "criteria",
        _On(Matcher(path=_PARAMETER, query=(_A, _B))),
        _On(Matcher(path=_PARAMETER, query=(_A,)), created_ms=9),
    ),
    ("criteria", _On(Matcher(path=_PARAMETER, query=(_A,))), _On(Matcher(path=_PARAMETER), Layer.SESSION)),
    ("layer", _On(layer=Layer.SESSION), _On(created_ms=9)),
    ("newest", _On(created_ms=2), _On(created_ms=1, activated=9)),
    ("newest", _On(activated=1), _On()),
]
_EXAMPLES = [
    *[(Profile.FLOWMOCK, *example) for example in _FLOWMOCK],
    *[(Profile.ASSERTIVE, *example) for example in _ASSERTIVE],
    *[(Profile.MOCKARTY, *example) for example in _MOCKARTY],
]


@pytest.mark.parametrize(("profile", "part", "stronger", "weaker"), _EXAMPLES)
def test_the_stronger_one_answers_and_the_part_is_named_in_which_they_differ(
    profile: Profile, part: str, stronger: _On, weaker: _On
) -> None:
    # The weaker one has the smaller id, which must not help it.
    one, other = stronger.candidate("z"), weaker.candidate("a")
    layers = layers_of([[each for each in (other, one) if each.layer is layer] for layer in Layer], profile)
    assert winner(layers, _REQUEST) is one
    assert list(layers.matching(_REQUEST)) == [one, other]
    assert (rule(profile, one, other), rule(profile, other, one)) == (part, part)


@pytest.mark.parametrize("profile", Profile)
def test_the_first_id_decides_when_all_else_is_equal(profile: Profile) -> None:
    one, other = _On().candidate("a"), _On().candidate("b")
    assert ORDERS[profile].key(one) < ORDERS[profile].key(other)
    assert rule(profile, one, other) == "id"


@pytest.mark.parametrize("profile", Profile)
def test_a_candidate_differs_from_itself_in_nothing(profile: Profile) -> None:
    assert rule(profile, _On().candidate("a"), _On().candidate("a")) == ""


@given(LAYERS, REQUESTS, PROFILES)
def test_two_that_match_never_stand_in_the_same_place(
    on: tuple[list[Candidate], ...], request: Request, profile: Profile
) -> None:
    request.body = request.body or b""
    found = list(plain_matches([each for layer in on for each in layer], request, profile))
    for one, other in pairwise(found):
        assert ORDERS[profile].key(one) < ORDERS[profile].key(other)
        assert rule(profile, one, other) in ORDERS[profile].parts
