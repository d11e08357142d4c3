"""Matchers, compiled."""

from collections.abc import Callable, Iterator

from understudy.v1.matching_pb2 import Criterion as CriterionMessage
from understudy.v1.matching_pb2 import RequestMatcher, StateCriterion
from understudy.v1.state_pb2 import STATE_SCOPE_CHAIN

from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.parts import (
    AllHeadersPart,
    AllQueryPart,
    CookiePart,
    HeaderPart,
    HostPart,
    MethodPart,
    Part,
    PathPart,
    StatePart,
)
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.profiles import Profile
from understudy_server.definitions.criteria import Tally, compile_criterion, named_criteria
from understudy_server.definitions.unusable import Unusable
from understudy_server.definitions.usage import compile_scope

_PLAIN = frozenset(("method", "path"))
_USUAL = frozenset(("query", "body")) | _PLAIN

_One = Callable[[CriterionMessage, str], Criterion]

# Tested in this order, behind the query and before the body.
_WHOLE = (
    ("method_criterion", MethodPart),
    ("host", HostPart),
    ("path_criterion", PathPart),
    ("all_query", AllQueryPart),
    ("all_headers", AllHeadersPart),
)


def compile_pattern(text: str, profile: Profile = Profile.FLOWMOCK) -> PathPattern:
    """Compile the pattern of a path, which is not empty, for environments of a profile."""
    # To Assertive no slash at either end counts, neither of a path nor of a pattern.
    return PathPattern.parse("/" + text.strip("/") if profile is Profile.ASSERTIVE else text)


def compile_matcher(
    message: RequestMatcher,
    path: str,
    *,
    chain: str = "",
    prepared: bool = False,
    profile: Profile = Profile.FLOWMOCK,
) -> Matcher:
    """Compile a matcher. ``path`` is that of the message, ``chain`` the mock's. Raises Unusable.

    ``profile`` is that of the environment whose requests it is for. ``prepared``: so that the first request takes it no
    longer than others, which takes time and memory now.
    """
    pattern = compile_pattern(message.path, profile) if message.path else None
    # Asked once: most matchers have no more than these two, and thousands of them are compiled at a time.
    given = {field.name for field, _ in message.ListFields()}
    if given <= _PLAIN:
        return Matcher(message.method, pattern)
    tally = Tally(prepares=prepared)

    def one(criterion: CriterionMessage, place: str) -> Criterion:
        return compile_criterion(criterion, place, tally)

    return Matcher(
        method=message.method,
        path=pattern,
        query=named_criteria(message.query, f"{path}.query", one),
        body=one(message.body, f"{path}.body") if "body" in given else None,
        others=() if given <= _USUAL else tuple(_others(message, path, chain, one)),
    )


def _others(message: RequestMatcher, path: str, chain: str, one: _One) -> Iterator[Part]:
    for name in ("method", "path"):
        if getattr(message, name) and message.HasField(f"{name}_criterion"):
            field = f"{path}.{name}_criterion"
            raise Unusable(field, "exclusive", f"{field} stands in place of {path}.{name}: give one of them")
    for name, kind in _WHOLE:
        if message.HasField(name):
            yield kind(one(getattr(message, name), f"{path}.{name}"))
    if message.headers:
        yield from _headers(message, path, one)
    for name, criterion in named_criteria(message.cookies, f"{path}.cookies", one):
        yield CookiePart(criterion, name)
    for at, state in enumerate(message.state):
        yield _state(state, f"{path}.state[{at}]", chain, at, one)


def _headers(message: RequestMatcher, path: str, one: _One) -> Iterator[Part]:
    seen: dict[str, str] = {}
    for name, criterion in named_criteria(message.headers, f"{path}.headers", one):
        other = seen.setdefault(name.lower(), name)
        if other != name:
            place = f"{path}.headers[{name!r}]"
            raise Unusable(place, "unique", f"{place} is the same header as {other!r}: case does not count", name)
        yield HeaderPart(criterion, name.lower())


def _state(message: StateCriterion, path: str, chain: str, at: int, one: _One) -> Part:
    if not message.key:
        raise Unusable(f"{path}.key", "required", f"{path}.key is required")
    if not message.HasField("criterion"):
        raise Unusable(f"{path}.criterion", "required", f"{path}.criterion is required")
    if message.scope == STATE_SCOPE_CHAIN and not chain:
        raise Unusable(f"{path}.scope", "chain", f"{path}.scope is chain, and the mock belongs to none")
    return StatePart(one(message.criterion, f"{path}.criterion"), compile_scope(message.scope), message.key, chain, at)
