"""Mocks, compiled."""

from functools import lru_cache
from typing import Final

from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import Mock as MockMessage

from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Mock
from understudy_server.core.profiles import Profile
from understudy_server.core.responding.files import Files, no_files
from understudy_server.definitions.actions import compile_action
from understudy_server.definitions.matchers import compile_matcher
from understudy_server.definitions.usage import compile_usage

_SHARED_BYTES_MAX: Final = 2048


def compile_mock(
    message: MockMessage,
    path: str = "mock",
    files: Files = no_files,
    *,
    owner: str = "",
    profile: Profile = Profile.FLOWMOCK,
) -> Mock:
    """Compile a mock. ``path`` is that of the message. Raises Unusable, but never for a mock that was accepted.

    ``files`` and ``profile`` are those of its environment, and the files are asked when a request is answered;
    ``owner`` is the id of the session that it belongs to, empty for the environment's.
    """
    matcher = _matcher(message, f"{path}.matcher", profile)
    action = compile_action(
        message.action,
        f"{path}.action",
        files,
        chain=message.chain,
        parameters=matcher.path.names if matcher.path else (),
        profile=profile,
    )
    return Mock(
        id=message.id,
        matcher=matcher,
        response=action.response,
        delay_ms=action.delay_ms,
        answer=action.answer,
        usage=compile_usage(message, counts=action.answer is not None and action.answer.counts),
        priority=message.priority,
        owner=owner,
        chain=message.chain,
        created_ms=message.created_at.ToMilliseconds() if message.HasField("created_at") else 0,
        name=message.name,
    )


def _matcher(message: MockMessage, path: str, profile: Profile) -> Matcher:
    serialised = message.matcher.SerializeToString(deterministic=True)
    if len(serialised) <= _SHARED_BYTES_MAX:
        return _shared_matcher(serialised, path, message.chain, profile)
    return compile_matcher(message.matcher, path, chain=message.chain, profile=profile)


@lru_cache(maxsize=1024)
def _shared_matcher(serialised: bytes, path: str, chain: str, profile: Profile) -> Matcher:
    """What many sessions have a mock for they often have a mock for each: they share what is looked for.

    That takes less memory, and finds more of it in the processor's cache when the sessions come in turn.
    """
    return compile_matcher(RequestMatcher.FromString(serialised), path, chain=chain, profile=profile)
