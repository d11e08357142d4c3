"""What a session key stands for, found once for all requests that carry it, until something changes."""

import math
from collections.abc import Iterable

from understudy_server.core.precedence import Layers
from understudy_server.core.record import Whose
from understudy_server.live.source import SessionRow


class Seat:
    """What the requests have that carry one session key, and no other, whatever they ask for. Never changes.

    Good before ``until_ms`` (ms since 1970), when the ``session`` expires, and as long as nothing of the environment
    changes: see `Seats.replace`. What is on for the session are its ``layers``. ``session`` is ``None`` when none has
    the key. ``shares``: requests alike that have such seats, and the same layers, are decided alike.
    """

    __slots__ = ("layers", "session", "shares", "until_ms", "whose")

    def __init__(
        self, until_ms: float, layers: Layers, session: SessionRow | None, whose: Whose, *, shares: bool
    ) -> None:
        self.until_ms = until_ms
        self.layers = layers
        self.session = session
        self.whose = whose
        self.shares = shares


class Seats:
    """One for each session that was asked for since the last change, by the key in the bytes of requests."""

    __slots__ = ("by_raw",)

    def __init__(self) -> None:
        self.by_raw: dict[bytes, Seat] = {}

    def replace(self) -> Iterable[Seat]:
        """Something has changed: all are found anew. Gives those that were there, for who lets go of them in time.

        They hold the indexes as they were: one alone that stayed would keep all of one time.
        """
        replaced, self.by_raw = self.by_raw, {}
        return replaced.values()

    def keep(self, raw: bytes, key: str, session: SessionRow | None, layers: Layers, *, shares: bool) -> Seat:
        """Make one of what was found for a normalised key. Kept for sessions alone, in the usual spelling of the key:
        so there are never more than sessions, whatever keys are asked for.
        """
        if session is None:
            return Seat(math.inf, layers, None, Whose(key), shares=shares)
        until_ms = math.inf if session.expires_at_ms is None else session.expires_at_ms
        # Its delay is a part of what is decided.
        shares = shares and not (session.global_delay_ms or session.global_delay_max_ms)
        whose = Whose(session.key, session.id, session.revision)
        seat = Seat(until_ms, layers, session, whose, shares=shares)
        if raw == key.encode():
            self.by_raw[raw] = seat
        return seat

    def forget(self, key: str) -> None:
        """The session of a key has gone."""
        self.by_raw.pop(key.encode(), None)
