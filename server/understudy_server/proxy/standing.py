"""An answer that stands: it is the same for all requests alike, and so is what goes on record but for a few fields.

Pollers and load tests ask for it over and over. Which mock answers, and with what, was decided for one of them; here is
what is left to be done for the next one.
"""

from typing import Final

from understudy_server.core.record import Whose
from understudy_server.core.responding.prepared import Prepared
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.recording import Entry
from understudy_server.proxy.writing import date_line

STANDING_BYTES_MAX: Final = 8 * 1024
"""An answer with a longer body does not stand: each would hold a copy of it, and there may be thousands."""

_LONG_BYTES: Final = 4 * 1024
"""A longer one is put together each time."""


class Wire:
    """An answer as it is sent: ``head``, the line with the date unless it ``has_date``, the ``end`` of the head, and
    ``body``.
    """

    __slots__ = ("_asked_at", "_payload", "body", "end", "has_date", "head")

    def __init__(self, head: bytes, end: bytes, body: bytes, *, has_date: bool) -> None:
        self.head = head
        self.end = end
        self.body = body
        self.has_date = has_date
        self._asked_at = -1
        """The second in which it was asked for last."""
        self._payload = b""
        """All of it then, if that was asked for twice in it: what is asked for seldom need not be held whole."""

    @property
    def bytes_max(self) -> int:
        """What it may hold: all of it, put together. The body of a mock that says the same to all it does not own."""
        return len(self.head) + len(self.end) + len(self.body)

    def at(self, now_seconds: int) -> bytes:
        """All of it, at a moment (seconds since 1970)."""
        if now_seconds == self._asked_at and self._payload:
            return self._payload
        date = b"" if self.has_date else date_line(now_seconds)
        payload = b"".join((self.head, date, self.end, self.body))
        self._payload = payload if now_seconds == self._asked_at and len(payload) <= _LONG_BYTES else b""
        self._asked_at = now_seconds
        return payload


class Standing:
    """Stands while the view stands at ``version``, until ``until_ms``, and as long as nothing else was decided.

    ``whose`` the exchanges are; it says nothing of requests alike whose session keys differ.
    """

    __slots__ = ("entry", "until_ms", "version", "whose", "wire")

    def __init__(self, version: int, until_ms: float, whose: Whose, wire: Wire, entry: Entry) -> None:
        self.version = version
        self.until_ms = until_ms
        self.whose = whose
        self.entry = entry
        self.wire = wire


def prepared_at_once(intake: Intake) -> Prepared | None:
    """What answers, if that is a mock's response without delay, fault or anything else that takes its time."""
    mock, plan = intake.mock, intake.plan
    if mock is None or intake.delay_ms:
        return None
    if plan is None:
        return mock.response.prepared
    answer = plan.answer
    return answer if answer.__class__ is Prepared and plan.fault is None and not plan.bytes_per_second else None
