"""Requests that were read before: a client that asks the same again, byte for byte, is not read again.

Pollers and load tests do little else. Only whole requests without a body, given out by the strict parser at the
boundary of a message, are remembered, and never more than a bounded number. A client that puts a number of its own into
every request gains nothing, so its connection soon stops asking.
"""

from typing import Final

from understudy_server.proxy.messages import ClientRequest

HEAD_BYTES_MAX: Final = 2048
"""Longer heads are not remembered."""

_GENERATION: Final = 1024


class HeadMemo:
    """Remembers at most two generations: when the younger is full the older is forgotten, so that old heads make room.

    Those that are asked for go on into the younger one.
    """

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[bytes, ClientRequest] = {}
        self._old: dict[bytes, ClientRequest] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, head: bytes) -> ClientRequest | None:
        """The request that these bytes are, if they were put here."""
        found = self._young.get(head)
        if found is None and head in self._old:
            found = self._old[head]
            self.put(head, found)
        return found

    def put(self, head: bytes, request: ClientRequest) -> None:
        """Remember a request. It will be given out again, as the same object: nobody may change it any more."""
        if len(self._young) >= _GENERATION:
            self._old, self._young = self._young, {}
        self._young[head] = request
