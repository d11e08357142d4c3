"""What is refused for the session key that it carries or does not, and what is said to whoever sent it."""

from collections.abc import Sequence
from typing import Final

from understudy_server.core.carriers import CARRIERS_DISAGREE, Carrier, CarrierKind
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import Refused

_NAMED: Final = {
    CarrierKind.HEADER: "the header {}",
    CarrierKind.COOKIE: "the cookie {}",
    CarrierKind.QUERY: "the query parameter {}",
    CarrierKind.JWT_CLAIM: "the claim {} of the bearer token",
    CarrierKind.BAGGAGE: "the member {} of the baggage header",
}


def refused_for_its_key(intake: Intake, session_header: str) -> Refused | None:
    """Refuse a request of which nothing says whose it is, but that it is of two sessions; where the environment is
    strict also one without a session key, and one that carries two. ``None`` for any other.
    """
    disagree = CARRIERS_DISAGREE in intake.findings
    if disagree and not intake.session_key:
        message = "This request has headers of two sessions. Send one of them, or a session key in"
        return Refused(400, "carriers_disagree", f"{message} {_places(intake.environment.carriers, session_header)}.")
    if not intake.environment.strict:
        return None
    if not intake.session_key:
        code, message = "session_required", "This environment takes no request without a session key. Send it in"
    elif disagree:
        code, message = "carriers_disagree", "This request carries two different session keys. Send one, in"
    else:
        return None
    return Refused(400, code, f"{message} {_places(intake.environment.carriers, session_header)}.")


def _places(carriers: Sequence[Carrier], session_header: str) -> str:
    """Where a key may stand, in words: ``the header a, the cookie b or the header c``."""
    named = [f"the header {session_header}", *[_NAMED[each.kind].format(each.name) for each in carriers]]
    return " or ".join(filter(None, (", ".join(named[:-1]), named[-1])))
