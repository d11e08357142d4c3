"""Reading what py-spy has seen, and weighing it by what is known of the system's share."""

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sampling import Frame, Stack, Unseen, look, read, weighed

MAIN = "thread (12): MainThread"
SEND = Stack((Frame("run", "asyncio/runners.py"), Frame("Outlet.flush", "understudy_server/proxy/outlet.py")))
WRITE = Stack((*SEND.frames, Frame("write (libc.so.6)")))

names = st.text(st.characters(codec="ascii", exclude_characters=";\r\n"), min_size=1).filter(str.strip)


def test_a_line_is_a_stack_and_how_often_it_was_seen() -> None:
    flush = "Outlet.flush (understudy_server/proxy/outlet.py:33)"
    outer = f"{MAIN};run (asyncio/runners.py:86)"
    text = f"{outer};{flush} 3\n{outer};{flush};write (libc.so.6) 2\n"

    assert read(text) == {SEND: 3, WRITE: 2}


def test_stacks_that_differ_in_nothing_that_is_read_are_one() -> None:
    library = "grpc/_cython/cygrpc.cpython-311-x86_64-linux-gnu.so"
    text = f"{MAIN};0x7f01 ({library}) 1\n{MAIN};0x7f02 ({library}) 2\n{MAIN};0x7f03 5\n"

    assert read(text) == {Stack((Frame("code of cygrpc.so"),)): 3, Stack((Frame("code of no library"),)): 5}


def test_a_child_is_told_from_the_process_that_started_it() -> None:
    own, child = 'process 1:"python -m benchmarks.run"', 'process 2:"understudy apply"'
    text = f"{own};{MAIN};work (a.py:1) 1\n{own};{child};{MAIN};work (a.py:1) 2\n"

    assert {stack.of_child: count for stack, count in read(text).items()} == {False: 1, True: 2}


def test_a_thread_that_waits_for_work_was_not_seen_at_work() -> None:
    waits = "_worker (concurrent/futures/thread.py:69);PyThread_acquire_lock_timed (libpython3.11.so.1.0)"

    assert not read(f"thread (13): writer;{waits} 9\n")
    # There, it is the interpreter's lock.
    assert read(f"{MAIN};{waits} 9\n").total() == 9


@given(st.lists(names), st.integers(min_value=1))
def test_any_names_of_frames_are_read(frames: list[str], count: int) -> None:
    found = read(f"{MAIN};{';'.join(['main (a.py:1)', *frames])} {count}\n")

    [stack] = found or [None]
    if stack is not None and "thread (" not in "".join(frames):
        assert (len(stack.frames), found.total()) == (len(frames) + 1, count)


@given(st.text())
def test_lines_of_anything_are_passed_over(text: str) -> None:
    assert read(text).total() >= 0


def test_the_systems_share_is_what_it_is_known_to_be() -> None:
    shares = weighed(Counter({WRITE: 80, SEND: 15, Stack((Frame("other"),)): 5}), system=0.5)

    assert shares[WRITE] == pytest.approx(0.5)
    assert shares[SEND] == pytest.approx(0.375)


def test_without_both_kinds_there_is_nothing_to_weigh() -> None:
    assert weighed(Counter({SEND: 4}), system=0.5) == {SEND: 1.0}


def test_a_process_that_is_not_there_cannot_be_looked_at() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    with pytest.raises(Unseen, match="py-spy"):
        look(ended.pid, 1, lambda: None)


def test_a_process_at_work_is_seen_in_its_function() -> None:
    work = "def spin():\n  while True: pass\nprint(flush=True)\nspin()"
    with subprocess.Popen([sys.executable, "-c", work], stdout=subprocess.PIPE) as busy:
        assert busy.stdout is not None
        busy.stdout.readline()
        try:
            stacks = look(busy.pid, 1, lambda: None)
        except Unseen as error:
            if "ermission" in str(error):
                pytest.skip("no process may look at another here")
            raise
        finally:
            busy.kill()

    assert any(frame.function.startswith("spin") for stack in stacks for frame in stack.frames)
