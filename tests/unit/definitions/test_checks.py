"""What is refused of a mock that somebody sends, and that whatever is let through can be compiled."""

from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, reject, settings
from support.manifests import mocks
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.session_mock_service_pb2 import SessionMock
from understudy_server.app.masks import set_fields
from understudy_server.definitions import checks
from understudy_server.definitions.actions import file_names_of
from understudy_server.definitions.checks import check_mock
from understudy_server.definitions.mocks import compile_mock
from understudy_server.definitions.unusable import Unusable


def mock_of(said: dict[str, Any], kind: type[Any] = Mock) -> Any:
    return json_format.ParseDict(said, kind())


def refused(said: dict[str, Any], *file_names: str) -> tuple[str, str]:
    with pytest.raises(Unusable) as found:
        check_mock(mock_of(said), "mock", file_names)
    return found.value.path, found.value.rule


@pytest.mark.parametrize(
    ("said", "path", "rule"),
    [
        ({"matcher": {"body": {}}}, "mock.matcher.body", "required"),
        ({"matcher": {"query": {"a": {}}}}, "mock.matcher.query['a']", "required"),
        ({"matcher": {"headers": {"a": {"pattern": "("}}}}, "mock.matcher.headers['a'].pattern", "regex"),
        (
            {"action": {"respond": {"headers": [{"name": "a"}, {"name": "Date"}]}}},
            "mock.action.respond.headers[1].name",
            "proxy_header",
        ),
        (
            {"action": {"sequence": {"steps": [{"respond": {"headers": [{"name": "te"}]}}]}}},
            "mock.action.sequence.steps[0].respond.headers[0].name",
            "proxy_header",
        ),
        (
            {"action": {"events": {"headers": [{"name": "Content-Length"}], "events": [{"data": "a"}]}}},
            "mock.action.events.headers[0].name",
            "proxy_header",
        ),
        (
            {"action": {"forward": {"target": "http://a.test", "setHeaders": [{"name": "Upgrade"}]}}},
            "mock.action.forward.set_headers[0].name",
            "proxy_header",
        ),
        ({"action": {"respond": {"file": "a"}}}, "mock.action.respond.file", "file"),
        (
            {"action": {"sequence": {"steps": [{"respond": {}}, {"respond": {"file": "a"}}]}}},
            "mock.action.sequence.steps[1].respond.file",
            "file",
        ),
        ({"lifetime": {"usesMax": 1, "usesPer": "STATE_SCOPE_CHAIN"}}, "mock.lifetime.uses_per", "chain"),
        ({"lifetime": {"notBeforeMs": "5", "notAfterMs": "5"}}, "mock.lifetime.not_after_ms", "order"),
        ({"machine": {}}, "mock.machine.machine", "required"),
        ({"machine": {"machine": "m", "scope": "STATE_SCOPE_CHAIN"}}, "mock.machine.scope", "chain"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(said: dict[str, Any], path: str, rule: str) -> None:
    assert refused(said, "another file") == (path, rule)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {
            "chain": "c",
            "lifetime": {"usesPer": "STATE_SCOPE_CHAIN"},
            "machine": {"machine": "m", "scope": "STATE_SCOPE_CHAIN"},
        },
        {"lifetime": {"notBeforeMs": "5"}},
        {"lifetime": {"notBeforeMs": "5", "notAfterMs": "6"}},
        {"action": {"respond": {"file": "there"}}},
    ],
)
def test_what_can_be_is_let_through(said: dict[str, Any]) -> None:
    check_mock(mock_of(said), "mock", ("there",))


def test_names_of_files_are_not_looked_at_when_they_are_not_known() -> None:
    check_mock(mock_of({"action": {"respond": {"file": "a"}}}), "mock", None)


@pytest.mark.parametrize("kind", [Mock, ManifestMock, SessionMock])
def test_whichever_message_says_it_the_same_is_refused(kind: type[Any]) -> None:
    with pytest.raises(Unusable, match=r"x\.machine\.machine is required"):
        check_mock(mock_of({"machine": {}}, kind), "x")


@settings(deadline=None, max_examples=200)
@given(mocks())
def test_what_is_let_through_can_be_compiled(said: ManifestMock) -> None:
    mock = Mock()
    set_fields(mock, said, ("matcher", "action", "lifetime", "machine", "chain"))
    try:
        check_mock(mock, "mock", file_names_of(mock.action))
    except Unusable:
        reject()
    compile_mock(mock)


@settings(deadline=None, max_examples=100)
@given(mocks())
def test_what_is_taken_for_simple_is_compiled_without_a_fault(said: ManifestMock) -> None:
    if checks._is_simple(said.matcher):
        compile_mock(Mock(matcher=said.matcher))
