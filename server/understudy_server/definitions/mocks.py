"""Mocks, compiled."""

from understudy.v1.mock_service_pb2 import Mock as MockMessage

from understudy_server.core.matching.mock import Mock
from understudy_server.definitions.actions import compile_response
from understudy_server.definitions.matchers import compile_matcher


def compile_mock(message: MockMessage, path: str = "mock") -> Mock:
    """Compile a mock. ``path`` is that of the message. Raises Unusable, but never for a mock that was accepted."""
    return Mock(
        id=message.id,
        matcher=compile_matcher(message.matcher, f"{path}.matcher"),
        response=compile_response(message.action.respond),
        delay_ms=message.action.delay.fixed_ms,
    )
