"""Session keys, API keys and ids."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core import keys
from understudy_server.core.ids import IdMaker
from understudy_server.core.session_key import LENGTH_MAX_CHARACTERS, normalise


def test_a_session_key_is_trimmed_unfolded_and_cut() -> None:
    assert normalise("  ci-\r\n42\t ") == "ci-42"
    assert normalise("k" * 300) == "k" * 200
    assert normalise(" \r\n ") == ""


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
