import pytest
from understudy_server.core.matching.mock import Mock
from understudy_server.core.state import Claim, Owner, Scope
from understudy_server.core.usage import ALL_OF_CHAIN, Closed, Step, Usage


@pytest.mark.parametrize(
    ("usage", "now_ms", "closed"),
    [
        (Usage(), 0, None),
        (Usage(not_before_ms=5), 4, Closed.NOT_YET),
        (Usage(not_before_ms=5), 5, None),
        (Usage(until_ms=5), 4, None),
        (Usage(until_ms=5), 5, Closed.EXPIRED),
        (Usage(not_before_ms=5, until_ms=5), 5, Closed.EXPIRED),
    ],
)
def test_a_mock_applies_from_one_time_on_and_before_another(usage: Usage, now_ms: int, closed: Closed | None) -> None:
    assert (usage.closed(now_ms), usage.is_open(now_ms)) == (closed, closed is None)


@pytest.mark.parametrize(
    ("usage", "is_claimed", "is_limited"),
    [
        (Usage(), False, False),
        (Usage(uses_max=1), True, True),
        (Usage(step=Step("order")), True, True),
        (Usage(counts=True), True, False),
        (Usage(not_before_ms=1), False, True),
        (Usage(until_ms=1), False, True),
    ],
)
def test_time_alone_takes_no_claim(usage: Usage, *, is_claimed: bool, is_limited: bool) -> None:
    assert (usage.is_claimed, usage.is_limited) == (is_claimed, is_limited)


@pytest.mark.parametrize(
    ("scope", "mock", "owner"),
    [
        (Scope.SESSION, "ovr_a", Owner("env_1", Scope.SESSION, "ses_1.1")),
        (Scope.ENVIRONMENT, "ovr_a", Owner("env_1", Scope.ENVIRONMENT)),
        (Scope.CHAIN, ALL_OF_CHAIN, Owner("env_1", Scope.CHAIN, "order")),
    ],
)
def test_uses_are_counted_by_those_whose_requests_count_together(scope: Scope, mock: str, owner: Owner) -> None:
    usage = Usage(uses_max=3, uses_per=scope, chain="order")
    assert usage.claim("env_1", "ses_1.1", "ovr_a") == Claim(mock, owner, uses_max=3)


def test_a_step_is_taken_by_the_owner_of_the_machine() -> None:
    usage = Usage(step=Step("order", "started", "paid", Scope.ENVIRONMENT))
    assert usage.claim("env_1", "ses_1.1", "ovr_a") == Claim(
        "ovr_a",
        Owner("env_1", Scope.SESSION, "ses_1.1"),
        machine="order",
        stepped=Owner("env_1", Scope.ENVIRONMENT),
        required="started",
        next="paid",
    )


def test_a_mock_that_a_session_owns_has_a_name_of_its_own() -> None:
    assert [Mock("ovr_a").state_name, Mock("ovr_a", owner="ses_1").state_name] == ["ovr_a", "ses_1/ovr_a"]
