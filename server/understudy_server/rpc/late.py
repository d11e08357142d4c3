"""Use cases that are imported for their first call: a server starts without them, and never has most of them."""

import importlib
from typing import Any

_ROOM = "understudy_server.app"


class Late:
    """A use case by its place in ``app`` (``sessions.get_session``). Once loaded it is called like the use case."""

    __slots__ = ("_found", "_place")

    def __init__(self, place: str) -> None:
        self._place = place
        self._found: Any = None

    @property
    def is_here(self) -> bool:
        """False until it is loaded."""
        return self._found is not None

    def load(self) -> None:
        """Import it, which takes milliseconds. Raises ImportError or AttributeError when there is no such use case."""
        module, _, name = self._place.rpartition(".")
        self._found = getattr(importlib.import_module(f"{_ROOM}.{module}"), name)

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        return self._found(*arguments)
