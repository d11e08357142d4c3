"""The event loop is run soon after it is woken, where the system can do that."""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from understudy_server.cli import scheduling
from understudy_server.cli.scheduling import SLICE_NANOSECONDS, wake_promptly

T = TypeVar("T")

_GET = {"x86_64": 315, "aarch64": 275}


def _in_a_thread(work: Callable[[], T]) -> T:
    """In a thread of its own, which ends with it: how a thread is run cannot all be taken back."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def _policy_nice_and_slice() -> tuple[int, int, int]:
    attributes = ctypes.create_string_buffer(48)
    call = ctypes.c_long(_GET[platform.machine()])
    assert ctypes.CDLL(None).syscall(call, 0, attributes, len(attributes), 0) == 0
    _, policy, _, nice, _, runtime, _, _ = struct.unpack("<IIQiIQQQ", attributes.raw)
    return policy, nice, runtime


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in _GET or scheduling.linux_version() < (6, 12),
    reason="the system has no slices of a thread's own",
)
def test_a_thread_gets_short_slices_and_stays_an_ordinary_one() -> None:
    def work() -> tuple[bool, tuple[int, int, int], tuple[int, int, int]]:
        before = _policy_nice_and_slice()
        return wake_promptly(), before, _policy_nice_and_slice()

    is_done, (policy, nice, _), after = _in_a_thread(work)
    assert is_done
    assert after == (policy, nice, SLICE_NANOSECONDS)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has policies")
def test_a_thread_with_a_policy_of_its_own_keeps_it() -> None:
    def work() -> tuple[bool, int]:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        return wake_promptly(), os.sched_getscheduler(0)

    assert _in_a_thread(work) == (False, os.SCHED_BATCH)


@pytest.mark.parametrize(("release", "version"), [("6.18.44-fc", (6, 18)), ("5.10", (5, 10)), ("odd", ())])
def test_the_version_of_the_system_is_read_from_its_release(
    release: str, version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "release", lambda: release)
    assert scheduling.linux_version() == version


def test_an_older_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "release", lambda: "6.1.0")
    assert not _in_a_thread(wake_promptly)
