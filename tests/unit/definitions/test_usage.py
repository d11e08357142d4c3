import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.state_pb2 import (
    STATE_SCOPE_CHAIN,
    STATE_SCOPE_ENVIRONMENT,
    STATE_SCOPE_SESSION,
    STATE_SCOPE_UNSPECIFIED,
    Lifetime,
    MachineStep,
    StateScope,
)
from understudy_server.core.state import Scope
from understudy_server.core.usage import Step, Usage
from understudy_server.definitions.mocks import compile_mock
from understudy_server.definitions.usage import compile_scope, compile_usage


@pytest.mark.parametrize("message", [Mock(), Mock(lifetime=Lifetime()), Mock(lifetime=Lifetime(ttl_ms=5))])
def test_a_mock_that_limits_nothing_has_no_usage(message: Mock) -> None:
    assert compile_usage(message, counts=False) is None


def test_an_answer_that_counts_is_counted() -> None:
    message = Mock(lifetime=Lifetime(uses_per=STATE_SCOPE_ENVIRONMENT))
    assert compile_usage(message, counts=True) == Usage(uses_per=Scope.ENVIRONMENT, counts=True)


def test_every_part_of_a_lifetime_is_compiled() -> None:
    lifetime = Lifetime(uses_max=3, uses_per=STATE_SCOPE_CHAIN, not_before_ms=1, not_after_ms=9)
    usage = compile_usage(Mock(chain="order", lifetime=lifetime), counts=False)
    assert usage == Usage(uses_max=3, uses_per=Scope.CHAIN, chain="order", not_before_ms=1, until_ms=9)


@pytest.mark.parametrize(("not_after_ms", "until_ms"), [(0, 5000), (4000, 4000), (6000, 5000)])
def test_the_earlier_end_counts(not_after_ms: int, until_ms: int) -> None:
    message = Mock(lifetime=Lifetime(ttl_ms=1, not_after_ms=not_after_ms), expires_at=Timestamp(seconds=5))
    assert compile_usage(message, counts=False) == Usage(until_ms=until_ms)


def test_a_step_of_a_machine_is_compiled() -> None:
    machine = MachineStep(machine="order", required="started", next="paid", scope=STATE_SCOPE_ENVIRONMENT)
    usage = compile_usage(Mock(machine=machine), counts=False)
    assert usage == Usage(step=Step("order", "started", "paid", Scope.ENVIRONMENT))


@pytest.mark.parametrize(
    ("message", "scope"),
    [
        (STATE_SCOPE_UNSPECIFIED, Scope.SESSION),
        (STATE_SCOPE_SESSION, Scope.SESSION),
        (STATE_SCOPE_CHAIN, Scope.CHAIN),
        (STATE_SCOPE_ENVIRONMENT, Scope.ENVIRONMENT),
    ],
)
def test_every_scope_is_compiled(message: StateScope, scope: Scope) -> None:
    assert compile_scope(message) is scope


def test_what_orders_and_names_a_mock_is_compiled() -> None:
    message = Mock(id="ovr_a", priority=-3, chain="order", created_at=Timestamp(seconds=1, nanos=2_000_000))
    mock = compile_mock(message, owner="ses_1")
    assert (mock.priority, mock.chain, mock.created_ms, mock.owner) == (-3, "order", 1002, "ses_1")
    assert (mock.usage, mock.is_plain) == (None, True)


def test_a_mock_with_a_lifetime_is_not_plain() -> None:
    assert not compile_mock(Mock(id="ovr_a", lifetime=Lifetime(uses_max=1))).is_plain
