"""How often a key may ask, and the headers that tell it. Counted by this gateway alone: each counts for itself.

The server counts its calls besides, of which a request may take several; when it refuses one, the headers say so.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from understudy_gateway.dialects.flagbridge.settings import RequestsAMinute
from understudy_gateway.transcoding.responses import Headers

WINDOW_MS: Final = 60_000
_SWEPT_ABOVE: Final = 1_000


# One is made for each request, in a third of the time of a named tuple; nothing in it leads back to it.
class Standing(msgspec.Struct, frozen=True, gc=False):
    """Where a key stands, and when it starts anew, in milliseconds since 1970."""

    limit: int
    remaining: int
    anew_ms: int
    is_over: bool = False

    def headers(self) -> Headers:
        """The last tells the second since 1970 in which it has started anew."""
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % -(-self.anew_ms // 1000)),
        ]

    def refused(self, retry_after_seconds: int, now_ms: int) -> "Standing":
        """Where it stands when the server itself has refused a call for so long."""
        return Standing(self.limit, 0, now_ms + max(1, retry_after_seconds) * 1000, is_over=True)

    def seconds_left(self, now_ms: int) -> int:
        """How long to wait until it starts anew, at least one second."""
        return max(1, -(-(self.anew_ms - now_ms) // 1000))


@dataclass(slots=True)
class _Window:
    ends_ms: int
    limit: int
    used: int = 0


class Rates:
    """Windows of a minute, by key; each begins with its first request. What is refused is not counted."""

    def __init__(self, limits: RequestsAMinute) -> None:
        self._limits = limits
        self._windows: dict[str, _Window] = {}

    def count(self, key_id: str, scope: str, now_ms: int) -> Standing:
        """Count a request."""
        window = self._windows.get(key_id)
        if window is None or window.ends_ms <= now_ms:
            self._forget_ended(now_ms)
            window = self._windows[key_id] = _Window(now_ms + WINDOW_MS, self._limits.of(scope))
        limit = window.limit
        if window.used >= limit:
            return Standing(limit, 0, window.ends_ms, is_over=True)
        window.used += 1
        return Standing(limit, limit - window.used, window.ends_ms)

    def _forget_ended(self, now_ms: int) -> None:
        """Keep the table as small as the number of keys that are in use."""
        if len(self._windows) > _SWEPT_ABOVE:
            self._windows = {key: window for key, window in self._windows.items() if window.ends_ms > now_ms}
