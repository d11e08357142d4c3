"""A mock as the live view keeps it: compiled when it is first needed."""

from understudy.v1.mock_service_pb2 import Mock as MockMessage

from understudy_server.core.matching.mock import Mock
from understudy_server.definitions.mocks import compile_mock


class LiveMock:
    """One published mock. Compiling costs thirty times as much as keeping, and most of a large library is on nowhere.

    Threads may share it: at worst two compile the same at once, and either result will do.
    """

    __slots__ = ("_mock",)

    def __init__(self, message: MockMessage) -> None:
        self._mock: MockMessage | Mock = message

    @property
    def is_compiled(self) -> bool:
        """Whether somebody has needed it already."""
        return isinstance(self._mock, Mock)

    def compiled(self) -> Mock:
        """The mock, compiled now unless it was before."""
        mock = self._mock
        if not isinstance(mock, Mock):
            mock = self._mock = compile_mock(mock)
        return mock
