"""Who waits for an exchange, and is woken in the turn of the event loop in which it is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from understudy_server.app.bells import RungBell

Key = tuple[str, str]
"""Environment id and normalised session key."""


class Bells:
    """The bells that are hung, by key. The dict is looked at for every exchange: it is empty when nobody waits."""

    __slots__ = ("by_key",)

    def __init__(self) -> None:
        self.by_key: dict[Key, list[RungBell]] = {}

    def ring(self, environment_id: str, session_key: str, session_id: str) -> None:
        """Ring all bells of a key; those of the empty one also for what belongs to no session, whatever its key."""
        for bell in self.by_key.get((environment_id, session_key), ()):
            bell.ring()
        if session_key and not session_id:
            self.ring(environment_id, "", "")

    def ring_all(self) -> None:
        """Ring every bell: who waits is to look again."""
        for bells in self.by_key.values():
            for bell in bells:
                bell.ring()

    @contextmanager
    def hung(self, environment_id: str, session_key: str) -> Iterator[RungBell]:
        """A bell, until the block ends."""
        bell = RungBell()
        key = (environment_id, session_key)
        self.by_key.setdefault(key, []).append(bell)
        try:
            yield bell
        finally:
            bells = self.by_key[key]
            bells.remove(bell)
            if not bells:
                del self.by_key[key]
