"""Mocks that apply at times, or so many times, or in one state: the strongest that can be claimed answers."""

from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.matching import LAYERS, PROFILES, REQUESTS, layers_of, plain_matches
from understudy_server.core.draws import Draws
from understudy_server.core.matching.criteria import Equals
from understudy_server.core.matching.index import EMPTY, Index
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.parts import StatePart
from understudy_server.core.matching.request import BodyWanted, Request
from understudy_server.core.precedence import Claimed, Layers, claimed
from understudy_server.core.profiles import Profile
from understudy_server.core.responding.plan import Plan, Scene
from understudy_server.core.state import ABSENT, Scope
from understudy_server.core.usage import Usage

_REQUEST = Request("GET", "/")


class _Uses:
    """Counts uses as a store of state does, without one."""

    def __init__(self) -> None:
        self.taken: Counter[int] = Counter()

    def claim(self, mock: Mock) -> int | None:
        assert mock.usage is not None
        assert mock.usage.is_claimed
        if mock.usage.uses_max and self.taken[id(mock)] >= mock.usage.uses_max:
            return None
        self.taken[id(mock)] += 1
        return self.taken[id(mock)]


def _refuse(mock: Mock) -> int | None:
    raise AssertionError(f"{mock.id} is not to be claimed")


def _layers(*mocks: Mock) -> Layers:
    """All for the environment, the first of them the strongest."""
    return Layers(EMPTY, EMPTY, Index([Candidate(mock, -number) for number, mock in enumerate(mocks)]))


def test_a_mock_without_usage_is_not_claimed() -> None:
    assert claimed(_layers(Mock("plain")), _REQUEST, _refuse, 0) == Claimed(Mock("plain"), 0, lasts=True)


def test_a_mock_that_is_used_up_gives_way_to_the_next() -> None:
    layers, uses = _layers(Mock("once", usage=Usage(uses_max=1)), Mock("always")), _Uses()
    found = [claimed(layers, _REQUEST, uses.claim, 0) for _ in range(3)]
    assert [(each.mock and each.mock.id, each.occurrence) for each in found] == [
        ("once", 1),
        ("always", 0),
        ("always", 0),
    ]


def test_a_lost_claim_leaves_the_request_to_nobody_when_nobody_else_matches() -> None:
    layers = _layers(Mock("once", usage=Usage(uses_max=1)))
    assert claimed(layers, _REQUEST, lambda _: None, 0) == Claimed(None, 0, lasts=False)


@pytest.mark.parametrize(("now_ms", "expected"), [(9, "always"), (10, "window"), (19, "window"), (20, "always")])
def test_a_mock_with_a_window_applies_in_it_and_is_not_claimed(now_ms: int, expected: str) -> None:
    layers = _layers(Mock("window", usage=Usage(not_before_ms=10, until_ms=20)), Mock("always"))
    found = claimed(layers, _REQUEST, _refuse, now_ms)
    assert (found.mock and found.mock.id, found.lasts) == (expected, False)


def test_a_mock_that_does_not_match_is_not_claimed_and_leaves_the_decision_to_last() -> None:
    layers = _layers(Mock("post", Matcher(query=(("p", Equals("1")),)), usage=Usage(uses_max=1)), Mock("always"))
    assert claimed(layers, _REQUEST, _refuse, 0) == Claimed(Mock("always"), 0, lasts=True)


def test_a_mock_behind_the_winner_leaves_the_decision_to_last() -> None:
    layers = _layers(Mock("always"), Mock("once", usage=Usage(uses_max=1)))
    assert claimed(layers, _REQUEST, _refuse, 0).lasts


@pytest.mark.parametrize("value", ["on", "off", ABSENT])
def test_a_decision_in_which_a_criterion_on_state_has_a_part_does_not_last(value: object) -> None:
    asking = Matcher(others=(StatePart(Equals("on"), Scope.SESSION, "switch"),))
    layers = _layers(Mock("asking", asking), Mock("always"))
    request = Request("GET", "/")
    request.state_value = lambda _scope, _key, _chain: value
    found = claimed(layers, request, _refuse, 0)
    assert (found.mock and found.mock.id, found.lasts) == ("asking" if value == "on" else "always", False)
    assert not layers.is_plain


def test_only_those_that_fit_are_asked() -> None:
    layers = _layers(Mock("once", usage=Usage(uses_max=1)), Mock("options", Matcher("GET")))
    found = claimed(layers, _REQUEST, _refuse, 0, lambda mock: mock.matcher.method == "GET")
    assert found.mock == Mock("options", Matcher("GET"))


class _Answer:
    """Is made of the body, and counts."""

    counts, wants_body, repeats = True, True, False

    def plan(self, scene: Scene, draws: Draws) -> Plan:
        raise AssertionError("nobody answers")


def test_nothing_is_claimed_before_the_body_is_here_that_the_answer_is_made_of() -> None:
    layers, uses = _layers(Mock("echo", answer=_Answer(), usage=Usage(counts=True))), _Uses()
    request = Request("POST", "/", body=None)
    with pytest.raises(BodyWanted):
        claimed(layers, request, uses.claim, 0)
    request.body = b"x"
    assert claimed(layers, request, uses.claim, 0).occurrence == 1


def test_a_mock_that_is_closed_does_not_wait_for_a_body() -> None:
    layers = _layers(Mock("echo", answer=_Answer(), usage=Usage(not_before_ms=10)))
    assert claimed(layers, Request("POST", "/", body=None), _refuse, 0).mock is None


@given(LAYERS, REQUESTS, PROFILES, st.sampled_from([0, 10, 20]), st.integers(1, 4))
def test_the_claimed_one_is_the_first_of_a_plain_search_that_is_open_and_not_used_up(
    on: tuple[list[Candidate], ...], request: Request, profile: Profile, now_ms: int, times: int
) -> None:
    request.body = request.body or b""
    layers = layers_of(on, profile)
    uses, plain_uses = _Uses(), _Uses()
    for _ in range(times):
        found = claimed(layers, request, uses.claim, now_ms)
        expected, lasts = _plain(chain.from_iterable(on), request, profile, plain_uses, now_ms)
        assert (found.mock, found.lasts) == (expected, lasts)
        assert uses.taken == plain_uses.taken


def _plain(
    on: chain[Candidate], request: Request, profile: Profile, uses: _Uses, now_ms: int
) -> tuple[Mock | None, bool]:
    lasts = True
    for candidate in plain_matches(on, request, profile):
        usage = candidate.mock.usage
        if usage is None:
            return candidate.mock, lasts
        lasts = False
        is_open = usage.not_before_ms <= now_ms and (not usage.until_ms or now_ms < usage.until_ms)
        if is_open and (not (usage.uses_max or usage.counts) or uses.claim(candidate.mock)):
            return candidate.mock, lasts
    return None, lasts
