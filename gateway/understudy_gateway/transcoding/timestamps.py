"""Moments as RFC 3339 text: read in any offset and precision, written in UTC with three digits and ``Z``."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-5][0-9]))"
)
_HOURS_OF_OFFSET_MAX = 23
# Written out: formatting three digits takes longer than all else that writing a moment does.
_MILLISECONDS = tuple(f".{number:03d}Z" for number in range(1000))


def parse(text: str) -> tuple[int, int] | None:
    """Read a moment into seconds since 1970 and nanoseconds (finer digits are cut), or None when it is not RFC 3339.

    Years 1 to 9999 in UTC, as protobuf's own Timestamp allows. A leap second is refused: it has no number.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    day, time, fraction, sign, hours, minutes = found.groups(default="0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if int(hours) > _HOURS_OF_OFFSET_MAX:
        return None
    try:
        local = datetime.fromisoformat(f"{day}T{time}+00:00")
        moment = local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        return None
    since = moment - _EPOCH
    return since.days * 86_400 + since.seconds, int(fraction[:9].ljust(9, "0"))


def write(seconds: int, nanos: int) -> str:
    """Write a moment: ``2026-06-23T12:00:00.000Z``. What is finer than a millisecond is cut."""
    return _whole_second(seconds) + _MILLISECONDS[nanos // 1_000_000]


@lru_cache(maxsize=1024)
def _whole_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
