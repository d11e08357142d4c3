"""Whether two messages say something else is told as their differences would tell it, and without finding words."""

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from support.manifests import json_texts, messages, mocks
from understudy.v1.manifest_service_pb2 import ManifestEnvironment, ManifestMock
from understudy_server.app.manifests.differing import differ, field_changes

_OF_MOCKS = tuple(field.name for field in ManifestMock.DESCRIPTOR.fields)
_SETTINGS = ("upstream", "hosts", "carriers", "cors", "redaction", "limits")


def _mock(action: object) -> ManifestMock:
    return ParseDict({"action": action}, ManifestMock())


@given(mocks(), mocks(), st.lists(st.sampled_from(_OF_MOCKS), unique=True))
def test_two_mocks_say_something_else_when_there_is_a_difference(
    one: ManifestMock, other: ManifestMock, taken: list[str]
) -> None:
    # Two mocks at random always differ: these have much in common.
    for name in taken:
        other.ClearField(name)
        other.MergeFrom(ManifestMock(**{name: getattr(one, name)}))
    for names in (_OF_MOCKS, taken):
        assert differ(one, other, names) == bool(field_changes(one, other, names))


@given(messages(ManifestEnvironment), messages(ManifestEnvironment))
def test_so_it_is_with_settings(one: ManifestEnvironment, other: ManifestEnvironment) -> None:
    assert differ(one, other, _SETTINGS) == bool(field_changes(one, other, _SETTINGS))
    assert not differ(one, one, _SETTINGS)


@given(json_texts(), json_texts())
def test_json_says_the_same_however_it_is_spaced(one: str, other: str) -> None:
    assert not differ(_mock({"respond": {"json": one}}), _mock({"respond": {"json": f" {one}\n"}}), _OF_MOCKS)
    assert differ(_mock({"respond": {"json": one}}), _mock({"respond": {"json": other}}), _OF_MOCKS) == (one != other)


@pytest.mark.parametrize(
    ("one", "other", "is_different"),
    [
        ({"delay": {}}, {}, False),
        ({"respond": {}}, {}, True),
        ({"respond": {"headers": []}}, {"respond": {}}, False),
        ({"respond": {"headers": [{"name": "a"}]}}, {"respond": {"headers": [{"name": "a", "value": ""}]}}, False),
        ({"respond": {"headers": [{"name": "a"}]}}, {"respond": {"headers": [{"name": "b"}]}}, True),
        ({"respond": {"text": ""}}, {"respond": {}}, True),
        ({"respond": {"json": "null"}}, {"respond": {}}, True),
        ({"respond": {"json": "1"}}, {"respond": {"text": "1"}}, True),
        ({"delay": {"fixedMs": 0}}, {"delay": {}}, True),
    ],
)
def test_an_empty_message_says_nothing_unless_it_is_a_choice(one: object, other: object, *, is_different: bool) -> None:
    assert differ(_mock(one), _mock(other), _OF_MOCKS) is is_different
    assert differ(_mock(other), _mock(one), _OF_MOCKS) is is_different
