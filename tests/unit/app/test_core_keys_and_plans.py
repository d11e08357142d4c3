"""Plans and key texts: the small rules beneath access."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy_server.core import keys
from understudy_server.core.keys import Caller
from understudy_server.core.plans import Plan, has_public_api


@pytest.mark.parametrize(
    ("plan", "open_"), [(Plan.FREE, False), (Plan.DEV, False), (Plan.TEAM, True), (Plan.BUSINESS, True), (0, False)]
)
def test_the_public_api_is_open_from_team_on(plan: int, open_: bool) -> None:
    assert has_public_api(plan) is open_


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_different_chance_makes_different_texts(one: bytes, other: bytes) -> None:
    texts = {keys.make_text(lambda _: one), keys.make_text(lambda _: other)}
    assert len(texts) == len({one, other})


def test_a_text_is_made_from_32_bytes() -> None:
    asked: list[int] = []

    def chance(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    assert keys.make_text(chance) == "fmk_" + "A" * 43
    assert asked == [32]


@given(st.text())
def test_the_fingerprint_is_the_sha_256_of_the_whole_text(text: str) -> None:
    assert keys.fingerprint(text) == hashlib.sha256(text.encode()).digest()


def test_a_text_with_bytes_that_are_no_utf_8_has_a_fingerprint_too() -> None:
    assert keys.fingerprint("fmk_\udcff") == hashlib.sha256(b"fmk_\xff").digest()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1))
def test_a_key_is_read_from_behind_either_word(text: str) -> None:
    assert keys.text_of(f"Bearer {text}") == keys.text_of(f"tOKEN   {text}  ") == text


@given(st.text())
def test_reading_a_key_never_fails_and_never_gives_an_empty_one(authorization: str) -> None:
    assert keys.text_of(authorization) != ""


def test_the_owner_is_a_caller_without_a_key() -> None:
    assert Caller("", ROLE_ADMIN).is_owner
    assert not Caller("key_1", ROLE_ADMIN).is_owner
