"""What a mock remembers of the stub that it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assertive_payloads import JSON
from understudy.v1.mock_service_pb2 import Mock
from understudy_gateway.dialects.assertive import stub_notes, stubs

RESPONSE: dict[str, Any] = {"status_code": 200, "headers": {}, "body": "hello"}


def made(payload: dict[str, Any], order: int = 1) -> tuple[stubs.Translated, Mock]:
    stub = stubs.translate(payload)
    notes = stub_notes.write(stub.view, order, stub.matcher, stub.action)
    return stub, Mock(matcher=stub.matcher, action=stub.action, annotations=notes)


@given(wanted=JSON, body=JSON.filter(lambda value: value is not None), order=st.integers(0, 2**60))
def test_a_stub_comes_back_as_it_was(wanted: Any, body: Any, order: int) -> None:
    stub, mock = made({"request": {"body": wanted}, "action": {"response": {**RESPONSE, "body": body}}}, order)
    assert stub_notes.read(Mock.FromString(mock.SerializeToString())) == (stub.view, order)


def test_a_body_is_not_kept_twice() -> None:
    _, mock = made({"request": {}, "action": {"response": {**RESPONSE, "body": "b" * 100_000}}})
    assert sum(map(len, mock.annotations.values())) < 1_000


def test_what_is_long_is_kept_in_parts() -> None:
    wanted = {"$or": {"items": [{"$eq": {"value": str(number) * 50_000}} for number in range(10)]}}
    stub, mock = made({"request": {"body": wanted}, "action": {"response": RESPONSE}})
    assert len(mock.annotations) == 2
    assert stub_notes.read(mock) == (stub.view, 1)


def test_there_is_an_end_to_what_is_kept() -> None:
    wanted = {"$or": {"items": [{"$eq": {"value": "a" * 60_000}} for _ in range(40)]}}
    with pytest.raises(stub_notes.TooLong):
        made({"request": {"body": wanted}, "action": {"response": RESPONSE}})


def test_a_mock_that_was_changed_does_not_remember() -> None:
    _, mock = made({"request": {}, "action": {"response": RESPONSE}})
    mock.action.respond.text = "other"
    assert stub_notes.read(mock) is None
    _, mock = made({"request": {}, "action": {"response": RESPONSE}})
    mock.matcher.path = "/other"
    assert stub_notes.read(mock) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{", '{"of": 1}', '"a"'])
def test_what_somebody_else_wrote_is_not_read(text: str) -> None:
    assert stub_notes.read(Mock(annotations={"assertive": text})) is None
    assert stub_notes.read(Mock(annotations={"other": text})) is None
