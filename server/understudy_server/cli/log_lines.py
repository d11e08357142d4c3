"""An exchange as one line, where they come one after the other and no table can be made of them."""

from understudy.v1 import log_service_pb2 as pb
from understudy.v1.log_service_pb2 import LogEntry

from understudy_server.cli.output import moment

_BY_THE_PROXY = (pb.EXCHANGE_OUTCOME_UNMATCHED, pb.EXCHANGE_OUTCOME_REFUSED, pb.EXCHANGE_OUTCOME_PREFLIGHT)


def answered_by(entry: LogEntry) -> str:
    """The mock that answered; without one the service, the flags, or where none of them did the proxy itself."""
    if entry.outcome == pb.EXCHANGE_OUTCOME_EVALUATED:
        return "flags"
    return entry.override_id or ("proxy" if entry.outcome in _BY_THE_PROXY else "service")


def log_line(entry: LogEntry) -> tuple[str, str]:
    """The line, and the style in which a terminal shows it: failures stand out."""
    path = entry.path + (f"?{entry.query}" if entry.query else "")
    cells = (
        moment(entry.created_at, known=True),
        entry.id,
        str(entry.status),
        f"{entry.duration_ms} ms".rjust(8),
        answered_by(entry),
        f"{entry.method} {path}",
        " ".join(entry.findings),
        f"({entry.lost_before} before it lost)" if entry.lost_before else "",
    )
    style = "red" if entry.status >= 500 else "yellow" if entry.status >= 400 else ""
    return "  ".join(filter(None, cells)), style
