import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.cli.durations import read_moment, read_seconds

NOW_MS = 1_700_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)],
)
def test_a_length_of_time_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "1y", "1.5h", "-3d", "3 d", "1h30m", "9999999999"])
def test_what_is_not_a_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        read_seconds(text)


def test_a_length_of_time_counts_from_now() -> None:
    assert read_moment("1h", NOW_MS) == NOW_MS + 3_600_000


@pytest.mark.parametrize("text", ["2027-06-23T12:00:00Z", "2027-06-23T14:00:00+02:00"])
def test_a_moment_is_read_with_its_offset(text: str) -> None:
    assert read_moment(text, NOW_MS) == 1_813_752_000_000


@pytest.mark.parametrize("text", ["2027-06-23T12:00:00", "2027-06-23", "tomorrow", ""])
def test_a_moment_without_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a moment"):
        read_moment(text, NOW_MS)


@given(st.text())
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_moment(text, NOW_MS), int)
