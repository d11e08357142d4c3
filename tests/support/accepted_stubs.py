"""Whether the server takes a stub that was translated, by all that it looks at when a mock is made."""

from understudy.v1.session_mock_service_pb2 import SessionMock
from understudy_gateway.dialects.assertive.stubs import Translated
from understudy_server.definitions.checks import check_mock
from understudy_server.rpc import fields


def accept(stub: Translated) -> None:
    """Raise what the server refuses the mock with, if it does."""
    mock = SessionMock(matcher=stub.matcher, action=stub.action, lifetime=stub.lifetime())
    fields.check(mock)
    check_mock(mock, "mock")
