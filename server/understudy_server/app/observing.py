"""Whoever looks on while calls of the API are served."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Observation(Protocol):
    """One call under observation."""

    def end(self, code: int) -> None:
        """The call has its answer: 0, or the number of ``google.rpc.Code`` that it was refused or failed with."""


Observe = Callable[[str, Mapping[str, Any]], Observation]
"""A call begins: its method (``/understudy.v1.SessionService/GetSession``) and metadata. It neither fails nor waits."""


class Unobserved:
    """Nobody looks."""

    def end(self, code: int) -> None: ...


_UNOBSERVED = Unobserved()


def unobserved(_method: str, _metadata: Mapping[str, Any]) -> Observation:
    """Have nobody look."""
    return _UNOBSERVED
