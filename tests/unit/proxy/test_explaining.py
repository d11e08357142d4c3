"""Why a request is answered as it is: the same decision as the proxy's, told and not taken."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import NOON_MS
from understudy.v1.matching_pb2 import Criterion
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.carriers import Carrier, CarrierKind, FoundKey
from understudy_server.core.errors import NotFound, StorageFailure
from understudy_server.core.explanation import Explanation, Outcome, Reason, Subject
from understudy_server.core.matching.mismatch import Mismatch
from understudy_server.core.matching.mock import Layer
from understudy_server.core.profiles import Profile
from understudy_server.core.state import MACHINE_START, Owner, Scope
from understudy_server.live.view import LiveView
from understudy_server.proxy.explaining import NOT_ON_MAX, ViewExplainer
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.judging import Judge
from understudy_server.proxy.messages import ClientRequest
from understudy_server.proxy.settings import ProxySettings
from understudy_server.state.memory import MemoryState

KEY = ((b"x-flowmock-session", b"ci-42"),)
PREFLIGHT = ((b"origin", b"https://app.example.com"), (b"access-control-request-method", b"PUT"))
SESSION_STATE = Owner(ENVIRONMENT_ID, Scope.SESSION, "ses_ci-42.1")


def source_of(
    *mocks: Mock,
    active: Sequence[str] = (),
    overrides: Sequence[str] = (),
    scenario: Sequence[str] = (),
    own: Sequence[Mock] = (),
    **row: Any,
) -> FakeSource:
    """An environment with mocks, of which some are on for all, for session ci-42, and by its scenario."""
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=tuple(active), **row)},
        mocks={each.id: each for each in mocks},
        scenarios={"scn_a": Scenario(id="scn_a", mocks=scenario)},
        sessions={"ses_ci-42": session(overrides=tuple(overrides), scenario="scn_a")},
        session_mocks={("ses_ci-42", each.id): each for each in own},
    )
    return source


def subject(target: str = "/a", method: str = "GET", **more: Any) -> Subject:
    more.setdefault("headers", KEY)
    if "body" in more:
        more.setdefault("body_bytes", len(more["body"] or b""))
    return Subject("checkout", "staging", method, target, **more)


async def explain(
    source: FakeSource,
    asked: Subject | None = None,
    state: MemoryState | None = None,
    *,
    now_ms: int = NOON_MS,
    most: int = 50,
    limits: ProxySettings | None = None,
) -> Explanation:
    explainer = ViewExplainer(LiveView(source), state or MemoryState(), limits or ProxySettings())
    return await explainer.explain(asked or subject(), now_ms, most)


def considered(found: Explanation) -> list[tuple[str, bool]]:
    return [(each.mock_id, each.matches) for each in found.considered]


def mismatch(found: Explanation, mock_id: str) -> Mismatch:
    """The first thing that does not hold of a mock."""
    (of_it,) = [each for each in found.considered if each.mock_id == mock_id]
    assert of_it.distance > 0
    return of_it.mismatches[0]


# Who wins


async def test_the_only_mock_that_matches_wins_and_the_others_are_told_by_how_near_they_are() -> None:
    source = source_of(
        mock("ovr_near", path="/a", method="POST"),
        mock("ovr_far", path="/x/y/z", method="POST"),
        mock("ovr_it", path="/a"),
        active=("ovr_far", "ovr_near", "ovr_it"),
    )
    found = await explain(source)
    assert (found.outcome, found.rule, found.total) == (Outcome.MOCK, "only_match", 3)
    assert considered(found) == [("ovr_it", True), ("ovr_near", False), ("ovr_far", False)]
    assert found.answering == found.considered[0]
    assert found.considered[0][1:] == ("ovr_it", Layer.ENVIRONMENT, 0, ())
    first = mismatch(found, "ovr_near")
    assert (first.field, first.expected, first.actual, first.code) == ("matcher.method", "is POST", "GET", "differs")


@pytest.mark.parametrize(
    ("mocks", "on", "rule"),
    [
        ((mock("ovr_a"), mock("ovr_b")), {"overrides": ["ovr_a"], "active": ["ovr_b"]}, "layer"),
        ((mock("ovr_a"), mock("ovr_b")), {"scenario": ["ovr_a"], "active": ["ovr_b"]}, "layer"),
        ((mock("ovr_a", priority=1), mock("ovr_b", path="/a")), {"active": ["ovr_a", "ovr_b"]}, "priority"),
        ((mock("ovr_a", path="/a"), mock("ovr_b", path="/:x")), {"active": ["ovr_a", "ovr_b"]}, "path"),
        ((mock("ovr_a", method="GET"), mock("ovr_b")), {"active": ["ovr_a", "ovr_b"]}, "method"),
        ((mock("ovr_a"), mock("ovr_b")), {"active": ["ovr_b", "ovr_a"]}, "latest"),
        ((mock("ovr_a"), mock("ovr_b")), {"scenario": ["ovr_a", "ovr_b"]}, "id"),
    ],
)
async def test_the_rule_is_the_first_part_of_the_order_that_tells_the_winner_from_the_next(
    mocks: Sequence[Mock], on: Mapping[str, Any], rule: str
) -> None:
    found = await explain(source_of(*mocks, **on))
    assert (considered(found), found.rule) == ([("ovr_a", True), ("ovr_b", True)], rule)


async def test_a_mock_that_is_on_in_two_layers_is_told_once_where_it_is_the_strongest() -> None:
    found = await explain(source_of(mock("ovr_a"), active=["ovr_a"], scenario=["ovr_a"], overrides=["ovr_a"]))
    assert [(each.mock_id, each.layer) for each in found.considered] == [("ovr_a", Layer.SESSION)]
    assert found.total == 1


async def test_a_mock_of_the_session_and_one_of_the_environment_may_have_the_same_id() -> None:
    found = await explain(source_of(mock("ovr_a"), active=["ovr_a"], own=[mock("ovr_a", path="/a")]))
    assert [(each.mock_id, each.layer) for each in found.considered] == [
        ("ovr_a", Layer.SESSION),
        ("ovr_a", Layer.ENVIRONMENT),
    ]


async def test_no_more_mocks_are_told_than_were_asked_for_and_those_that_match_first() -> None:
    many = [mock(f"ovr_{number}", path="/a" if number % 2 else "/b") for number in range(40)]
    source = source_of(*many, active=[each.id for each in many])
    found = await explain(source, most=25)
    assert [each.matches for each in found.considered] == [True] * 20 + [False] * 5
    assert found.total == 40
    assert [each.matches for each in (await explain(source, most=1)).considered] == [True]


async def test_what_matches_and_is_not_on_is_named() -> None:
    others = [mock(f"ovr_{number:02}", path="/a") for number in range(NOT_ON_MAX + 5)]
    found = await explain(
        source_of(mock("ovr_on", path="/a"), *others, mock("ovr_other", path="/b"), active=["ovr_on"])
    )
    assert len(found.not_on) == NOT_ON_MAX
    assert set(found.not_on) < {each.id for each in others}


async def test_what_is_looked_at_and_not_on_is_not_kept_compiled() -> None:
    view = LiveView(source_of(mock("ovr_a", path="/a"), mock("ovr_b", path="/b")))
    found = await ViewExplainer(view, MemoryState(), ProxySettings()).explain(subject(), NOON_MS, 50)
    live = view.live("checkout", "staging")
    assert found.not_on == ["ovr_a"]
    assert live is not None
    assert not any(each.is_compiled for each in live.published())


# What else becomes of a request


@pytest.mark.parametrize(("upstream", "outcome"), [("http://u", Outcome.UPSTREAM), ("", Outcome.NO_UPSTREAM)])
async def test_without_a_match_it_is_the_upstreams(upstream: str, outcome: Outcome) -> None:
    found = await explain(source_of(mock("ovr_a", path="/b"), active=["ovr_a"], upstream=upstream))
    assert (found.outcome, found.rule, found.answering, found.refusal) == (outcome, "", None, "")


async def test_a_strict_environment_refuses_and_the_mocks_are_told_all_the_same() -> None:
    found = await explain(source_of(mock("ovr_a"), active=["ovr_a"], strict=True), subject(headers=()))
    assert (found.outcome, found.answering, considered(found)) == (Outcome.REFUSED, None, [("ovr_a", True)])
    assert "session key" in found.refusal
    assert found.rule == ""


async def test_a_body_that_is_too_long_for_the_environment_is_refused() -> None:
    found = await explain(source_of(request_body_bytes_max=3), subject(body=b"1234"))
    assert (found.outcome, found.refusal) == (Outcome.REFUSED, "The body is longer than 3 bytes.")


async def test_a_preflight_is_answered_by_a_mock_for_it_and_by_no_other() -> None:
    any_method, own = mock("ovr_any"), mock("ovr_options", method="OPTIONS", path="/b")
    source = source_of(any_method, own, active=["ovr_any", "ovr_options"])
    found = await explain(source, subject("/b", "OPTIONS", headers=PREFLIGHT))
    assert (found.outcome, considered(found)) == (Outcome.MOCK, [("ovr_options", True), ("ovr_any", False)])
    assert mismatch(found, "ovr_any").expected == "is OPTIONS, for this is a preflight"
    found = await explain(source, subject("/a", "OPTIONS", headers=PREFLIGHT))
    assert found.outcome is Outcome.PREFLIGHT


async def test_a_preflight_that_is_left_to_the_upstream_is_the_upstreams() -> None:
    source = source_of(answers_preflights=False, upstream="http://u")
    assert (await explain(source, subject(method="OPTIONS", headers=PREFLIGHT))).outcome is Outcome.UPSTREAM


# Whose request it is


@pytest.mark.parametrize(
    ("headers", "key", "exists", "findings", "reasons"),
    [
        (KEY, "ci-42", True, (), []),
        (((b"X-FlowMock-Session", b" CI-42"),), "CI-42", False, (), [Reason.UNKNOWN_SESSION]),
        ((), "", False, (), [Reason.NO_SESSION_KEY]),
        (((b"cookie", b"sid=ci-42"),), "ci-42", True, (), []),
        ((*KEY, (b"cookie", b"sid=x")), "ci-42", True, ("carriers_disagree",), []),
        ((*KEY, *KEY), "ci-42", True, ("session_header_repeated",), []),
    ],
)
async def test_the_session_key_is_found_as_the_proxy_finds_it(
    headers: Any, key: str, exists: bool, findings: Any, reasons: Any
) -> None:
    source = source_of(carriers=(Carrier(CarrierKind.COOKIE, "sid"),))
    found = await explain(source, subject(headers=headers))
    assert (found.session_key, found.session_exists, found.findings, found.reasons) == (key, exists, findings, reasons)


async def test_a_key_that_is_known_is_not_looked_for() -> None:
    source = source_of(mock("ovr_a"), overrides=["ovr_a"])
    asked = subject(headers=((b"x-flowmock-session", b"x"),), known_key=FoundKey("ci-42", ("carriers_disagree",)))
    found = await explain(source, asked)
    assert (found.session_key, found.outcome, found.findings) == ("ci-42", Outcome.MOCK, ("carriers_disagree",))


async def test_a_session_that_has_expired_is_none() -> None:
    source = source_of(mock("ovr_a"), overrides=["ovr_a"])
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_a",), expires_at_ms=NOON_MS)})
    found = await explain(source)
    assert (found.session_exists, found.reasons, found.total) == (False, [Reason.UNKNOWN_SESSION], 0)


async def test_an_environment_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        await explain(source_of(), Subject("checkout", "other", "GET", "/"))


async def test_a_store_that_cannot_be_read_explains_nothing() -> None:
    source = source_of()
    source.alone, source.broken = False, True
    with pytest.raises(StorageFailure):
        await explain(source)


async def test_what_was_acknowledged_before_is_known() -> None:
    source = source_of()
    explainer = ViewExplainer(LiveView(source), MemoryState(), ProxySettings())
    assert (await explainer.explain(subject(), NOON_MS, 50)).total == 0
    source.commit(mocks={"ovr_a": mock("ovr_a")}, sessions={"ses_ci-42": session(overrides=("ovr_a",))})
    assert (await explainer.explain(subject(), NOON_MS, 50)).outcome is Outcome.MOCK


# Bodies


def on_body(**test: Any) -> Mock:
    made = mock("ovr_body", path="/a")
    made.matcher.body.CopyFrom(Criterion(**test))
    return made


async def test_a_body_that_is_too_long_to_be_matched_is_said_to_be() -> None:
    limits = ProxySettings(match_body_bytes_max=3)
    found = await explain(source_of(on_body(contains="1"), active=["ovr_body"]), subject(body=b"1234"), limits=limits)
    assert (found.reasons, mismatch(found, "ovr_body").code) == ([Reason.BODY_TOO_LARGE], "body_too_large")


async def test_criteria_on_a_body_that_was_not_kept_do_not_hold() -> None:
    for test in ({"contains": "1"}, {"not": Criterion(contains="1")}, {"present": False}):
        found = await explain(source_of(on_body(**test), active=["ovr_body"]), subject(body=None, body_bytes=4))
        assert (found.reasons, mismatch(found, "ovr_body").code) == ([Reason.BODY_NOT_KEPT], "body_not_kept")


# Lifetimes and machines


def of_machine(required: str, then: str = "") -> Mock:
    made = mock("ovr_a")
    made.machine.machine, made.machine.required, made.machine.next = "order", required, then
    return made


def used_once() -> Mock:
    made = mock("ovr_a")
    made.lifetime.uses_max = 1
    return made


async def test_a_mock_is_explained_without_being_used() -> None:
    source, state = source_of(used_once(), active=["ovr_a"]), MemoryState()
    for _ in range(3):
        assert (await explain(source, state=state)).outcome is Outcome.MOCK
    assert state.uses(SESSION_STATE) == []


async def test_a_mock_that_is_spent_is_the_nearest_and_says_how_often_it_was_used() -> None:
    source, state = source_of(used_once(), mock("ovr_b", path="/b"), active=["ovr_a", "ovr_b"]), MemoryState()
    assert (await decide(source, subject(), state)).mock is not None
    found = await explain(source, state=state)
    assert (found.outcome, considered(found)) == (Outcome.NO_UPSTREAM, [("ovr_a", False), ("ovr_b", False)])
    assert mismatch(found, "ovr_a")[:4] == ("lifetime.uses_max", "at most 1 use by the session", "1", "spent")
    assert found.considered[0].distance == pytest.approx(0.1)


async def test_a_machine_in_another_state_is_told() -> None:
    source, state = source_of(of_machine("paid"), active=["ovr_a"]), MemoryState()
    assert mismatch(await explain(source, state=state), "ovr_a")[:4] == (
        "machine.required", 'machine "order" is in state "paid"', MACHINE_START, "machine_state",
    )  # fmt: skip
    state.set_machine(SESSION_STATE, "order", "paid")
    assert (await explain(source, state=state)).outcome is Outcome.MOCK


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        (
            NOON_MS,
            ("lifetime.not_before_ms", "from 2026-06-23T12:00:01.000Z on", "2026-06-23T12:00:00.000Z", "not_yet"),
        ),
        (NOON_MS + 1_000, None),
        (NOON_MS + 2_500, ("lifetime", "before 2026-06-23T12:00:02.500Z", "2026-06-23T12:00:02.500Z", "expired")),
    ],
)
async def test_a_mock_out_of_its_time_says_when_it_applies(now_ms: int, expected: Any) -> None:
    made = mock("ovr_a")
    made.lifetime.not_before_ms, made.lifetime.not_after_ms = NOON_MS + 1_000, NOON_MS + 2_500
    found = await explain(source_of(made, active=["ovr_a"]), now_ms=now_ms)
    if expected is None:
        assert found.outcome is Outcome.MOCK
    else:
        assert mismatch(found, "ovr_a")[:4] == expected


async def test_a_value_that_is_kept_is_looked_at() -> None:
    made, state = mock("ovr_a"), MemoryState()
    made.matcher.state.add(key="n").criterion.json_equals = "2"
    source = source_of(made, active=["ovr_a"])
    assert mismatch(await explain(source, state=state), "ovr_a").code == "absent"
    state.set_value(SESSION_STATE, "n", 2)
    assert (await explain(source, state=state)).outcome is Outcome.MOCK


# All of it


async def decide(source: FakeSource, asked: Subject, state: MemoryState) -> Intake:
    """What the proxy decides."""
    view = LiveView(source)
    await view.catch_up()
    request = ClientRequest()
    request.method, request.target, request.headers = asked.method, asked.target, list(asked.headers)
    request.origin = dict(asked.headers).get(b"origin", b"")
    request.session_values = tuple(value for name, value in asked.headers if name == b"x-flowmock-session")
    request.body, request.has_body = asked.body or b"", bool(asked.body)
    decided = Judge(view, state, ProxySettings(), ("checkout", "staging")).decide(request, request.body, NOON_MS)
    assert isinstance(decided, Intake)
    return decided


@st.composite
def any_mocks(draw: st.DrawFn) -> list[Mock]:
    made = []
    for number in range(draw(st.integers(0, 8))):
        each = mock(
            f"ovr_{number}",
            path=draw(st.sampled_from(["", "/a", "/:x", "/b"])),
            method=draw(st.sampled_from(["", "GET", "POST", "OPTIONS"])),
            priority=draw(st.sampled_from([0, 0, 1])),
            created_ms=draw(st.integers(1, 3)),
        )
        if draw(st.booleans()):
            each.matcher.query["q"].equals = draw(st.sampled_from("12"))
        if draw(st.booleans()):
            each.matcher.body.contains = draw(st.sampled_from("xy"))
        if draw(st.booleans()):
            each.lifetime.uses_max = 1
        made.append(each)
    return made


@st.composite
def any_sources(draw: st.DrawFn) -> FakeSource:
    mocks = draw(any_mocks())
    some = st.lists(st.sampled_from([each.id for each in mocks]), unique=True) if mocks else st.just([])
    return source_of(
        *mocks,
        active=draw(some),
        overrides=draw(some),
        scenario=draw(some),
        profile=draw(st.sampled_from(Profile)),
        strict=draw(st.booleans()),
        answers_preflights=draw(st.booleans()),
        upstream=draw(st.sampled_from(["", "http://u"])),
    )


SUBJECTS = st.builds(
    subject,
    st.sampled_from(["/a", "/b?q=1", "/a?q=2", "/c/d"]),
    st.sampled_from(["GET", "POST", "OPTIONS"]),
    headers=st.sampled_from([(), KEY, PREFLIGHT, (*KEY, *PREFLIGHT)]),
    body=st.sampled_from([b"", b"x", b"xy"]),
)


@settings(max_examples=200, deadline=None)
@given(any_sources(), st.lists(SUBJECTS, min_size=1, max_size=6))
async def test_what_is_explained_is_what_is_decided(source: FakeSource, subjects: list[Subject]) -> None:
    state = MemoryState()
    for each in subjects:
        found = await explain(source, each, state)
        decided = await decide(source, each, state)
        answering = found.answering
        assert (answering.mock_id if answering else "") == (decided.mock.id if decided.mock else "")
        assert (found.session_key, found.findings) == (decided.session_key, decided.findings)
        refused = decided.own is not None and decided.own.refused is not None
        assert (found.outcome is Outcome.REFUSED) is refused
        assert (found.outcome is Outcome.PREFLIGHT) is (decided.own is not None and not refused)
        assert all(bool(one.mismatches) is (one.distance > 0) for one in found.considered)
        assert sorted(found.considered, key=lambda one: not one.matches) == list(found.considered)


async def test_the_event_loop_goes_on_while_thousands_of_mocks_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [mock(f"ovr_{number}", path=f"/a/{number}") for number in range(2_000)]
    source = source_of(*many, active=[each.id for each in many])
    threads = set()
    looked_at = ViewExplainer._judge

    def noting(self: ViewExplainer, *given: Any) -> Any:
        threads.add(threading.current_thread())
        return looked_at(self, *given)

    monkeypatch.setattr(ViewExplainer, "_judge", noting)
    under_way = asyncio.create_task(explain(source, subject("/a/7")))
    turns = 0
    while not under_way.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await under_way).considered[0].mock_id == "ovr_7"
    assert threads.isdisjoint({threading.current_thread()})
    assert turns > 10


# Assertive's profile


async def test_paths_are_those_of_the_profile_and_what_nobody_answers_is_404() -> None:
    on = source_of(mock("ovr_a", path="/a/{id}"), active=["ovr_a"], profile=Profile.ASSERTIVE)
    assert (await explain(on, subject("//a/b/"))).outcome is Outcome.MOCK
    found = await explain(on, subject("/a/b%2Fc"))
    assert (found.outcome, found.unanswered_status) == (Outcome.NO_UPSTREAM, 404)
    assert (await explain(source_of(), subject("/x"))).unanswered_status == 502


async def test_a_method_that_is_for_no_mock_is_refused_and_a_preflight_is_for_any() -> None:
    on = source_of(mock("ovr_a"), active=["ovr_a"], profile=Profile.ASSERTIVE)
    assert (await explain(on, subject(method="TRACE"))).outcome is Outcome.REFUSED
    assert (await explain(on, subject(method="OPTIONS", headers=PREFLIGHT))).outcome is Outcome.MOCK


async def test_a_mock_that_is_not_on_is_found_by_the_paths_of_the_profile() -> None:
    off = source_of(mock("ovr_a", path="/a/{id}"), profile=Profile.ASSERTIVE)
    assert (await explain(off, subject("//a/b/"))).not_on == ["ovr_a"]
