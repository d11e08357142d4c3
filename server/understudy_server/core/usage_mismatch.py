"""Why a mock that may match does not apply now: it is spent, or waits for another time or another state. For people."""

from datetime import UTC, datetime, timedelta

from understudy_server.core.matching.mismatch import Mismatch, cut
from understudy_server.core.matching.mock import Mock
from understudy_server.core.state import Claim, Refusal, State
from understudy_server.core.usage import Closed, Usage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def usage_mismatch(mock: Mock, environment_id: str, session_state: str, state: State, now_ms: int) -> Mismatch | None:
    """What of a mock's lifetime or machine does not hold now; ``None`` when all does. Nothing is claimed.

    ``session_state`` is as for `Usage.claim`.
    """
    usage = mock.usage
    if usage is None:
        return None
    closed = usage.closed(now_ms)
    if closed is not None:
        return _closed(usage, closed, now_ms)
    if not usage.is_claimed:
        return None
    claim = usage.claim(environment_id, session_state, mock.state_name)
    refusal = state.refusal(claim)
    return None if refusal is None else _refused(usage, claim, refusal, state)


def _closed(usage: Usage, closed: Closed, now_ms: int) -> Mismatch:
    now = shown_time(now_ms)
    if closed is Closed.NOT_YET:
        expected = f"from {shown_time(usage.not_before_ms)} on"
        return Mismatch("lifetime.not_before_ms", expected, now, closed.value, 1.0)
    return Mismatch("lifetime", f"before {shown_time(usage.until_ms)}", now, closed.value, 1.0)


def _refused(usage: Usage, claim: Claim, refusal: Refusal, state: State) -> Mismatch:
    if refusal is Refusal.SPENT:
        used = state.uses_of(claim.counted, claim.mock)
        expected = f"at most {usage.uses_max} use{'' if usage.uses_max == 1 else 's'} by the {usage.uses_per.value}"
        return Mismatch("lifetime.uses_max", expected, str(used), refusal.value, 1.0)
    is_in = state.machine(claim.stepped, claim.machine) if claim.stepped else ""
    expected = f'machine "{claim.machine}" is in state "{claim.required}"'
    return Mismatch("machine.required", cut(expected), cut(is_in), refusal.value, 1.0)


def shown_time(moment_ms: int) -> str:
    """A time in milliseconds since 1970, as the contract writes times."""
    return (_EPOCH + timedelta(milliseconds=moment_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
