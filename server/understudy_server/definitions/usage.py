"""How long and how often a mock applies, compiled."""

from typing import Final

from understudy.v1 import state_pb2
from understudy.v1.mock_service_pb2 import Mock as MockMessage
from understudy.v1.state_pb2 import StateScope

from understudy_server.core.state import Scope
from understudy_server.core.usage import Step, Usage

SCOPES: Final = {
    state_pb2.STATE_SCOPE_UNSPECIFIED: Scope.SESSION,
    state_pb2.STATE_SCOPE_SESSION: Scope.SESSION,
    state_pb2.STATE_SCOPE_CHAIN: Scope.CHAIN,
    state_pb2.STATE_SCOPE_ENVIRONMENT: Scope.ENVIRONMENT,
}


def compile_scope(scope: StateScope) -> Scope:
    """Whose state it is; a session's unless it says otherwise."""
    return SCOPES[scope]


def compile_usage(message: MockMessage, *, counts: bool) -> Usage | None:
    """Compile what a mock says of its uses; ``None`` when it says nothing.

    ``counts``: its answer asks which use it is.
    """
    limited = message.HasField("lifetime") or message.HasField("machine") or message.HasField("expires_at")
    if not (limited or counts):
        return None
    lifetime = message.lifetime
    usage = Usage(
        uses_max=lifetime.uses_max,
        uses_per=compile_scope(lifetime.uses_per),
        step=_step(message),
        chain=message.chain,
        not_before_ms=lifetime.not_before_ms,
        until_ms=_until_ms(message),
        counts=counts,
    )
    # A lifetime of defaults limits nothing.
    return usage if usage.is_limited or counts else None


def _step(message: MockMessage) -> Step | None:
    if not message.HasField("machine"):
        return None
    machine = message.machine
    return Step(machine.machine, machine.required, machine.next, compile_scope(machine.scope))


def _until_ms(message: MockMessage) -> int:
    """The earlier of the two ends that it may have; 0 without any."""
    ends = [message.lifetime.not_after_ms] if message.lifetime.not_after_ms else []
    if message.HasField("expires_at"):
        ends.append(message.expires_at.ToMilliseconds())
    return min(ends, default=0)
