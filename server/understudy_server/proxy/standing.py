"""An answer that stands: it is the same for all requests alike, and so is what goes on record but for a few fields.

Pollers and load tests ask for it over and over. Which mock answers, and with what, was decided for one of them; here is
what is left to be done for the next one.
"""

from typing import Final, NamedTuple

from understudy_server.core.responding.prepared import Prepared
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.recording import Entry
from understudy_server.proxy.writing import date_line

STANDING_BYTES_MAX: Final = 8 * 1024
"""An answer with a longer body does not stand: each would hold a copy of it, and there may be thousands."""

_LONG_BYTES: Final = 4 * 1024
"""A longer one is put together each time."""


class Wire(NamedTuple):
    """An answer as it is sent: ``head``, the line with the date unless it ``has_date``, and ``tail``."""

    head: bytes
    tail: bytes
    has_date: bool

    def at(self, now_seconds: int) -> bytes:
        """All of it, at a moment (seconds since 1970)."""
        return self.head + self.tail if self.has_date else self.head + date_line(now_seconds) + self.tail


class Standing:
    """Stands while the view stands at ``version``, until ``until_ms``, and as long as nothing else was decided."""

    __slots__ = ("_made_at", "_payload", "_wire", "entry", "session_id", "until_ms", "version")

    def __init__(self, version: int, until_ms: float, session_id: str, wire: Wire, entry: Entry) -> None:
        self.version = version
        self.until_ms = until_ms
        self.session_id = session_id
        self.entry = entry
        self._wire = wire
        self._made_at = -1
        self._payload = b""

    def payload(self, now_seconds: int) -> bytes:
        """The bytes of the answer, at a moment (seconds since 1970)."""
        if now_seconds == self._made_at:
            return self._payload
        payload = self._wire.at(now_seconds)
        if len(payload) <= _LONG_BYTES:
            self._made_at, self._payload = now_seconds, payload
        return payload


def prepared_at_once(intake: Intake) -> Prepared | None:
    """What answers, if that is a mock's response without delay, fault or anything else that takes its time."""
    mock, plan = intake.mock, intake.plan
    if mock is None or intake.delay_ms:
        return None
    if plan is None:
        return mock.response.prepared
    answer = plan.answer
    return answer if answer.__class__ is Prepared and plan.fault is None and not plan.bytes_per_second else None
