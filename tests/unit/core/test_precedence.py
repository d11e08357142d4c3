"""The one table of who wins: within a layer, and between layers."""

from itertools import chain

import pytest
from hypothesis import given
from support.matching import LAYERS, PROFILES, REQUESTS, layers_of, plain_matches
from understudy_server.core.draws import Draws
from understudy_server.core.matching.criteria import Equals, JsonSubset
from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import BodyWanted, Request
from understudy_server.core.precedence import Layers, order_of, winner
from understudy_server.core.profiles import ORDERS, Profile
from understudy_server.core.responding.plan import Plan, Scene

_BODY = b'{"a": 1, "b": {"c": 2}}'
_REQUEST = Request("POST", "/api/users/7", "p=1&q=2", _BODY)
_ANY = Matcher()
_PATH = PathPattern.parse("/api/users/7")
_PARAMETER = PathPattern.parse("/api/users/:id")
_ONE_LEAF, _TWO_LEAVES = JsonSubset({"a": 1}), JsonSubset({"a": 1, "b": {"c": 2}})
_key = ORDERS[Profile.FLOWMOCK].key
_P, _Q = ("p", Equals("1")), ("q", Equals("2"))


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        pytest.param(Matcher(path=_PATH), Matcher(path=_PARAMETER), id="literal-over-parameter"),
        pytest.param(Matcher(path=_PARAMETER), Matcher("POST", None, (_P, _Q), _TWO_LEAVES), id="path-over-all-else"),
        pytest.param(
            Matcher(path=PathPattern.parse("/api/:what/:id")),
            Matcher(path=PathPattern.parse("/:any/users/7")),
            id="leftmost-literal-over-more-literals",
        ),
        pytest.param(Matcher(path=_PATH, body=_ONE_LEAF), Matcher(path=_PATH), id="body-over-none"),
        pytest.param(Matcher(body=_ONE_LEAF), Matcher("POST", query=(_P, _Q)), id="body-over-query-and-method"),
        pytest.param(Matcher(body=_TWO_LEAVES), Matcher(body=_ONE_LEAF), id="more-leaves"),
        pytest.param(Matcher(query=(_P, _Q)), Matcher(query=(_P,)), id="more-query-criteria"),
        pytest.param(Matcher(query=(_P,)), Matcher("POST"), id="query-over-method"),
        pytest.param(Matcher("POST"), _ANY, id="method-over-any"),
    ],
)
def test_the_more_specific_matcher_wins_within_a_layer(stronger: Matcher, weaker: Matcher) -> None:
    # The weaker one has the later activation and the smaller id, which must not help it.
    index = Index([Candidate(Mock("z", stronger), 0), Candidate(Mock("a", weaker), 1)])
    assert [found.mock.id for found in index.matching(_REQUEST)] == ["z", "a"]


def test_the_latest_activation_wins_between_equal_matchers() -> None:
    assert _key(Candidate(Mock("z", _ANY), 2)) < _key(Candidate(Mock("a", _ANY), 1))


def test_the_first_id_wins_when_all_else_is_equal() -> None:
    assert _key(Candidate(Mock("a", _ANY), 1)) < _key(Candidate(Mock("b", _ANY), 1))


_WEAK, _STRONG = Mock("weak", _ANY), Mock("strong", Matcher("POST", _PATH, (_P,), _TWO_LEAVES))


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param((_WEAK, _STRONG, _STRONG), "weak", id="activation-over-a-more-specific-scenario"),
        pytest.param((None, _WEAK, _STRONG), "weak", id="scenario-over-a-more-specific-environment"),
        pytest.param((None, None, _WEAK), "weak", id="environment-when-nothing-else"),
        pytest.param((None, None, None), None, id="nothing"),
    ],
)
def test_the_first_layer_that_holds_a_match_wins(layers: tuple[Mock | None, ...], expected: str | None) -> None:
    session, scenario, environment = [Index([Candidate(mock)]) if mock else EMPTY for mock in layers]
    found = winner(Layers(session, scenario, environment), _REQUEST)
    assert (found.mock.id if found else None) == expected


def test_a_layer_whose_mocks_do_not_match_gives_way_to_the_next() -> None:
    other = Index([Candidate(Mock("other", Matcher(path=PathPattern.parse("/elsewhere"))))])
    found = winner(Layers(other, EMPTY, Index([Candidate(_WEAK)])), _REQUEST)
    assert found == Candidate(_WEAK)


@given(LAYERS, REQUESTS, PROFILES)
def test_the_winner_is_what_a_plain_search_through_all_layers_finds_first(
    on: tuple[list[Candidate], ...], request: Request, profile: Profile
) -> None:
    layers = layers_of(on, profile)
    plain = iter(plain_matches(chain.from_iterable(on), request, profile))
    try:
        expected = next(plain, None)
    except BodyWanted:
        with pytest.raises(BodyWanted):
            winner(layers, request)
        with pytest.raises(BodyWanted):
            next(layers.matching(request))
    else:
        assert winner(layers, request) is expected
        assert next(layers.matching(request), None) is expected


@given(LAYERS, REQUESTS, PROFILES)
def test_those_that_match_are_met_in_order_through_all_layers(
    on: tuple[list[Candidate], ...], request: Request, profile: Profile
) -> None:
    request.body = request.body or b""
    layers = layers_of(on, profile)
    expected = list(plain_matches(chain.from_iterable(on), request, profile))
    assert list(layers.matching(request)) == expected
    assert order_of(layers, reversed(expected)) == expected
    assert {id(each) for each in layers} == {id(each) for each in chain.from_iterable(on)}


class _Answer:
    """Asks for the body."""

    counts, wants_body, repeats = False, True, False

    def plan(self, scene: Scene, draws: Draws) -> Plan:
        raise AssertionError("nobody answers")


def test_a_winner_that_answers_with_the_body_waits_for_it() -> None:
    layers = Layers(EMPTY, EMPTY, Index([Candidate(Mock("echo", answer=_Answer()))]))
    with pytest.raises(BodyWanted):
        winner(layers, Request("POST", "/", body=None))
    found = winner(layers, Request("POST", "/", body=b""))
    assert found is not None
