"""Whether what a process applied from its file is what the store holds of that source still."""

from understudy_server.app.host import Watched
from understudy_server.app.ports import SourceRecord
from understudy_server.app.times import stamp


def why_not_in_force(watched: Watched, record: SourceRecord | None) -> str:
    """What came after the process's last apply of its file, and what to do; empty when nothing did.

    ``record`` is what the store holds of the source now.
    """
    if not watched.digest:
        return ""
    if record is None:
        return (
            f"{watched.source} was released: the API manages what it declared; `understudy apply FILE --adopt` takes"
            " that back"
        )
    if record.digest != watched.digest:
        by = f"key {record.applied_by}" if record.applied_by else "the owner"
        at = stamp(record.applied_at_ms).ToJsonString()
        return (
            f"superseded by an apply at {at} by {by}, and what that declares is in force; save the file again, or send"
            " the server SIGHUP, to apply it again"
        )
    if record.resources < watched.resources:
        lost = watched.resources - record.resources
        return (
            f"{lost} of the {watched.resources} things that it declares were taken over or removed by another source;"
            " take them out of one of both, or see what would change with `understudy diff FILE`"
        )
    return ""
