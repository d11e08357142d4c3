"""A mock as the live view keeps it: compiled when it is first needed."""

import logging

from understudy.v1.mock_service_pb2 import Mock as MockMessage

from understudy_server.core.matching.mock import Mock
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request
from understudy_server.core.responding.files import Files, no_files
from understudy_server.definitions.mocks import compile_mock
from understudy_server.definitions.unusable import Unusable

_log = logging.getLogger(__name__)


class LiveMock:
    """One published mock. Compiling costs thirty times as much as keeping, and most of a large library is on nowhere.

    ``files`` are those of its environment, and ``owner`` is the id of the session that it belongs to. Threads may share
    it: at worst two compile the same at once, and either result will do.
    """

    __slots__ = ("_files", "_mock", "_owner")

    def __init__(self, message: MockMessage, files: Files = no_files, owner: str = "") -> None:
        self._mock: MockMessage | Mock | None = message
        self._files = files
        self._owner = owner

    @property
    def is_compiled(self) -> bool:
        """Whether somebody has needed it already."""
        return not isinstance(self._mock, MockMessage)

    def compiled(self) -> Mock | None:
        """The mock, compiled now unless it was before; ``None`` for one that cannot be, which is said in the log.

        Nothing is accepted that cannot be compiled, but a file may hold what an older release has accepted.
        """
        mock = self._mock
        if isinstance(mock, MockMessage):
            try:
                mock = self._mock = compile_mock(mock, files=self._files, owner=self._owner)
            except Unusable as error:
                _log.error("mock %s does not apply, for it cannot be used: %s", mock.id, error)
                mock = self._mock = None
        return mock

    def peeked(self, request: Request) -> Mock | None:
        """The mock, if its method and path fit, without keeping it compiled: for whoever looks at a library once.

        ``None`` for one that cannot be compiled, too.
        """
        mock = self._mock
        if not isinstance(mock, MockMessage):
            return mock
        matcher = mock.matcher
        if matcher.method not in ("", request.method):
            return None
        if matcher.path and not PathPattern.parse(matcher.path).matches(request.segments()):
            return None
        try:
            return compile_mock(mock, files=self._files, owner=self._owner)
        except Unusable:
            return None
