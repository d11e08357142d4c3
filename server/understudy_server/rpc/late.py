"""Use cases that are imported for their first call: a server starts without them, and never has most of them."""

import importlib
from typing import Any

_ROOM = "understudy_server.app"


class Late:
    """A use case by its place in ``app`` (``sessions.get_session``). ``found`` once it is loaded."""

    __slots__ = ("_place", "found")

    def __init__(self, place: str) -> None:
        self._place = place
        self.found: Any = None

    def load(self) -> None:
        """Import it, which takes milliseconds. Raises ImportError or AttributeError when there is no such use case."""
        module, _, name = self._place.rpartition(".")
        self.found = getattr(importlib.import_module(f"{_ROOM}.{module}"), name)
