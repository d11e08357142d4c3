from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.rates import Rate, SlidingWindow


def test_the_call_above_the_rate_waits_until_the_oldest_leaves_the_window() -> None:
    window = SlidingWindow(Rate(120, 60))
    assert all(window.admit(1_000 + number) == 0 for number in range(120))
    assert window.admit(5_000) == 56_000
    assert window.admit(61_000) == 0


def test_refused_calls_do_not_count() -> None:
    window = SlidingWindow(Rate(1, 1))
    assert window.admit(0) == 0
    assert [window.admit(now) for now in range(100, 1_000, 100)] == [1_000 - now for now in range(100, 1_000, 100)]
    assert window.admit(1_000) == 0


def test_a_window_that_remembers_nothing_is_idle() -> None:
    window = SlidingWindow(Rate(2, 1))
    assert window.is_idle(0)
    window.admit(0)
    assert not window.is_idle(999)
    assert window.is_idle(1_000)


@given(st.lists(st.integers(0, 500), max_size=80), st.integers(1, 5), st.integers(1, 2))
def test_no_window_ever_holds_more_than_the_rate(steps: list[int], calls: int, seconds: int) -> None:
    window, now, admitted = SlidingWindow(Rate(calls, seconds)), 0, list[int]()
    for step in steps:
        now += step
        in_window = [each for each in admitted if each > now - seconds * 1000]
        if window.admit(now) == 0:
            admitted.append(now)
            assert len(in_window) < calls
        else:
            assert len(in_window) == calls
