"""A mock as the live view keeps it: compiled when it is first needed."""

import logging

from understudy.v1.mock_service_pb2 import Mock as MockMessage

from understudy_server.core.matching.mock import Mock
from understudy_server.core.matching.request import Request
from understudy_server.core.profiles import Profile
from understudy_server.core.responding.files import Files, no_files
from understudy_server.definitions.matchers import compile_pattern
from understudy_server.definitions.mocks import compile_mock
from understudy_server.definitions.unusable import Unusable

_log = logging.getLogger(__name__)


class LiveMock:
    """One published mock. Compiling costs thirty times as much as keeping, and most of a large library is on nowhere.

    ``files`` and ``profile`` are those of its environment, and ``owner`` is the id of the session that it belongs to.
    Threads may share it: at worst two compile the same at once, and either result will do.
    """

    __slots__ = ("_files", "_mock", "_owner", "_profile")

    def __init__(
        self,
        message: MockMessage,
        files: Files = no_files,
        owner: str = "",
        profile: Profile = Profile.FLOWMOCK,
    ) -> None:
        self._mock: MockMessage | Mock | None = message
        self._files = files
        self._owner = owner
        self._profile = profile

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
                mock = self._mock = self._compile(mock)
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
        if matcher.path and not compile_pattern(matcher.path, self._profile).matches(request.segments()):
            return None
        try:
            return self._compile(mock)
        except Unusable:
            return None

    def _compile(self, message: MockMessage) -> Mock:
        return compile_mock(message, files=self._files, owner=self._owner, profile=self._profile)
