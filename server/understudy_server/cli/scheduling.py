"""Having the operating system run the event loop soon after it is woken.

On one core whoever computes goes on for up to 3 ms before Linux runs the one that was just woken. Python code gives way
by itself (`core/giving_way.py`); what SQLite or gRPC do outside of Python cannot, such as committing thousands of rows.
A thread that asks for short slices of time is run at once (Linux since 6.12), and gets no more of the core by it.
"""

import ctypes
import os
import platform
import struct
import sys

SLICE_NANOSECONDS = 100_000
"""The least that the system takes."""

# sched_setattr(2), which the C library has no function for before glibc 2.41.
_CALLS = {"x86_64": 314, "aarch64": 274}
_FIRST_LINUX = (6, 12)
# struct sched_attr: size, policy, flags, nice, priority, runtime (of ordinary threads: the slice), deadline, period.
_ATTRIBUTES = struct.Struct("<IIQiIQQQ")
_RESET_ON_FORK = 1


def wake_promptly() -> bool:
    """Ask for it for this thread alone, with what it starts as it was. Tells whether the system did as asked.

    A thread that somebody has given a policy of its own keeps it.
    """
    call = _CALLS.get(platform.machine())
    if (
        sys.platform != "linux"
        or call is None
        or linux_version() < _FIRST_LINUX
        or os.sched_getscheduler(0) != os.SCHED_OTHER
    ):
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, _RESET_ON_FORK, nice, 0, SLICE_NANOSECONDS, 0, 0)
    refused: int = ctypes.CDLL(None).syscall(ctypes.c_long(call), 0, attributes, 0)
    return not refused


def linux_version() -> tuple[int, ...]:
    """The first two numbers of the kernel's version; fewer where it has none."""
    return tuple(int(part) for part in platform.release().split(".")[:2] if part.isdigit())
