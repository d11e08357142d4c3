from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.transcoding import timestamps

FIRST = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", (0, 0)),
        ("2026-06-23T12:00:00.000Z", (1782216000, 0)),
        ("2026-06-23t12:00:00z", (1782216000, 0)),
        ("2026-06-23T14:00:00+02:00", (1782216000, 0)),
        ("2026-06-23T06:30:00-05:30", (1782216000, 0)),
        ("2026-06-23T12:00:00.5Z", (1782216000, 500_000_000)),
        ("2026-06-23T12:00:00.123456789123Z", (1782216000, 123_456_789)),
        ("1969-12-31T23:59:59.999Z", (-1, 999_000_000)),
    ],
)
def test_rfc_3339_is_read(text: str, moment: tuple[int, int]) -> None:
    assert timestamps.parse(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-06-23",
        "2026-06-23T12:00:00",
        "2026-06-23 12:00:00Z",
        "2026-06-23T12:00Z",
        "2026-06-23T12:00:00.Z",
        "2026-06-23T24:00:00Z",
        "2026-06-23T12:00:60Z",
        "2026-02-30T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-06-23T12:00:00+24:00",
        "2026-06-23T12:00:00+01:60",
        "2026-06-23T12:00:00Z\n",
        "٢٠٢٦-06-23T12:00:00Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    assert timestamps.parse(text) is None


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert timestamps.parse(text) is None or "T" in text.upper()


@given(st.integers(FIRST, LAST), st.integers(0, 999))
def test_what_is_written_has_three_digits_and_is_read_back(seconds: int, millis: int) -> None:
    text = timestamps.write(seconds, millis * 1_000_000)
    assert text[-5] == "."
    assert text.endswith("Z")
    assert timestamps.parse(text) == (seconds, millis * 1_000_000)


def test_what_is_finer_than_a_millisecond_is_cut() -> None:
    assert timestamps.write(0, 999_999_999) == "1970-01-01T00:00:00.999Z"


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_an_offset_is_taken_off(local: datetime, minutes: int) -> None:
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    text = local.replace(microsecond=0).isoformat() + offset
    expected = local.replace(microsecond=0, tzinfo=UTC) - timedelta(minutes=minutes)
    assert timestamps.parse(text) == (round(expected.timestamp()), 0)
