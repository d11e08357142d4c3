"""Session keys, API keys and ids."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core import keys
from understudy_server.core.ids import IdMaker, decode, encode
from understudy_server.core.session_key import LENGTH_MAX_CHARACTERS, normalise


def test_a_session_key_is_trimmed_unfolded_and_cut() -> None:
    assert normalise("  ci-\r\n42\t ") == "ci-42"
    assert normalise("k" * 300) == "k" * 200
    assert normalise(" \r\n ") == ""


def plainly_normalised(raw: str) -> str:
    return raw.replace("\r", "").replace("\n", "").strip()[:LENGTH_MAX_CHARACTERS].rstrip()


@given(
    st.text(max_size=20)
    | st.text("a \t\r\n\x1c\x85\xa0\u3000é", max_size=12)
    | st.text("a ", min_size=195, max_size=205)
)
def test_the_quick_way_for_usual_keys_changes_nothing(raw: str) -> None:
    assert normalise(raw) == plainly_normalised(raw)


@given(st.text(max_size=400))
def test_normalising_twice_is_normalising_once(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once
    assert len(once) <= LENGTH_MAX_CHARACTERS
    assert "\n" not in once
    assert "\r" not in once


@given(st.text(min_size=1, max_size=50))
def test_case_of_a_session_key_is_kept(raw: str) -> None:
    assert normalise(raw) == raw.replace("\r", "").replace("\n", "").strip()


def test_a_key_has_47_characters_of_base64url() -> None:
    assert re.fullmatch(r"fmk_[A-Za-z0-9_-]{43}", keys.make_text(lambda count: bytes(range(count))))


def test_both_words_and_any_case_introduce_a_key() -> None:
    for value in ("Bearer fmk_x", "bearer fmk_x", "Token fmk_x", "TOKEN  fmk_x "):
        assert keys.text_of(value) == "fmk_x"
    for value in ("", "fmk_x", "Basic fmk_x", "Bearer", "Bearer "):
        assert keys.text_of(value) is None


@given(st.integers(1, 2**47), st.integers(0, 2**47))
def test_ids_after_a_restart_sort_after_those_before_it_whatever_the_clock_says(before_ms: int, after_ms: int) -> None:
    last = IdMaker(lambda: before_ms)("log_")
    assert IdMaker(lambda: after_ms, after=last)("log_") > last


@given(st.lists(st.integers(0, 2**47), min_size=2, max_size=50))
def test_ids_of_one_maker_sort_by_creation_even_when_the_clock_steps_back(moments: list[int]) -> None:
    clock = iter(moments)
    make = IdMaker(lambda: next(clock))
    ids = [make("log_") for _ in moments]
    assert all(first < second for first, second in itertools.pairwise(ids))
    assert all(re.fullmatch(r"log_[0-9A-HJKMNP-TV-Z]{26}", each) for each in ids)


_MOMENTS = st.integers(0, 2**48 - 2)
_TAILS = st.integers(0, 2**80 - 1) | st.integers(0, 3).map(lambda short: 2**80 - 1 - short)


@given(_MOMENTS, _TAILS)
def test_an_id_is_read_back_as_it_was_written(moment: int, tail: int) -> None:
    assert decode(encode(moment, tail)) == (moment, tail)


@given(_MOMENTS, _TAILS, _MOMENTS, _TAILS)
def test_text_order_is_the_order_of_moment_and_tail(moment: int, tail: int, other: int, other_tail: int) -> None:
    assert (encode(moment, tail) < encode(other, other_tail)) == ((moment, tail) < (other, other_tail))


@given(_MOMENTS, _TAILS, st.integers(1, 2_100))
def test_ids_of_one_millisecond_count_up(moment: int, tail: int, count: int) -> None:
    make = IdMaker(lambda: moment, after=encode(moment, tail))
    assert [make("") for _ in range(count)] == [encode(moment, tail + step) for step in range(1, count + 1)]


@given(st.integers(1, 2**48 - 2), _TAILS)
def test_a_new_millisecond_has_a_tail_of_chance(moment: int, tail: int) -> None:
    assert IdMaker(lambda: moment, lambda size: _bytes_for(tail) * (size // 16))("") == encode(moment, tail)


def test_chance_is_never_used_twice() -> None:
    moments, numbers = itertools.count(1), itertools.count(1)
    make = IdMaker(lambda: next(moments), lambda size: b"".join(_bytes_for(next(numbers)) for _ in range(size // 16)))
    assert [make("") for _ in range(1_000)] == [encode(number, number) for number in range(1, 1_001)]


def _bytes_for(tail: int) -> bytes:
    """The chance that makes this tail."""
    return bytes((tail >> shift) & 31 for shift in range(75, -1, -5))


def test_a_count_beyond_the_last_tail_goes_on_in_the_next_moment() -> None:
    clock = iter([5, 6, 7])
    make = IdMaker(lambda: next(clock), bytes, after=encode(5, 2**80 - 1))
    assert [make(""), make(""), make("")] == [encode(6, 0), encode(6, 1), encode(7, 0)]
