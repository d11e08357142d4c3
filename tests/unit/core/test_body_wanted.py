"""A request is judged before its body is here, unless the body decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.matching import LAYERS, PROFILES, REQUESTS, layers_of
from understudy_server.core.matching.criteria import Criterion, Equals, JsonSubset
from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import OVERLONG, BodyWanted, Request
from understudy_server.core.precedence import Layers, winner
from understudy_server.core.profiles import Profile

_PAY = PathPattern.parse("/pay")
_LEAF = JsonSubset({"a": 1})


def _layers(session: Matcher | None, environment: Matcher | None = None) -> Layers:
    on = [
        Index([Candidate(Mock(f"ovr_{n}", each))]) if each else EMPTY for n, each in enumerate((session, environment))
    ]
    return Layers(on[0], EMPTY, on[1])


def _head() -> Request:
    return Request("POST", "/pay", "p=1", None)


@pytest.mark.parametrize("criterion", [_LEAF, Equals(""), JsonSubset({})])
def test_a_mock_that_only_lacks_the_body_asks_for_it(criterion: Criterion) -> None:
    with pytest.raises(BodyWanted):
        winner(_layers(Matcher("POST", _PAY, (), criterion)), _head())


@pytest.mark.parametrize(
    "matcher",
    [
        pytest.param(Matcher("PUT", _PAY, (), _LEAF), id="method"),
        pytest.param(Matcher("POST", PathPattern.parse("/other"), (), _LEAF), id="path"),
        pytest.param(Matcher("POST", _PAY, (("p", Equals("2")),), _LEAF), id="query"),
    ],
)
def test_a_mock_that_fails_on_anything_else_does_not_ask(matcher: Matcher) -> None:
    assert winner(_layers(matcher), _head()) is None


def test_a_stronger_mock_without_a_criterion_on_the_body_wins_without_it() -> None:
    found = winner(_layers(Matcher(), Matcher("POST", _PAY, (), _LEAF)), _head())
    assert found is not None
    assert found.mock == Mock("ovr_0", Matcher())


def test_a_weaker_mock_is_not_given_before_the_stronger_one_is_judged() -> None:
    with pytest.raises(BodyWanted):
        winner(_layers(Matcher("POST", _PAY, (), _LEAF), Matcher()), _head())


@pytest.mark.parametrize(("body", "expected"), [(b'{"a": 1}', "ovr_0"), (b'{"a": 2}', "ovr_1"), (b"", "ovr_1")])
def test_the_same_request_is_judged_again_when_its_body_is_here(body: bytes, expected: str) -> None:
    layers, request = _layers(Matcher("POST", _PAY, (), _LEAF), Matcher()), _head()
    with pytest.raises(BodyWanted):
        winner(layers, request)
    request.body = body
    found = winner(layers, request)
    assert found is not None
    assert found.mock.id == expected


@pytest.mark.parametrize("criterion", [_LEAF, JsonSubset({}), Equals("")])
def test_an_overlong_body_meets_no_criterion(criterion: Criterion) -> None:
    request = Request("POST", "/pay", "p=1", OVERLONG)
    assert winner(_layers(Matcher(body=criterion)), request) is None


@given(LAYERS, REQUESTS, st.sampled_from([b"", b"1", b'{"k":1}', b"{"]), PROFILES)
def test_what_is_decided_without_the_body_is_what_any_body_would_give(
    on: tuple[list[Candidate], ...], asked: Request, body: bytes, profile: Profile
) -> None:
    layers = layers_of(on, profile)
    asked.body = None
    try:
        early = winner(layers, asked)
    except BodyWanted:
        return
    again = Request(asked.method, asked.path, asked.query, body, headers=asked.headers)
    assert winner(layers, again) == early
