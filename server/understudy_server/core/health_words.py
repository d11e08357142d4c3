"""Findings about the key, the record, and single requests, in sentences that say what to do."""

from collections.abc import Mapping
from shlex import quote
from typing import Final

from understudy_server.core.health_finding import Finding
from understudy_server.core.health_tally import Asked, Group, Tally
from understudy_server.core.loss_advice import ADVICE
from understudy_server.core.matching.mismatch import cut
from understudy_server.core.record import Lost, Standing

_NOTED: Final[Mapping[str, str]] = {
    "carriers_disagree": (
        "carried different session keys, and the first in the order of the carriers counted. "
        "Have the app send one key everywhere."
    ),
    "session_header_repeated": (
        "sent the session header more than once, and its first value counted. Find out who adds it again: "
        "a client that sets it by default and for the call, or a proxy in between."
    ),
    "upstream_retried": (
        "went to the real service twice, since the connection taken first had just been closed. "
        "Nothing is to be done unless it happens often: then the service closes connections early."
    ),
    "upstream_broke_off": (
        "had an answer of the real service that ended before it was whole. Look into the log of the service."
    ),
    "request_broke_off": (
        "broke off, or could not be read to the end, while the answer was on its way. Look at what the app sends."
    ),
    "client_half_closed": (
        "came from a client that closed its sending side before it had its answer. "
        "Nothing is to be done where the client is meant to."
    ),
    "client_gone": (
        "lost the client before it had the whole answer. Does it give up too early? Compare its time limit with the "
        "delays of the mocks and of the session."
    ),
    "storage_unavailable": (
        "was refused because the server could not read its store. Look into its log: a disk that is full or gone."
    ),
    "body_not_held": (
        "was refused, or has not all of its body on record, because too much was held of the bodies of other requests. "
        "Look for clients that send bodies slowly, or raise proxy_held_bodies_bytes_max."
    ),
    "fault_injected": "had an answer that was spoiled on purpose, as the mock's action says.",
}


def requests(count: int) -> str:
    """So many requests."""
    return "1 request" if count == 1 else f"{count} requests"


def times(count: int) -> str:
    """How often, where it was not once."""
    return "" if count == 1 else f" ({count} times)"


def named(asked: Asked | None, group: Group) -> str:
    """What was asked for, and how often."""
    return f"{cut(f'{asked.method} {asked.path}')}{times(group.count)}" if asked else f"{requests(group.count)} more"


def no_session(key: str, tally: Tally, *, exists: bool, alike: str = "") -> Finding:
    """The key names no session, or did not when requests carried it."""
    make = f"`understudy session put {quote(key)}`"
    homeless = tally.homeless
    if exists:
        message = (
            f"{requests(homeless.count)} carried the key {key!r} when there was no such session, so that only what is "
            "on for everybody counted. Make the session before the app sends anything, and let it live for long enough."
        )
    elif tally.session_id == key:
        # Those of the environment have ids of their own.
        message = (
            f"The session {key!r} of the project has ended: it was deleted, or its time to live was over. What is told "
            "here is about what it was told of flags. `understudy flag-session create` makes another one."
        )
    elif tally.session_id:
        late = f" Since then {requests(homeless.count)} carried its key." if homeless.count else ""
        message = (
            f"The session {key!r} has ended: it was deleted, or its time to live was over. What is told here is "
            f"about its last incarnation.{late} {make} makes it anew."
        )
    elif tally.carried.count:
        message = (
            f"{requests(tally.carried.count)} carried the key {key!r}, and there is no such session, so that only what "
            f"is on for everybody counted. {make} makes it; do that before the app sends anything."
        )
    else:
        message = (
            f"There is no session {key!r}, and no request carried this key. {make} makes it; then have the app send "
            "this very key."
        )
    if alike:
        message += f" There is a session {alike!r}: case counts."
    about = homeless if tally.session_id else tally.carried
    return Finding("no_session", message, about.count, about.log_ids)


def only_flags(key: str, tally: Tally) -> Finding:
    """Requests to the proxy carried the id of a session of the project."""
    message = (
        f"{requests(tally.homeless.count)} to the proxy carried the key {key!r}, which is a session of the project: it "
        "sets flags, and no request belongs to it, so that only what is on for everybody counted. Have the app send "
        "the key of a session of the environment, which sets both."
    )
    return Finding("no_session", message, tally.homeless.count, tally.homeless.log_ids)


def no_session_key(key: str, unkeyed: Group) -> Finding:
    """Nothing carried the key, and other requests carried none."""
    message = (
        f"No request carried the key {key!r}, and {requests(unkeyed.count)} of the last minutes carried no session "
        "key at all. If they are the app's, have it send the key in the session header (x-flowmock-session unless the "
        "server names another one), or as the carriers of the environment say."
    )
    return Finding("no_session_key", message, unkeyed.count, unkeyed.log_ids)


def noted(code: str, group: Group) -> Finding:
    """A finding that exchanges have."""
    about = _NOTED.get(code, f"had the finding {code}.")
    return Finding(code, f"{requests(group.count)} {about}", group.count, group.log_ids)


def mock_failed(asked: Asked | None, group: Group) -> Finding:
    """A mock could not make its answer."""
    who = asked.mock_id if asked else "Other mocks"
    message = (
        f"{who} could not make the answer{times(group.count)}: the template failed, or the file is missing. "
        "The answer on record says which; mend the mock."
    )
    return Finding("mock_failed", message, group.count, group.log_ids, (asked.mock_id,) if asked else ())


def upstream_failed(asked: Asked | None, group: Group) -> Finding:
    """The real service did not answer."""
    what = "was passed on" if group.count == 1 or asked else "were passed on"
    to = f" by {asked.mock_id}" if asked and asked.mock_id else ""
    message = (
        f"{named(asked, group)} {what}{to}, and the real service did not answer, or not to the end. Is it running, and "
        "reachable from here? Otherwise switch on a mock for it."
    )
    mock_ids = (asked.mock_id,) if asked and asked.mock_id else ()
    return Finding("upstream_failed", message, group.count, group.log_ids, mock_ids)


def refused(asked: Asked | None, group: Group) -> Finding:
    """The proxy refused a request."""
    status = f" with {asked.status}" if asked and asked.status else ""
    message = (
        f"{named(asked, group)} {'was' if group.count == 1 or asked else 'were'} refused by the proxy{status}: that "
        "broke a limit or a rule of the environment, or could not be read. The answer on record says what to change."
    )
    return Finding("refused", message, group.count, group.log_ids)


def incomplete(standing: Standing) -> Finding:
    """Not all of the record is there."""
    losses = {reason: count for reason, count in standing.losses.items() if count or reason is Lost.UNCLEAN_STOP}
    reasons = [f"{reason.value}: {count}" if count else reason.value for reason, count in losses.items()]
    told = ", ".join(reasons) or "some of it was removed"
    mends = "; ".join(dict.fromkeys([ADVICE[reason] for reason in losses]))
    message = (
        f"The record of the session is not whole ({told}): what is told here is about the rest of it, and "
        "verifications that what was lost could change are inconclusive."
    )
    if mends:
        message += f" To keep all of it: {mends}."
    return Finding("journal_incomplete", message, sum(losses.values()))
