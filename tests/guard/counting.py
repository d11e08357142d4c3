"""Counts what Python does, not how long it takes: the same work is the same number on every machine, busy or not.

An operation is one bytecode instruction. A call costs more than the instruction that makes it, so one that Python makes
a frame for, and one into compiled code, counts as some instructions more. What compiled code does inside is not seen:
that is what `pacing` is for.
"""

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

CALL: Final = 8
"""A call in instructions. On CPython 3.11 a plain instruction took 1.5 ns, a call without what it is for 12 ns."""

_HARNESS: Final = (f"{Path(__file__).parents[1]}/", f"{Path(asyncio.__file__).parent}/")
"""The stage, and what stands in for the event loop: compiled code where the proxy runs for good, so a call each."""


def count(run: Callable[[], object]) -> Mapping[str, int]:
    """What each function did in operations while ``run`` ran in this thread, the most first.

    Functions are named with their module; what a compiled function is called counts under its own name. The functions
    of tests and of asyncio are not among them, but that they are called is. The same call counts the same every time.
    """
    counter = _Counter()
    # Whoever was told before, such as a debugger, is told again afterwards.
    tracing, profiling, collecting = sys.gettrace(), sys.getprofile(), gc.isenabled()
    # When it collects depends on all that ran before, and whoever asked to be told of it would be counted.
    gc.disable()
    sys.setprofile(counter.profile)
    sys.settrace(counter.enter)
    try:
        run()
    finally:
        sys.settrace(tracing)
        sys.setprofile(profiling)
        if collecting:
            gc.enable()
    return dict(counter.by_function().most_common())


class _Counter:
    """What the interpreter tells of: calls through ``enter``, instructions through ``step``, C through ``profile``."""

    def __init__(self) -> None:
        self._frames: Counter[CodeType] = Counter()
        self._instructions: Counter[CodeType] = Counter()
        self._names: dict[CodeType, str] = {}
        self._compiled: Counter[str] = Counter()
        self._harness: dict[CodeType, bool] = {}

    def enter(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        """A frame begins, or a generator goes on."""
        code = frame.f_code
        if self._is_harness(code):
            if frame.f_back is not None and not self._is_harness(frame.f_back.f_code):
                self._compiled[code.co_qualname] += 1
            return None
        if code not in self._names:
            self._names[code] = f"{frame.f_globals.get('__name__', '?')}.{code.co_qualname}"
        self._frames[code] += 1
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self.step

    def step(self, frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        """An instruction is next."""
        if event == "opcode":
            self._instructions[frame.f_code] += 1
        return self.step

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """A compiled function is called."""
        if event == "c_call" and not self._is_harness(frame.f_code):
            self._compiled[argument.__qualname__] += 1

    def _is_harness(self, code: CodeType) -> bool:
        found = self._harness.get(code)
        if found is None:
            found = self._harness[code] = code.co_filename.startswith(_HARNESS)
        return found

    def by_function(self) -> Counter[str]:
        operations = Counter[str]()
        for code, frames in self._frames.items():
            # Two that are named alike, such as functions made by one line of code each, are one here.
            operations[self._names[code]] += CALL * frames + self._instructions[code]
        for name, calls in self._compiled.items():
            operations[f"{name}()"] += CALL * calls
        return operations
