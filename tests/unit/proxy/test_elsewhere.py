"""In which other sessions a request would have had a mock, and which drafts it would have matched."""

from collections.abc import Sequence
from typing import Any

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import NOON_MS
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.carriers import FoundKey
from understudy_server.core.explanation import Elsewhere, Explanation, Outcome, Subject
from understudy_server.core.state import Claim, Owner, Scope
from understudy_server.live.source import SessionRow
from understudy_server.live.view import LiveView
from understudy_server.proxy.elsewhere import SESSIONS_LOOKED_AT, SESSIONS_TOLD
from understudy_server.proxy.explaining import ViewExplainer
from understudy_server.proxy.settings import ProxySettings
from understudy_server.state.memory import MemoryState


def source_of(*sessions: SessionRow, mocks: Sequence[Mock] = (), own: Sequence[tuple[str, Mock]] = ()) -> FakeSource:
    """Sessions beside ci-42, which has nothing on; the scenario scn_a has ovr_cart."""
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream="http://127.0.0.1:9")},
        mocks={each.id: each for each in mocks or [mock("ovr_cart", path="/cart")]},
        scenarios={"scn_a": Scenario(id="scn_a", mocks=["ovr_cart"])},
        sessions={each.id: each for each in (session(), *sessions)},
        session_mocks={(session_id, each.id): each for session_id, each in own},
    )
    return source


async def explain(
    source: FakeSource,
    target: str = "/cart",
    state: MemoryState | None = None,
    drafts: Sequence[Mock] = (),
    **more: Any,
) -> Explanation:
    explainer = ViewExplainer(LiveView(source), state or MemoryState(), ProxySettings())
    subject = Subject("checkout", "staging", "GET", target, known_key=FoundKey("ci-42", ()), **more)
    return await explainer.explain(subject, NOON_MS, 50, drafts)


async def test_a_session_with_the_mock_on_is_named() -> None:
    found = await explain(source_of(session("ci-41", overrides=("ovr_cart",)), session("ci-40")))
    assert (found.outcome, found.not_on) == (Outcome.UPSTREAM, ["ovr_cart"])
    assert found.elsewhere == [Elsewhere("ci-41", "ovr_cart")]


async def test_a_session_whose_scenario_has_the_mock_is_named() -> None:
    found = await explain(source_of(session("ci-41", scenario="scn_a")))
    assert found.elsewhere == [Elsewhere("ci-41", "ovr_cart")]


async def test_a_mock_that_another_session_owns_counts_though_nobody_else_can_have_it() -> None:
    found = await explain(source_of(session("ci-41"), own=[("ses_ci-41", mock("ovr_mine", path="/mine"))]), "/mine")
    assert (found.elsewhere, found.not_on) == ([Elsewhere("ci-41", "ovr_mine")], [])


async def test_the_session_itself_is_not_elsewhere() -> None:
    source = source_of(session("ci-42", overrides=("ovr_cart",)))
    found = await explain(source, "/other")
    assert (found.outcome, found.elsewhere) == (Outcome.UPSTREAM, ())


async def test_a_request_that_has_a_mock_is_not_looked_for_elsewhere() -> None:
    source = source_of(session("ci-42", overrides=("ovr_cart",)), session("ci-41", overrides=("ovr_cart",)))
    found = await explain(source)
    assert (found.outcome, found.elsewhere) == (Outcome.MOCK, ())


async def test_a_session_that_has_expired_is_none() -> None:
    found = await explain(source_of(session("ci-41", overrides=("ovr_cart",), expires_at_ms=NOON_MS)))
    assert found.elsewhere == ()


async def test_a_mock_that_is_used_up_there_would_not_answer() -> None:
    once = mock("ovr_cart", path="/cart")
    once.lifetime.uses_max = 1
    source = source_of(session("ci-41", overrides=("ovr_cart",)), mocks=[once])
    state = MemoryState()
    assert (await explain(source, state=state)).elsewhere == [Elsewhere("ci-41", "ovr_cart")]
    state.claim(Claim("ovr_cart", Owner(ENVIRONMENT_ID, Scope.SESSION, "ses_ci-41.1"), uses_max=1))
    assert (await explain(source, state=state)).elsewhere == []


async def test_criteria_on_state_are_tested_in_each_session_for_itself() -> None:
    asks = mock("ovr_cart", path="/cart")
    criterion = asks.matcher.state.add(key="step")
    criterion.criterion.equals = "two"
    source = source_of(
        session("ci-40", overrides=("ovr_cart",)), session("ci-41", overrides=("ovr_cart",)), mocks=[asks]
    )
    state = MemoryState()
    state.set_value(Owner(ENVIRONMENT_ID, Scope.SESSION, "ses_ci-40.1"), "step", "two")
    assert (await explain(source, state=state)).elsewhere == [Elsewhere("ci-40", "ovr_cart")]


async def test_those_that_were_made_last_are_told_first_and_no_more_than_five() -> None:
    sessions = [session(f"ci-{number:03}", overrides=("ovr_cart",)) for number in range(100, 120)]
    found = await explain(source_of(*sessions))
    assert len(found.elsewhere) == SESSIONS_TOLD
    assert [each.session_key for each in found.elsewhere] == [f"ci-{number}" for number in (119, 118, 117, 116, 115)]


async def test_no_more_than_fifty_are_looked_at_and_those_without_mocks_do_not_count() -> None:
    first = session("ci-first", overrides=("ovr_cart",))
    others = [session(f"run-{number}", overrides=("ovr_other",)) for number in range(SESSIONS_LOOKED_AT - 1)]
    empty = [session(f"none-{number}") for number in range(100)]
    mocks = [mock("ovr_cart", path="/cart"), mock("ovr_other", path="/other")]
    assert (await explain(source_of(first, *others, *empty, mocks=mocks))).elsewhere == [
        Elsewhere("ci-first", "ovr_cart")
    ]
    one_more = session("ci-more", overrides=("ovr_other",))
    assert (await explain(source_of(first, *others, one_more, *empty, mocks=mocks))).elsewhere == []


@pytest.mark.parametrize(("path", "drafts"), [("/cart", ["ovr_draft"]), ("/other", [])])
async def test_a_draft_that_matches_is_named(path: str, drafts: list[str]) -> None:
    draft = mock("ovr_draft", path=path, draft=True)
    assert (await explain(source_of(), drafts=[draft])).drafts == drafts
