"""What is noted of each call of the API: counted, logged under its id, and, where asked for, traced."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from google.rpc.code_pb2 import Code

from understudy_server.app.observing import Observation, Observe
from understudy_server.telemetry.histogram import Counts, Histogram

_log = logging.getLogger("understudy.api")

# Upper bounds in seconds.
_BOUNDS: Final = (0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OTHER: Final = "other"


class Called(NamedTuple):
    """What was counted until now. ``calls`` are by method and the name of the code (``OK``); times are in seconds."""

    calls: Mapping[tuple[str, str], int]
    times: Counts


class Calls:
    """Observes the calls of one server (`app.observing.Observe`). ``span`` begins a span of a method and metadata."""

    def __init__(
        self,
        span: Observe | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._span = span
        self.now = now
        self._calls: dict[tuple[str, int], int] = {}
        self._times = Histogram(_BOUNDS)

    def observe(self, method: str, metadata: Mapping[str, Any]) -> "_Observation":
        """A call begins."""
        return _Observation(self, method, self._span(method, metadata) if self._span else None)

    def note(self, method: str, code: int, seconds: float) -> None:
        """A call has ended."""
        name = method.removeprefix("/understudy.v1.")
        key = (_OTHER if code == Code.UNIMPLEMENTED else name, code)
        self._calls[key] = self._calls.get(key, 0) + 1
        self._times.add([seconds])
        if _log.isEnabledFor(logging.INFO):
            fields = {"method": name, "status": code_name(code), "duration_ms": round(seconds * 1_000, 3)}
            _log.info("%s: %s in %.1f ms", name, code_name(code), seconds * 1_000, extra=fields)

    def read(self) -> Called:
        """What was counted until now."""
        return Called(
            {(method, code_name(code)): count for (method, code), count in self._calls.items()}, self._times.counts()
        )


class _Observation:
    """One call."""

    __slots__ = ("_began", "_calls", "_method", "_span")

    def __init__(self, calls: Calls, method: str, span: Observation | None) -> None:
        self._calls = calls
        self._method = method
        self._span = span
        self._began = calls.now()

    def end(self, code: int) -> None:
        self._calls.note(self._method, code, self._calls.now() - self._began)
        if self._span:
            self._span.end(code)


def code_name(code: int) -> str:
    """The name of a number of ``google.rpc.Code``, which others may have made."""
    return Code.Name(code) if code in Code.values() else "UNKNOWN"
