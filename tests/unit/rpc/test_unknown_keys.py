"""Who calls without a key that works fills no memory, and costs nobody else anything."""

from dataclasses import replace

import pytest
from support import records
from support.dispatching import World
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.session_service_pb2 import GetSessionRequest
from understudy_server.core import keys
from understudy_server.store.sqlite import remembered

_ASKED = GetSessionRequest(project="checkout", environment="staging", session_key="ci-42")


async def _ask(here: World, key: str) -> str:
    return await here.code("SessionService.GetSession", _ASKED, key)


def _kept(here: World) -> int:
    """How much is remembered of who calls."""
    return len(here.store._remembered.lasting(here.store._at.lasting))


async def test_nothing_is_remembered_of_unknown_keys(here: World) -> None:
    known = await here.make_key(ROLE_CI)
    assert await _ask(here, known) == "not_found"
    before = _kept(here)
    for number in range(100):
        assert await _ask(here, f"fmk_{number}") == "unauthorized"
        assert await _ask(here, f"fmk_{number}" + "k" * 30_000) == "unauthorized"
    assert _kept(here) == before


async def test_keys_that_work_stay_known_whoever_guesses(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "ANSWERS_MAX", 10)
    known = await here.make_key(ROLE_CI)
    await _ask(here, known)
    question = ("caller", keys.fingerprint(known))
    for number in range(100):
        await _ask(here, f"fmk_{number}")
    assert here.store.recalled(question) is not None


async def test_key_with_anything_around_it_is_remembered_once(here: World) -> None:
    known = await here.make_key(ROLE_CI)
    await _ask(here, known)
    before = _kept(here)
    for blanks in range(1, 50):
        assert await _ask(here, " " * blanks + known) == "not_found"
    assert _kept(here) == before


async def test_text_longer_than_a_key_is_refused_as_an_unknown_one_before_the_store_is_asked(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = await here.raw("SessionService.GetSession", _ASKED, "fmk_unknown")

    async def read(_work: object) -> None:
        raise AssertionError("the store was asked")

    monkeypatch.setattr(here.store, "read", read)
    too_long = await here.raw("SessionService.GetSession", _ASKED, "k" * (keys.TEXT_CHARACTERS_MAX + 1))
    assert too_long == unknown


async def test_key_that_was_refused_works_from_when_it_is_made(here: World) -> None:
    text = "fmk_" + "A" * 43
    assert await _ask(here, text) == "unauthorized"
    made = replace(records.key("key_1"), fingerprint=keys.fingerprint(text))
    await here.store.write(lambda tx: tx.put_key(made))
    assert await _ask(here, text) == "not_found"
