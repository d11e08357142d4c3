"""Values of sessions: short ones are read at once, long ones beside the event loop, and not kept without end."""

import json

import pytest
from understudy_server.app import session_values
from understudy_server.app.not_yet import NotYet
from understudy_server.app.session_values import SessionValues


def long_text(value: int) -> str:
    return json.dumps({"a": value, "b": "x" * 20_000})


async def read(values: SessionValues, text: str) -> object:
    with pytest.raises(NotYet) as first:
        values.of(text)
    await first.value.work()
    return values.of(text)["a"]


def test_short_values_are_read_at_once() -> None:
    assert SessionValues().of("") == {}
    assert SessionValues().of('{"a": 1}') == {"a": 1}


async def test_long_values_are_read_beside_the_event_loop_and_once() -> None:
    values = SessionValues()

    assert await read(values, long_text(1)) == 1
    assert values.of(long_text(1)) is values.of(long_text(1))


async def test_what_was_asked_for_longest_ago_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_values, "_REMEMBERED_CHARACTERS", 50_000)
    values = SessionValues()
    for number in (1, 2):
        await read(values, long_text(number))
    values.of(long_text(1))

    await read(values, long_text(3))

    assert [values.of(long_text(number))["a"] for number in (1, 3)] == [1, 3]
    with pytest.raises(NotYet):
        values.of(long_text(2))
