"""Sessions that requests find by a header of their name, whatever its value."""

from understudy_server.core.carriers import CARRIERS_DISAGREE
from understudy_server.live.environment import LiveEnvironment
from understudy_server.proxy.intake import Intake


def find_named(intake: Intake, live: LiveEnvironment, now_ms: int) -> None:
    """Look for such a session. A key that the request carries goes before; of two of them none can be chosen.

    Only which headers there are is looked at, and that is the same for all requests alike.
    """
    names = dict.fromkeys([name.lower() for name, _ in intake.request.headers])
    found = [row for name in names if (row := live.named(name, now_ms)) is not None]
    if len(found) == 1 and not intake.session_key:
        (row,) = found
        intake.session, intake.session_key, intake.session_id = row, row.key, row.id
    elif found and CARRIERS_DISAGREE not in intake.findings:
        intake.findings = (*intake.findings, CARRIERS_DISAGREE)
