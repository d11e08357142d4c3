"""Use cases that are imported when they are first called: a server starts without them, and never has most of them."""

import importlib
from typing import Any

_ROOM = "understudy_server.app"


class Late:
    """A use case by its place in ``app`` (``sessions.get_session``). Called like the use case itself."""

    __slots__ = ("_found", "_place")

    def __init__(self, place: str) -> None:
        self._place = place
        self._found: Any = None

    @property
    def is_here(self) -> bool:
        """False while to call it would be to import it first, which takes milliseconds."""
        return self._found is not None

    def load(self) -> None:
        """Import it. Raises ImportError or AttributeError when there is no such use case."""
        module, _, name = self._place.rpartition(".")
        self._found = getattr(importlib.import_module(f"{_ROOM}.{module}"), name)

    def __call__(self, *arguments: Any) -> Any:
        """Call it, imported first if need be."""
        if self._found is None:
            self.load()
        return self._found(*arguments)
