"""Sessions that requests find by a header of their name, whatever its value."""

from understudy_server.core.carriers import CARRIERS_DISAGREE
from understudy_server.core.profiles import Profile
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import SessionRow
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import ClientRequest


def named_by(request: ClientRequest, live: LiveEnvironment, now_ms: int) -> list[SessionRow]:
    """The sessions that a request has headers of, each once."""
    names = dict.fromkeys([name.lower() for name, _ in request.headers])
    return [row for name in names if (row := live.named(name, now_ms)) is not None]


def find_named(intake: Intake, live: LiveEnvironment, now_ms: int) -> None:
    """Look for such a session. A key that the request carries goes before; of two of them none can be chosen.

    To Assertive, a key that is no session's is a header like any other. Only which headers there are is looked at here,
    and that is the same for all requests alike.
    """
    found = named_by(intake.request, live, now_ms)
    is_keyed = intake.session_id if intake.environment.profile is Profile.ASSERTIVE else intake.session_key
    if len(found) == 1 and not is_keyed:
        (row,) = found
        intake.session, intake.session_key, intake.session_id, intake.scope = row, row.key, row.id, row.key
    elif found and CARRIERS_DISAGREE not in intake.findings:
        intake.findings = (*intake.findings, CARRIERS_DISAGREE)
