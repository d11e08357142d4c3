"""Matchers, compiled."""

from understudy.v1.matching_pb2 import RequestMatcher

from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.paths import PathPattern
from understudy_server.definitions.criteria import compile_criterion


def compile_matcher(message: RequestMatcher, path: str) -> Matcher:
    """Compile a matcher. ``path`` is that of the message. Raises Unusable."""
    # In order of names, because a map has none and a match must not depend on one.
    query = [
        (name, compile_criterion(message.query[name], f"{path}.query[{name!r}]")) for name in sorted(message.query)
    ]
    return Matcher(
        method=message.method,
        path=PathPattern.parse(message.path) if message.path else None,
        query=tuple(query),
        body=compile_criterion(message.body, f"{path}.body") if message.HasField("body") else None,
    )
