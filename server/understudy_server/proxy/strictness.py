"""What a strict environment refuses, and what it says to whoever sent it."""

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


def strictly(intake: Intake, session_header: str) -> Refused | None:
    """Refuse a request without a session key, and one that carries two; ``None`` for any other."""
    if not intake.session_key:
        code, message = "session_required", "This environment takes no request without a session key. Send it in"
    elif CARRIERS_DISAGREE in intake.findings:
        code, message = "carriers_disagree", "This request carries two different session keys. Send one, in"
    else:
        return None
    return Refused(400, code, f"{message} {_places(intake.environment.carriers, session_header)}.")


def _places(carriers: Sequence[Carrier], session_header: str) -> str:
    """Where a key may stand, in words: ``the header a, the cookie b or the header c``."""
    named = [f"the header {session_header}", *[_NAMED[each.kind].format(each.name) for each in carriers]]
    return " or ".join(filter(None, (", ".join(named[:-1]), named[-1])))
