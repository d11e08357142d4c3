"""Lengths of time as people write them (``90s``, ``30d``) and the moments they lead to."""

import re
from datetime import UTC, datetime

from understudy_server.cli.failures import CommandFailed, ExitCode

_FORM = re.compile(r"(?P<count>[0-9]{1,9})(?P<unit>[smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def read_seconds(text: str) -> int:
    """Read a length of time in seconds; a bare number means seconds. Raises ValueError."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a length of time: give a number with s, m, h, d or w, such as 90s or 30d")
    return int(found["count"]) * _SECONDS[found["unit"]]


def seconds_of(flag: str, text: str) -> int:
    """What is given to a flag, in seconds. Raises CommandFailed (usage)."""
    try:
        return read_seconds(text)
    except ValueError as error:
        raise CommandFailed(ExitCode.USAGE, f"{flag}: {error}") from error


def read_moment(text: str, now_ms: int) -> int:
    """Read a moment in milliseconds since 1970: RFC 3339 with its offset, or a length of time from now.

    Raises ValueError.
    """
    try:
        return now_ms + read_seconds(text) * 1_000
    except ValueError:
        pass
    try:
        moment: datetime | None = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{text!r} is neither a moment (2027-06-23T12:00:00Z) nor a length of time (30d)")
    return int(moment.astimezone(UTC).timestamp() * 1_000)
